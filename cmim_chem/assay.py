"""A chemist's own table to a probe: read the target, embed, split by scaffold, fit.

What `cmim fit` does, for the app and for scripts too. Choosing features and head is
`cmim_chem.probes.fit`'s work, writing the folder that of `cmim_chem.probes.artifact`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.read import Batch
from cmim_chem.chem.split import Split, group_scaffolds, random_split, scaffold_split
from cmim_chem.embed import BLOCKS, gather_features
from cmim_chem.errors import InputError
from cmim_chem.metrics import roc_points
from cmim_chem.predictor import Predictor
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import PROBABILITY, About, describe_fit, select_and_fit
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.model import Kind
from cmim_chem.probes.select import FEATURE_SETS, count_trials
from cmim_chem.probes.targets import FEWEST_ROWS, parse_target
from cmim_chem.resampling import bootstrap_interval

SCAFFOLD = "Bemis-Murcko scaffold, 80/10/10"
RANDOM = "random, 80/10/10"

_RANDOM_TRIES = 20


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What to fit, and how.

    Attributes
    ----------
    target : str
        Column of the labels.
    name : str
        Name of the predicted property, and so of its column in `cmim score`; "" takes `target`.
    unit : str
        Unit of a regression target, in words.
    task : "regression", "classification" or None
        None tells by the labels.
    head : str or None
        One of `cmim_chem.probes.heads.HEADS`; None chooses on the validation rows.
    features : str or None
        Blocks joined by "+", of `BLOCKS`; None chooses on the validation rows.
    seed : int
        Fixes everything random.
    created : str
        ISO date for the card, or "".

    Raises
    ------
    InputError
        If head or features are unknown.
    """

    target: str
    name: str = ""
    unit: str = "as in the table"
    task: Kind | None = None
    head: str | None = None
    features: str | None = None
    seed: int = 0
    created: str = ""

    def __post_init__(self) -> None:
        """Reject what does not exist."""
        if self.head is not None and self.head not in HEADS:
            raise InputError(f"--head {self.head}: choose auto, {', '.join(HEADS)}")
        blocks = self.features.split("+") if self.features is not None else ["h"]
        if len(set(blocks)) < len(blocks) or not set(blocks) <= set(BLOCKS):
            raise InputError(
                f"--features {self.features}: choose auto, or join {', '.join(BLOCKS)} with +"
            )


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
        Their labels.
    predicted : (m,) float64
        What the model fitted on the training rows says: in the unit, or a probability.
    interval : tuple of two float
        95 % bootstrap interval of the held-out score; NaN if the score is undefined.
    """

    probe: Probe
    smiles: tuple[str, ...]
    measured: NDArray[np.float64]
    predicted: NDArray[np.float64]
    interval: tuple[float, float]

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
    name = _check_names(predictor, table, request)
    column = table.frame[request.target].tolist()
    try:
        target = parse_target(column, request.task)
    except InputError as error:
        raise InputError(f"column {request.target!r}: {error}") from None
    labelled = np.flatnonzero(~np.isnan(target.y))
    raw = table.smiles
    standardized, embedded = predictor.embed([raw[row] for row in labelled])
    valid = np.flatnonzero([one.smiles is not None for one in standardized])
    y = target.y[labelled][valid]
    _check_labels(y, target.kind, request.target)
    smiles = [one.smiles for one in standardized if one.smiles is not None]
    parts, how = split_rows(smiles, y, target.kind, request.seed)
    features = gather_features(embedded, valid, smiles)
    groups = group_scaffolds(smiles)
    data = TrainingData(features, y[:, None], (name,), target.kind, parts, groups)
    about = About(
        name=name,
        title=f"{name}: fitted on a table of {len(table.frame)} rows",
        task_titles=(name,),
        units=(PROBABILITY if target.kind == "classification" else request.unit,),
        encoder_digest=predictor.digests["encoder"],
        created=request.created,
        split=how,
    )
    sets = FEATURE_SETS if request.features is None else (request.features,)
    heads = tuple(HEADS) if request.head is None else (request.head,)
    total, done = count_trials(data, sets, heads), count()
    watcher = None if on_trial is None else lambda _: on_trial(next(done) + 1, total)
    model, selection = select_and_fit(data, sets, heads, request.seed, on_trial=watcher)
    probe = describe_fit(data, about, selection, model, seed=request.seed)
    left_out = _describe_left_out(len(table.frame), len(labelled), len(smiles))
    notes = (*probe.card.notes, *target.notes, *left_out)
    probe = replace(probe, card=replace(probe.card, notes=notes))
    held_out, said = parts[2], selection.held_out[:, 0]
    interval = bootstrap_interval(probe.card.metric, y[held_out], said)
    return FittedAssay(probe, tuple(smiles[i] for i in held_out), y[held_out], said, interval)


def split_rows(
    smiles: Sequence[str], y: NDArray[np.float64], kind: Kind, seed: int
) -> tuple[Split, str]:
    """Split by scaffold; at random where that leaves a part that nothing can be measured on.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.
    y : (n,) float64
        Labels, none missing.
    kind : "regression" or "classification"
        A classifier is measured on both classes.
    seed : int
        Fixes the random split.

    Returns
    -------
    tuple of three (m,) int64 arrays and str
        Rows of train, validation and test; and how they were split, in words.
    """

    def is_usable(split: Split) -> bool:
        fewest = 2 if kind == "classification" else 1
        return all(len(part) and len(np.unique(y[part])) >= fewest for part in split)

    parts = scaffold_split(smiles)
    if is_usable(parts):
        return parts, SCAFFOLD
    tries = (random_split(len(smiles), seed=seed + more) for more in range(_RANDOM_TRIES))
    usable = next((split for split in tries if is_usable(split)), None)
    if usable is None:
        usable = random_split(len(smiles), seed=seed)
    return usable, f"{RANDOM}, because a split by scaffold left a part without enough labels"


def _check_names(predictor: Predictor, table: Batch, request: FitRequest) -> str:
    """Return the name of the property, which must be free."""
    columns = [str(one) for one in table.frame.columns]
    if request.target not in columns:
        shown = ", ".join(repr(one) for one in columns[:20])
        raise InputError(f"there is no column {request.target!r}; the columns are {shown}")
    if request.target == table.smiles_column:
        raise InputError(f"column {request.target!r} is the SMILES; name the column of the labels")
    name = request.name or request.target
    taken = {one for p in predictor.properties for one in (p.name, p.probe)}
    if name in taken | {"standardized_smiles", "problem"}:
        raise InputError(f"a property {name!r} exists already; give the new one a --name")
    return name


def _check_labels(y: NDArray[np.float64], kind: Kind, column: str) -> None:
    if len(y) < FEWEST_ROWS:
        raise InputError(
            f"column {column!r}: {len(y)} rows have a label and a molecule that can be read;"
            f" at least {FEWEST_ROWS} are needed"
        )
    if len(np.unique(y)) < 2:
        what = "class" if kind == "classification" else "value"
        raise InputError(
            f"column {column!r}: the molecules that can be read have only one {what};"
            " there is nothing to learn"
        )


def _describe_left_out(rows: int, labelled: int, used: int) -> tuple[str, ...]:
    notes = []
    if rows > labelled:
        notes.append(f"{rows - labelled} rows without a label were left out")
    if labelled > used:
        notes.append(f"{labelled - used} rows whose molecule cannot be read were left out")
    return tuple(notes)
