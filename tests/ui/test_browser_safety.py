"""What strangers send, in a real headless Chromium: sentences, no scripts, nothing of others."""

from __future__ import annotations

import shutil

import pytest

from app.screenshot import show_model, wait_until_drawn
from tests.ui.browsing import (
    download,
    read_csv,
    show,
    take,
    unfold,
    upload,
    wait_for_results,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("photo.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "JPEG picture"),
        ("many.csv", b"smiles\n" + b"CCO\n" * 2_001, "more than 2,000 rows"),
        ("numbers.csv", b"a,b\n1,2\n3,4\n", "no column looks like SMILES"),
        ("empty.csv", b"", "empty"),
        ("wide.csv", b"smiles" + b"," * 10**6, "more than 500 columns"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(visit, name, data, words):
    upload(visit, name, data)
    visit.get_by_role("alert").get_by_text(words).wait_for()
    assert "Traceback" not in visit.locator("body").inner_text()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("long.csv", "smiles\n" + "C" * 10**6 + "\nCCO\n", "1 of 2"),
        ("delimiter.csv", "name;smiles\nx;CCO\n", "1 of 1"),
        ("utf16.csv", "smiles,name\nCCO,µ\n".encode("utf-16"), "1 of 1"),
    ],
)
def test_what_is_unusual_is_read_all_the_same(visit, name, data, words):
    upload(visit, name, data)
    wait_for_results(visit, words)
    assert visit.get_by_text("unexpected").count() == 0


def test_hostile_names_are_shown_as_they_stand(visit):
    name = "<img src=x onerror=alert(1)>![a](http://evil.test/x.png) :red[b] $x^2$ :material/home:"
    cells = f'"{name}",CCO,"=HYPERLINK(""http://evil.test"",""x"")"'
    upload(visit, "<b>bold<b>.csv", f"name,smiles,<script>alert(1)</script>\n{cells}\n")
    wait_for_results(visit, "1 of 1")
    assert visit.get_by_role("heading", name="<b>bold<b>.csv").count() == 1
    visit.get_by_role("heading", name="Nearest approved drugs").wait_for()
    shown = visit.get_by_role("heading", level=2).nth(1).inner_text()
    assert shown.replace("\u2060", "") == name[:59] + "…"
    show(visit, "Map")
    visit.get_by_text("Large dots").wait_for()
    wait_until_drawn(visit)
    chart = visit.get_by_test_id("stVegaLiteChart").bounding_box()
    for step in range(0, 40):  # along the map, so that a tooltip of the molecule may open
        visit.mouse.move(chart["x"] + step * chart["width"] / 40, chart["y"] + 250)
    links = visit.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert [link for link in links if "evil" in link] == []
    show(visit, "Table")
    assert read_csv(download(visit))[0]["<script>alert(1)</script>"].startswith("'=HYPERLINK")


def test_two_visitors_see_their_own_molecules_only(visit, open_visit, address):
    other = open_visit()
    other.goto(address)
    other.get_by_role("button", name="Try an example").wait_for()
    upload(visit, "first.csv", "smiles,name\nCCO,mine\n")
    upload(other, "second.csv", "smiles,name\nCCN,yours\n")
    wait_for_results(visit, "1 of 1")
    wait_for_results(other, "1 of 1")
    assert read_csv(download(visit))[0]["name"] == "mine"
    assert read_csv(download(other))[0]["name"] == "yours"


def test_no_page_asks_another_host(visit, address):
    """Every visit is listened to, in all tests; here is opened what those of the others leave."""
    show_model(visit, address)
    unfold(visit)
    visit.get_by_role("link", name="Train your own").click()
    visit.get_by_text("What a table should look like").wait_for()
    wait_until_drawn(visit)


def test_a_report_is_one_file_that_asks_for_nothing(visit, browser, tmp_path):
    visit.get_by_role("button", name="Try an example").click()
    visit.get_by_role("heading", name="Nearest approved drugs").wait_for()
    shutil.copy(take(visit, "Report"), tmp_path / "aspirin.html")
    asked: list[str] = []
    report = browser.new_page()
    report.on("request", lambda sent: asked.append(sent.url))
    report.goto((tmp_path / "aspirin.html").as_uri())
    assert report.get_by_role("heading", name="Aspirin").count() == 1
    assert report.get_by_role("img", name="Structure of Aspirin", exact=True).count() == 1
    assert len(asked) == 1
    report.close()
