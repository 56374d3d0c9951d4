"""The page with a fake predictor in the place of the real one; and the real app in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources
from app.screenshot import PATIENCE, open_browser, running_app
from tests.ui.fake_predictor import FakePredictor
from tests.ui.visitor import open_page

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request, WebSocket


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
def open_visit(browser, address) -> Iterator[Callable[..., Page]]:
    """Opens empty pages for visitors, of whom nothing must reach another host."""
    contexts: list[BrowserContext] = []
    outside: list[str] = []
    known = (address, address.replace("http", "ws"), "data:", "blob:")

    def listen(sent: Request | WebSocket) -> None:
        outside.extend([sent.url] * (not sent.url.startswith(known)))

    def open_one(width: int = 1280, height: int = 1000, theme: str = "light") -> Page:
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                accept_downloads=True,
            )
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", listen)
        page.on("websocket", listen)
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        return page

    yield open_one
    assert outside == [], "a request left for another host"
    for context in contexts:
        context.close()


@pytest.fixture
def visit(open_visit, address) -> Page:
    """A new visitor on the first page."""
    page = open_visit()
    page.goto(address)
    page.get_by_role("button", name="Try an example").wait_for()
    return page
