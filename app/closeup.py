"""One molecule in depth: structure, profile, rules, percentiles, nearest known molecules.

Lays out a `cmim_chem.closeup.Closeup`; its predictions are `app.readings`'s. What a row without a
molecule shows is here too.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import charts, glossary
from app.readings import show_readings
from app.results import Results
from app.state import Molecules
from app.table import SMALL_GROUP, short_title, write_value
from app.widgets import page_colors, plain, show_gallery, show_picture
from cmim_chem.report import format_number

if TYPE_CHECKING:
    from cmim_chem.closeup import Closeup
    from cmim_chem.insight import Insight
    from cmim_chem.predictions import Property

_PICTURE = (360, 240)  # pixels
#: Quantities of the profile that stand in the strip beside the predictions.
_STRIP = ("mol_weight", "logp", "tpsa", "qed")


def show_problem(results: Results, row: int) -> None:
    """Show a row that holds no molecule: its problem, and what stands in the table.

    Parameters
    ----------
    results : Results
        n rows.
    row : int
        Which one, from 0.
    """
    with st.container(border=True):
        _show_name(results, row)
        st.error(plain(results.problem(row), 600), icon=":material/error:")
        st.caption("As it stands in the table:")
        st.code(_given(results, row), language=None, wrap_lines=True)


def show_molecule(
    molecules: Molecules, row: int, closeup: Closeup, groups: dict[str, list[Property]]
) -> None:
    """Show one molecule.

    Parameters
    ----------
    molecules : Molecules
        With results of n rows.
    row : int
        Which one, from 0.
    closeup : Closeup
        What is known of it.
    groups : dict of str to list of Property
        Properties by title of their probe.
    """
    with st.container(border=True):
        # What says how sure it is has more columns.
        left, right = st.columns([1, 2] if closeup.is_sure else [2, 3], gap="large")
        with left:
            _show_structure(molecules, row, closeup)
        with right:
            show_readings(closeup, groups)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _show_profile(closeup)
    with right:
        _show_strip(closeup, groups)


def show_neighbors(closeup: Closeup) -> None:
    """Show the known molecules nearest to one, each with its similarity.

    Parameters
    ----------
    closeup : Closeup
        What is known of it.
    """
    from cmim_chem.closeup import name_source

    for source, neighbors in closeup.neighbors:
        show_gallery(f"Nearest {name_source(source)}", neighbors)
    if closeup.neighbors:
        st.caption(f"{glossary.COSINE} {glossary.TANIMOTO}")
        for credit in closeup.credits.values():
            st.caption(plain(credit, 600))


def _show_name(results: Results, row: int) -> None:
    st.header(plain(results.name(row), 60), anchor=False)
    st.caption(f"Row {row + 1} of {results.upload.rows:,}")


def _show_structure(molecules: Molecules, row: int, closeup: Closeup) -> None:
    if molecules.results is not None:
        _show_name(molecules.results, row)
    with st.container(horizontal_alignment="center"):
        show_picture(closeup.smiles, _PICTURE, alt=f"Structure of {closeup.name}")
    st.code(closeup.smiles, language=None, wrap_lines=True)
    if closeup.note:
        st.info(plain(closeup.note, 600), icon=":material/info:")
    st.download_button(
        "Report",
        lambda: _write_report(closeup, molecules.insights_of(row)),
        file_name=f"{_file_name(closeup.name)}.html",
        mime="text/html",
        icon=":material/description:",
        help="Everything about this molecule in one HTML file, pictures inside; with the atoms "
        "of the properties that you have explained below.",
        on_click="ignore",
    )


def _show_profile(closeup: Closeup) -> None:
    st.subheader("Profile", anchor=False)
    st.caption(f"Computed from the structure, not predicted. Formula {plain(closeup.formula)}.")
    frame = pd.DataFrame(
        {
            "Quantity": [one.quantity.title for one in closeup.facts],
            "Value": [format_number(one.value, one.quantity.digits) for one in closeup.facts],
            "Unit": [one.quantity.unit for one in closeup.facts],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={"Value": st.column_config.TextColumn(width=70)},
        alt="Physico-chemical profile of this molecule",
    )


def _show_strip(closeup: Closeup, groups: dict[str, list[Property]]) -> None:
    _show_rules(closeup)
    large = {one.name for group in groups.values() if len(group) > SMALL_GROUP for one in group}
    places = [
        (short_title(one.property), one.percentile, write_value(one.property, one.value))
        for one in closeup.readings
        if one.property.name not in large
    ] + [
        (
            one.quantity.title,
            one.percentile,
            f"{format_number(one.value, one.quantity.digits)} {one.quantity.unit}".strip(),
        )
        for one in closeup.facts
        if one.quantity.name in _STRIP
    ]
    places = [place for place in places if not math.isnan(place[1])]
    if not places:
        return
    st.subheader(f"Among {closeup.drugs:,} approved drugs", anchor=False)
    frame = pd.DataFrame(places, columns=["property", "percentile", "value"])
    words = f"Percentiles of {closeup.name} among the approved drugs"
    st.altair_chart(charts.draw_strip(frame, page_colors()), alt=words)
    st.caption("Dot: this molecule. Band: the middle 80 % of the drugs. High is not better.")


def _show_rules(closeup: Closeup) -> None:
    st.subheader("Rules of thumb", anchor=False)
    with st.container(horizontal=True, gap="small"):
        for one in closeup.verdicts:
            st.badge(
                f"{one.rule.name}: {'kept' if one.is_kept else 'broken'}",
                icon=":material/check:" if one.is_kept else ":material/flag:",
                color="green" if one.is_kept else "orange",
            )
    for one in closeup.verdicts:
        if one.broken:
            st.caption(f"{one.rule.name} ({one.rule.about}): {plain('; '.join(one.broken))}.")
    if closeup.alerts:
        st.caption(f"Structural alerts: {plain(', '.join(closeup.alerts))}.")
    else:
        st.caption("No structural alert of the PAINS and Brenk lists.")


def _given(results: Results, row: int) -> str:
    cell = results.upload.batch.smiles[row]
    text = "" if cell is None else str(cell)
    return text if len(text) <= 1_000 else text[:999] + "…"


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:60].strip("._") or "molecule"


def _write_report(closeup: Closeup, insights: list[Insight]) -> bytes:
    from cmim_chem.molecule_page import write_page

    return write_page(closeup, insights).encode("utf-8", "replace")
