"""One molecule in depth: structure, predictions by probe with units, nearest known molecules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app.results import Results, find_neighbors
from app.state import Session
from app.table import SMALL_GROUP, describe_score, shorten_titles
from app.widgets import plain, show_gallery, show_picture
from cmim_chem.chem.read import NOTE

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

_PICTURE = (340, 220)  # pixels
_NEIGHBORS = 6  # per source
_HEADINGS = {"approved drug": "Nearest approved drugs", "ZINC": "Nearest ZINC molecules"}
_BAR = st.column_config.ProgressColumn(
    "Probability", format="%.2f", min_value=0.0, max_value=1.0, width=110
)


def show_molecule(results: Results, row: int, groups: dict[str, list[Property]]) -> None:
    """Show one row: its structure on the left, its predictions on the right.

    Parameters
    ----------
    results : Results
        n rows.
    row : int
        Which one, from 0.
    groups : dict of str to list of Property
        Properties by title of their probe.
    """
    smiles = results.standardized(row)
    with st.container(border=True):
        left, right = st.columns([2, 3], gap="large")
        with left:
            _show_structure(results, row, smiles)
        if smiles is not None:
            with right:
                _show_predictions(results, row, groups)


def show_neighbors(session: Session, predictor: Predictor, row: int) -> None:
    """Show the known molecules nearest to one row, each with its similarity.

    Parameters
    ----------
    session : Session
        Remembers what was found for each row.
    predictor : Predictor
        Holds the index.
    row : int
        Which row, from 0.
    """
    smiles = None if session.results is None else session.results.standardized(row)
    if smiles is None:
        return
    if row not in session.neighbors:
        session.neighbors[row] = find_neighbors(predictor, smiles, _NEIGHBORS)
    for source, neighbors in session.neighbors[row]:
        show_gallery(_HEADINGS.get(source, f"Nearest in {source}"), neighbors)
    if session.neighbors[row]:
        st.caption(
            "cosine: likeness in the model's own space, 1 is the same. Tanimoto: shared "
            "substructures (ECFP4), 1 is the same."
        )
        for credit in predictor.credits.values():
            st.caption(plain(credit, 600))


def _show_structure(results: Results, row: int, smiles: str | None) -> None:
    name, problem = results.name(row), results.problem(row)
    st.header(plain(name, 60), anchor=False)
    st.caption(f"Row {row + 1} of {results.upload.rows:,}")
    if smiles is None:
        st.error(plain(problem, 600), icon=":material/error:")
        st.caption("As it stands in the table:")
        st.code(_given(results, row), language=None, wrap_lines=True)
        return
    with st.container(horizontal_alignment="center"):
        show_picture(smiles, _PICTURE, alt=f"Structure of {name}")
    st.code(smiles, language=None, wrap_lines=True)
    if problem:
        st.info(plain(problem.removeprefix(NOTE), 600), icon=":material/info:")


def _show_predictions(results: Results, row: int, groups: dict[str, list[Property]]) -> None:
    """Numbers with units side by side, then probabilities as bars, long panels folded."""
    values = {one.name: float(results.added[one.name].iloc[row]) for one in results.properties}
    numbers = [one for group in groups.values() for one in group if one.kind == "regression"]
    if numbers:
        with st.container(horizontal=True, gap="medium"):
            for one in numbers:
                number = _number(values[one.name], one.unit)
                st.metric(one.title, number, width="content", help=describe_score(one) or None)
    chances = {
        title: [one for one in group if one.kind == "classification"]
        for title, group in groups.items()
    }
    small = {title: group for title, group in chances.items() if 0 < len(group) <= SMALL_GROUP}
    if small:
        _show_bars(small, values)
    for title, group in chances.items():
        if len(group) > SMALL_GROUP:
            highest = max(group, key=lambda one: values[one.name])
            with st.expander(
                f"{plain(title)} · highest {values[highest.name]:.2f} ({plain(highest.title)})"
            ):
                _show_bars({title: group}, values)


def _show_bars(groups: dict[str, list[Property]], values: dict[str, float]) -> None:
    """Probabilities as bars; the data set is named where there is more than one."""
    short = shorten_titles(list(groups))
    rows = [
        (short[title], one.title, values[one.name])
        for title, group in groups.items()
        for one in group
    ]
    frame = pd.DataFrame(rows, columns=["Data set", "Property", "Probability"])
    columns = ["Property", "Probability", *(["Data set"] if len(groups) > 1 else [])]
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_order=columns,
        column_config={"Probability": _BAR},
    )


def _number(value: float, unit: str) -> str:
    return "none" if math.isnan(value) else f"{value:.2f}".replace("-", "−") + f" {unit}"


def _given(results: Results, row: int) -> str:
    cell = results.upload.batch.smiles[row]
    text = "" if cell is None else str(cell)
    return text if len(text) <= 1_000 else text[:999] + "…"
