"""Choosing features and head on the validation split, and one look at the test split.

Every candidate (feature set, head, grid point) is fitted on the training rows and judged by its
mean validation metric over tasks. The test rows are read once, for four entries: what ships, h
alone, ECFP counts alone and a constant. Refitting on all rows and the card are left to
`probes.fit`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.metrics import LOWER_IS_BETTER, TaskScores, score_tasks
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.features import fit_inputs
from cmim_chem.probes.heads import HEADS, HeadSpec, Params, Request
from cmim_chem.probes.model import FittedModel, Kind, Targets, fit_targets

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


@dataclass(frozen=True, slots=True)
class Selection:
    """What was tried, what won, and the test scores.

    Attributes
    ----------
    best : Trial
    trials : tuple of Trial
        Every candidate, in the order tried.
    test : dict of str to TaskScores
        "ships", "h", "ecfp" (where these blocks exist) and "constant".
    heads : dict of str to str
        The head behind each entry of `test`.
    notes : tuple of str
        What a reader of the scores must know, in words.
    held_out : (m, t) float64
        Predictions of the best candidate for the test rows: what "ships" is the score of.
    """

    best: Trial
    trials: tuple[Trial, ...]
    test: dict[str, TaskScores]
    heads: dict[str, str]
    notes: tuple[str, ...] = field(default=())
    held_out: FloatArray = field(default_factory=lambda: np.empty((0, 0)))


def select(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    seed: int = 0,
    *,
    on_trial: Watcher | None = None,
) -> Selection:
    """Choose on validation, then score the test rows once.

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

    Returns
    -------
    Selection

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
    for name in usable + extra:
        tried, winner = _try_heads(data, name, offered, seed, on_trial)
        trials += tried
        winners[name] = winner
    shipped = _best(data.kind, [winners[name][0] for name in usable])
    entries = {"ships": winners[shipped.features]}
    entries |= {name: winners[name] for name in ("h", BASELINE) if name in winners}
    test = {entry: _score(data, model, 2) for entry, (_, model) in entries.items()}
    test["constant"] = _score_constant(data)
    used = {entry: trial.head for entry, (trial, _) in entries.items()}
    held_out = _predict(data, entries["ships"][1], 2)
    return Selection(shipped, tuple(trials), test, used, _notes(data, shipped), held_out)


def count_trials(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
) -> int:
    """Number of candidates that `select` would fit; parameters as there."""
    usable, extra = _offer_features(data, feature_sets)
    points = sum(len(HEADS[head].grid[data.kind]) for head in offer_heads(data, heads))
    return len(usable + extra) * points


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
            trial = Trial(name, head, full, _score(data, model, 1).mean)
            logger.info("%s, %s %s: validation %.4f", name, head, dict(full), trial.valid)
            fitted.append((trial, model))
            if on_trial is not None:
                on_trial(trial)
    best = _best(data.kind, [trial for trial, _ in fitted])
    winner = next(pair for pair in fitted if pair[0] is best)
    return [trial for trial, _ in fitted], winner


def _best(kind: Kind, trials: Sequence[Trial]) -> Trial:
    """Best defined validation score; the first candidate when none is defined."""
    sign = 1.0 if METRIC[kind] in LOWER_IS_BETTER else -1.0
    return min(trials, key=lambda t: np.inf if np.isnan(t.valid) else sign * t.valid)


def _score(data: TrainingData, model: FittedModel, part: int) -> TaskScores:
    predicted = _predict(data, model, part)
    return score_tasks(METRIC[data.kind], data.y[data.split[part]], predicted, data.tasks)


def _predict(data: TrainingData, model: FittedModel, part: int) -> FloatArray:
    rows = data.split[part]
    return model.predict({name: data.features[name][rows] for name in model.inputs.names})


def _score_constant(data: TrainingData) -> TaskScores:
    """Score the mean training label (the share of class 1)."""
    labels = data.y[data.split[0]]
    known = ~np.isnan(labels)
    mean = np.where(known, labels, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    truth = data.y[data.split[2]]
    return score_tasks(METRIC[data.kind], truth, np.tile(mean, (len(truth), 1)), data.tasks)


def _notes(data: TrainingData, best: Trial) -> tuple[str, ...]:
    notes = []
    if np.isnan(best.valid):
        notes.append(
            "the validation rows hold too few labels or one class only, so nothing could be chosen"
            " on them: the first candidate was taken"
        )
    targets: Targets = fit_targets(data.y[data.split[0]], data.kind)
    for task, value in zip(data.tasks, targets.constant, strict=True):
        if not np.isnan(value):
            notes.append(
                f"task {task}: no two different labels in train, scored as the constant {value:g}"
            )
    return tuple(notes)
