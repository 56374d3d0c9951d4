"""How tables come in: a file, pasted text, a drawing or the example; and what an empty page shows.

Every way in ends in `app.state.Intake.take`. Reading what was given, within limits, is
`app.upload`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.sketch import can_draw, draw_molecule
from app.state import Intake, current_session
from app.upload import (
    MAX_BYTES,
    PREDICTING,
    TRAINING,
    Limit,
    TooLargeError,
    file_source,
    paste_source,
    read_upload,
)
from app.widgets import show_picture, show_refusal
from cmim_chem.errors import InputError

EXAMPLE = Path(__file__).with_name("example.csv")

_MEGABYTES = MAX_BYTES // 2**20
_LIMITS = (
    "CSV, TSV, SMI, TXT, SDF or Parquet, plain or gzipped. Up to {rows:,} molecules and "
    f"{_MEGABYTES} MB here; larger files: `{{command}}` in a terminal."
)
_STEPS = (
    (
        ":material/upload_file: Add molecules",
        "Drop a file or paste SMILES. The column of the SMILES is found for you; names, IDs and "
        "all other columns are kept.",
    ),
    (
        ":material/query_stats: Read predictions",
        "Solubility, lipophilicity, blood-brain barrier, toxicity and more, with units, errors and "
        "percentiles of approved drugs. A row that cannot be read stays in place and says why.",
    ),
    (
        ":material/hub: Look around",
        "See how your molecules spread, which approved drugs and ZINC molecules are nearest, and "
        "take everything home as CSV, SDF or Parquet.",
    ),
)
_STRIP = (
    ("Aspirin", "CC(=O)Oc1ccccc1C(=O)O"),
    ("Caffeine", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
    ("Propranolol", "CC(C)NCC(O)COc1cccc2ccccc12"),
    ("Diazepam", "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21"),
    ("Fluconazole", "OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F"),
)

#: Finds the intake in the session of whoever clicked: callbacks outlive the run that drew them.
Find = Callable[[], Intake]


@dataclass(frozen=True)
class Entrance:
    """One place where tables come in.

    Attributes
    ----------
    name : str
        Begins the keys of its widgets.
    find : callable
        Finds the intake that receives what is given, when it is given.
    limit : Limit
        What it takes.
    action : str
        What the button beneath pasted text says.
    more : str
        What another table is called, when there is one.
    hint : str
        What may be pasted.
    placeholder : str
        What it may look like.
    has_example : bool
        Whether there is something to try.
    """

    name: str
    find: Find
    limit: Limit
    action: str
    more: str
    hint: str
    placeholder: str
    has_example: bool = False


MOLECULES = Entrance(
    "predict",
    lambda: current_session().molecules,
    PREDICTING,
    "Predict",
    "Other molecules",
    "SMILES, one per line, a name after a blank or tab; or a column copied from a spreadsheet",
    "CC(=O)Oc1ccccc1C(=O)O aspirin\nCn1c(=O)c2c(ncn2C)n(C)c1=O caffeine",
    has_example=True,
)
MEASUREMENTS = Entrance(
    "train",
    lambda: current_session().assay,
    TRAINING,
    "Read the table",
    "Another table",
    "Columns copied from a spreadsheet, with their headings",
    "smiles\tpIC50\nCC(=O)Oc1ccccc1C(=O)O\t5.2\nCn1c(=O)c2c(ncn2C)n(C)c1=O\t4.1",
)


def read_source(entrance: Entrance, reserved: Collection[str] = ()) -> None:
    """Read what was given, if that was not done yet; what cannot be read is refused in words.

    Parameters
    ----------
    entrance : Entrance
        Which place.
    reserved : collection of str
        Names of the columns to be added.
    """
    intake = entrance.find()
    if intake.source is None or intake.upload is not None:
        return
    try:
        intake.upload = read_upload(
            intake.source, intake.smiles_column, reserved, limit=entrance.limit
        )
    except TooLargeError as error:
        intake.refuse(str(error), error.command)
    except InputError as error:
        intake.refuse(str(error))


def show_inputs(entrance: Entrance) -> None:
    """Draw the ways in; folded away once there is a table, which then has the page for itself.

    Parameters
    ----------
    entrance : Entrance
        Which place.
    """
    intake = entrance.find()
    if intake.upload is None:
        _show_boxes(entrance)
        if intake.refusal:
            show_refusal(intake.refusal, intake.command)
        return
    # With another table it is another one, and closed again.
    with st.expander(
        entrance.more,
        icon=":material/add:",
        key=f"{entrance.name}_more_{intake.generation}",
    ):
        _show_boxes(entrance)


def _show_boxes(entrance: Entrance) -> None:
    """Boxes for a file, for text and for a drawing, the limits, and the example."""
    can_sketch = entrance.has_example and can_draw()
    ways = ["Upload a file", "Paste", *(["Draw"] if can_sketch else [])]
    file_tab, paste_tab, *more = st.tabs(ways)
    with file_tab:
        _show_file_box(entrance)
    with paste_tab, st.form(f"{entrance.name}_paste", border=False):
        st.text_area(
            entrance.hint,
            key=f"{entrance.name}_pasted",
            height=120,
            max_chars=1_000_000,
            placeholder=entrance.placeholder,
        )
        st.form_submit_button(
            entrance.action, type="primary", on_click=_take_paste, args=(entrance,)
        )
    for tab in more:
        with tab:
            drawn = draw_molecule(f"{entrance.name}_drawn")
            st.button(
                "Predict the drawing",
                type="primary",
                disabled=not drawn,
                on_click=_take_text,
                args=(entrance, drawn),
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        command = entrance.limit.command.format(file="FILE")
        st.caption(_LIMITS.format(rows=entrance.limit.rows, command=command), width="stretch")
        if entrance.has_example:
            st.button(
                "Try an example",
                icon=":material/science:",
                on_click=_take_example,
                args=(entrance,),
            )


def _show_file_box(entrance: Entrance) -> None:
    # A new key empties the box once other molecules have replaced the file.
    key = f"{entrance.name}_file_{entrance.find().file_box}"
    st.file_uploader(
        "Table of molecules",
        key=key,
        on_change=_take_file,
        args=(entrance, key),
        label_visibility="collapsed",
    )


def show_welcome() -> None:
    """Draw what a page without molecules shows: what it is good for."""
    st.space("small")
    with st.grid(columns=len(_STEPS), min_column_width=260, row_height="content"):
        for heading, words in _STEPS:
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{heading}**")
                st.markdown(words)
    with st.grid(columns=len(_STRIP), min_column_width=150, row_height="content"):
        for name, smiles in _STRIP:
            with st.container(horizontal_alignment="center", gap="xxsmall"):
                show_picture(smiles, (150, 104), alt=f"Structure of {name}")
                st.caption(name, text_alignment="center")


def _take_file(entrance: Entrance, key: str) -> None:
    given = st.session_state.get(key)
    intake = entrance.find()
    if given is not None:
        intake.take(file_source(given.name, given.getvalue()))
    elif intake.upload is None:
        intake.take(None)
    # Else a file was taken out of the box, which is also how its replacement begins: to clear the
    # page now would put the box at another place, and the new file would be lost on its way.


def _take_paste(entrance: Entrance) -> None:
    _take_text(entrance, st.session_state.get(f"{entrance.name}_pasted", ""))


def _take_text(entrance: Entrance, text: str) -> None:
    intake = entrance.find()
    intake.file_box += 1
    try:
        intake.take(paste_source(text))
    except InputError as error:
        intake.refuse(str(error))


def _take_example(entrance: Entrance) -> None:
    intake = entrance.find()
    intake.file_box += 1
    intake.take(file_source(EXAMPLE.name, EXAMPLE.read_bytes()))
