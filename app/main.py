"""Entry of the app: `streamlit run app/main.py`, or `cmim app`. Configures the page, runs the view.

Needs this folder's parent on the import path: an installed checkout and `cmim app` see to that.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.views import predict
from app.widgets import problems_in_words

st.set_page_config(
    page_title="cmim-chem",
    # A file of our own: Streamlit would fetch an emoji or a symbol from another host.
    page_icon=str(Path(__file__).with_name("icon.svg")),
    layout="wide",
)
with problems_in_words():
    predict.render()
