"""Page Make: new molecules near one, or better than one; a basket to take home.

Streamlit runs this file as a page. It only lays out; what is asked of the model is in `app.making`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import resources
from app.making import HIDDEN, MOST, SHOWN, Making, Wish, make_molecules, write_basket
from app.pictures import CELL, draw_picture
from app.state import current_session
from app.table import heading
from app.widgets import is_page_dark, plain, problems_in_words

_SAMPLE, _IMPROVE = "Sample around it", "Improve a property"
_PICTURE = "structure"
# Headings of the columns that are no predictions.
_HEADINGS = {
    "smiles": "SMILES",
    "score": "What was sought",
    "similarity": "Similarity to the seed",
    "qed": "QED",
    "plogp": "Penalized log P",
    "nearest": "Nearest known molecule",
    "nearest_tanimoto": "Similarity to it",
}


def render() -> None:
    """Draw the page."""
    making = current_session().making
    st.title("Make", anchor=False)
    st.markdown(
        "Molecules that the decoder writes: near a molecule of yours, or near random molecules of "
        "its training corpus. Nobody has made them, and nobody has tested the predictions on them."
    )
    wish = _choose_wish()
    if st.button("Make molecules", type="primary", icon=":material/science:"):
        with problems_in_words(), st.spinner("Writing molecules…"), resources.compute_slot():
            making.table, making.told = make_molecules(resources.load_generator(), wish)
    if making.table is not None:
        _show_made(making, making.table)
    if not making.basket.empty:
        _show_basket(making)


def _choose_wish() -> Wish:
    smiles = st.text_input(
        "Start from (SMILES; empty for random molecules)",
        value="COc1ccc(CC(=O)Nc2ccccc2F)cc1",
        max_chars=2_000,
        key="make_smiles",
        persist_state="session",
    ).strip()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.segmented_control(
            "What to do", [_SAMPLE, _IMPROVE], default=_SAMPLE, required=True, key="make_what"
        )
        count = st.number_input("Molecules", 1, MOST, 12, key="make_count", width=140)
        radius = st.slider(
            "Radius", 0.1, 2.0, 1.0, 0.1, key="make_radius", width=220,
            help="1 is the spread of the codes of molecules. Small: the molecule itself comes "
            "back. Large: little is left of it.",
        )  # fmt: skip
        seed = st.number_input("Random seed", 0, 10_000, 0, key="make_seed", width=140)
    if what != _IMPROVE or not smiles:
        return Wish(smiles, int(count), radius, seed=int(seed))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [one.name for one in resources.load_predictor().properties]
        goal = st.selectbox("Property", ["qed", "plogp", *names], key="make_goal", width=260)
        direction = st.segmented_control(
            "Direction", ["up", "down"], default="up", required=True, key="make_direction"
        )
        least = st.slider("Least similarity", 0.0, 1.0, 0.4, 0.05, key="make_least", width=220)
    return Wish(smiles, int(count), radius, str(goal), str(direction), least, int(seed))


def _show_made(making: Making, table: pd.DataFrame) -> None:
    st.caption(making.told)
    if table.empty:
        st.info("Nothing was found: take another radius, a lower similarity or another seed.")
        return
    chosen = st.dataframe(
        _add_pictures(table),
        hide_index=True,
        row_height=CELL[1] - 6,
        selection_mode="multi-row",
        on_select="rerun",
        key="make_table",
        column_config=_configure_columns(),
        alt="Molecules that were made",
    )
    rows = list(chosen.selection.rows)
    label = f"Keep {len(rows)} chosen" if rows else "Keep all"
    if st.button(label, icon=":material/shopping_basket:"):
        making.keep(rows or list(range(len(table))))


def _configure_columns() -> dict[str, Any]:
    """Headings with units; pictures as pictures."""
    picture = st.column_config.ImageColumn("Structure", width=CELL[0] + 8)
    predicted = {
        one.name: st.column_config.NumberColumn(heading(one), help=plain(one.title))
        for one in resources.load_predictor().properties
    }
    others = {name: st.column_config.Column(text) for name, text in _HEADINGS.items()}
    return {_PICTURE: picture} | others | predicted


def _show_basket(making: Making) -> None:
    st.header("Basket", anchor=False)
    names = ", ".join(plain(one, 60) for one in making.basket["smiles"].head(5))
    more = len(making.basket) - 5
    st.markdown(names + (f" and {more:,} more" if more > 0 else ""))
    with st.container(horizontal=True):
        st.download_button(
            "Download",
            write_basket(making.basket),
            file_name="made_molecules.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Empty it", on_click=_empty_basket)


def _empty_basket() -> None:
    current_session().making.basket = pd.DataFrame()


def _add_pictures(table: pd.DataFrame) -> pd.DataFrame:
    first = [name for name in SHOWN if name in table.columns]
    shown = table[[*first, *(name for name in table.columns if name not in (*SHOWN, *HIDDEN))]]
    shown = shown.round(3)
    dark = is_page_dark()
    shown.insert(0, _PICTURE, [draw_picture(s, *CELL, dark=dark) for s in shown["smiles"]])
    return shown


render()
