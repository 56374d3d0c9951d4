"""What a table of measurements is like before anything is fitted on it: rows, labels, duplicates.

So that a chemist hears of few rows, one class or two values for one molecule before waiting for a
model. Needs no encoder; fitting is `cmim_chem.assay`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.columns import IDENTIFIER_NAMES, normalize_name
from cmim_chem.chem.read import Batch
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.errors import InputError
from cmim_chem.probes.model import Kind
from cmim_chem.probes.targets import FEWEST_ROWS, parse_target

# Fewer examples of a class than this cannot be split into three parts that mean something.
_FEW_OF_A_CLASS = 10
_FEW_MOLECULES = 100
_SHOWN = 3
# What a column of measurements may be called, the clearest first.
_TARGET_WORDS = ("measured", "pic50", "pki", "ic50", "expt", "exp", "activity", "label", "target")


@dataclass(frozen=True, slots=True)
class TableCheck:
    """What can be learned from a table.

    Attributes
    ----------
    kind : "regression" or "classification"
        What the labels are.
    rows : int
        Rows of the table.
    labelled : int
        Rows with a label.
    molecules : int
        Different molecules with a label that can be read.
    labels : tuple of two float
        Lowest and highest value; or how many molecules are of class 0 and of class 1.
    warnings : tuple of str
        What a chemist should know, in words.
    """

    kind: Kind
    rows: int
    labelled: int
    molecules: int
    labels: tuple[float, float]
    warnings: tuple[str, ...]


def list_targets(table: Batch) -> list[str]:
    """Columns that could be learned, the likeliest first.

    Parameters
    ----------
    table : Batch
        n rows.

    Returns
    -------
    list of str
        Those that hold numbers or two classes.
    """
    found = []
    for name in map(str, table.frame.columns):
        if name == table.smiles_column or normalize_name(name) in IDENTIFIER_NAMES:
            continue
        try:
            parse_target(table.frame[name].tolist())
        except InputError:
            continue
        found.append(name)

    def place(name: str) -> int:
        plain = normalize_name(name)
        return next((i for i, w in enumerate(_TARGET_WORDS) if w in plain), len(_TARGET_WORDS))

    return sorted(found, key=place)  # stable: among equals the order of the table


def check_table(table: Batch, target: str, task: Kind | None = None) -> TableCheck:
    """Look at a table before fitting.

    Parameters
    ----------
    table : Batch
        n rows.
    target : str
        Column of the labels.
    task : "regression", "classification" or None
        None tells by the labels.

    Returns
    -------
    TableCheck
        With all that is worth a warning.

    Raises
    ------
    InputError
        If there is no such column or its labels cannot be learned from.
    """
    if target not in table.frame.columns:
        raise InputError(f"there is no column {target!r} in the table")
    parsed = parse_target(table.frame[target].tolist(), task)
    labelled = np.flatnonzero(~np.isnan(parsed.y))
    raw = table.smiles
    found: dict[str, list[float]] = defaultdict(list)
    for row, one in zip(labelled, standardize_many([raw[i] for i in labelled]), strict=True):
        if one.smiles is not None:
            found[one.smiles].append(float(parsed.y[row]))
    used = sum(map(len, found.values()))
    means = np.array([np.mean(values) for values in found.values()])
    warnings = [
        *_warn_of_rows(len(found), len(labelled) - used),
        *_warn_of_duplicates(found, parsed.kind),
        *(_warn_of_classes(means) if parsed.kind == "classification" else ()),
    ]
    return TableCheck(
        parsed.kind,
        len(table.frame),
        len(labelled),
        len(found),
        _summarize(means, parsed.kind),
        (*parsed.notes, *warnings),
    )


def _summarize(means: NDArray[np.float64], kind: Kind) -> tuple[float, float]:
    if not len(means):
        return float("nan"), float("nan")
    if kind == "classification":
        return float((means < 0.5).sum()), float((means >= 0.5).sum())
    return float(means.min()), float(means.max())


def _warn_of_rows(molecules: int, unreadable: int) -> Sequence[str]:
    warnings = []
    if unreadable:
        warnings.append(f"{unreadable} rows with a label hold no molecule that can be read")
    if molecules < FEWEST_ROWS:
        warnings.append(
            f"only {molecules} different molecules can be used; {FEWEST_ROWS} are needed"
        )
    elif molecules < _FEW_MOLECULES:
        warnings.append(
            f"{molecules} different molecules: a tenth of them is held out, so the score will be"
            " rough; read its interval"
        )
    return warnings


def _warn_of_duplicates(found: dict[str, list[float]], kind: Kind) -> Sequence[str]:
    repeated = {smiles: values for smiles, values in found.items() if len(values) > 1}
    if not repeated:
        return ()
    everything = np.concatenate(list(found.values()))
    # Two values of one molecule conflict if they differ by as much as molecules usually do.
    limit = 0.0 if kind == "classification" else float(everything.std())
    spread = {smiles: max(values) - min(values) for smiles, values in repeated.items()}
    conflicts = sorted((s for s in spread if spread[s] > limit), key=lambda s: -spread[s])
    warnings = [f"{len(repeated)} molecules occur more than once"]
    if conflicts:
        shown = "; ".join(
            f"{smiles}: {', '.join(f'{value:g}' for value in sorted(found[smiles])[:4])}"
            for smiles in conflicts[:_SHOWN]
        )
        what = "classes" if kind == "classification" else "values far apart"
        warnings.append(f"{len(conflicts)} molecules have different {what}, such as {shown}")
    return warnings


def _warn_of_classes(means: NDArray[np.float64]) -> Sequence[str]:
    fewest = int(min((means < 0.5).sum(), (means >= 0.5).sum()))
    if fewest >= _FEW_OF_A_CLASS:
        return ()
    return (f"only {fewest} molecules are of the rarer class: the score will say little",)
