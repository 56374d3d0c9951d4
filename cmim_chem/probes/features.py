"""From named feature blocks to the one matrix a head reads: columns kept, centers, scales.

Arrays in, arrays out. Which blocks exist and how they are computed is left to the encoder and to
`chem.descriptors`; which of them to join is chosen in `probes.select`. Every step is element-wise
in float32, so a row's numbers cannot depend on the other rows of its batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError, InputError

FloatMatrix = NDArray[np.float32]
Features = Mapping[str, NDArray[np.floating]]

COUNTS = "ecfp"
MAY_BE_MISSING = frozenset({"descriptors"})
LIMIT = 10.0
MIN_PRESENCE = 0.01


@dataclass(frozen=True, slots=True)
class Block:
    """How one feature block enters the matrix.

    Attributes
    ----------
    name : str
        "z", "h", "descriptors" or "ecfp".
    width : int
        Columns the block must have.
    columns : (k,) int32
        Columns kept: those that vary (dense blocks), or that are set in at least 1 % of the rows
        the block was fitted on (count fingerprints).
    center, scale : (k,) float32
        Subtracted from and divided into the kept columns. A count fingerprint is not centered and
        has one scale for all its columns, so that rare bits are not blown up.
    """

    name: str
    width: int
    columns: NDArray[np.int32]
    center: FloatMatrix
    scale: FloatMatrix

    def transform(self, values: NDArray[np.floating]) -> FloatMatrix:
        """Map (n, width) raw values to (n, k) float32, limited to +-10 standard deviations.

        Raises
        ------
        InputError
            When the block has another width, or a row of z, h or ecfp has no number.
        """
        raw = np.asarray(values, dtype=np.float32)
        if raw.ndim != 2 or raw.shape[1] != self.width:
            raise InputError(
                f"features {self.name!r} have shape {raw.shape}, this probe needs (n, {self.width})"
            )
        if self.name not in MAY_BE_MISSING:
            _require_numbers(self.name, raw)
        # One copy, then in place: with a thousand columns most of the time goes into memory.
        scaled = raw.take(self.columns, axis=1)
        if self.name == COUNTS:
            _root_of_counts(scaled, out=scaled)
        with np.errstate(invalid="ignore", over="ignore"):
            if self.center.any():
                scaled -= self.center
            scaled /= self.scale
            scaled.clip(-LIMIT, LIMIT, out=scaled)
        if self.name in MAY_BE_MISSING:
            # A descriptor that could not be computed takes the average of the rows fitted on.
            scaled[np.isnan(scaled)] = 0.0
        return scaled


@dataclass(frozen=True, slots=True)
class Inputs:
    """The joined blocks of one probe, in order."""

    blocks: tuple[Block, ...]

    @property
    def width(self) -> int:
        """Columns of the joined matrix."""
        return sum(len(block.columns) for block in self.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks that must be passed to `transform`."""
        return tuple(block.name for block in self.blocks)

    def transform(self, features: Features) -> FloatMatrix:
        """Join the blocks to (n, width) float32.

        Raises
        ------
        InputError
            When a block is absent, has another width or has rows without numbers.
        """
        require_blocks(features, self.names)
        return np.hstack([block.transform(features[block.name]) for block in self.blocks])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Flatten to named arrays for storage; `from_arrays` is the inverse."""
        flat: dict[str, NDArray[np.generic]] = {}
        for block in self.blocks:
            flat[f"{block.name}.width"] = np.asarray([block.width], dtype=np.int32)
            flat[f"{block.name}.columns"] = block.columns
            flat[f"{block.name}.center"] = block.center
            flat[f"{block.name}.scale"] = block.scale
        return flat

    @classmethod
    def from_arrays(cls, names: Sequence[str], flat: Mapping[str, NDArray[np.generic]]) -> Inputs:
        """Rebuild from `arrays`.

        Raises
        ------
        ArtifactError
            When an array is absent.
        """
        try:
            blocks = tuple(
                Block(
                    name,
                    int(flat[f"{name}.width"][0]),
                    flat[f"{name}.columns"].astype(np.int32),
                    flat[f"{name}.center"].astype(np.float32),
                    flat[f"{name}.scale"].astype(np.float32),
                )
                for name in names
            )
        except KeyError as error:
            raise ArtifactError(f"the probe lacks the array {error}; fit it again") from error
        return cls(blocks)


def fit_inputs(features: Features, names: Sequence[str], rows: NDArray[np.int64]) -> Inputs:
    """Choose columns and scales from the given rows only.

    Parameters
    ----------
    features : mapping of str to (n, d) float
        Blocks by name.
    names : sequence of str
        Blocks to join, in order.
    rows : (m,) int64
        Rows the statistics may be computed from (the training rows).

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        When a block is absent or has rows without numbers.
    """
    require_blocks(features, names)
    blocks = []
    for name in names:
        raw = np.asarray(features[name], dtype=np.float32)[rows]
        if name not in MAY_BE_MISSING:
            _require_numbers(name, raw)
        blocks.append(_fit_counts(name, raw) if name == COUNTS else _fit_dense(name, raw))
    return Inputs(tuple(blocks))


def require_blocks(features: Features, names: Sequence[str]) -> None:
    """Check that every named block is there.

    Raises
    ------
    InputError
        Naming the absent blocks.
    """
    absent = [name for name in names if name not in features]
    if absent:
        raise InputError(f"features {', '.join(absent)} are needed by this probe: compute them")


def _fit_dense(name: str, raw: FloatMatrix) -> Block:
    finite = np.where(np.isfinite(raw), raw, np.nan).astype(np.float64)
    known = ~np.isnan(finite)
    seen = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, finite, 0.0).sum(axis=0) / seen
    deviation = np.sqrt(np.where(known, (finite - center) ** 2, 0.0).sum(axis=0) / seen)
    # Below this, the column is constant up to the rounding of float32.
    columns = np.flatnonzero(deviation > 1e-6 * np.maximum(1.0, np.abs(center))).astype(np.int32)
    return Block(
        name,
        raw.shape[1],
        columns,
        center[columns].astype(np.float32),
        deviation[columns].astype(np.float32),
    )


def _fit_counts(name: str, raw: FloatMatrix) -> Block:
    present = (raw > 0).sum(axis=0)
    least = max(2.0, MIN_PRESENCE * len(raw))
    columns = np.flatnonzero((present >= least) & (present < len(raw))).astype(np.int32)
    spread = _root_of_counts(raw[:, columns]).var(axis=0, dtype=np.float64)
    scale = np.sqrt(spread.mean()) if columns.size else 1.0
    return Block(
        name,
        raw.shape[1],
        columns,
        np.zeros(len(columns), dtype=np.float32),
        np.full(len(columns), max(scale, 1e-6), dtype=np.float32),
    )


def _root_of_counts(counts: FloatMatrix, out: FloatMatrix | None = None) -> FloatMatrix:
    """Dampen large counts; the square root is correctly rounded, hence equal in every batch."""
    return np.sqrt(np.maximum(counts, np.float32(0.0), out=out), out=out)


def _require_numbers(name: str, raw: FloatMatrix) -> None:
    if np.isfinite(raw.sum()):  # a sum over what is not finite is not finite
        return
    bad = np.flatnonzero(~np.isfinite(raw).all(axis=1))
    if bad.size:
        raise InputError(
            f"features {name!r} have no numbers in {bad.size} rows, the first is row {bad[0]}"
            " (counting from 0): drop the molecules that failed before calling"
        )
