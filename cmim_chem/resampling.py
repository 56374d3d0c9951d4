"""How much a score depends on which molecules happened to be held out: the bootstrap.

It is about the score of one split; how sure a single prediction is, is another matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cmim_chem.metrics import score

_LEVEL = 0.95


def bootstrap_interval(
    metric: str, y: ArrayLike, predicted: ArrayLike, *, replicates: int = 500, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a score, from drawing the scored rows again and again with replacement.

    Parameters
    ----------
    metric : str
        One of `cmim_chem.metrics.METRICS`.
    y : (n,) float64
        Labels, NaN where missing.
    predicted : (n,) float64
        In the same order.
    replicates : int
        Number of drawings; those in which the score is undefined are left out.
    seed : int
        Fixes the drawings.

    Returns
    -------
    tuple of two float
        Lower and upper end; NaN if the score is undefined.

    Raises
    ------
    InputError
        As `cmim_chem.metrics.score`.
    """
    truth, guess = np.asarray(y, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if np.isnan(score(metric, truth, guess).value):
        return float("nan"), float("nan")
    known = np.flatnonzero(~np.isnan(truth))
    drawn = np.random.default_rng(seed).choice(known, size=(replicates, len(known)))
    values = np.array([score(metric, truth[rows], guess[rows]).value for rows in drawn])
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
