"""Page Train: a table with a measured column in, a model of it out, with its held-out score.

Streamlit runs this file as a page. It only lays out; what happens at a click is in `app.training`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import glossary, resources
from app.inputs import MEASUREMENTS, read_source, show_inputs
from app.state import Assay, Session, current_session
from app.training import MOST_PROBES, fit_in_turn, make_request, show_scores, use_probe
from app.upload import TRAINING, Upload
from app.widgets import plain, problems_in_words

if TYPE_CHECKING:
    from cmim_chem.assay import FittedAssay
    from cmim_chem.assay_check import TableCheck

_PREDICT = "views/predict.py"
_KINDS = ["regression", "classification"]
_PREVIEW_ROWS = 50
_LONGEST = 60  # characters
_EXAMPLE = pd.DataFrame(
    {
        "smiles": ["CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CCO"],
        "compound": ["A-1", "A-2", "A-3"],
        "pIC50": [5.2, 4.1, 3.0],
        "active": ["yes", "no", "no"],
    }
)


def render() -> None:
    """Draw the page."""
    session = current_session()
    assay = session.assay
    st.title("Train your own", anchor=False)
    _show_own(session)
    read_source(MEASUREMENTS)
    if assay.upload is None:
        st.markdown(
            "Teach the model your assay: a table with SMILES and one measured column. You get a "
            "score on molecules that were held out, and a probe to predict others with. Nothing "
            "leaves the machine that serves this page."
        )
        show_inputs(MEASUREMENTS)
        _show_welcome()
        resources.load_predictor()
        return
    show_inputs(MEASUREMENTS)
    _show_table(assay, assay.upload)
    target = _choose_target(assay, assay.upload)
    if target is not None:
        with problems_in_words():  # trouble with this column leaves the choice of another
            _show_training(session, assay, assay.upload, target)


def _show_training(session: Session, assay: Assay, upload: Upload, target: str) -> None:
    from cmim_chem.assay_check import check_table

    if assay.check is None or assay.target != target:
        with st.spinner("Looking at the labels…"):
            assay.check = check_table(upload.batch, target)
        assay.target = target
        assay.fitted = None
    _show_check(assay.check)
    kind, name, unit = _choose_settings(assay, assay.check, target)
    if st.button("Fit", type="primary", icon=":material/model_training:"):
        request = make_request(target, name, unit, kind)
        fit_in_turn(resources.load_predictor(), upload.batch, request, assay)
    st.caption(
        "Some dozens of models are tried on validation rows; it takes a minute or two. Stay on "
        "this page until it is done. In a terminal: "
        f"`{TRAINING.command.format(file='FILE')}`"
    )
    if assay.fitted is not None:
        _show_fitted(session, assay, assay.fitted)


def _show_welcome() -> None:
    st.space("small")
    st.subheader("What a table should look like", anchor=False)
    st.dataframe(_EXAMPLE, hide_index=True, alt="Example of a table to learn from")
    st.markdown(
        "A column of numbers (pIC50 above) is learned as **regression**, a column of two classes "
        "(1/0, yes/no, active/inactive) as **classification**. Ten labels are the least; below a "
        "hundred, expect little. Leave a cell empty where nothing was measured."
    )


def _show_own(session: Session) -> None:
    """The visitor's probes that are in use, and a way to stop using them."""
    if not session.own:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        names = ", ".join(plain(name, _LONGEST) for name in session.own)
        st.markdown(f"In use on the page Predict: **{names}**", width="stretch")
        st.button("Stop using", on_click=lambda: current_session().use_predictor(None, {}))


