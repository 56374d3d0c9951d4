"""Choosing features and head on the validation split.

Every candidate (feature set, head, grid point) is fitted on the training rows and judged by its
mean validation metric over tasks. The one look at the test rows is `probes.judge`'s, refitting on
all rows and the card are `probes.fit`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.metrics import LOWER_IS_BETTER, TaskScores, score_tasks
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.features import fit_inputs
from cmim_chem.probes.heads import HEADS, HeadSpec, Params, Request
from cmim_chem.probes.model import FittedModel, Kind, fit_targets

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

# A feature set is named by its blocks, in the order they are joined.
FEATURE_SETS = ("h", "z+h", "descriptors+ecfp", "h+descriptors+ecfp")
BASELINE = "ecfp"
METRIC: dict[str, str] = {"regression": "rmse", "classification": "roc_auc"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate and its validation score.

    Attributes
    ----------
    features, head : str
    params : mapping of str to float
        The grid point, completed by what was chosen while fitting (boosting rounds).
    valid : float
        Mean validation metric over tasks; NaN when the validation rows cannot score it.
    """

    features: str
    head: str
    params: Params
    valid: float


#: Something that wants to know of every candidate.
Watcher = Callable[[Trial], None]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was tried, and the best of each feature set; the test rows have not been read.

    Attributes
    ----------
    kind : "regression" or "classification"
    offered : tuple of str
        Feature sets that may ship.
    trials : tuple of Trial
        Every candidate, in the order tried.
    winners : mapping of str to (Trial, FittedModel)
        The best of each feature set, the baseline among them, fitted on the training rows.
    """

    kind: Kind
    offered: tuple[str, ...]
    trials: tuple[Trial, ...]
    winners: Mapping[str, tuple[Trial, FittedModel]]

    @property
    def best(self) -> Trial:
        """The best of those that may ship."""
        return find_best(self.kind, [self.winners[name][0] for name in self.offered])

    def replace(self, other: Choice) -> Choice:
        """Put another choice in the place of the feature sets that it has tried."""
        kept = tuple(one for one in self.trials if one.features not in other.winners)
        winners = {**self.winners, **other.winners}
        return Choice(self.kind, self.offered, kept + other.trials, winners)


def choose(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    seed: int = 0,
    *,
    on_trial: Watcher | None = None,
    baseline: bool = True,
) -> Choice:
    """Fit every candidate on the training rows and judge it on the validation rows.

    Parameters
    ----------
    data : TrainingData
        Rows of valid molecules only.
    feature_sets : sequence of str
        Candidates such as "h" or "z+h"; those whose blocks are not in `data.features` are left out.
    heads : sequence of str
        Keys of `HEADS` to try where they are affordable.
    seed : int
        Fixes everything random in fitting.
    on_trial : callable, optional
        Told of every candidate as it is fitted; what it raises ends the search.
    baseline : bool
        Whether ECFP counts alone are fitted too, to be compared with.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        When no candidate is left, or a feature row has no numbers.
    """
    usable, extra = _offer_features(data, feature_sets)
    offered = offer_heads(data, heads)
    if not usable or not offered:
        raise InputError(f"nothing to choose from: feature sets {usable}, heads {offered}")
    trials: list[Trial] = []
    winners: dict[str, tuple[Trial, FittedModel]] = {}
    for name in usable + (extra if baseline else []):
        tried, winners[name] = _try_heads(data, name, offered, seed, on_trial)
        trials += tried
    return Choice(data.kind, tuple(usable), tuple(trials), winners)


def count_trials(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    *,
    baseline: bool = True,
) -> int:
    """Number of candidates that `choose` would fit; parameters as there."""
    usable, extra = _offer_features(data, feature_sets)
    points = sum(len(HEADS[head].grid[data.kind]) for head in offer_heads(data, heads))
    return len(usable + (extra if baseline else [])) * points


def fit_candidate(data: TrainingData, trial: Trial, rows: IndexArray, seed: int) -> FittedModel:
    """Fit one candidate on the given rows.

    Parameters
    ----------
    data : TrainingData
        Rows of valid molecules only.
    trial : Trial
        Features, head and parameters (the boosting rounds among them).
    rows : (m,) int64
        Rows to learn from; input scales and target scales come from them too.
    seed : int
        Fixes everything random in fitting.

    Returns
    -------
    FittedModel
    """
    blocks = trial.features.split("+")
    inputs = fit_inputs(data.features, blocks, rows)
    targets = fit_targets(data.y[rows], data.kind)
    x = inputs.transform({name: data.features[name][rows] for name in blocks})
    empty = FittedModel(data.kind, inputs, trial.head, None, targets)
    return _fit_model(empty, x, data.y[rows], Request(data.kind, trial.params, seed))[0]


def offer_heads(data: TrainingData, heads: Sequence[str]) -> tuple[str, ...]:
    """Names of the heads that are affordable on this table."""
    missing = bool(np.isnan(data.y).any()) and len(data.tasks) > 1
    return tuple(name for name in heads if _affordable(HEADS[name], len(data.y), missing))


def _offer_features(data: TrainingData, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Feature sets whose blocks there are, and the baseline where it is not one of them."""
    usable = [name for name in wanted if set(name.split("+")) <= set(data.features)]
    extra = [BASELINE] if BASELINE in data.features and BASELINE not in usable else []
    return usable, extra


