"""How the app feels in a real headless Chromium: phone, keyboard, moving between pages."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app.screenshot import SCENES, wait_until_drawn
from tests.ui.browsing import (
    show,
    unfold,
    upload,
    wait_for_results,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_choices_survive_a_walk_through_the_pages(visit):
    upload(visit, "walk.csv", "smiles,name\nCCO,mine\nCCN,yours\n")
    wait_for_results(visit, "2 of 2")
    show(visit, "Charts")
    visit.get_by_text("Bars: your molecules").wait_for()
    visit.get_by_role("link", name="The model").click()
    visit.get_by_text("How good it is").wait_for()
    visit.get_by_role("link", name="Predict").click()
    visit.get_by_text("2 of 2", exact=True).wait_for()
    visit.get_by_text("Bars: your molecules").wait_for()


def test_a_molecule_is_picked_on_the_map(visit):
    upload(visit, "one.csv", "smiles,name\nCCO,mine\nnot_a_smiles,bad\n")
    wait_for_results(visit, "1 of 2")
    show(visit, "Map")
    visit.get_by_role("combobox", name="Color by").click()
    visit.get_by_role("option", name="Nothing").click()
    visit.get_by_text("Large dots").wait_for()
    wait_until_drawn(visit)
    assert visit.get_by_role("heading", name="mine").count() == 0
    chart = visit.get_by_test_id("stVegaLiteChart")
    chart.click(position=find_color(chart.screenshot(), (15, 107, 92)))
    visit.get_by_role("heading", name="mine").wait_for()
    visit.get_by_role("heading", name="Profile").wait_for()


def find_color(picture: bytes, color: tuple[int, int, int]) -> dict[str, int]:
    """Middle of the dot that has about this color."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    rows, columns = np.nonzero((abs(pixels - color) < 20).all(axis=2))
    assert len(rows) > 20, "there is no such dot"
    return {"x": int(np.median(columns)), "y": int(np.median(rows))}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scene", SCENES)
def test_nothing_overflows_a_phone(open_visit, address, theme, scene):
    page = open_visit(390, 844, theme)
    SCENES[scene](page, address)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wide = """() => [...document.querySelectorAll('[data-testid="stMain"] *')].filter(
        part => part.getBoundingClientRect().right > 391 && !part.closest(
            '[data-testid="stDataFrame"], [data-testid="stTable"], table, pre, [role=tablist]')
    ).map(part => part.tagName)"""
    assert page.evaluate(wide) == []


def test_everything_can_be_reached_with_the_keyboard(visit):
    visit.get_by_role("button", name="Try an example").click()
    visit.get_by_role("heading", name="Nearest approved drugs").wait_for()
    wait_until_drawn(visit)
    reached = set()
    for _ in range(60):
        visit.keyboard.press("Tab")
        words = visit.evaluate("document.activeElement.innerText || ''")
        reached |= set(words.splitlines())
    assert {"Other molecules", "Table", "Filter", "Download CSV", "Report"} <= reached
    nameless = """() => [...document.querySelectorAll('img')].filter(
        one => one.alt === '' && one.closest('[data-testid="stImage"]')).length"""
    assert visit.evaluate(nameless) == 0, "pictures have words"
