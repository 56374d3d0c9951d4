"""What all visitors share: the frozen predictor, loaded once per server, and the turns they take.

The only module that reads the environment. `CMIM_WEIGHTS` names a folder with `encoder/`, `probes/`
and `index/` to be used instead of the shipped one; `CMIM_DATA` a folder with public tables, for the
measured neighbors of a molecule.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.scoring import Here, Runner
from cmim_chem.errors import CmimError

if TYPE_CHECKING:
    from cmim_chem.generate.generator import Generator
    from cmim_chem.measurements import Measurements
    from cmim_chem.predictor import Predictor
    from cmim_chem.score.crew import Crew

logger = logging.getLogger(__name__)

#: Rows of a public table that is looked through for measured neighbors.
MOST_MEASURED = 10_000
# Fewer are done before another process has its model.
_FEW_ROWS = 400


@st.cache_resource(show_spinner=False)
def load_predictor() -> Predictor:
    """Load the model; every session gets the same immutable object.

    Returns
    -------
    Predictor
        Encoder, probes and index.

    Raises
    ------
    ArtifactError
        If the weights are missing, damaged or do not belong together.
    """
    # Here and not above: the page is drawn before the libraries of the model are loaded.
    from cmim_chem.predictor import Predictor

    return Predictor.load(_find_weights())


def choose_runners(predictor: Predictor, rows: int) -> tuple[Runner, ...]:
    """Choose who scores a table: several processes if it is long and the model is everybody's.

    Parameters
    ----------
    predictor : Predictor
        The visitor's.
    rows : int
        Of the table.

    Returns
    -------
    tuple of Runner
        For `app.scoring`, the preferred one first.
    """
    here = Here(predictor, compute_slot())
    is_shared = predictor is load_predictor()
    return (_gather_crew(), here) if is_shared and rows > _FEW_ROWS else (here,)


@st.cache_resource(show_spinner=False)
def _gather_crew() -> Crew:
    """Processes that score for all visitors; they start with the first long table."""
    from cmim_chem.score.crew import Crew
    from cmim_chem.score.worker import ModelPath, read_digests

    digests = read_digests(load_predictor().digests)
    return Crew(ModelPath(str(_find_weights() or ""), (), digests))


@st.cache_resource(show_spinner=False)
def load_generator() -> Generator:
    """Load what the page Make needs besides the predictor, which it shares.

    Returns
    -------
    Generator
        Immutable.

    Raises
    ------
    ArtifactError
        If the weights have no bank of codes.
    """
    from cmim_chem.generate.bank import FILE, load_bank
    from cmim_chem.generate.generator import Generator
    from cmim_chem.predictor import SHIPPED

    predictor = load_predictor()
    bank = load_bank((_find_weights() or SHIPPED) / FILE, predictor.embedder.digest)
    return Generator(predictor, bank)


def load_measured(name: str) -> tuple[Measurements, str] | None:
    """Measured values of a property, where its public table is in the data folder.

    Parameters
    ----------
    name : str
        Of the property.

    Returns
    -------
    tuple of Measurements and str, or None
        The values, and the title of the table; None if it is not at hand, or too large to be
        looked through while a visitor waits.
    """
    from cmim_chem.measured import choose_target, find_public, is_at_hand

    found = find_public(name)
    if found is None or found[0].rows > MOST_MEASURED or not is_at_hand(found[0]):
        return None
    source, task = found
    known = _read_measured(name=source.properties[0])
    return None if known is None else (choose_target(known, task), source.title)


@st.cache_resource(show_spinner=False)
def _read_measured(name: str) -> Measurements | None:
    """Read the table of a property; None if it cannot be read, which the log tells."""
    from cmim_chem.measured import find_public, read_public

    found = find_public(name)
    try:
        return None if found is None else read_public(found[0])
    except CmimError:
        logger.exception("the table of %s cannot be read", name)
        return None


@st.cache_resource(show_spinner=False)
def load_encoder_card() -> str:
    """Page about the encoder, in Markdown that ships with the weights; empty if there is none."""
    from cmim_chem.predictor import SHIPPED

    path = (_find_weights() or SHIPPED) / "encoder" / "card.md"
    # One level deeper: it stands within a section of a page.
    return path.read_text(encoding="utf-8").replace("# ", "### ") if path.is_file() else ""


def _find_weights() -> Path | None:
    """Folder that the environment names, None for what ships."""
    folder = os.environ.get("CMIM_WEIGHTS")
    return Path(folder) if folder else None


@st.cache_resource(show_spinner=False)
def compute_slot() -> threading.Lock:
    """A turn at the processor, entered for a second or two at a time.

    The model's arithmetic uses every core; two sessions at once would each take more than twice as
    long.
    """
    return threading.Lock()


@st.cache_resource(show_spinner=False)
def training_slot() -> threading.Lock:
    """A turn at fitting, which takes a minute: one visitor at a time."""
    return threading.Lock()
