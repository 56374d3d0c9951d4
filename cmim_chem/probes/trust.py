"""Learn how sure a chosen probe is, and check it on the test rows: what the card says of it.

Everything is learned from the training and validation rows; the test rows only tell how well that
came out. What ships keeps these scores, with a domain of all rows, as its model is of all rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.calibration import calibration_error
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.domain import BLOCKS, fit_domain
from cmim_chem.probes.folds import predict_out_of_fold
from cmim_chem.probes.select import Trial, fit_candidate
from cmim_chem.probes.sureness import (
    LEVEL,
    Assessment,
    Sureness,
    count_bits,
    fit_sureness,
)
from cmim_chem.probes.words import NO_CALL, UNDECIDED, WORDS

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

#: Fewer molecules than this say nothing about how sure one can be.
FEWEST = 8


def learn_sureness(
    data: TrainingData, trial: Trial, seed: int = 0
) -> tuple[Sureness | None, dict[str, Any]]:
    """Learn how sure the model of all rows is.

    Parameters
    ----------
    data : TrainingData
        What the probe is fitted on.
    trial : Trial
        What was chosen.
    seed : int
        Fixes everything random.

    Returns
    -------
    Sureness or None
        None where there are too few molecules, or no features to measure distances in.
    dict
        For the card: what was found on the test rows.
    """
    rows = np.sort(np.concatenate(data.split[:2]))
    if not set(BLOCKS) <= set(data.features) or data.is_unseen(rows).sum() < FEWEST:
        return None, {}
    learned = learn_from_rows(data, trial, rows, seed)
    report = check_sureness(data, trial, learned, rows, seed=seed) if len(data.split[2]) else {}
    every = np.sort(np.concatenate(data.split))
    return replace(learned, domain=fit_domain(data.features, every, seed)), report


def learn_from_rows(data: TrainingData, trial: Trial, rows: IndexArray, seed: int = 0) -> Sureness:
    """Learn from some rows how sure a model of the same rows is.

    Parameters
    ----------
    data : TrainingData
        What the probe is fitted on.
    trial : Trial
        What was chosen.
    rows : (m,) int64
        Rows that may be used.
    seed : int
        Fixes everything random.

    Returns
    -------
    Sureness
    """
    found = predict_out_of_fold(data, trial, rows, seed)
    sizes = count_bits({"ecfp": data.features["ecfp"][found.rows]})
    domain = fit_domain(data.features, rows, seed)
    return fit_sureness(data.kind, data.y[found.rows], found, sizes, domain)


def check_sureness(
    data: TrainingData, trial: Trial, learned: Sureness, rows: IndexArray, *, seed: int = 0
) -> dict[str, Any]:
    """Compare what a model of some rows says of the test rows with the truth.

    Parameters
    ----------
    data : TrainingData
        With test rows.
    trial : Trial
        What was chosen.
    learned : Sureness
        From `learn_from_rows` of the same rows.
    rows : (m,) int64
        Rows to fit on.
    seed : int
        Fixes everything random.

    Returns
    -------
    dict
        ``level``, ``calibration_rows``, ``tasks`` (per task: coverage and median width of
        intervals; or calibration error before and after, share undecided, and share of the decided
        that are right) and ``domain`` (per class: share of the test rows, error).
    """
    test = data.split[2]
    held = {name: data.features[name][test] for name in {*trial.features.split("+"), *BLOCKS}}
    raw = fit_candidate(data, trial, rows, seed).predict(held)
    predicted = learned.calibrate(raw)
    found = learned.assess(held, predicted)
    y = data.y[test]
    tasks = {
        task: _check_numbers(y[:, i], found, i)
        if data.kind == "regression"
        else _check_classes(y[:, i], (raw[:, i], predicted[:, i]), found, i)
        for i, task in enumerate(data.tasks)
    }
    return {
        "level": LEVEL,
        "calibration_rows": int(data.is_unseen(rows).sum()),
        "tasks": tasks,
        "domain": _check_domain(y - predicted, found),
    }


def _check_numbers(y: FloatArray, found: Assessment, task: int) -> dict[str, float | None]:
    lower, upper = found.lower[:, task], found.upper[:, task]
    known = ~np.isnan(y) & ~np.isnan(lower)
    inside = (lower <= y) & (y <= upper)
    width = upper - lower
    return {
        "coverage": _mean(inside[known]),
        "width": float(np.median(width[known])) if known.any() else None,
    }


def _check_classes(
    y: FloatArray, p: tuple[FloatArray, FloatArray], found: Assessment, task: int
) -> dict[str, float | None]:
    calls, known = found.calls[:, task], ~np.isnan(y)
    decided = known & (calls != UNDECIDED) & (calls != NO_CALL)
    before, after = (calibration_error(y, one) for one in p)
    return {
        "ece_before": _or_none(before),
        "ece_after": _or_none(after),
        "undecided": _mean(calls[known] == UNDECIDED),
        "right": _mean(calls[decided] == y[decided]),
    }


def _check_domain(errors: FloatArray, found: Assessment) -> dict[str, dict[str, float | None]]:
    report = {}
    for code, word in WORDS.items():
        if word:
            rows = found.domain == code
            square = errors[rows][~np.isnan(errors[rows])] ** 2
            error = float(np.sqrt(square.mean())) if square.size else None
            report[word] = {"share": _mean(rows), "error": error}
    return report


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if values.size else None


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
