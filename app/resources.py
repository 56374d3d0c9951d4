"""What all visitors share: the frozen predictor, loaded once per server, and the turns they take.

The only module that reads the environment. `CMIM_WEIGHTS` names a folder with `encoder/`, `probes/`
and `index/` to be used instead of the shipped one.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from cmim_chem.generate.generator import Generator
    from cmim_chem.predictor import Predictor


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