def _show_table(assay: Assay, upload: Upload) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap="xxsmall"):
            st.header(plain(upload.label, _LONGEST), anchor=False)
            st.markdown(f"{upload.rows:,} rows")
        key = f"train_column_{assay.generation}"
        st.selectbox(
            "Column of the SMILES",
            upload.columns,
            index=upload.columns.index(upload.batch.smiles_column),
            key=key,
            on_change=lambda: current_session().assay.choose_column(st.session_state[key]),
            width=220,
        )
    if upload.warning:
        st.warning(plain(upload.warning), icon=":material/warning:")
    shown = upload.batch.frame.head(_PREVIEW_ROWS).map(lambda cell: str(cell)[:200])
    with st.expander("First rows", icon=":material/table_rows:"):
        st.dataframe(shown, hide_index=True, height=200, alt="First rows of the table")


def _choose_target(assay: Assay, upload: Upload) -> str | None:
    from cmim_chem.assay_check import list_targets

    if assay.targets is None:
        assay.targets = list_targets(upload.batch)
    others = [name for name in upload.columns if name != upload.batch.smiles_column]
    if not others:
        st.error(
            "The table has no column besides the SMILES: add one with what was measured.",
            icon=":material/error:",
        )
        return None
    if not assay.targets:
        st.warning(
            "No column holds ten numbers or two classes. Choose one to hear what is wrong with it.",
            icon=":material/warning:",
        )
    rest = [name for name in others if name not in assay.targets]
    return st.selectbox(
        "Column to learn",
        [*assay.targets, *rest],
        key=f"train_target_{assay.generation}",
        persist_state="session",
        width=320,
    )


def _show_check(check: TableCheck) -> None:
    low, high = check.labels
    if check.kind == "classification":
        labels = f"{high:,.0f} of class 1, {low:,.0f} of class 0"
    else:
        labels = f"from {low:g} to {high:g}"
    st.markdown(
        f"**{check.molecules:,}** different molecules with a label ({check.labelled:,} of "
        f"{check.rows:,} rows), {labels}."
    )
    for warning in check.warnings:
        st.warning(plain(warning, 600), icon=":material/warning:")


def _choose_settings(assay: Assay, check: TableCheck, target: str) -> tuple[str, str, str]:
    from cmim_chem.probes.archive import name_folder

    place = f"{assay.generation}_{target}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Learn it as",
            _KINDS,
            default=check.kind,
            required=True,
            key=f"train_kind_{place}",
            persist_state="session",
            help="Told by the labels: two classes are classification, numbers are regression.",
        )
        name = st.text_input(
            "Name of the property",
            value=name_folder(target),
            max_chars=_LONGEST,
            key=f"train_name_{place}",
            persist_state="session",
            width=220,
        )
        unit = ""
        if kind == "regression":
            unit = st.text_input(
                "Unit",
                max_chars=_LONGEST,
                placeholder="as in the table",
                key=f"train_unit_{place}",
                persist_state="session",
                width=220,
            )
    return str(kind), name, unit


def _show_fitted(session: Session, assay: Assay, fitted: FittedAssay) -> None:
    from cmim_chem.probes.archive import name_folder

    card = fitted.probe.card
    folder = name_folder(card.name)
    st.header(f"{plain(card.name, _LONGEST)}: {card.kind}", anchor=False)
    st.caption(f"{card.rows:,} molecules. {glossary.SCAFFOLD_SPLIT}")
    show_scores(fitted)
    with st.container(horizontal=True, vertical_alignment="center"):
        if card.name in session.own:
            st.page_link(
                _PREDICT, label="Predict molecules with it", icon=":material/arrow_forward:"
            )
        elif len(session.own) >= MOST_PROBES:
            st.caption(f"{MOST_PROBES} probes are in use already; stop using them to add another.")
        elif st.button("Use it to predict", type="primary", icon=":material/play_arrow:"):
            with st.spinner("Measuring it on the approved drugs…"):
                use_probe(session, resources.load_predictor(), fitted)
            st.switch_page(_PREDICT)
        st.download_button(
            "Download the probe",
            assay.packed,
            file_name=f"{folder}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            help="A folder for cmim score --probe.",
        )
    st.caption("Unpacked, it works in a terminal, on any number of molecules:")
    st.code(
        f"cmim score molecules.csv --probe {folder} -o predictions.csv",
        language="bash",
        wrap_lines=True,
    )


render()
