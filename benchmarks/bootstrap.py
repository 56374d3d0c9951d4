"""How much a test score depends on which molecules the test part happens to hold.

The same resamples of the test molecules for every representation and head of a split, so that
differences between two of them are paired. Scores of all resamples are computed at once, from how
often each molecule was drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

REPLICATES = 500
SEED = 20_260_101


def draw_weights(n: int, replicates: int = REPLICATES, seed: int = SEED) -> NDArray[np.float32]:
    """How often each of n molecules is in each resample of n, drawn with replacement.

    Parameters
    ----------
    n : int
        Test molecules.
    replicates : int
        Number of resamples.
    seed : int
        Fixes what is drawn.

    Returns
    -------
    ndarray
        Shape (replicates, n), float32.
    """
    generator = np.random.default_rng(seed)
    weights = np.zeros((replicates, n), dtype=np.float32)
    for row in weights:
        row += np.bincount(generator.integers(n, size=n), minlength=n)
    return weights


def resample(
    metric: str, y: FloatArray, predicted: FloatArray, weights: NDArray[np.float32]
) -> FloatArray:
    """Mean score over tasks in every resample; tasks undefined in a resample are left out of it.

    Parameters
    ----------
    metric : str
        "roc_auc" or "rmse".
    y : (n, t) float64
        NaN where missing.
    predicted : (n, t) float64
        Predictions.
    weights : (r, n) float32
        See `draw_weights`.

    Returns
    -------
    ndarray
        Shape (r,), float64; NaN where no task is defined.
    """
    one = weighted_auc if metric == "roc_auc" else weighted_rmse
    total = np.zeros(len(weights))
    defined = np.zeros(len(weights))
    for labels, guesses in zip(y.T, predicted.T, strict=True):
        known = ~np.isnan(labels)
        if known.any():
            scores = one(labels[known], guesses[known], weights[:, known])
            total += np.nan_to_num(scores)
            defined += ~np.isnan(scores)
    with np.errstate(invalid="ignore"):
        return total / np.where(defined > 0, defined, np.nan)


def weighted_auc(
    labels: FloatArray, guesses: FloatArray, weights: NDArray[np.float32]
) -> FloatArray:
    """ROC-AUC of one task in every resample.

    Parameters
    ----------
    labels : (n,) float64
        0 or 1.
    guesses : (n,) float64
        Predictions.
    weights : (r, n) float32
        See `draw_weights`.

    Returns
    -------
    ndarray
        Shape (r,), float64; NaN where a resample has one class only.
    """
    order = np.argsort(guesses, kind="stable")
    ranked, positive = guesses[order], labels[order] == 1
    drawn = weights[:, order].astype(np.float64)
    first = np.concatenate([[True], ranked[1:] > ranked[:-1]])  # of molecules with equal scores
    starts = np.flatnonzero(first)
    positives = np.add.reduceat(drawn * positive, starts, axis=1)
    negatives = np.add.reduceat(drawn * ~positive, starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    won = np.sum(positives * (below + 0.5 * negatives), axis=1)
    return won / np.where(pairs > 0, pairs, np.nan)


def weighted_rmse(
    labels: FloatArray, guesses: FloatArray, weights: NDArray[np.float32]
) -> FloatArray:
    """RMSE of one task in every resample; parameters as in `weighted_auc`."""
    drawn = weights.astype(np.float64)
    return np.sqrt(drawn @ (labels - guesses) ** 2 / drawn.sum(axis=1))
