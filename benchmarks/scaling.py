"""From blocks of raw numbers to the matrix that every head reads, scaled on the training rows.

One rule for all representations: constant columns go; a dense block is standardized by column and
limited to ten standard deviations; counts become log(1 + count), all divided by one number, so that
rare bits are not blown up and every block has unit variance per column on average.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatMatrix = NDArray[np.float32]

COUNTS = frozenset({"ecfp"})
LIMIT = 10.0


def scale(blocks: Mapping[str, FloatMatrix], train: NDArray[np.int64]) -> FloatMatrix:
    """Join blocks to one matrix.

    Parameters
    ----------
    blocks : mapping of str to (n, d) float32
        Raw numbers; NaN where a descriptor could not be computed.
    train : (m,) int64
        Rows from which columns, centers and scales may be learned.

    Returns
    -------
    ndarray
        Shape (n, k), float32, finite.
    """
    return np.hstack(
        [
            _scale_counts(block, train) if name in COUNTS else _scale_dense(block, train)
            for name, block in blocks.items()
        ]
    )


def _scale_counts(block: FloatMatrix, train: NDArray[np.int64]) -> FloatMatrix:
    known = block[train]
    columns = np.flatnonzero(known.min(axis=0) < known.max(axis=0))
    logs = np.log1p(block[:, columns])
    variance = logs[train].var(axis=0, dtype=np.float64).mean() if columns.size else 1.0
    return np.divide(logs, np.float32(np.sqrt(variance)), out=logs)


def _scale_dense(block: FloatMatrix, train: NDArray[np.int64]) -> FloatMatrix:
    known = block[train].astype(np.float64)
    known[~np.isfinite(known)] = np.nan
    columns = np.flatnonzero(~np.isnan(known).all(axis=0))
    center, spread = np.nanmean(known[:, columns], axis=0), np.nanstd(known[:, columns], axis=0)
    # Below this, a column is constant up to the rounding of float32.
    varies = spread > 1e-6 * np.maximum(1.0, np.abs(center))
    scaled = (block[:, columns[varies]] - center[varies]) / spread[varies]
    # A descriptor that could not be computed takes the average of the training rows.
    scaled = np.where(np.isfinite(scaled), scaled, 0.0)
    return np.clip(scaled, -LIMIT, LIMIT).astype(np.float32)
