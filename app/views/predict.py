"""First page: molecules in, predictions out, a closer look at one of them, download.

Only lays out the page. Reading is `app.upload`'s, numbers and pictures are `app.results`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app import resources
from app.closeup import show_molecule, show_neighbors
from app.download import write_csv
from app.inputs import show_inputs, show_welcome
from app.results import (
    Results,
    added_names,
    draw_pictures,
    group_properties,
    join_parts,
    score_parts,
)
from app.state import Session, current_session
from app.table import (
    ROW_HEIGHT,
    SMALL_GROUP,
    build_frame,
    configure_columns,
    order_columns,
    shorten_titles,
)
from app.upload import Source, Upload, read_upload
from app.widgets import is_page_dark, plain, problems_in_words, show_refusal

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

# Streamlit leaves room for a toolbar that this page does not have.
_STYLE = "[data-testid='stMainBlockContainer'] {padding-top: 2rem; padding-bottom: 3rem}"
# It also writes white on the bright buttons of a dark page.
_DARK_STYLE = "[data-testid^='stBaseButton-primary'] {color: #062019}"
_ROWS_IN_SIGHT = 5
_HEADER_HEIGHT = 38  # pixels, with the frame of the table
_ALL_ROWS, _SPECIAL_ROWS = "All", "Problems and notes"


def render() -> None:
    """Draw the page."""
    session = current_session()
    st.html(f"<style>{_STYLE}{_DARK_STYLE if is_page_dark() else ''}</style>")
    st.title("cmim-chem", anchor=False)
    st.markdown(
        "Predicted properties and nearest known drugs for your molecules, from their SMILES. "
        "Everything is computed on the machine that serves this page."
    )
    show_inputs(session)
    if session.refusal:
        show_refusal(session.refusal)
    if session.source is None:
        show_welcome()
        resources.load_predictor()  # so that the first molecules need not wait for it
        return
    predictor = _load_predictor()
    upload = _read(session, session.source, predictor)
    _score(session, upload, predictor)
    _show_results(session, predictor)


def _load_predictor() -> Predictor:
    with st.spinner("Loading the model, once per server…"):
        return resources.load_predictor()


def _read(session: Session, source: Source, predictor: Predictor) -> Upload:
    if session.upload is None:
        session.upload = read_upload(source, session.smiles_column, added_names(predictor))
    return session.upload


def _score(session: Session, upload: Upload, predictor: Predictor) -> None:
    dark = is_page_dark()
    if session.results is None:
        bar = st.progress(0.0, "Scoring…")
        for done in score_parts(predictor, upload, session.parts):
            bar.progress(done / upload.rows, f"Scored {done:,} of {upload.rows:,} molecules")
        session.results = join_parts(predictor, upload, session.parts)
        bar.empty()
    if dark not in session.pictures:
        with st.spinner("Drawing structures…"):
            session.pictures = {dark: draw_pictures(session.results, dark)}


@st.fragment
def _show_results(session: Session, predictor: Predictor) -> None:
    """Draw what changes with a click on a row, without running the rest of the page."""
    with problems_in_words():
        results = session.results
        if results is None:
            return
        _show_summary(session, results)
        groups = group_properties(predictor)
        row = _show_table(session, results, groups)
        show_molecule(results, row, groups)
        show_neighbors(session, predictor, row)


def _show_summary(session: Session, results: Results) -> None:
    upload = results.upload
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap="xxsmall"):
            st.header(plain(upload.label, 60), anchor=False)
            st.markdown(_summary(results))
        columns = upload.columns
        key = f"column_{session.generation}"
        st.selectbox(
            "Column of the SMILES",
            columns,
            index=columns.index(upload.batch.smiles_column),
            key=key,
            on_change=_choose_column,
            args=(key,),
            width=220,
        )
        st.download_button(
            "Download CSV",
            lambda: write_csv(results.table),
            file_name="predictions.csv",
            mime="text/csv",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
    if upload.warning:
        st.warning(plain(upload.warning), icon=":material/warning:")


def _show_table(session: Session, results: Results, groups: dict[str, list[Property]]) -> int:
    """Draw the table and return the row that is selected in it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = st.pills(
            "Properties in the table",
            list(groups),
            format_func=shorten_titles(list(groups)).__getitem__,
            selection_mode="multi",
            default=[title for title, group in groups.items() if len(group) <= SMALL_GROUP],
            key="groups",
            wrap=True,
        )
        rows = _choose_rows(session, results)
    names = {one.name for title in shown for one in groups[title]}
    event = st.dataframe(
        build_frame(results, session.pictures[is_page_dark()], rows),
        key=f"table_{session.generation}_{len(rows)}",
        height=_HEADER_HEIGHT + ROW_HEIGHT * min(len(rows), _ROWS_IN_SIGHT),
        row_height=ROW_HEIGHT,
        hide_index=True,
        column_order=order_columns(results, names),
        column_config=configure_columns(results),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [_first_good(results, rows)]}},
        placeholder="",
        alt="Predictions, one row per molecule",
    )
    selected = event.selection.rows
    return rows[selected[0]] if selected and selected[0] < len(rows) else rows[0]


def _choose_rows(session: Session, results: Results) -> list[int]:
    """Let the visitor see only the rows that need a look, if there are any."""
    everything = list(range(results.upload.rows))
    special = sorted([*results.failed, *results.noted])
    if not special:
        return everything
    choice = st.segmented_control(
        "Rows in the table",
        [_ALL_ROWS, _SPECIAL_ROWS],
        default=_ALL_ROWS,
        key=f"rows_{session.generation}",
        required=True,
    )
    return special if choice == _SPECIAL_ROWS else everything


def _first_good(results: Results, rows: list[int]) -> int:
    """Position of the first of these rows that was predicted, else of the first."""
    failed = set(results.failed)
    return next((at for at, row in enumerate(rows) if row not in failed), 0)


def _choose_column(key: str) -> None:
    session = current_session()
    chosen = st.session_state[key]
    if session.upload is not None:
        was = {new: old for old, new in session.upload.renamed.items()}
        session.choose_column(was.get(chosen, chosen))


def _summary(results: Results) -> str:
    rows, failed, noted = results.upload.rows, len(results.failed), len(results.noted)
    parts = [f"**{rows - failed:,} of {rows:,}** molecules predicted"]
    if failed:
        parts.append(f"{failed:,} with a problem")
    if noted:
        parts.append(f"{noted:,} with a note")
    return " · ".join(parts)
