"""The page with a fake predictor in the place of the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources
from tests.ui.fake_predictor import FakePredictor
from tests.ui.visitor import open_page


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePredictor]:
    """Put the fake in place, and forget what other tests cached."""
    fake = FakePredictor()
    monkeypatch.setattr(resources, "load_predictor", lambda: fake)
    st.cache_resource.clear()
    yield fake
    st.cache_resource.clear()


@pytest.fixture
def page(predictor: FakePredictor) -> AppTest:
    return open_page()
