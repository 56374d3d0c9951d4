"""Reading a target column: regression or classification, and labels as numbers.

For a user's own table, before `probes.fit`. Every refusal names the row and the remedy; which
column is the target, and how rows are numbered in the file, is left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.probes.model import Kind

FEWEST_ROWS = 10
FEW_ROWS = 30

MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "nd", "n.d.", "-", "?"})
CLASS_WORDS: dict[str, float] = {
    word: float(label)
    for label, words in (
        (1, "active yes true positive pos toxic pass y t +"),
        (0, "inactive no false negative neg nontoxic non-toxic fail n f"),
    )
    for word in words.split()
}
NUMBER_CLASSES = ({0.0, 1.0}, {-1.0, 1.0})


@dataclass(frozen=True, slots=True)
class Target:
    """A target column as numbers.

    Attributes
    ----------
    kind : "regression" or "classification"
    y : (n,) float64
        NaN where the cell is empty; classes are 0 and 1.
    notes : tuple of str
        What a user should know, in words.
    """

    kind: Kind
    y: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def infer_task(values: Sequence[object]) -> Kind:
    """Tell regression from classification by the cells of a target column.

    Two-class words (active/inactive, yes/no, ...) and columns holding only 0 and 1, or only -1 and
    1, are classification; other numbers are regression.

    Parameters
    ----------
    values : sequence of object, length n
        Raw cells: numbers, texts, booleans, None or NaN.

    Returns
    -------
    "regression" or "classification"

    Raises
    ------
    InputError
        As `parse_target`.
    """
    return parse_target(values).kind


def parse_target(values: Sequence[object], kind: Kind | None = None) -> Target:
    """Read a target column.

    Parameters
    ----------
    values : sequence of object, length n
        Raw cells: numbers, texts, booleans, None or NaN.
    kind : "regression", "classification" or None
        None infers it.

    Returns
    -------
    Target

    Raises
    ------
    InputError
        For text that is no number and no class word (the row is named, counted from 1 without the
        header), fewer than 10 labels, infinite numbers, one class only or labels all equal, or
        numbers other than 0/1 where classification was asked for.
    """
    cells = [_clean(value) for value in values]
    named = [cell in CLASS_WORDS for cell in cells if isinstance(cell, str)]
    y = np.asarray([_number(cell, row) for row, cell in enumerate(cells, start=1)])
    known = y[~np.isnan(y)]
    if len(known) < FEWEST_ROWS:
        raise InputError(
            f"only {len(known)} of {len(y)} rows have a label; at least {FEWEST_ROWS} are needed"
        )
    if any(named) and not np.isin(known, (0.0, 1.0)).all():
        raise InputError("the target mixes class words with other numbers: use one or the other")
    classes = bool(any(named)) or set(known.tolist()) in NUMBER_CLASSES
    found: Kind = kind or ("classification" if classes else "regression")
    if found == "classification":
        y = _as_classes(y)
    elif np.ptp(known) == 0.0:
        raise InputError(f"all {len(known)} labels are {known[0]:g}: there is nothing to learn")
    return Target(found, y, _note_few(len(known)))


def _clean(value: object) -> object:
    """None for a missing cell, lower-case text for text, else the value."""
    if isinstance(value, str):
        text = value.strip().lower()
        return None if text in MISSING else text
    if value is None or value != value or str(value) in ("<NA>", "NaT"):
        return None
    return value


def _number(cell: object, row: int) -> float:
    if cell is None:
        return float("nan")
    if isinstance(cell, str) and cell in CLASS_WORDS:
        return CLASS_WORDS[cell]
    try:
        number = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(_explain_text(cell, row)) from error
    if np.isinf(number):
        raise InputError(f"row {row}: the target is infinite; correct or empty this cell")
    return number


def _explain_text(cell: object, row: int) -> str:
    text = str(cell)[:40]
    if text[:1] in "<>~=":
        remedy = "a limit is not a number: give the number, or empty the cell"
    elif text.replace(",", ".", 1).replace("-", "", 1).replace(".", "", 1).isdigit():
        remedy = "write decimals with a point"
    else:
        remedy = "give numbers, or two classes as 1/0, active/inactive or yes/no"
    return f"row {row}: the target {text!r} is not a number; {remedy}"


def _as_classes(y: NDArray[np.float64]) -> NDArray[np.float64]:
    known = set(y[~np.isnan(y)].tolist())
    if len(known) == 1:
        raise InputError(
            f"every label is {known.pop():g}: a classifier needs examples of both classes"
        )
    if known not in NUMBER_CLASSES:
        raise InputError(
            f"classification needs two classes written 0 and 1, found {len(known)} different"
            " numbers: make two classes, or ask for regression"
        )
    return np.where(y == -1.0, 0.0, y)


def _note_few(labels: int) -> tuple[str, ...]:
    if labels >= FEW_ROWS:
        return ()
    return (f"only {labels} labels: expect little; {FEW_ROWS} or more are advised",)