def _affordable(spec: HeadSpec, rows: int, missing: bool) -> bool:
    return rows <= spec.max_rows and not (spec.complete_only and missing)


def _fit_model(
    empty: FittedModel, x: NDArray[np.float32], y: FloatArray, request: Request
) -> tuple[FittedModel, Params]:
    targets = empty.targets
    if not targets.learned.any():
        return empty, request.params
    head, params = HEADS[empty.head_name].fit(x, targets.standardize(y), request)
    return FittedModel(empty.kind, empty.inputs, empty.head_name, head, targets), params


def _try_heads(
    data: TrainingData, name: str, heads: Sequence[str], seed: int, on_trial: Watcher | None
) -> tuple[list[Trial], tuple[Trial, FittedModel]]:
    """Fit every affordable head and grid point on one feature set; keep the best."""
    blocks = name.split("+")
    train, held, _ = data.split
    inputs = fit_inputs(data.features, blocks, train)
    targets = fit_targets(data.y[train], data.kind)
    x, x_held = (
        inputs.transform({block: data.features[block][rows] for block in blocks})
        for rows in (train, held)
    )
    valid = (x_held, targets.standardize(data.y[held])) if len(held) else None
    fitted: list[tuple[Trial, FittedModel]] = []
    for head in heads:
        empty = FittedModel(data.kind, inputs, head, None, targets)
        for params in HEADS[head].grid[data.kind]:
            request = Request(data.kind, params, seed, valid)
            model, full = _fit_model(empty, x, data.y[train], request)
            trial = Trial(name, head, full, score_part(data, model, 1).mean)
            logger.info("%s, %s %s: validation %.4f", name, head, dict(full), trial.valid)
            fitted.append((trial, model))
            if on_trial is not None:
                on_trial(trial)
    best = find_best(data.kind, [trial for trial, _ in fitted])
    winner = next(pair for pair in fitted if pair[0] is best)
    return [trial for trial, _ in fitted], winner


def find_best(kind: Kind, trials: Sequence[Trial]) -> Trial:
    """Best defined validation score; the first candidate when none is defined."""
    sign = 1.0 if METRIC[kind] in LOWER_IS_BETTER else -1.0
    return min(trials, key=lambda t: np.inf if np.isnan(t.valid) else sign * t.valid)


def score_part(data: TrainingData, model: FittedModel, part: int) -> TaskScores:
    """Score a model on one part of the split: 0 train, 1 validation, 2 test."""
    predicted = predict_part(data, model, part)
    return score_tasks(METRIC[data.kind], data.y[data.split[part]], predicted, data.tasks)


def predict_part(data: TrainingData, model: FittedModel, part: int) -> FloatArray:
    """Predict the rows of one part of the split, (m, t)."""
    rows = data.split[part]
    return model.predict({name: data.features[name][rows] for name in model.inputs.names})
