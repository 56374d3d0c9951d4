"""One look at the test split: what was chosen, each of its parts alone, and a constant.

Choosing is `probes.select`'s, which does not read the test rows; refitting on all rows and the card
are left to `probes.fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cmim_chem.metrics import TaskScores, score_tasks
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.model import Targets, fit_targets
from cmim_chem.probes.select import (
    BASELINES,
    FEATURE_SETS,
    METRIC,
    Choice,
    Trial,
    Watcher,
    choose,
    predict_part,
    score_part,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was tried, what won, and the test scores.

    Attributes
    ----------
    best : Trial
    trials : tuple of Trial
        Every candidate, in the order tried.
    test : dict of str to TaskScores
        "ships", "h", "descriptors", "ecfp" (where these blocks exist) and "constant".
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
    data, feature_sets, heads, seed, on_trial
        As of `probes.select.choose`.

    Returns
    -------
    Selection

    Raises
    ------
    InputError
        As `probes.select.choose`.
    """
    return judge(data, choose(data, feature_sets, heads, seed, on_trial=on_trial))


def judge(data: TrainingData, choice: Choice) -> Selection:
    """Score the test rows, once.

    Parameters
    ----------
    data : TrainingData
        What was chosen on.
    choice : Choice
        What was chosen.

    Returns
    -------
    Selection
    """
    best, winners = choice.best, choice.winners
    entries = {"ships": winners[best.features]}
    entries |= {name: winners[name] for name in ("h", *BASELINES) if name in winners}
    test = {entry: score_part(data, model, 2) for entry, (_, model) in entries.items()}
    test["constant"] = _score_constant(data)
    used = {entry: trial.head for entry, (trial, _) in entries.items()}
    held_out = predict_part(data, entries["ships"][1], 2)
    return Selection(best, choice.trials, test, used, _notes(data, best), held_out)


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
            " on them: the first setting of each head was taken"
        )
    targets: Targets = fit_targets(data.y[data.split[0]], data.kind)
    for task, value in zip(data.tasks, targets.constant, strict=True):
        if not np.isnan(value):
            notes.append(
                f"task {task}: no two different labels in train, scored as the constant {value:g}"
            )
    return tuple(notes)
