"""What one visitor has on the page: typed, private to the session, kept between reruns.

Streamlit runs the page from top to bottom at every click; this is what outlives a run. Nothing in
here is shared: the only shared object is the frozen predictor of `app.resources`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from app.results import Results
from app.upload import Source, Upload

_KEY = "cmim_session"

#: Heading and neighbors, per source.
Neighborhood = list[tuple[str, pd.DataFrame]]


@dataclass
class Session:
    """The molecules of one visitor and what was found about them.

    Attributes
    ----------
    source : Source or None
        What was given last.
    smiles_column : str or None
        Column chosen by hand, as the source names it.
    refusal : str
        Why the last thing given is no source, in words.
    file_box : int
        Counts the boxes for a file: a new one, empty, appears when molecules come another way.
    generation : int
        Grows with every source; part of widget keys, so that a new table starts unselected.
    upload : Upload or None
        The source, read.
    parts : list of pandas.DataFrame
        Rows scored so far.
    results : Results or None
        Once all rows are scored.
    pictures : dict of bool to list
        A picture per row, for light (False) and dark (True) pages.
    neighbors : dict of int to list
        Per row that was looked at.
    """

    source: Source | None = None
    smiles_column: str | None = None
    refusal: str = ""
    file_box: int = 0
    generation: int = 0
    upload: Upload | None = None
    parts: list[pd.DataFrame] = field(default_factory=list)
    results: Results | None = None
    pictures: dict[bool, list[str | None]] = field(default_factory=dict)
    neighbors: dict[int, Neighborhood] = field(default_factory=dict)

    def take(self, source: Source | None) -> None:
        """Start over with a new source, or with none."""
        self.source = source
        self.refusal = ""
        self.choose_column(None)

    def choose_column(self, smiles_column: str | None) -> None:
        """Read and score the source again with another column of SMILES; None finds it."""
        self.smiles_column = smiles_column
        self.generation += 1
        self.upload = None
        self.results = None
        self.parts = []
        self.pictures = {}
        self.neighbors = {}

    def refuse(self, reason: str) -> None:
        """Keep no source, and say why."""
        self.take(None)
        self.refusal = reason


def current_session() -> Session:
    """Return the session of the visitor whose page is being drawn."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    session: Session = st.session_state[_KEY]
    return session
