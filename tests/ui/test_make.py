"""The page Make, around a decoder that writes by rule."""

from __future__ import annotations

import io

import pandas as pd
import pytest
import streamlit as st

from app import resources
from app.making import write_basket
from tests.ui.visitor import choose, headings, open_page, press, texts
from tests.unit.generating import Speller, make_generator


@pytest.fixture
def page(monkeypatch, tmp_path):
    generator = make_generator(tmp_path / "index", Speller)
    monkeypatch.setattr(resources, "load_predictor", lambda: generator.predictor)
    monkeypatch.setattr(resources, "load_generator", lambda: generator)
    st.cache_resource.clear()
    made = open_page("make")
    assert not made.exception
    made.text_input[0].set_value("CCO").run()
    made.slider[0].set_value(2.0).run()
    yield made
    st.cache_resource.clear()


def test_samples_are_shown_kept_and_taken_home(page):
    press(page, "Make molecules")
    table = page.dataframe[0].value
    assert {"structure", "smiles", "similarity", "qed", "nearest"} <= set(table.columns)
    assert table["structure"].str.startswith("data:image/svg").all()
    assert "codes decoded" in texts(page)
    press(page, "Keep all")
    press(page, "Keep all")
    making = page.session_state["cmim_session"].making
    assert making.basket["smiles"].tolist() == table["smiles"].tolist()
    assert "Basket" in headings(page)
    saved = pd.read_csv(io.BytesIO(write_basket(making.basket)))
    assert saved["smiles"].tolist() == table["smiles"].tolist()
    press(page, "Empty it")
    assert "Basket" not in headings(page)


def test_a_property_is_improved(page):
    choose(page, "What to do", "Improve a property")
    page.slider[1].set_value(0.1).run()
    press(page, "Make molecules")
    score = page.dataframe[0].value["score"]
    assert score.is_monotonic_decreasing
    assert "The seed has" in texts(page)


def test_what_is_no_molecule_is_said_in_words(page):
    page.text_input[0].set_value("C(").run()
    press(page, "Make molecules")
    assert any("C" in one.value for one in page.error)
    assert not page.dataframe
