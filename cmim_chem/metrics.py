"""Scores of predictions: RMSE, MAE, R2, ROC-AUC and PR-AUC with missing labels masked.

The last step of fitting and of the benchmark. A score that cannot be computed (no labels, one class
only) is NaN and says why; a mean over tasks names the tasks it had to leave out. What is a fair
split, and which metric belongs to which table, is decided elsewhere (`chem.split`, `sources`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

from cmim_chem.errors import InputError

FloatArray = NDArray[np.float64]

LOWER_IS_BETTER = frozenset({"rmse", "mae"})


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one task.

    Attributes
    ----------
    value : float
        The score in the unit of the metric; NaN when undefined.
    n : int
        Labeled rows it was computed on.
    reason : str
        Why it is undefined, in words; empty when it is defined.
    """

    value: float
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One metric over several tasks.

    Attributes
    ----------
    mean : float
        Unweighted mean over the defined tasks; NaN when there is none.
    values : dict of str to float
        Task name to score, defined tasks only.
    skipped : dict of str to str
        Task name to the reason why it has no score.
    n : int
        Rows with at least one label.
    """

    mean: float
    values: dict[str, float]
    skipped: dict[str, str]
    n: int


def rmse(y: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error over labeled rows, in the unit of `y`.

    Parameters
    ----------
    y : (n,) float64
        Labels, NaN where missing.
    predicted : (n,) float64
        Predictions; only those of labeled rows are read.

    Returns
    -------
    float
        NaN when no row is labeled.

    Raises
    ------
    InputError
        When the shapes differ or a labeled row has no finite prediction.
    """
    return score("rmse", y, predicted).value


def mae(y: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error over labeled rows, in the unit of `y`; otherwise as `rmse`."""
    return score("mae", y, predicted).value


def r2(y: ArrayLike, predicted: ArrayLike) -> float:
    """Coefficient of determination over labeled rows; NaN when all labels are equal or < 2."""
    return score("r2", y, predicted).value


def roc_auc(y: ArrayLike, predicted: ArrayLike) -> float:
    """Area under the ROC curve.

    Parameters
    ----------
    y : (n,) float64
        0 or 1, NaN where missing.
    predicted : (n,) float64
        Any number that grows with the belief in class 1.

    Returns
    -------
    float
        In [0, 1]; NaN when fewer than two classes are present.

    Raises
    ------
    InputError
        When the shapes differ, a label is neither 0 nor 1, or a labeled row has no finite
        prediction.
    """
    return score("roc_auc", y, predicted).value


def pr_auc(y: ArrayLike, predicted: ArrayLike) -> float:
    """Average precision, the area under the precision-recall curve; otherwise as `roc_auc`."""
    return score("pr_auc", y, predicted).value


def score(metric: str, y: ArrayLike, predicted: ArrayLike) -> Score:
    """Compute one metric on one task, with the reason when it is undefined.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    y : (n,) float64
        Labels, NaN where missing.
    predicted : (n,) float64
        Predictions.

    Returns
    -------
    Score

    Raises
    ------
    InputError
        For an unknown metric, shapes that differ, a class label other than 0 or 1, or a labeled
        row without a finite prediction.
    """
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}: choose one of {', '.join(sorted(METRICS))}")
    truth, guess = _labeled(y, predicted)
    reason = _undefined(metric, truth)
    if reason:
        return Score(float("nan"), truth.size, reason)
    return Score(float(METRICS[metric](truth, guess)), truth.size)


def score_tasks(
    metric: str, y: ArrayLike, predicted: ArrayLike, tasks: Sequence[str]
) -> TaskScores:
    """Compute one metric for every task and its mean over the tasks where it is defined.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    y : (n, t) float64
        Labels, NaN where missing.
    predicted : (n, t) float64
        Predictions.
    tasks : sequence of str
        The t task names, used to name what was skipped.

    Returns
    -------
    TaskScores

    Raises
    ------
    InputError
        As `score`; also when the number of columns is not the number of tasks.
    """
    truth = np.asarray(y, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    if truth.ndim != 2 or truth.shape != guess.shape or truth.shape[1] != len(tasks):
        raise InputError(
            f"labels {truth.shape} and predictions {guess.shape} must both be (rows, {len(tasks)})"
        )
    values: dict[str, float] = {}
    skipped: dict[str, str] = {}
    for column, task in enumerate(tasks):
        result = score(metric, truth[:, column], guess[:, column])
        if result.reason:
            skipped[task] = result.reason
        else:
            values[task] = result.value
    mean = float(np.mean(list(values.values()))) if values else float("nan")
    return TaskScores(mean, values, skipped, int((~np.isnan(truth)).any(axis=1).sum()))


def roc_points(y: ArrayLike, predicted: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The ROC curve of one task.

    Parameters
    ----------
    y : (n,) float64
        Labels 0 and 1, NaN where missing.
    predicted : (n,) float64
        Scores, higher for class 1.

    Returns
    -------
    tuple of two (k,) float64
        False and true positive rate, both ascending from 0 to 1; empty if there is one class only.

    Raises
    ------
    InputError
        As `score`.
    """
    truth, guess = _labeled(y, predicted)
    if _undefined("roc_auc", truth):
        return np.empty(0), np.empty(0)
    false, true, _ = sk.roc_curve(truth, guess)
    return np.asarray(false, dtype=np.float64), np.asarray(true, dtype=np.float64)


def _labeled(y: ArrayLike, predicted: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Labeled rows only; a failed prediction there must not quietly improve a score."""
    truth = np.asarray(y, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != guess.shape:
        raise InputError(f"labels {truth.shape} and predictions {guess.shape} must be equally long")
    present = ~np.isnan(truth)
    missing = np.flatnonzero(present & ~np.isfinite(guess))
    if missing.size:
        raise InputError(
            f"{missing.size} labeled rows have no finite prediction, the first is row {missing[0]}:"
            " remove failed rows before scoring and report how many there were"
        )
    return truth[present], guess[present]


def _undefined(metric: str, truth: FloatArray) -> str:
    """Say why the metric cannot be computed on these labels; empty when it can."""
    if truth.size == 0:
        return "no labels"
    if metric in ("roc_auc", "pr_auc"):
        classes = np.unique(truth)
        if not np.isin(classes, (0.0, 1.0)).all():
            raise InputError(f"class labels must be 0 or 1, found {classes[:4].tolist()}")
        return "" if classes.size == 2 else f"one class only (all {int(classes[0])})"
    if metric == "r2" and np.ptp(truth) == 0.0:
        return "fewer than two different labels"
    return ""


METRICS: dict[str, Callable[[FloatArray, FloatArray], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "roc_auc": sk.roc_auc_score,
    "pr_auc": sk.average_precision_score,
}
