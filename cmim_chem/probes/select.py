"""Choosing the heads on the validation split, and averaging them.

Every candidate (feature set, head, grid point) is fitted on the training rows and judged by its
mean validation metric over tasks. What ships is the mean of the best of each head on the widest
feature set: on held-out scaffolds it beats the best candidate, as a hundred molecules flatter the
luckiest of many (benchmarks/LOG.md). `probes.judge` looks at the test rows, `probes.fit` refits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.metrics import LOWER_IS_BETTER, TaskScores, score_tasks
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.features import fit_inputs
from cmim_chem.probes.heads import HEADS, HeadSpec, Params, Request, fit_head
from cmim_chem.probes.mean import MEAN, MeanHead, join_params
from cmim_chem.probes.model import FittedModel, Kind, fit_targets

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

# A feature set is named by its blocks, in the order they are joined. The widest is what ships.
FEATURE_SETS = ("h", "h+descriptors+ecfp")
BASELINES = ("descriptors", "ecfp")
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


Fitted = tuple[Trial, FittedModel]
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
    winners: Mapping[str, Fitted]

    @property
    def best(self) -> Trial:
        """What ships: the mean of heads where there is one, else what validated best."""
        offered = [self.winners[name][0] for name in self.offered]
        means = [trial for trial in offered if trial.head == MEAN]
        return means[0] if means else find_best(self.kind, offered)

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
        Whether `BASELINES` are fitted too, to be compared with.

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
    winners: dict[str, Fitted] = {}
    for name in usable + (extra if baseline else []):
        members = list_members(name, usable, offered)
        fitted = _try_heads(data, name, members or offered, seed, on_trial)
        winners[name] = _pick(fitted)
        if members:
            winners[name] = _average(data, members, fitted)
            fitted.append(winners[name])
        trials += [trial for trial, _ in fitted]
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
    offered, names = offer_heads(data, heads), usable + (extra if baseline else [])
    tried = [list_members(name, usable, offered) or offered for name in names]
    return sum(len(HEADS[head].grid[data.kind]) for some in tried for head in some)


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
    """Feature sets whose blocks there are, and the baselines that are not among them."""
    usable = [name for name in wanted if set(name.split("+")) <= set(data.features)]
    extra = [name for name in BASELINES if name in data.features and name not in usable]
    return usable, extra


def list_members(name: str, usable: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """Heads that are averaged on a feature set: several on the widest, else none.

    The perceptron only where there are too many rows for the SVM: on fewer it spoils the mean.
    """
    widest = max(usable, key=lambda one: one.count("+"), default="")
    members = tuple(head for head in offered if head != "mlp" or "svm" not in offered)
    return members if name == widest and len(members) > 1 else ()


def _affordable(spec: HeadSpec, rows: int, missing: bool) -> bool:
    return rows <= spec.max_rows and not (spec.complete_only and missing)


def _fit_model(
    empty: FittedModel, x: NDArray[np.float32], y: FloatArray, request: Request
) -> tuple[FittedModel, Params]:
    targets = empty.targets
    if not targets.learned.any():
        return empty, request.params
    head, params = fit_head(empty.head_name, x, targets.standardize(y), request)
    return FittedModel(empty.kind, empty.inputs, empty.head_name, head, targets), params


def _try_heads(
    data: TrainingData, name: str, heads: Sequence[str], seed: int, on_trial: Watcher | None
) -> list[Fitted]:
    """Fit every affordable head and grid point on one feature set."""
    blocks = name.split("+")
    train, held, _ = data.split
    inputs = fit_inputs(data.features, blocks, train)
    targets = fit_targets(data.y[train], data.kind)
    x, x_held = (
        inputs.transform({block: data.features[block][rows] for block in blocks})
        for rows in (train, held)
    )
    valid = (x_held, targets.standardize(data.y[held])) if len(held) else None
    fitted: list[Fitted] = []
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
    return fitted


def _average(data: TrainingData, heads: Sequence[str], fitted: Sequence[Fitted]) -> Fitted:
    """The mean of the best of each head; nothing is fitted again."""
    members = {h: _pick([pair for pair in fitted if pair[0].head == h]) for h in heads}
    trial, model = members[heads[0]]
    joined = {head: one.head for head, (_, one) in members.items() if one.head is not None}
    mean = replace(model, head_name=MEAN, head=MeanHead(joined) if joined else None)
    params = join_params({head: one.params for head, (one, _) in members.items()})
    return Trial(trial.features, MEAN, params, score_part(data, mean, 1).mean), mean


def _pick(fitted: Sequence[Fitted]) -> Fitted:
    best = find_best(fitted[0][1].kind, [trial for trial, _ in fitted])
    return next(pair for pair in fitted if pair[0] is best)


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
