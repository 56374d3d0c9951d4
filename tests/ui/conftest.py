"""The page with a fake predictor in the place of the real one; and the real app in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources
from app.screenshot import PATIENCE, open_browser, running_app
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


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with running_app() as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator:
    with open_browser(str(chromium)) as browser:
        yield browser


@pytest.fixture
def visit(browser, address) -> Iterator:
    """A new visitor, of whom nothing must reach another host."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    outside: list[str] = []
    known = (address, address.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda sent: outside.extend([sent.url] * (not sent.url.startswith(known))))
    page.on("websocket", lambda sent: outside.extend([sent.url] * (not sent.url.startswith(known))))
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(address)
    page.get_by_role("button", name="Try an example").wait_for()
    yield page
    assert outside == [], "a request left for another host"
    context.close()
