"""What one visitor has on the pages: typed, private to the session, kept between reruns and pages.

Streamlit runs a page from top to bottom at every click; this is what outlives a run. Nothing in
here is shared: the only shared object is the frozen predictor of `app.resources`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.making import Making
from app.results import Results
from app.upload import Source, Upload

if TYPE_CHECKING:
    from cmim_chem.assay import FittedAssay
    from cmim_chem.assay_check import TableCheck
    from cmim_chem.closeup import Closeup
    from cmim_chem.insight import Insight
    from cmim_chem.measurements import Measurements
    from cmim_chem.predictor import Predictor

_KEY = "cmim_session"
_MOST_CLOSEUPS = 40
_MOST_INSIGHTS = 200
#: Levels that intervals can have; as `cmim score --level`.
LEVELS = (0.8, 0.9, 0.95, 0.99)


@dataclass
class Intake:
    """A table that a visitor gave.

    Attributes
    ----------
    source : Source or None
        What was given last.
    smiles_column : str or None
        Column chosen by hand, as the source names it.
    refusal : str
        Why the last thing given could not be taken, in words.
    command : str
        Shell command that takes it all the same; empty if there is none.
    file_box : int
        Counts the boxes for a file: a new one, empty, appears when molecules come another way.
    generation : int
        Grows with every source; part of widget keys, so that a new table starts unselected.
    upload : Upload or None
        The source, read.
    """

    source: Source | None = None
    smiles_column: str | None = None
    refusal: str = ""
    command: str = ""
    file_box: int = 0
    generation: int = 0
    upload: Upload | None = None

    def take(self, source: Source | None) -> None:
        """Start over with a new source, or with none."""
        self.source = source
        self.refusal = self.command = ""
        self.choose_column(None)

    def choose_column(self, smiles_column: str | None) -> None:
        """Read the source again with another column of SMILES; None finds it."""
        self.smiles_column = smiles_column
        self.generation += 1
        self.upload = None
        self.forget()

    def refuse(self, reason: str, command: str = "") -> None:
        """Keep no source, and say why."""
        self.take(None)
        self.refusal, self.command = reason, command

    def forget(self) -> None:
        """Drop what was found out about the table."""


@dataclass
class Molecules(Intake):
    """Molecules to be predicted, and what was found about them.

    Attributes
    ----------
    parts : list of pandas.DataFrame
        Rows scored so far.
    results : Results or None
        Once all rows are scored.
    pictures : dict of bool to list
        A picture per row, for light (False) and dark (True) pages.
    places : tuple or None
        Landmarks and the molecules' places on the map, once it was opened.
    closeups : dict of int to Closeup
        Rows that were looked at, the latest last.
    insights : dict of tuple of int and str to Insight
        Rows and properties that were looked at in depth, the latest last.
    level : float
        Of intervals and calls; kept for other molecules.
    """

    parts: list[pd.DataFrame] = field(default_factory=list)
    results: Results | None = None
    pictures: dict[bool, list[str | None]] = field(default_factory=dict)
    places: tuple[pd.DataFrame, NDArray[np.float32]] | None = None
    closeups: dict[int, Closeup] = field(default_factory=dict)
    insights: dict[tuple[int, str], Insight] = field(default_factory=dict)
    level: float = 0.9

    def forget(self) -> None:
        """Drop what was found out about the molecules."""
        self._forget_scores()
        self.pictures = {}
        self.places = None
        self.insights = {}

    def set_level(self, level: float) -> None:
        """Score again with intervals of another level; all else stays."""
        self.level = level
        self._forget_scores()

    def remember(self, row: int, closeup: Closeup) -> None:
        """Keep the view of a row; the oldest one goes when there are many."""
        if len(self.closeups) >= _MOST_CLOSEUPS:
            self.closeups.pop(next(iter(self.closeups)))
        self.closeups[row] = closeup

    def remember_insight(self, row: int, insight: Insight) -> None:
        """Keep what was found about a property of a row; the oldest goes when there are many."""
        if len(self.insights) >= _MOST_INSIGHTS:
            self.insights.pop(next(iter(self.insights)))
        self.insights[row, insight.property.name] = insight

    def insights_of(self, row: int) -> list[Insight]:
        """What was found about properties of a row, in the order of looking."""
        return [one for (at, _), one in self.insights.items() if at == row]

    def _forget_scores(self) -> None:
        self.parts = []
        self.results = None
        self.closeups = {}


@dataclass
class Assay(Intake):
    """A table to learn from, and what was learned.

    Attributes
    ----------
    targets : list of str or None
        Columns that could be learned, once the table was looked at.
    target : str or None
        Column of the labels that was checked.
    check : TableCheck or None
        What the table is like.
    fitted : FittedAssay or None
        The probe with its held-out predictions.
    packed : bytes
        The probe as a zip file.
    """

    targets: list[str] | None = None
    target: str | None = None
    check: TableCheck | None = None
    fitted: FittedAssay | None = None
    packed: bytes = b""

    def forget(self) -> None:
        """Drop what was learned, except that probes in use stay in use."""
        self.targets = None
        self.target = None
        self.check = None
        self.fitted = None
        self.packed = b""


@dataclass
class Session:
    """Everything of one visitor.

    Attributes
    ----------
    molecules : Molecules
        Of the page Predict.
    assay : Assay
        Of the page Train.
    making : Making
        Of the page Make.
    predictor : Predictor or None
        With the visitor's own probes; None while there are none.
    own : list of str
        Names of those probes.
    measured : dict of str to Measurements
        What those probes were fitted on, by their name.
    """

    molecules: Molecules = field(default_factory=Molecules)
    assay: Assay = field(default_factory=Assay)
    making: Making = field(default_factory=Making)
    predictor: Predictor | None = None
    own: list[str] = field(default_factory=list)
    measured: dict[str, Measurements] = field(default_factory=dict)

    def use_predictor(self, predictor: Predictor | None, own: dict[str, Measurements]) -> None:
        """Predict with other probes from now on; the molecules are scored again.

        Parameters
        ----------
        predictor : Predictor or None
            With the visitor's own probes; None for those of all visitors.
        own : dict of str to Measurements
            What the visitor's own were fitted on, by their names.
        """
        self.predictor = predictor
        self.own = list(own)
        self.measured = own
        self.molecules.choose_column(self.molecules.smiles_column)


def current_session() -> Session:
    """Return the session of the visitor whose page is being drawn."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    session: Session = st.session_state[_KEY]
    return session
