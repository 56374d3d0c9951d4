"""Nearest molecules among millions: an index on disk, of which only what is needed is read.

Similarity is what it is in `index`: the cosine of h after subtracting the mean of the index. Below
`EXACT_BELOW` molecules every one is compared; above, a graph (HNSW, by usearch) proposes candidates
whose cosines are then computed exactly. Arrays and a plain table only; who embeds and standardizes
is `molecules`; `build` writes the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.index import NO_NEIGHBOR, Neighbors

#: Molecules below which every one is compared.
EXACT_BELOW = 50_000
COLUMNS = ("name", "smiles", "row")

FORMAT = "cmim-chem library index, version 1"
VECTORS, MEAN, TABLE, GRAPH = "vectors.npy", "mean.npy", "molecules.arrow", "graph.usearch"
MANIFEST = "manifest.json"
BLOCK = 65_536  # rows
_QUERIES = 256  # compared with everything at once
_DECIMALS = 6  # as in `index`: equal molecules must tie
_CONNECTIVITY, _EXPANSION = 16, 128
_CANDIDATES = 4  # times k


@dataclass(frozen=True, eq=False)
class LibraryIndex:
    """Molecules and their vectors, mapped from files; immutable.

    Attributes
    ----------
    folder : Path
        Where they are.
    facts : dict
        The manifest: molecules, encoder_digest, recall_at_10 (None if every one is compared).
    mean : (d,) float32
        What is subtracted from h.
    vectors : (n, d) float16
        Centered h of each molecule, of length 1.
    """

    folder: Path
    facts: dict[str, Any]
    mean: NDArray[np.float32]
    vectors: NDArray[np.float16]
    _table: pa.Table
    _graph: Any

    @classmethod
    def open(cls, folder: Path, encoder_digest: str) -> LibraryIndex:
        """Map an index into memory.

        Its files are checked by their sizes, since reading all of them would take longer than a
        search; an index from somebody else is to be trusted before it is opened.

        Parameters
        ----------
        folder : Path
            What `Builder` wrote.
        encoder_digest : str
            Digest of the encoder that will embed the queries.

        Returns
        -------
        LibraryIndex
            Ready to be queried.

        Raises
        ------
        ArtifactError
            If it is not whole, or was built with another encoder.
        """
        try:
            facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            is_ours = facts["format"] == FORMAT
        except (OSError, ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise ArtifactError(f"{folder}: no library index here; make one with --build")
        if facts["encoder_digest"] != encoder_digest:
            raise ArtifactError(
                f"{folder}: was built with encoder {facts['encoder_digest'][:12]}, the encoder "
                f"loaded is {encoder_digest[:12]}; build it again"
            )
        for name, size in facts["bytes"].items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise ArtifactError(f"{folder / name}: missing or cut off; build the index again")
        table = pa.ipc.open_file(pa.memory_map(str(folder / TABLE))).read_all()
        vectors = np.load(folder / VECTORS, mmap_mode="r")
        graph = _open_graph(folder, vectors.shape[1]) if GRAPH in facts["bytes"] else None
        return cls(folder, facts, np.load(folder / MEAN), vectors, table, graph)

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.vectors)

    def take(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Look up molecules.

        Parameters
        ----------
        rows : (m,) int64
            Their numbers in the index.

        Returns
        -------
        DataFrame
            m rows with the columns `COLUMNS`.
        """
        frame: pd.DataFrame = self._table.take(pa.array(rows)).to_pandas()
        return frame

    def query(self, h: NDArray[np.floating[Any]], k: int = 10) -> Neighbors:
        """Find the nearest molecules of each query.

        Parameters
        ----------
        h : (n, d) float
            Embeddings by the same encoder, not centered; a row with NaN has no neighbors.
        k : int
            Neighbors wanted per query.

        Returns
        -------
        Neighbors
            Two arrays of shape (n, k).

        Raises
        ------
        InputError
            If k is less than 1.
        """
        if k < 1:
            raise InputError(f"{k} neighbors were asked for: ask for 1 or more")
        rows = np.full((len(h), k), NO_NEIGHBOR, dtype=np.int64)
        cosine = np.full((len(h), k), np.nan, dtype=np.float32)
        known = np.flatnonzero(np.isfinite(h).all(axis=1))
        units = normalize(h[known].astype(np.float32) - self.mean)
        width = min(k, len(self))
        rows[known, :width], cosine[known, :width] = self.search(units, width)
        return Neighbors(rows, cosine)

    def search(
        self, units: NDArray[np.float32], k: int, exact: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest of vectors that are centered and of length 1.

        Parameters
        ----------
        units : (n, d) float32
            Queries.
        k : int
            At most the number of molecules.
        exact : bool
            Whether to compare with every molecule in any case.

        Returns
        -------
        rows : (n, k) int64
            Nearest first; equal ones (to six decimals) in the order of the library.
        cosine : (n, k) float32
        """
        if exact or self._graph is None:
            return self._compare_all(units, k)
        rows = np.empty((len(units), k), dtype=np.int64)
        cosine = np.empty((len(units), k), dtype=np.float32)
        wanted = min(k * _CANDIDATES, len(self))
        for at, unit in enumerate(units):
            found = np.asarray(self._graph.search(unit, wanted).keys).astype(np.int64)
            rows[at], cosine[at] = _best(self.vectors[found] @ unit, found, k)
        return rows, cosine

    def _compare_all(
        self, units: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        rows, cosine = np.empty((len(units), k), np.int64), np.empty((len(units), k), np.float32)
        for start in range(0, len(units), _QUERIES):
            part = units[start : start + _QUERIES]
            best: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = [
                (np.empty(0, np.int64), np.empty(0, np.float32))
            ] * len(part)
            for first in range(0, len(self), BLOCK):
                block = self.vectors[first : first + BLOCK].astype(np.float32)
                numbers = np.arange(first, first + len(block))
                for at, scores in enumerate(part @ block.T):
                    old = best[at]
                    new = _best(scores, numbers, k)
                    rows_of = np.concatenate([old[0], new[0]])
                    best[at] = _best(np.concatenate([old[1], new[1]]), rows_of, k)
            rows[start : start + len(part)] = [one[0] for one in best]
            cosine[start : start + len(part)] = [one[1] for one in best]
        return rows, cosine


def normalize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a row of zeros stays zero, and is like nothing."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)


def _best(
    scores: NDArray[np.float32], numbers: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k best of some molecules, equal ones in the order of their numbers."""
    scores = np.round(scores.astype(np.float32), _DECIMALS).clip(-1.0, 1.0)
    if len(scores) > k:
        threshold = np.partition(scores, -k)[-k]
        near = np.flatnonzero(scores >= threshold)
        scores, numbers = scores[near], numbers[near]
    order = np.lexsort((numbers, -scores))[:k]
    return numbers[order], scores[order]


def make_graph(dimensions: int) -> Any:  # noqa: ANN401 - usearch has no types
    """Make an empty graph, to be filled or to be mapped.

    Parameters
    ----------
    dimensions : int
        Length of the vectors.
    """
    from usearch.index import Index

    return Index(
        ndim=dimensions, metric="ip", dtype="f16", connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION, expansion_search=_EXPANSION,
    )  # fmt: skip


def _open_graph(folder: Path, dimensions: int) -> Any:  # noqa: ANN401 - as above
    graph = make_graph(dimensions)
    graph.view(str(folder / GRAPH))
    return graph
