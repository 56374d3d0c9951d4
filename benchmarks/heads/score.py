"""The score by which grid points are chosen: mean over tasks, greater is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

FloatArray = NDArray[np.float64]


def mean_metric(kind: str, y: FloatArray, predicted: FloatArray) -> float:
    """Mean ROC-AUC over the tasks where it is defined, or minus the mean RMSE.

    Parameters
    ----------
    kind : "regression" or "classification"
        Which of the two metrics.
    y : (n, t) float64
        NaN where missing.
    predicted : (n, t) float64
        Predictions.

    Returns
    -------
    float
        Minus infinity when no task can be scored.
    """
    one = _negative_rmse if kind == "regression" else rank_auc
    values = []
    for labels, guesses in zip(y.T, predicted.T, strict=True):
        known = ~np.isnan(labels)
        values.append(one(labels[known], guesses[known]))
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else -np.inf


def rank_auc(labels: FloatArray, guesses: FloatArray) -> float:
    """ROC-AUC by the Mann-Whitney statistic; NaN with one class only."""
    positive = labels == 1
    p, n = int(positive.sum()), int((~positive).sum())
    if p == 0 or n == 0:
        return float("nan")
    return float((rankdata(guesses)[positive].sum() - p * (p + 1) / 2) / (p * n))


def _negative_rmse(labels: FloatArray, guesses: FloatArray) -> float:
    return -float(np.sqrt(np.mean((labels - guesses) ** 2))) if labels.size else float("nan")
