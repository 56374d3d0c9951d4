"""How the app feels in a real headless Chromium: phone, keyboard, moving between pages."""

from __future__ import annotations

import pytest

from app.screenshot import SCENES, wait_until_drawn
from tests.ui.browsing import (
    click_row,
    click_table,
    download,
    read_csv,
    show,
    upload,
    wait_for_results,
)


pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_choices_survive_a_walk_through_the_pages(visit):
    upload(page, "walk.csv", "smiles,name\nCCO,mine\nCCN,yours\n")
    wait_for_results(page, "2 of 2")
    show(page, "Charts")
    page.get_by_text("Bars: your molecules").wait_for()
    page.get_by_role("link", name="The model").click()
    page.get_by_text("How good it is").wait_for()
    page.get_by_role("link", name="Predict").click()
    page.get_by_text("2 of 2", exact=True).wait_for()
    page.get_by_text("Bars: your molecules").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scene", ["welcome", "predict", "charts", "map", "model"])
def test_nothing_overflows_a_phone(browser, address, theme, scene):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    SCENES[scene](page, address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wide = """() => [...document.querySelectorAll('[data-testid="stMain"] *')].filter(
        part => part.getBoundingClientRect().right > 391 && !part.closest(
            '[data-testid="stDataFrame"], [data-testid="stTable"], table, pre, [role=tablist]')
    ).map(part => part.tagName)"""
    assert page.evaluate(wide) == []
    page.close()


def test_everything_can_be_reached_with_the_keyboard(visit):
    page.get_by_role("button", name="Try an example").click()
    page.get_by_role("heading", name="Nearest approved drugs").wait_for()
    wait_until_drawn(page)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        words = page.evaluate("document.activeElement.innerText || ''")
        reached |= set(words.splitlines())
    assert {"Other molecules", "Table", "Filter", "Download CSV", "Report"} <= reached
    nameless = """() => [...document.querySelectorAll('img')].filter(
        one => one.alt === '' && one.closest('[data-testid="stImage"]')).length"""
    assert page.evaluate(nameless) == 0, "pictures have words"
