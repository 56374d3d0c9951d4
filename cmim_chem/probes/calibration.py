"""Probabilities that mean frequencies: two numbers per task, and how far off they are.

Platt's map p = 1 / (1 + exp(-(slope * margin + offset))), fitted on margins of molecules that the
model had not seen. It never changes the order of molecules. Where such margins come from is the
business of `probes.folds`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

FloatArray = NDArray[np.float64]

#: Probabilities are kept this far from 0 and 1.
EDGE = 1e-6
_LEAST_SLOPE = 0.05
_BINS = 10


def to_margins(p: ArrayLike) -> FloatArray:
    """Log-odds of probabilities, limited to those of `EDGE`."""
    return np.asarray(logit(np.clip(np.asarray(p, dtype=np.float64), EDGE, 1 - EDGE)))


def fit_platt(margins: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Fit slope and offset by penalized maximum likelihood (Platt, 1999).

    Parameters
    ----------
    margins : (n,) float64
        Log-odds that a model gave to molecules it was not fitted on.
    labels : (n,) float64
        0 or 1, none missing.

    Returns
    -------
    tuple of two float
        Slope and offset; a penalty worth about one molecule draws them to 1 and 0, so that a
        handful of molecules changes little. The slope is never negative.
    """
    from scipy.optimize import minimize  # only to fit: it takes long to import

    x, y = np.asarray(margins, dtype=np.float64), np.asarray(labels, dtype=np.float64)

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        slope, offset = point
        line = slope * x + offset
        value = np.logaddexp(0.0, line).sum() - (y * line).sum()
        value += 0.5 * ((slope - 1) ** 2 + offset**2)
        error = expit(line) - y
        return float(value), np.array([error @ x + slope - 1, error.sum() + offset])

    bounds = [(_LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.x[0]), float(found.x[1])


def calibration_error(labels: ArrayLike, p: ArrayLike, bins: int = _BINS) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015).

    Parameters
    ----------
    labels : (n,) float64
        0 or 1; rows without a label (NaN) do not count.
    p : (n,) float64
        Probabilities of class 1.
    bins : int
        Bins of equal width.

    Returns
    -------
    float
        Mean over molecules of the gap, in their bin, between mean probability and share of class
        1; NaN without labels.
    """
    y, guess = np.asarray(labels, dtype=np.float64), np.asarray(p, dtype=np.float64)
    known = ~np.isnan(y)
    if not known.any():
        return float("nan")
    y, guess = y[known], guess[known]
    bin_of = np.minimum((guess * bins).astype(np.int64), bins - 1)
    gap = np.abs(np.bincount(bin_of, guess - y, minlength=bins))
    return float(gap.sum() / len(y))
