"""A chemist's own table to a probe: read the targets, embed, split, fit.

What `cmim fit` does, for the app and for scripts too. Choosing features and head is
`cmim_chem.probes.fit`'s work, writing the folder that of `cmim_chem.probes.artifact`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cmim_chem.assay_finetune import Outcome, Plan, choose_encoder
from cmim_chem.assay_request import FitRequest
from cmim_chem.assay_split import RANDOM, TIME, split_by_time, split_rows
from cmim_chem.chem.read import Batch
from cmim_chem.chem.split import Split, group_scaffolds, random_split
from cmim_chem.errors import InputError
from cmim_chem.features import gather_features
from cmim_chem.measurements import Measurements, merge_rows, read_labels
from cmim_chem.metrics import roc_points
from cmim_chem.predictor import Predictor
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import PROBABILITY, About, describe_fit, fit_chosen
from cmim_chem.probes.select import Trial
from cmim_chem.resampling import bootstrap_interval

__all__ = ["FitRequest", "FittedAssay", "fit_assay", "fit_table"]

# Columns that scoring adds beside the properties.
_RESERVED = {"standardized_smiles", "problem", "domain", "nearest_similarity"}


@dataclass(frozen=True, slots=True, eq=False)
class FittedAssay:
    """A probe, and what it said of the held-out molecules before it was refitted on all.

    Attributes
    ----------
    probe : Probe
        Fitted on all rows that could be used.
    smiles : tuple of str
        Standardized SMILES of the m held-out molecules.
    measured : (m,) float64
        Their labels, of the first target.
    predicted : (m,) float64
        What the model fitted on the training rows says: in the unit, or a probability.
    interval : tuple of two float
        95 % bootstrap interval of the held-out score; NaN if the score is undefined.
    data : TrainingData
        All molecules, as they were split.
    best : Trial
        What was chosen.
    all_smiles : tuple of str
        Standardized SMILES of the rows of `data`.
    frozen : TrainingData
        As `data`, with z and h of the encoder as it came.
    seconds : float
        Time that fine-tuning took.
    """

    probe: Probe
    smiles: tuple[str, ...]
    measured: NDArray[np.float64]
    predicted: NDArray[np.float64]
    interval: tuple[float, float]
    data: TrainingData
    best: Trial
    all_smiles: tuple[str, ...]
    frozen: TrainingData
    seconds: float = 0.0

    def roc(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """False and true positive rates of the held-out molecules, of a classifier."""
        return roc_points(self.measured, self.predicted)


def fit_table(predictor: Predictor, table: Batch, request: FitRequest) -> Probe:
    """Fit a probe on a table: `fit_assay` without what it said of the held-out molecules.

    Parameters
    ----------
    predictor, table, request
        As of `fit_assay`.

    Returns
    -------
    Probe
        Fitted on all rows that could be used; its card holds the held-out scores.

    Raises
    ------
    InputError
        As `fit_assay`.
    """
    return fit_assay(predictor, table, request).probe


def fit_assay(
    predictor: Predictor,
    table: Batch,
    request: FitRequest,
    on_trial: Callable[[int, int], None] | None = None,
) -> FittedAssay:
    """Fit a probe on a table, and keep what it said of the molecules that were held out.

    Parameters
    ----------
    predictor : Predictor
        Its encoder makes the features.
    table : Batch
        n rows. Those without label or molecule are left out and counted in the card's notes.
    request : FitRequest
        What to fit, and how.
    on_trial : callable, optional
        Told how many candidates have been fitted, and of how many; what it raises ends the work.

    Returns
    -------
    FittedAssay
        The probe, whose card holds the held-out scores, and its held-out predictions.

    Raises
    ------
    InputError
        If there is no such column, its labels cannot be learned from, or the name is taken.
    """
    columns = _check_names(predictor, table, request)
    name = request.name or request.target
    labels = read_labels(table, columns, request.task, request.time_column)
    raw = table.smiles
    standardized, embedded = predictor.embed([raw[row] for row in labels.rows])
    found = merge_rows(labels, [one.smiles for one in standardized])
    smiles = found.smiles
    parts, how = _split(found, request)
    names = (name,) if len(columns) == 1 else columns
    features = gather_features(embedded, found.first, smiles)
    groups = group_scaffolds(smiles)
    data = TrainingData(features, found.y, names, found.kind, parts, groups)
    plan = Plan(request.feature_sets, request.heads, request.seed, request.finetune)
    kept = choose_encoder(predictor.embedder, smiles, data, plan, on_trial)
    about = About(
        name=name,
        title=f"{name}: fitted on a table of {len(table.frame)} rows",
        task_titles=names,
        units=(PROBABILITY if found.kind == "classification" else request.unit,) * len(names),
        encoder_digest=kept.encoder_digest,
        created=request.created,
        split=how,
    )
    model, selection = fit_chosen(kept.data, kept.choice, request.seed)
    probe = describe_fit(kept.data, about, selection, model, seed=request.seed)
    notes = (*found.notes, *_note_unlabelled(len(table.frame) - len(labels.rows)))
    probe = _complete(probe, kept, notes)
    first = parts[2][~np.isnan(found.y[parts[2], 0])]
    measured, said = found.y[first, 0], selection.held_out[np.isin(parts[2], first), 0]
    return FittedAssay(
        probe,
        tuple(smiles[i] for i in first),
        measured,
        said,
        bootstrap_interval(probe.card.metric, measured, said),
        kept.data,
        selection.best,
        smiles,
        frozen=data,
        seconds=kept.seconds,
    )


def _note_unlabelled(rows: int) -> tuple[str, ...]:
    return (f"{rows} rows without a label were left out",) if rows else ()


def _complete(probe: Probe, kept: Outcome, notes: tuple[str, ...]) -> Probe:
    """Add what is known of the table and of fine-tuning, and the encoder that was kept."""
    notes = (*probe.card.notes, *notes)
    if kept.encoder_files and probe.sureness is None:
        notes = (*notes, "too few validation molecules to say how sure a fine-tuned probe is")
    card = replace(probe.card, notes=notes, finetuning=kept.facts)
    return replace(probe, card=card, encoder_files=kept.encoder_files)


def _split(found: Measurements, request: FitRequest) -> tuple[Split, str]:
    if found.times is not None:
        return split_by_time(found.times), f"{TIME} of {request.time_column!r}, 80/10/10"
    if request.split == "random":
        return random_split(len(found.smiles), seed=request.seed), RANDOM
    return split_rows(found.smiles, found.y, found.kind, request.seed)


def _check_names(predictor: Predictor, table: Batch, request: FitRequest) -> tuple[str, ...]:
    """Return the targets' columns; the names of the properties must be free."""
    columns = [str(one) for one in table.frame.columns]
    targets = tuple(dict.fromkeys((request.target, *request.more_targets)))
    for target in (*targets, *filter(None, [request.time_column])):
        if target not in columns:
            shown = ", ".join(repr(one) for one in columns[:20])
            raise InputError(f"there is no column {target!r}; the columns are {shown}")
    if table.smiles_column in targets:
        raise InputError(
            f"column {table.smiles_column!r} is the SMILES; name the column of the labels"
        )
    name = request.name or request.target
    taken = {one for p in predictor.properties for one in (p.name, p.probe)}
    for one in {name, *(targets if len(targets) > 1 else ())}:
        if one in taken | _RESERVED:
            raise InputError(f"a property {one!r} exists already; give the new one a --name")
    return targets
