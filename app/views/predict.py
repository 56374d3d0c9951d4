"""Page Predict: molecules in, predictions out, a closer look, downloads.

Streamlit runs this file as a page. It only lays out: reading is `app.upload`'s, numbers are
`app.results`'s, every block has a module of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app import glossary, resources
from app.closeup import show_molecule, show_neighbors, show_problem
from app.filters import choose_filters, keep_rows
from app.inputs import MOLECULES, read_source, show_inputs, show_welcome
from app.insight import show_insight
from app.keep import show_downloads
from app.overview import show_charts, show_map
from app.results import Results, added_names, group_properties, join_parts
from app.scoring import draw_parts, score_parts
from app.state import LEVELS, Molecules, Session, current_session
from app.sureness import has_domain
from app.table import (
    ROW_HEIGHT,
    SMALL_GROUP,
    build_frame,
    configure_columns,
    shorten_titles,
)
from app.upload import Upload
from app.widgets import is_page_dark, plain, problems_in_words
from cmim_chem.report import format_level

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

Groups = dict[str, list["Property"]]

_ROWS_IN_SIGHT = 5
_HEADER_HEIGHT = 74  # pixels: two lines, and the frame of the table
_TABLE, _CHARTS, _MAP = "Table", "Charts", "Map"
_ICONS = {_TABLE: "table_rows", _CHARTS: "bar_chart", _MAP: "scatter_plot"}


def render() -> None:
    """Draw the page."""
    session = current_session()
    molecules = session.molecules
    if molecules.source is not None:
        predictor = _load_predictor(session)
        read_source(MOLECULES, added_names(predictor))
    if molecules.upload is not None:
        show_inputs(MOLECULES)
        _score(molecules, molecules.upload, predictor)
        _show_results(molecules, predictor)
        return
    st.title("cmim-chem", anchor=False)
    st.markdown(
        "Predicted properties and nearest known drugs for your molecules, from their SMILES. "
        "Everything is computed on the machine that serves this page."
    )
    show_inputs(MOLECULES)
    show_welcome()
    resources.load_predictor()  # so that the first molecules need not wait for it


def _load_predictor(session: Session) -> Predictor:
    if session.predictor is not None:
        return session.predictor
    with st.spinner("Loading the model, once per server…"):
        return resources.load_predictor()


def _score(molecules: Molecules, upload: Upload, predictor: Predictor) -> None:
    dark, rows = is_page_dark(), upload.rows
    if molecules.results is not None and dark in molecules.pictures:
        return
    runners = resources.choose_runners(predictor, rows)
    bar = st.progress(0.0, "Scoring…")
    if molecules.results is None:
        for done in score_parts(runners, upload, molecules.parts, molecules.level):
            bar.progress(done / rows, f"Scored {done:,} of {rows:,} molecules")
        molecules.results = join_parts(predictor, upload, molecules.parts, molecules.level)
    if dark not in molecules.pictures:
        pictures: list[str | None] = []
        for done in draw_parts(runners, molecules.results, dark, pictures):
            bar.progress(done / rows, f"Drawn {done:,} structures")
        molecules.pictures = {dark: pictures}
    bar.empty()


@st.fragment
def _show_results(molecules: Molecules, predictor: Predictor) -> None:
    """Draw what changes with a click on a row, without running the rest of the page."""
    with problems_in_words():
        results = molecules.results
        if results is None:  # a click asked for other numbers, which the whole page makes
            st.rerun()
        _show_summary(molecules, results)
        groups = group_properties(predictor)
        view = st.segmented_control(
            "View",
            list(_ICONS),
            format_func=lambda one: f":material/{_ICONS[one]}: {one}",
            default=_TABLE,
            required=True,
            key="view",
            persist_state="session",
            label_visibility="collapsed",
        )
        if view == _MAP:
            row = show_map(molecules, predictor, results)
        else:
            shown = _choose_groups(groups)
            wanted = [one for title in shown for one in groups[title]]
            if view == _CHARTS:
                show_charts(results, wanted)
                return
            row = _show_table(molecules, results, [one.name for one in wanted])
        if row is not None:
            _show_closeup(molecules, predictor, row, groups)


def _show_summary(molecules: Molecules, results: Results) -> None:
    upload = results.upload
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap="xxsmall"):
            st.header(plain(upload.label, 60), anchor=False)
            st.markdown(_summary(results))
        columns = upload.columns
        key = f"column_{molecules.generation}"
        st.selectbox(
            "Column of the SMILES",
            columns,
            index=columns.index(upload.batch.smiles_column),
            key=key,
            on_change=_choose_column,
            args=(key,),
            width=220,
        )
        if has_domain(results):
            _choose_level(molecules)
    if upload.warning:
        st.warning(plain(upload.warning), icon=":material/warning:")


def _choose_level(molecules: Molecules) -> None:
    key = f"level_{molecules.generation}"
    st.selectbox(
        "Intervals",
        LEVELS,
        index=LEVELS.index(molecules.level),
        format_func=format_level,
        key=key,
        on_change=lambda: current_session().molecules.set_level(st.session_state[key]),
        help=f"How sure intervals and calls are to be. An interval {glossary.INTERVAL}",
        width=110,
    )


def _choose_groups(groups: Groups) -> list[str]:
    short = shorten_titles(list(groups))
    return st.pills(
        "Properties",
        list(groups),
        format_func=lambda title: plain(short[title]),
        selection_mode="multi",
        default=[title for title, group in groups.items() if len(group) <= SMALL_GROUP],
        key="groups",
        persist_state="session",
        wrap=True,
    )


def _show_table(molecules: Molecules, results: Results, properties: list[str]) -> int | None:
    """Draw the table and return the row that is selected in it, None if it has no row."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        rows = keep_rows(results, choose_filters(results, molecules.generation))
        percentiles = results.drugs > 0 and st.toggle(
            "Percentiles of approved drugs",
            value=True,
            key="percentiles",
            persist_state="session",
        )
    if not rows:
        st.info("No molecule passes the filters; all of them are still there.")
        return None
    if len(rows) < results.upload.rows:
        st.caption(f"{len(rows):,} of {results.upload.rows:,} rows pass the filters.")
    event = st.dataframe(
        build_frame(results, molecules.pictures[is_page_dark()], rows, properties, percentiles),
        key=f"table_{molecules.generation}_{hash(tuple(rows))}",
        height=_HEADER_HEIGHT + ROW_HEIGHT * min(len(rows), _ROWS_IN_SIGHT),
        row_height=ROW_HEIGHT,
        hide_index=True,
        column_config=configure_columns(results, percentiles),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [_first_good(results, rows)]}},
        placeholder="",
        alt="Predictions, one row per molecule",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        show_downloads(results, rows)
    selected = event.selection.rows
    return rows[selected[0]] if selected and selected[0] < len(rows) else rows[0]


