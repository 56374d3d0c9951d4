"""What came out of fitting a table, as a page with figures: scores, how sure, the worst errors.

Written by `cmim fit` beside the probe, for people; nothing reads it back. Fitting is
`cmim_chem.assay`'s, the charts are `cmim_chem.plot`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmim_chem.assay import FittedAssay
from cmim_chem.chem.depict import svg
from cmim_chem.errors import ArtifactError
from cmim_chem.metrics import score_tasks
from cmim_chem.plot import Points, draw_chart
from cmim_chem.probes.card import METRIC_WORDS
from cmim_chem.probes.domain import BLOCKS
from cmim_chem.probes.folds import FOLDS
from cmim_chem.probes.nested import learning_curve, predict_nested
from cmim_chem.probes.select import fit_candidate
from cmim_chem.probes.sureness import LEVEL
from cmim_chem.probes.trust import FEWEST, learn_from_rows
from cmim_chem.resampling import bootstrap_interval

FloatArray = NDArray[np.float64]

PAGE = "report.md"
_WORST = 6
_BINS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """The score of a nested cross-validation, of the first target.

    Attributes
    ----------
    folds, molecules : int
    score : float
    interval : tuple of two float
        95 % bootstrap interval.
    """

    folds: int
    molecules: int
    score: float
    interval: tuple[float, float]


def validate_nested(
    fitted: FittedAssay, feature_sets: tuple[str, ...], heads: tuple[str, ...], folds: int = FOLDS
) -> Nested:
    """Repeat choosing and fitting with each part of the molecules held out in turn.

    Always with the encoder as it came: a fine-tuned one has learned from most of the molecules.

    Parameters
    ----------
    fitted : FittedAssay
        Whose table it is.
    feature_sets, heads : tuple of str
        What was to choose from.
    folds : int
        Outer folds.

    Returns
    -------
    Nested
    """
    data, card = fitted.frozen, fitted.probe.card
    predicted = predict_nested(data, feature_sets, heads, card.seed, folds)
    found = score_tasks(card.metric, data.y[:, :1], predicted[:, :1], data.tasks[:1])
    interval = bootstrap_interval(card.metric, data.y[:, 0], predicted[:, 0])
    return Nested(folds, found.n, found.mean, interval)


def write_report(fitted: FittedAssay, folder: Path, nested: Nested | None = None) -> Path:
    """Write the page and its figures.

    Parameters
    ----------
    fitted : FittedAssay
        What was fitted.
    folder : Path
        Where to; it is made.
    nested : Nested, optional
        What a nested cross-validation came to.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ArtifactError
        If it cannot be written.
    """
    figures = _draw_figures(fitted)
    text = _write_page(fitted, nested, figures)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, drawing in figures.items():
            (folder / name).write_text(drawing, encoding="utf-8")
        (folder / PAGE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ArtifactError(f"cannot write the report {folder}: {error.strerror}") from error
    return folder / PAGE


def _draw_figures(fitted: FittedAssay) -> dict[str, str]:
    card, data = fitted.probe.card, fitted.data
    figures, curve = {}, []
    if len(fitted.measured):
        figures["held_out.svg"] = _draw_held_out(fitted)
    if not card.finetuning.get("kept"):  # an encoder that knows all molecules would belie the curve
        curve = learning_curve(data, fitted.best.features, fitted.best.head, card.params, card.seed)
        curve = [(rows, score) for rows, score in curve if score == score]
    if len(curve) > 1:
        rows, scores = np.array(curve).T
        metric = METRIC_WORDS[card.metric]
        points = Points(rows, scores, joined=True)
        figures["learning_curve.svg"] = draw_chart(points, "training molecules", f"test {metric}")
    for place, row in enumerate(_find_worst(fitted), start=1):
        figures[f"worst_{place}.svg"] = svg(fitted.smiles[row], 260, 180)
    return figures


def _draw_held_out(fitted: FittedAssay) -> str:
    if fitted.probe.card.kind == "classification":
        return _draw_reliability(fitted.measured, fitted.predicted)
    unit = fitted.probe.card.units[0]
    lower, upper, predicted = _assess_held_out(fitted)
    points = Points(fitted.measured, predicted, lower, upper)
    return draw_chart(points, f"measured, {unit}", f"predicted, {unit}", diagonal=True)


def _assess_held_out(
    fitted: FittedAssay,
) -> tuple[FloatArray | None, FloatArray | None, FloatArray]:
    """Intervals of the held-out molecules, from a model of all the others."""
    data, seed = fitted.data, fitted.probe.card.seed
    rows = np.sort(np.concatenate(data.split[:2]))
    held = data.split[2][~np.isnan(data.y[data.split[2], 0])]
    if data.is_unseen(rows).sum() < FEWEST:
        return None, None, fitted.predicted
    names = {*fitted.best.features.split("+"), *BLOCKS}
    part = {name: data.features[name][held] for name in names}
    predicted = fit_candidate(data, fitted.best, rows, seed).predict(part)
    found = learn_from_rows(data, fitted.best, rows, seed).assess(part, predicted, LEVEL)
    return found.lower[:, 0], found.upper[:, 0], predicted[:, 0]


def _draw_reliability(measured: FloatArray, predicted: FloatArray) -> str:
    edges = np.quantile(predicted, np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = np.searchsorted(edges, predicted)
    used = np.unique(bins)
    said = np.array([predicted[bins == one].mean() for one in used])
    true = np.array([measured[bins == one].mean() for one in used])
    points = Points(said, true, joined=True)
    return draw_chart(points, "predicted probability", "share of class 1", diagonal=True)


def _find_worst(fitted: FittedAssay) -> list[int]:
    errors = np.abs(fitted.measured - fitted.predicted)
    return [int(row) for row in np.argsort(-errors)[:_WORST]]


def _write_page(fitted: FittedAssay, nested: Nested | None, figures: Mapping[str, str]) -> str:
    card = fitted.probe.card
    metric = METRIC_WORDS[card.metric]
    low, high = fitted.interval
    tuned = bool(card.finetuning.get("kept"))
    parts = [card.to_markdown()]
    if card.finetuning:
        parts.append(f"Fine-tuning took {fitted.seconds:.0f} seconds.")
    if tuned:
        parts.append(
            "Intervals are learned from the validation molecules alone, as the encoder has learned"
            " from the training molecules; for the same reason there is no learning curve."
        )
    if low == low:
        parts.append(
            f"The test {metric} of {card.tasks[0]} lies between {low:.3f} and {high:.3f} (95 %,"
            f" {len(fitted.measured)} molecules)."
        )
    if nested is not None:
        low, high = nested.interval
        parts.append(
            f"Nested cross-validation, {nested.folds} folds, each molecule held out once from the"
            f" choice and from the fit: {metric} {nested.score:.3f} ({low:.3f} to {high:.3f},"
            f" {nested.molecules} molecules{', without fine-tuning' if tuned else ''})."
        )
    if "held_out.svg" in figures:
        what = (
            "The bars are 90 % intervals, from a model of all other molecules."
            if card.kind == "regression"
            else "Each point is a fifth of the held-out molecules."
        )
        parts.append(f"## Held-out molecules\n\n{what}\n\n![held-out molecules](held_out.svg)")
    if "learning_curve.svg" in figures:
        parts.append("## With more molecules\n\n![learning curve](learning_curve.svg)")
    worst = _find_worst(fitted)
    if worst:
        parts.append(_list_worst(fitted, worst))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _list_worst(fitted: FittedAssay, worst: list[int]) -> str:
    lines = [
        "## Worst errors",
        "",
        "Test molecules, predicted by the model that the test score is of: it knows the training"
        " molecules only, and not, as the one of the picture above does, the validation molecules.",
        "",
        "| molecule | measured | predicted | SMILES |",
        "|---|---|---|---|",
    ]
    for place, row in enumerate(worst, start=1):
        lines.append(
            f"| ![molecule {place}](worst_{place}.svg) | {fitted.measured[row]:.4g} |"
            f" {fitted.predicted[row]:.4g} | `{fitted.smiles[row]}` |"
        )
    return "\n".join(lines)
