"""How molecules come in: a file, pasted text or the example; and what a page without any shows.

Every way in ends in `Session.take`. Reading what was given is `app.upload`'s work.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.state import Session, current_session
from app.upload import MAX_BYTES, MAX_ROWS, file_source, paste_source
from app.widgets import show_picture
from cmim_chem.errors import InputError

EXAMPLE = Path(__file__).with_name("example.csv")

_LIMITS = (
    f"CSV, TSV, SMI, TXT, SDF or Parquet, plain or gzipped. Up to {MAX_ROWS:,} molecules and "
    f"{MAX_BYTES // 2**20} MB here; larger files: `cmim score FILE -o predictions.csv` in a "
    "terminal."
)
_STEPS = (
    (
        ":material/upload_file: Add molecules",
        "Drop a file or paste SMILES. The column of the SMILES is found for you; names, IDs and "
        "all other columns are kept.",
    ),
    (
        ":material/query_stats: Read predictions",
        "Solubility, lipophilicity, permeability, toxicity and more, with units. A row that cannot "
        "be read stays in place and says why.",
    ),
    (
        ":material/hub: Look around",
        "See which approved drugs and ZINC molecules are nearest, then download the whole table.",
    ),
)
_STRIP = (
    ("Aspirin", "CC(=O)Oc1ccccc1C(=O)O"),
    ("Caffeine", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
    ("Propranolol", "CC(C)NCC(O)COc1cccc2ccccc12"),
    ("Diazepam", "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21"),
    ("Fluconazole", "OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F"),
)


def show_inputs(session: Session) -> None:
    """Draw the boxes for a file and for text, the limits, and the button for the example.

    Parameters
    ----------
    session : Session
        Receives what is given, when it is given.
    """
    file_tab, paste_tab = st.tabs(["Upload a file", "Paste SMILES"])
    with file_tab:
        # A new key empties the box once other molecules have replaced the file.
        key = f"file_{session.file_box}"
        st.file_uploader(
            "Table of molecules",
            key=key,
            on_change=_take_file,
            args=(key,),
            label_visibility="collapsed",
        )
    with paste_tab, st.form("paste", border=False):
        st.text_area(
            "SMILES, one per line; a name may follow after a blank or tab",
            key="pasted",
            height=120,
            max_chars=1_000_000,
            placeholder="CC(=O)Oc1ccccc1C(=O)O aspirin\nCn1c(=O)c2c(ncn2C)n(C)c1=O caffeine",
        )
        st.form_submit_button("Predict", type="primary", on_click=_take_paste)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_LIMITS, width="stretch")
        st.button("Try an example", icon=":material/science:", on_click=_take_example)


def show_welcome() -> None:
    """Draw what a page without molecules shows: what it is good for."""
    st.space("small")
    for column, (heading, words) in zip(st.columns(len(_STEPS)), _STEPS, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{heading}**")
            st.markdown(words)
    with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
        for name, smiles in _STRIP:
            with st.container(width=180, horizontal_alignment="center", gap="xxsmall"):
                show_picture(smiles, (170, 110), alt=f"Structure of {name}")
                st.caption(name, text_alignment="center")


def _take_file(key: str) -> None:
    session = current_session()
    given = st.session_state.get(key)
    session.take(None if given is None else file_source(given.name, given.getvalue()))


def _take_paste() -> None:
    session = current_session()
    session.file_box += 1
    try:
        session.take(paste_source(st.session_state.get("pasted", "")))
    except InputError as error:
        session.refuse(str(error))


def _take_example() -> None:
    session = current_session()
    session.file_box += 1
    session.take(file_source(EXAMPLE.name, EXAMPLE.read_bytes()))
