"""Nested cross-validation: how well the whole way of choosing and fitting does on new molecules.

For small tables, where a tenth of the rows says little: every molecule is held out once, from the
choice of features and head as from the fit. One split with a held-out part is `probes.judge`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.folds import FOLDS, assign_folds
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.judge import select
from cmim_chem.probes.select import FEATURE_SETS

FloatArray = NDArray[np.float64]

_INNER = 6  # a sixth of what is left chooses


def predict_nested(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    seed: int = 0,
    folds: int = FOLDS,
) -> FloatArray:
    """Predict every molecule by a model that was chosen and fitted without it.

    Parameters
    ----------
    data : TrainingData
        Its split is not used, its groups are.
    feature_sets, heads, seed
        As of `probes.judge.select`.
    folds : int
        Outer folds.

    Returns
    -------
    (n, t) float64
        In the unit of the table, or the probability of class 1.
    """
    groups = np.arange(len(data.y)) if data.groups is None else data.groups
    fold_of = assign_folds(groups, folds, seed)
    predicted = np.empty(data.y.shape)
    for fold in np.unique(fold_of):
        held, rest = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        inner = assign_folds(groups[rest], _INNER, seed + 1)
        split = (rest[inner != 0], rest[inner == 0], held)
        predicted[held] = select(replace(data, split=split), feature_sets, heads, seed).held_out
    return predicted


def learning_curve(
    data: TrainingData, features: str, head: str, params: dict[str, float], seed: int = 0
) -> list[tuple[int, float]]:
    """Test score of one candidate with more and more training rows.

    Parameters
    ----------
    data : TrainingData
        Its training rows are drawn from, its test rows are scored.
    features, head, params
        The candidate.
    seed : int
        Fixes what is drawn.

    Returns
    -------
    list of tuple of int and float
        Rows, and the mean score over tasks (RMSE or ROC-AUC); an eighth, a quarter, a half and all.
    """
    from cmim_chem.metrics import score_tasks
    from cmim_chem.probes.select import METRIC, Trial, fit_candidate

    train, _, test = data.split
    order = np.random.default_rng(seed).permutation(train)
    trial = Trial(features, head, params, float("nan"))
    held = {name: block[test] for name, block in data.features.items()}
    points = []
    for share in (8, 4, 2, 1):
        rows = order[: len(order) // share]
        if len(rows) < 8:
            continue
        predicted = fit_candidate(data, trial, rows, seed).predict(held)
        found = score_tasks(METRIC[data.kind], data.y[test], predicted, data.tasks)
        points.append((len(rows), found.mean))
    return points
