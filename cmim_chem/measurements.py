"""A table of measurements as molecules and labels: each molecule once, gaps allowed.

Between a user's table and `cmim_chem.assay`, which fits. What is done with repeated and
contradictory measurements is said in notes, never silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.chem.read import Batch
from cmim_chem.errors import InputError
from cmim_chem.probes.model import Kind
from cmim_chem.probes.targets import FEWEST_ROWS, Target, parse_target

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of a table, row by row.

    Attributes
    ----------
    kind : "regression" or "classification"
    columns : tuple of str
        The t targets.
    rows : (n,) int64
        Rows of the table with at least one label.
    y : (n, t) float64
        NaN where a label is missing.
    times : (n,) float64 or None
        When each was measured, as a number that grows with time.
    notes : tuple of str
        What a user should know, in words.
    """

    kind: Kind
    columns: tuple[str, ...]
    rows: IndexArray
    y: FloatArray
    times: FloatArray | None
    notes: tuple[str, ...]


def read_labels(
    table: Batch, columns: Sequence[str], task: Kind | None, time_column: str = ""
) -> Labels:
    """Read the targets of a table.

    Parameters
    ----------
    table : Batch
        Any rows.
    columns : sequence of str
        The t targets, all of them columns of the table.
    task : "regression", "classification" or None
        None tells by the labels.
    time_column : str
        Column of dates or numbers; "" for none.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        If labels or dates cannot be read, or one target is a number and another a class.
    """
    targets = [_parse(table, column, task) for column in columns]
    kinds = {one.kind for one in targets}
    if len(kinds) > 1:
        listed = ", ".join(f"{c!r} {t.kind}" for c, t in zip(columns, targets, strict=True))
        raise InputError(f"targets of one probe must be of one kind, but there is {listed}")
    y = np.column_stack([one.y for one in targets])
    rows = np.flatnonzero(~np.isnan(y).all(axis=1))
    times = _read_times(table, time_column)[rows] if time_column else None
    notes = tuple(dict.fromkeys(note for one in targets for note in one.notes))
    return Labels(targets[0].kind, tuple(columns), rows, y[rows], times, notes)


def _parse(table: Batch, column: str, task: Kind | None) -> Target:
    try:
        return parse_target(table.frame[column].tolist(), task)
    except InputError as error:
        raise InputError(f"column {column!r}: {error}") from None


def _read_times(table: Batch, column: str) -> FloatArray:
    """Numbers, or dates as days; every row must have one."""
    cells = table.frame[column]
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any():
        dates = pd.to_datetime(cells, errors="coerce", utc=True, format="mixed")
        numbers = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    unread = np.flatnonzero(numbers.isna())
    if len(unread):
        raise InputError(
            f"column {column!r}: row {unread[0] + 1} has no date or number"
            f" ({str(cells.iloc[unread[0]])[:40]!r}); fill it in, or split by scaffold"
        )
    return numbers.to_numpy(dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """Different molecules with their labels.

    Attributes
    ----------
    kind : "regression" or "classification"
    smiles : tuple of str
        n standardized SMILES, all different.
    first : (n,) int64
        Place of each molecule's first row among those that were merged.
    y : (n, t) float64
        NaN where a label is missing.
    times : (n,) float64 or None
        When each was first measured.
    notes : tuple of str
        What was merged or left out, in words.
    """

    kind: Kind
    smiles: tuple[str, ...]
    first: IndexArray
    y: FloatArray
    times: FloatArray | None
    notes: tuple[str, ...]


def merge_rows(labels: Labels, smiles: Sequence[str | None]) -> Measurements:
    """Make one row of each molecule.

    Parameters
    ----------
    labels : Labels
        Of n rows.
    smiles : sequence of str or None
        n standardized SMILES; None where there is none.

    Returns
    -------
    Measurements
        Repeated numbers are averaged; a molecule that was put into both classes has no label.

    Raises
    ------
    InputError
        If what is left cannot be learned from.
    """
    rows_of: dict[str, list[int]] = {}
    for row, one in enumerate(smiles):
        if one is not None:
            rows_of.setdefault(one, []).append(row)
    y = np.full((len(rows_of), labels.y.shape[1]), np.nan)
    conflicts: dict[str, float] = {}
    spread = np.nanstd(labels.y, axis=0)
    for at, (one, rows) in enumerate(rows_of.items()):
        known = [column[~np.isnan(column)] for column in labels.y[rows].T]
        for task, values in enumerate(known):
            y[at, task] = values.mean() if len(values) else np.nan
            gap = float(np.ptp(values)) if len(values) > 1 else 0.0
            if gap > (0.0 if labels.kind == "classification" else spread[task]):
                conflicts[one] = max(gap, conflicts.get(one, 0.0))
                y[at, task] = np.nan if labels.kind == "classification" else y[at, task]
    labelled = np.flatnonzero(~np.isnan(y).all(axis=1))
    names = list(rows_of)
    first = np.array([rows[0] for rows in rows_of.values()], dtype=np.int64)
    times = None
    if labels.times is not None:
        times = np.array([labels.times[rows].min() for rows in rows_of.values()])[labelled]
    repeated = sum(len(rows) > 1 for rows in rows_of.values())
    found = Measurements(
        labels.kind,
        tuple(names[i] for i in labelled),
        first[labelled],
        y[labelled],
        times,
        (*labels.notes, *_describe(labels.kind, repeated, conflicts, smiles)),
    )
    _require_learnable(found, labels.columns)
    return found


def _describe(
    kind: Kind, repeated: int, conflicts: dict[str, float], smiles: Sequence[str | None]
) -> list[str]:
    notes = []
    unread = sum(one is None for one in smiles)
    if unread:
        notes.append(f"{unread} rows whose molecule cannot be read were left out")
    if repeated:
        notes.append(f"{repeated} molecules were measured more than once; each counts once")
    if conflicts:
        worst = sorted(conflicts, key=lambda one: -conflicts[one])[:_SHOWN]
        what, done = (
            ("were put into both classes", "their labels were left out")
            if kind == "classification"
            else ("have values further apart than molecules usually are", "the mean was taken")
        )
        notes.append(f"{len(conflicts)} of them {what}; {done}: {'; '.join(worst)}")
    return notes


def _require_learnable(found: Measurements, columns: Sequence[str]) -> None:
    for column, labels in zip(columns, found.y.T, strict=True):
        known = labels[~np.isnan(labels)]
        if len(known) < FEWEST_ROWS:
            raise InputError(
                f"column {column!r}: {len(known)} molecules have a label and can be read;"
                f" at least {FEWEST_ROWS} are needed"
            )
        if len(np.unique(known)) < 2:
            what = "class" if found.kind == "classification" else "value"
            raise InputError(
                f"column {column!r}: the molecules that can be read have only one {what};"
                " there is nothing to learn"
            )
