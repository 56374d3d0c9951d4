"""Fit a probe: choose on validation, score on test, refit on every row, say how sure it is.

The one entry for the shipped probes and for `cmim fit`. Takes arrays; embedding molecules and
splitting them is done before, saving is `probes.artifact`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.metrics import LOWER_IS_BETTER, TaskScores
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.card import ProbeCard
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.judge import Selection, judge
from cmim_chem.probes.model import FittedModel
from cmim_chem.probes.select import FEATURE_SETS, METRIC, Choice, Watcher, choose, fit_candidate
from cmim_chem.probes.trust import learn_sureness

FloatArray = NDArray[np.float64]

PROBABILITY = "probability"


@dataclass(frozen=True, slots=True)
class About:
    """What a card says that the numbers cannot.

    Attributes
    ----------
    name : str
        Folder name, e.g. "esol".
    title : str
        The table in words.
    task_titles : tuple of str
        One per task, in words.
    units : tuple of str
        One per task; "probability" for classification.
    encoder_digest : str
        sha256 of the encoder that made z and h.
    citation : str
    created : str
        ISO date, or empty for a folder that is the same bytes on every day.
    split : str
        How the rows were split, in words.
    """

    name: str
    title: str
    task_titles: tuple[str, ...]
    units: tuple[str, ...]
    encoder_digest: str
    citation: str = ""
    created: str = ""
    split: str = "Bemis-Murcko scaffold, 80/10/10"


def fit_probe(
    data: TrainingData,
    about: About,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    seed: int = 0,
) -> Probe:
    """Choose, score, refit and describe one probe.

    Parameters
    ----------
    data : TrainingData
        Rows of valid molecules only.
    about : About
        Names, units and the encoder's digest.
    feature_sets : sequence of str
        Candidates such as "h" or "z+h".
    heads : sequence of str
        Candidate heads.
    seed : int
        Fixes everything random in fitting.

    Returns
    -------
    Probe
        Fitted on all rows; the scores of its card are those of the model fitted on train only.

    Raises
    ------
    InputError
        When the titles or units do not match the tasks, or as `probes.select.choose`.
    """
    if not len(about.units) == len(about.task_titles) == len(data.tasks):
        raise InputError(
            f"{about.name}: {len(data.tasks)} tasks need as many titles ({len(about.task_titles)})"
            f" and units ({len(about.units)})"
        )
    model, selection = select_and_fit(data, feature_sets, heads, seed)
    return describe_fit(data, about, selection, model, seed=seed)


def describe_fit(
    data: TrainingData, about: About, selection: Selection, model: FittedModel, *, seed: int = 0
) -> Probe:
    """Put a fitted model, what tells how sure it is, and the card of its choice together.

    Parameters
    ----------
    data : TrainingData
        What it was fitted on.
    about : About
        Names and units, as many as tasks, and the encoder's digest.
    selection, model
        What `select_and_fit` returned.
    seed : int
        That it was given.

    Returns
    -------
    Probe
    """
    sureness, report = learn_sureness(data, selection.best, seed)
    card = replace(_card(data, about, selection, seed), sureness=report)
    return Probe(card, model, sureness=sureness)


def select_and_fit(
    data: TrainingData,
    feature_sets: Sequence[str] = FEATURE_SETS,
    heads: Sequence[str] = tuple(HEADS),
    seed: int = 0,
    *,
    on_trial: Watcher | None = None,
) -> tuple[FittedModel, Selection]:
    """Choose on validation, score the test rows once, refit the winner on every row.

    Parameters
    ----------
    data : TrainingData
        Rows of valid molecules only.
    feature_sets : sequence of str
        Candidates such as "h" or "z+h".
    heads : sequence of str
        Candidate heads.
    seed : int
        Fixes everything random in fitting.
    on_trial : callable, optional
        Told of every candidate as it is fitted.

    Returns
    -------
    FittedModel
        Fitted on train, validation and test rows together.
    Selection
        The report; its scores belong to the models fitted on train only.

    Raises
    ------
    InputError
        As `probes.select.choose`.
    """
    return fit_chosen(data, choose(data, feature_sets, heads, seed, on_trial=on_trial), seed)


def fit_chosen(data: TrainingData, choice: Choice, seed: int = 0) -> tuple[FittedModel, Selection]:
    """Score the test rows once, and refit what was chosen on every row.

    Parameters
    ----------
    data : TrainingData
        What was chosen on.
    choice : Choice
        What was chosen.
    seed : int
        Fixes everything random in fitting.

    Returns
    -------
    FittedModel, Selection
        As of `select_and_fit`.
    """
    selection = judge(data, choice)
    every = np.sort(np.concatenate(data.split))
    return fit_candidate(data, selection.best, every, seed), selection


def _card(data: TrainingData, about: About, selection: Selection, seed: int) -> ProbeCard:
    best = selection.best
    return ProbeCard(
        name=about.name,
        title=about.title,
        citation=about.citation,
        kind=data.kind,
        tasks=data.tasks,
        task_titles=about.task_titles,
        units=about.units,
        metric=METRIC[data.kind],
        rows=len(np.concatenate(data.split)),
        features=best.features,
        head=best.head,
        params={name: float(value) for name, value in best.params.items()},
        scores={
            entry: _entry(scores, selection, entry) for entry, scores in selection.test.items()
        },
        labels=tuple(_describe(data.y[:, task], data.kind) for task in range(len(data.tasks))),
        encoder_digest=about.encoder_digest,
        seed=seed,
        created=about.created,
        split=about.split,
        split_rows=tuple(len(part) for part in data.split),
        validation=_validation(selection, METRIC[data.kind]),
        notes=selection.notes,
    )


def _entry(scores: TaskScores, selection: Selection, entry: str) -> dict[str, object]:
    return {
        "value": _or_none(scores.mean),
        "head": selection.heads.get(entry, "constant"),
        "rows": scores.n,
        "tasks": dict(scores.values),
        "skipped": dict(scores.skipped),
    }


def _validation(selection: Selection, metric: str) -> dict[str, float | None]:
    """Best validation score of every pair of features and head."""
    scores: dict[str, list[float]] = {}
    for trial in selection.trials:
        defined = scores.setdefault(f"{trial.features} / {trial.head}", [])
        if not np.isnan(trial.valid):
            defined.append(float(trial.valid))
    pick = min if metric in LOWER_IS_BETTER else max
    return {pair: pick(values) if values else None for pair, values in scores.items()}


def _describe(y: FloatArray, kind: str) -> dict[str, float]:
    """Distribution of the labels of one task, in their unit."""
    known = y[~np.isnan(y)]
    if known.size == 0:
        return {"n": 0}
    if kind == "classification":
        return {
            "n": known.size,
            "n_class_0": int((known == 0).sum()),
            "n_class_1": int(known.sum()),
        }
    return {
        "n": known.size,
        "mean": float(known.mean()),
        "std": float(known.std()),
        "min": float(known.min()),
        "max": float(known.max()),
    }


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else float(value)
