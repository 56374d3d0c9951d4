"""The predictions of one molecule as tables: value, how sure, whether the probe knows its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app import glossary
from app.table import SMALL_GROUP, short_title, shorten_titles, write_value
from app.widgets import plain
from cmim_chem.report import (
    describe_domain,
    describe_range,
    format_level,
    format_number,
    shorten_domain,
)

if TYPE_CHECKING:
    from cmim_chem.closeup import Closeup, Reading
    from cmim_chem.predictions import Property

_PERCENTILE = st.column_config.ProgressColumn(
    "Percentile",
    help=f"The {glossary.PERCENTILE}",
    format="%.0f",
    min_value=0,
    max_value=100,
    width=100,
)
_SURE = (
    f"± typical error: {glossary.TYPICAL_ERROR} ROC-AUC: {glossary.ROC_AUC} "
    "A range: the {level} interval, which " + glossary.INTERVAL + " " + glossary.CALL
)
_OUTSIDE = "outside"


def show_readings(closeup: Closeup, groups: dict[str, list[Property]]) -> None:
    """Show the predictions: small data sets in one table, numbers first; each large panel folded.

    Parameters
    ----------
    closeup : Closeup
        What is known of a molecule.
    groups : dict of str to list of Property
        Properties by title of their probe.
    """
    known = {one.property.name: one for one in closeup.readings}
    found = {
        title: [known[one.name] for one in group if one.name in known]
        for title, group in groups.items()
    }
    small = [one for group in found.values() if len(group) <= SMALL_GROUP for one in group]
    small.sort(key=lambda one: one.property.kind == "classification")  # stable
    if small:
        _show_table(small, closeup)
    for title, group in found.items():
        if len(group) > SMALL_GROUP:
            highest = max(group, key=lambda one: one.value)
            name, value = plain(highest.property.title), format_number(highest.value)
            with st.expander(f"{plain(title)} · highest {value} ({name})"):
                _show_table(group, closeup)
    _warn(found)


def _show_table(readings: Sequence[Reading], closeup: Closeup) -> None:
    frame = pd.DataFrame(
        {
            "Property": [short_title(one.property) for one in readings],
            "Value": [write_value(one.property, one.value) for one in readings],
            "How sure": [
                describe_range(one.property, one.lower, one.upper, one.call) for one in readings
            ],
            "Domain": [shorten_domain(one.domain) for one in readings],
            "Nearest": [one.similarity for one in readings],
            "Percentile": [one.percentile for one in readings],
        }
    )
    left_out = [] if any(one.domain for one in readings) else ["Domain", "Nearest"]
    left_out += [] if frame["Percentile"].notna().any() else ["Percentile"]
    st.dataframe(
        frame.drop(columns=left_out),
        hide_index=True,
        height="content",
        column_config=_configure(closeup),
        placeholder="",
        alt="Predicted properties of this molecule, and how sure they are",
    )


def _configure(closeup: Closeup) -> dict[str, Any]:
    level = format_level(closeup.level)
    label = f"How sure ({level})" if closeup.is_sure else "How sure"
    nearest = "Tanimoto similarity to the nearest molecule that this model was fitted on."
    return {
        "Property": st.column_config.TextColumn(width=204),
        "Value": st.column_config.TextColumn(width=130),
        "How sure": st.column_config.TextColumn(label, help=_SURE.format(level=level), width=124),
        "Domain": st.column_config.TextColumn(help=glossary.DOMAIN, width=78),
        "Nearest": st.column_config.NumberColumn(help=nearest, format="%.2f", width=62),
        "Percentile": _PERCENTILE,
    }


def _warn(found: dict[str, list[Reading]]) -> None:
    """Name the data sets that know nothing like this molecule."""
    short = shorten_titles(list(found))
    far = [
        f"{short[title]} ({describe_domain(group[0].domain, group[0].similarity)})"
        for title, group in found.items()
        if group and group[0].domain == _OUTSIDE
    ]
    if far:
        st.warning(
            f"Unlike anything that was learned from: {plain('; '.join(far), 1_200)}. Trust neither "
            "these numbers nor their intervals.",
            icon=":material/warning:",
        )
