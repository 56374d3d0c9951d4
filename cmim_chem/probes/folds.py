"""What a chosen model says of molecules it was not fitted on: grouped cross-validation.

The folds keep groups together (molecules of one ring system), because that is how far a user's
molecules are from the table. The rows come from the training and validation part only. What the
predictions are good for is the business of `probes.sureness`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.domain import Nearness, fit_domain
from cmim_chem.probes.select import Trial, fit_candidate

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """m molecules, each seen by a model and a domain that did not know it.

    Attributes
    ----------
    rows : (m,) int64
        Which molecules of the table.
    predicted : (m, t) float64
        In the unit of the table, or the probability of class 1.
    near : Nearness
        To the molecules that the model had been fitted on.
    """

    rows: IndexArray
    predicted: FloatArray
    near: Nearness


def predict_out_of_fold(
    data: TrainingData, trial: Trial, rows: IndexArray, seed: int = 0, folds: int = FOLDS
) -> OutOfFold:
    """Fit a candidate on all folds but one, predict that one, for each fold.

    Parameters
    ----------
    data : TrainingData
        With the blocks of the candidate and those of the domain.
    trial : Trial
        Features, head and parameters.
    rows : (m,) int64
        Rows that may be used, at least two.
    seed : int
        Fixes folds and fitting.
    folds : int
        Fewer where there are fewer groups.

    Returns
    -------
    OutOfFold
        In the order of `rows`, without those that the encoder has learned from.
    """
    groups = np.arange(len(data.y)) if data.groups is None else data.groups
    fold_of = assign_folds(groups[rows], folds, seed)
    unseen = data.is_unseen(rows)
    predicted = np.empty((len(rows), len(data.tasks)))
    similarity, distance = np.empty(len(rows)), np.empty(len(rows))
    blocks = {*trial.features.split("+"), "h", "ecfp"}
    for fold in np.unique(fold_of[unseen]):
        held = (fold_of == fold) & unseen
        rest = rows[fold_of != fold]
        part = {name: data.features[name][rows[held]] for name in blocks}
        predicted[held] = fit_candidate(data, trial, rest, seed).predict(part)
        near = fit_domain(data.features, rest, seed).measure(part)
        similarity[held], distance[held] = near
    near = Nearness(similarity[unseen], distance[unseen])
    return OutOfFold(rows[unseen], predicted[unseen], near)


def assign_folds(groups: IndexArray, folds: int = FOLDS, seed: int = 0) -> IndexArray:
    """Spread groups over folds of about equal size, the largest groups first.

    Parameters
    ----------
    groups : (m,) int64
        Group of each row.
    folds : int
        Number of folds wanted.
    seed : int
        Fixes which of equally large groups come first.

    Returns
    -------
    (m,) int64
        Fold of each row; a group is never in two of them.
    """
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(min(folds, len(sizes)), dtype=np.int64)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for group in order:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return np.asarray(fold_of[number], dtype=np.int64)
