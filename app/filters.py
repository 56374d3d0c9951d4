"""Which rows of the results are shown: words, problems, and ranges of predicted values.

The choice is a plain value and a plain function; the widgets that make it are at the end. What is
downloaded is not touched by it unless the visitor asks for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from app.results import SMILES, Results
from app.widgets import plain

if TYPE_CHECKING:
    from cmim_chem.predictions import Property

_ALL_ROWS, _SPECIAL_ROWS = "All", "Problems and notes"
_STEPS = 100
_MOST_RANGES = 5


@dataclass(frozen=True)
class Filters:
    """What a row must be to be shown.

    Attributes
    ----------
    special : bool
        Has a problem or a note.
    text : str
        Occurs in a cell of the upload or in the standardized SMILES, whatever the case.
    ranges : mapping of str to tuple of float
        Lowest and highest value of some properties, both allowed.
    """

    special: bool = False
    text: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def keep_rows(results: Results, filters: Filters) -> list[int]:
    """List the rows that pass.

    Parameters
    ----------
    results : Results
        n rows.
    filters : Filters
        A row must pass all of them; one without a number passes no range.

    Returns
    -------
    list of int
        Row numbers from 0, ascending.
    """
    rows: Sequence[int] = range(results.upload.rows)
    if filters.special:
        rows = sorted([*results.failed, *results.noted])
    if wanted := filters.text.strip().casefold():
        frame = results.upload.batch.frame
        columns = [*(frame[name].tolist() for name in frame), results.added[SMILES].tolist()]
        rows = [
            row for row in rows if any(wanted in str(cells[row]).casefold() for cells in columns)
        ]
    for name, (low, high) in filters.ranges.items():
        values = results.added[name].tolist()
        rows = [row for row in rows if low <= values[row] <= high]
    return list(rows)


def choose_filters(results: Results, generation: int) -> Filters:
    """Draw the widgets and return what they say.

    Parameters
    ----------
    results : Results
        n rows.
    generation : int
        Of the upload: a new one starts without filters.

    Returns
    -------
    Filters
        The visitor's choice.
    """
    special = False
    if results.failed or results.noted:
        choice = st.segmented_control(
            "Rows",
            [_ALL_ROWS, _SPECIAL_ROWS],
            default=_ALL_ROWS,
            key=f"rows_{generation}",
            required=True,
            persist_state="session",
        )
        special = choice == _SPECIAL_ROWS
    with st.popover("Filter", icon=":material/filter_alt:"):
        text = st.text_input(
            "Text in any column or in the SMILES",
            key=f"filter_text_{generation}",
            max_chars=200,
            persist_state="session",
        )
        ranges = _choose_ranges(results, generation)
    return Filters(special, text, ranges)


def _choose_ranges(results: Results, generation: int) -> dict[str, tuple[float, float]]:
    known = {one.name: one for one in results.properties}
    names = st.multiselect(
        "Predicted values",
        list(known),
        format_func=lambda name: known[name].title,
        max_selections=_MOST_RANGES,
        key=f"filter_names_{generation}",
        placeholder="Choose properties",
        persist_state="session",
    )
    ranges = {}
    for name in names:
        limits = _find_limits(results, known[name])
        if limits is None:
            st.caption("All molecules have the same value.")
            continue
        low, high = limits
        ranges[name] = st.slider(
            plain(f"{known[name].title} ({known[name].unit})"),
            low,
            high,
            (low, high),
            step=(high - low) / _STEPS,
            key=f"filter_{name}_{generation}",
            persist_state="session",
        )
    return ranges


def _find_limits(results: Results, one: Property) -> tuple[float, float] | None:
    """Ends of a slider that hold all values, None if there is nothing between them."""
    if one.kind == "classification":
        return 0.0, 1.0
    values = results.added[one.name].dropna()
    if values.empty or values.min() == values.max():
        return None
    # Rounded outwards: the ends are shown with two decimals and must not cut anything off.
    return round(float(values.min()) - 0.01, 2), round(float(values.max()) + 0.01, 2)
