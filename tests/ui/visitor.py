"""What a visitor does on the pages and sees there, for tests with Streamlit's AppTest."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).parents[2] / "app" / "main.py"
TABLE = b"ID,SMILES,Note\nA-1,CCO,first\nA-2,not_a_smiles,\nA-3,[Na+].[O-]C(=O)c1ccccc1,salt\n"


def open_page(name: str = "predict") -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=60).run()
    return page if name == "predict" else go_to(page, name)


def go_to(page: AppTest, name: str) -> AppTest:
    return page.switch_page(f"views/{name}.py").run()


def upload(page: AppTest, data: bytes, name: str = "molecules.csv") -> AppTest:
    page.file_uploader[0].set_value((name, data, "text/csv")).run()
    assert not page.exception
    return page


def choose(page: AppTest, label: str, value: object) -> AppTest:
    """Set a widget that offers choices, by its label."""
    kinds = (page.segmented_control, page.pills, page.selectbox, page.multiselect, page.radio)
    found = [one for kind in kinds for one in kind if one.label == label]
    found[0].set_value(value).run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(one for one in page.button if one.label == label).click().run()
    assert not page.exception
    return page


def headings(page: AppTest) -> list[str]:
    return [one.value for one in [*page.header, *page.subheader]]


def texts(page: AppTest) -> str:
    found = [*page.markdown, *page.caption, *page.error, *page.info, *page.warning]
    return "\n".join([*headings(page), *(one.value for one in found)])


def results(page: AppTest) -> pd.DataFrame:
    """The frame that the table shows, without the upper line of its headings."""
    frame = page.dataframe[0].value
    return frame.droplevel(0, axis=1)
