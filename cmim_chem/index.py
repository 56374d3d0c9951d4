"""Nearest known molecules by exact search in the space of the informative embedding h.

Similarity is the cosine of *centered* h: the mean of the index is subtracted first, because raw
embeddings share one large direction and all look alike. Arrays and a plain table only: embedding a
query is `cmim_chem.embed`'s work, files are `cmim_chem.index_files`'s, Tanimoto similarity and
putting it all together `cmim_chem.predictor`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.index_files import COLUMNS, IndexContent, load_content, save_content

NO_NEIGHBOR = -1

# Queries compared at once: bounds memory at about 100 MB per 100,000 molecules of the index.
_CHUNK = 256
# A matrix product rounds differently from place to place; equal molecules must tie all the same.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The k nearest molecules of each of n queries, nearest first.

    Attributes
    ----------
    rows : (n, k) int64
        Row numbers of the index's table; `NO_NEIGHBOR` for a query without numbers, or where the
        index holds fewer than k molecules.
    cosine : (n, k) float32
        Cosine of centered h, from -1 to 1; NaN where there is no neighbor.
    """

    rows: NDArray[np.int64]
    cosine: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NeighborIndex:
    """Known molecules and their embeddings; immutable.

    Attributes
    ----------
    encoder_digest : str
        sha256 of the encoder that made the vectors.
    digest : str
        sha256 of the manifest, and so of everything in the index.
    credits : mapping of str to str
        License and attribution of each source, to be shown wherever its molecules are.
    mean : (d,) float32
        What is subtracted from h.
    vectors : (n, d) float32
        Centered h of each molecule, of length 1.
    """

    encoder_digest: str
    digest: str
    credits: Mapping[str, str]
    mean: NDArray[np.float32]
    vectors: NDArray[np.float32]
    _table: pd.DataFrame

    @classmethod
    def load(cls, folder: Path, encoder_digest: str) -> NeighborIndex:
        """Read an index and check that it is whole and belongs to the encoder.

        Parameters
        ----------
        folder : Path
            What `build_index` wrote.
        encoder_digest : str
            Digest of the encoder that will embed the queries.

        Returns
        -------
        NeighborIndex
            Ready to be queried.

        Raises
        ------
        ArtifactError
            If a file is missing or changed, or the index was built with another encoder.
        """
        content = load_content(folder, encoder_digest)
        # On disk only the direction counts.
        vectors = _normalize(content.vectors)
        for array in (content.mean, vectors):
            array.flags.writeable = False
        credits = MappingProxyType(content.credits)
        return cls(encoder_digest, content.digest, credits, content.mean, vectors, content.table)

    @property
    def table(self) -> pd.DataFrame:
        """The molecules, one row each with the columns `COLUMNS`; the caller's own copy.

        Unknown text is empty; ``year`` (of first approval, Int64) is missing where there is none.
        """
        return self._table.copy(deep=False)  # pandas copies on write

    @property
    def sources(self) -> tuple[str, ...]:
        """The values of the column ``source``, in order of appearance."""
        return tuple(self._table["source"].unique())

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self._table)

    def query(
        self, h: NDArray[np.floating[Any]], k: int = 10, source: str | None = None
    ) -> Neighbors:
        """Find the nearest molecules of each query, exactly.

        Molecules of equal cosine (to six decimals) come in the order of the table.

        Parameters
        ----------
        h : (n, d) float
            Embeddings by the same encoder, not centered; a row with NaN has no neighbors.
        k : int
            Neighbors wanted per query.
        source : str or None
            Look only among the molecules of this source.

        Returns
        -------
        Neighbors
            Two arrays of shape (n, k).

        Raises
        ------
        InputError
            If k is less than 1 or the source is unknown.
        ValueError
            If h has not d columns.
        """
        if k < 1:
            raise InputError(f"{k} neighbors were asked for: ask for 1 or more")
        if h.ndim != 2 or h.shape[1] != self.vectors.shape[1]:
            raise ValueError(f"h has shape {h.shape}, expected (n, {self.vectors.shape[1]})")
        candidates = self._select_rows(source)
        rows = np.full((len(h), k), NO_NEIGHBOR, dtype=np.int64)
        cosine = np.full((len(h), k), np.nan, dtype=np.float32)
        known = np.flatnonzero(np.isfinite(h).all(axis=1))
        for start in range(0, len(known), _CHUNK):
            chunk = known[start : start + _CHUNK]
            units = _normalize(h[chunk].astype(np.float32) - self.mean)
            scores = (units @ self.vectors.T)[:, candidates]
            scores = np.round(scores, _DECIMALS).clip(-1.0, 1.0)
            for i, row_scores in zip(chunk, scores, strict=True):
                best = _top(row_scores, k)
                rows[i, : len(best)] = candidates[best]
                cosine[i, : len(best)] = row_scores[best]
        return Neighbors(rows, cosine)

    def _select_rows(self, source: str | None) -> NDArray[np.intp]:
        if source is None:
            return np.arange(len(self))
        if source not in self.sources:
            known = ", ".join(f'"{name}"' for name in self.sources)
            raise InputError(f'the index has no source "{source}": choose one of {known}')
        return np.flatnonzero((self._table["source"] == source).to_numpy())


def build_index(
    h: NDArray[np.floating[Any]],
    table: pd.DataFrame,
    encoder_digest: str,
    folder: Path,
    credits: Mapping[str, str],
) -> NeighborIndex:
    """Write an index to a folder and load it from there.

    Parameters
    ----------
    h : (n, d) float
        Embeddings of the molecules, all finite.
    table : DataFrame
        n rows with at least the columns `COLUMNS`, in the order of h.
    encoder_digest : str
        sha256 of the encoder that made h.
    folder : Path
        Where to write; made if missing. An index that is there already is replaced.
    credits : mapping of str to str
        License and attribution of each value of ``source``.

    Returns
    -------
    NeighborIndex
        The index as written.

    Raises
    ------
    ValueError
        If rows, columns or credits do not fit together, or h has rows that are not finite.
    """
    _check_parts(h, table, credits)
    h32 = h.astype(np.float32)
    mean = h32.mean(axis=0)
    content = IndexContent(encoder_digest, dict(credits), mean, _normalize(h32 - mean), table)
    save_content(content, folder)
    return NeighborIndex.load(folder, encoder_digest)


def _check_parts(
    h: NDArray[np.floating[Any]], table: pd.DataFrame, credits: Mapping[str, str]
) -> None:
    if h.ndim != 2 or len(h) != len(table) or len(table) == 0:
        raise ValueError(f"h has shape {h.shape}, the table {len(table)} rows")
    if missing := set(COLUMNS) - set(table.columns):
        raise ValueError(f"the table lacks the columns {sorted(missing)}")
    if uncredited := set(table["source"]) - set(credits):
        raise ValueError(f"no credits for the sources {sorted(uncredited)}")
    if len(bad := np.flatnonzero(~np.isfinite(h).all(axis=1))):
        raise ValueError(f"{len(bad)} rows of h are not finite, the first is row {bad[0]}")


def _normalize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a row of zeros stays zero, and is like nothing."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)


def _top(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Positions of the k largest, largest first, equal ones in order of position."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    # Everything that ties with the k-th must compete: argpartition alone would choose by chance.
    threshold = -np.partition(-scores, k - 1)[k - 1]
    contenders = np.flatnonzero(scores >= threshold)
    return contenders[np.argsort(-scores[contenders], kind="stable")][:k]
