"""What all visitors share: the frozen predictor, loaded once per server.

The only module that reads the environment. `CMIM_WEIGHTS` names a folder with `encoder/`, `probes/`
and `index/` to be used instead of the shipped one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
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

    folder = os.environ.get("CMIM_WEIGHTS")
    return Predictor.load(Path(folder) if folder else None)
