"""Drawing a molecule by hand, where the optional package streamlit-ketcher is installed.

The package brings its editor along; nothing is loaded from another host.
"""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st


def can_draw() -> bool:
    """Whether the editor is installed."""
    return find_spec("streamlit_ketcher") is not None


def draw_molecule(key: str) -> str:
    """Show the editor and return the SMILES of what was drawn.

    Parameters
    ----------
    key : str
        Of the widget.

    Returns
    -------
    str
        Empty until the visitor applies a drawing.
    """
    from streamlit_ketcher import st_ketcher

    st.caption("Draw, press Apply in the editor, then Predict.")
    return st_ketcher(height=420, key=key) or ""
