"""The radial kernel, support vectors of one byte a number, and matrix products in equal blocks.

Arithmetic that fitting (`probes.heads`) and predicting (`probes.fitted`) have in common.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]

SUPPORT_STEP = 10.0 / 127.0
# Rows of a matrix product: always as many, so that a row's sums never depend on its company.
_BLOCK_ROWS = 128


def in_blocks(x: FloatMatrix, compute: Callable[[FloatMatrix], FloatArray]) -> FloatArray:
    """Compute row by row in blocks of one shape, the last one filled up with zeros.

    Parameters
    ----------
    x : (n, d) float32
        Rows.
    compute : callable
        Maps a block of rows to as many rows of t numbers.

    Returns
    -------
    (n, t) float64
    """
    blocks = []
    for start in range(0, max(len(x), 1), _BLOCK_ROWS):
        rows = x[start : start + _BLOCK_ROWS]
        missing = _BLOCK_ROWS - len(rows)
        filled = np.pad(rows, ((0, missing), (0, 0))) if missing else rows
        blocks.append(compute(filled)[: len(rows)])
    return np.concatenate(blocks)


def round_rows(x: FloatMatrix) -> NDArray[np.int8]:
    """Round a matrix limited to +-10 to int8 steps of `SUPPORT_STEP`."""
    rounded: NDArray[np.int8] = np.rint(x / SUPPORT_STEP).astype(np.int8)
    return rounded


def unround(support: NDArray[np.int8]) -> FloatArray:
    """Undo `round_rows` up to the rounding."""
    return support.astype(np.float64) * SUPPORT_STEP


def radial_kernel(a: NDArray[np.floating], b: NDArray[np.floating], gamma: float) -> FloatArray:
    """Radial kernel exp(-gamma |a_i - b_j|^2) as (n, m) float64."""
    left, right = a.astype(np.float64), b.astype(np.float64)
    squared = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
    squared -= 2.0 * (left @ right.T)
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0.0)))
