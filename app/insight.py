"""One property of one molecule, on demand: which atoms drive it, and what was measured nearby.

Lays out a `cmim_chem.insight.Insight`; what was found is kept for the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app import resources
from app.pictures import draw_weights
from app.state import Session
from app.table import heading
from app.widgets import is_page_dark, plain, problems_in_words, show_card

if TYPE_CHECKING:
    from cmim_chem.closeup import Closeup
    from cmim_chem.insight import Insight
    from cmim_chem.measurements import Measurements
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

_PICTURE = (400, 280)  # pixels
_MOST_CARDS = 4  # side by side where there is room


def show_insight(session: Session, predictor: Predictor, row: int, closeup: Closeup) -> None:
    """Let the visitor choose a property of a molecule, and explain it.

    Parameters
    ----------
    session : Session
        Keeps what was found, and the tables of the visitor's own probes.
    predictor : Predictor
        That predicted.
    row : int
        Of the molecule, from 0.
    closeup : Closeup
        What is known of it.
    """
    known = {one.property.name: one.property for one in closeup.readings}
    st.subheader("Which atoms, and like what", anchor=False)
    name = st.selectbox(
        "Explain a property",
        list(known),
        index=None,
        format_func=lambda one: heading(known[one]),
        placeholder="Choose one: it takes a moment",
        key=f"explain_{session.molecules.generation}_{row}",
        persist_state="session",
        width=420,
    )
    if name is None:
        st.caption(
            "Shows which atoms raise and lower the prediction, and the nearest molecules with a "
            "measured value where their table is at hand."
        )
        return
    with problems_in_words():  # a molecule too large to be explained leaves the rest of the page
        if (row, name) not in session.molecules.insights:
            with st.spinner("Hiding one atom after the other…"):
                insight = _explain(session, predictor, closeup.smiles, known[name])
            session.molecules.remember_insight(row, insight)
        _show(session.molecules.insights[row, name])


def _explain(session: Session, predictor: Predictor, smiles: str, one: Property) -> Insight:
    from cmim_chem.insight import Insight, add_measured, explain_property

    with resources.compute_slot():
        found = explain_property(predictor, smiles, one.name)
    table = _find_table(session, one)
    return Insight(found) if table is None else add_measured(found, *table)


def _find_table(session: Session, one: Property) -> tuple[Measurements, str] | None:
    """Measured values of a property and where they come from, None if they are not at hand."""
    own = session.measured.get(one.probe)
    return resources.load_measured(one.name) if own is None else (own, "your own table")


def _show(insight: Insight) -> None:
    from cmim_chem.insight import LEGEND, describe_atoms

    left, right = st.columns([2, 3], gap="large")
    with left:
        words = describe_atoms(insight.attribution)
        st.image(
            draw_weights(insight, _PICTURE, is_page_dark()),
            width=_PICTURE[0],
            alt=f"Atoms that drive {insight.property.title}. {words}",
        )
        st.markdown(plain(words, 600))
        st.caption(LEGEND)
    with right:
        _show_measured(insight)


def _show_measured(insight: Insight) -> None:
    from cmim_chem.insight import CLIFF, describe_neighbors

    if insight.measured is None:
        st.caption("Measured values of this property are not at hand here.")
        return
    st.markdown(f"**Nearest measured molecules** · {plain(insight.table)}")
    with st.grid(columns=_MOST_CARDS, min_column_width=144):
        for smiles, (title, *words) in describe_neighbors(insight):
            show_card(smiles, title, words, alt=f"Structure of a molecule, {title}")
    if (insight.measured["cliff"] != "").any():
        st.caption(CLIFF)
