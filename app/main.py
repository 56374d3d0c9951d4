"""Entry of the app: `streamlit run app/main.py`, or `cmim app`. Settings and pages.

Needs this folder's parent on the import path: an installed checkout and `cmim app` see to that.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.widgets import is_page_dark, problems_in_words

_ICON = Path(__file__).with_name("icon.svg")
# Streamlit leaves more room above a page than it needs, and lets wide tables of text overflow.
_STYLE = """
[data-testid='stMainBlockContainer'] {padding-top: 5rem; padding-bottom: 3rem}
[data-testid='stMarkdownContainer'] table {display: block; overflow-x: auto}
"""
# It also writes white on the bright buttons of a dark page.
_DARK_STYLE = "[data-testid^='stBaseButton-primary'] {color: #062019}"

st.set_page_config(
    page_title="cmim-chem",
    # A file of our own: Streamlit would fetch an emoji or a symbol from another host.
    page_icon=str(_ICON),
    layout="wide",
)
st.logo(str(_ICON), size="large")
st.html(f"<style>{_STYLE}{_DARK_STYLE if is_page_dark() else ''}</style>")
page = st.navigation(
    [
        st.Page("views/predict.py", title="Predict", default=True),
        st.Page("views/train.py", title="Train your own"),
        st.Page("views/make.py", title="Make"),
        st.Page("views/model.py", title="The model"),
    ],
    position="top",
)
with problems_in_words():
    page.run()