def _show_closeup(molecules: Molecules, predictor: Predictor, row: int, groups: Groups) -> None:
    results = molecules.results
    if results is None or results.standardized(row) is None:
        if results is not None:
            show_problem(results, row)
        return
    if row not in molecules.closeups:
        from cmim_chem.closeup import describe_molecule

        with st.spinner("Looking around…"), resources.compute_slot():
            name, cells = results.name(row), results.cells(row)
            found = describe_molecule(predictor, name, cells, level=results.level)
        molecules.remember(row, found)
    closeup = molecules.closeups[row]
    show_molecule(molecules, row, closeup, groups)
    show_insight(current_session(), predictor, row, closeup)
    show_neighbors(closeup)


def _first_good(results: Results, rows: list[int]) -> int:
    """Position of the first of these rows that was predicted, else of the first."""
    failed = set(results.failed)
    return next((at for at, row in enumerate(rows) if row not in failed), 0)


def _choose_column(key: str) -> None:
    molecules = current_session().molecules
    chosen = st.session_state[key]
    if molecules.upload is not None:
        was = {new: old for old, new in molecules.upload.renamed.items()}
        molecules.choose_column(was.get(chosen, chosen))


def _summary(results: Results) -> str:
    rows, failed, noted = results.upload.rows, len(results.failed), len(results.noted)
    parts = [f"**{rows - failed:,} of {rows:,}** molecules predicted"]
    if failed:
        parts.append(f"{failed:,} with a problem")
    if noted:
        parts.append(f"{noted:,} with a note")
    return " · ".join(parts)


render()
