"""The app on the shipped model in a real headless Chromium, from upload to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdkit import Chem

from app.screenshot import PATIENCE, open_browser, running_app, show_example

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOLECULES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "bad one": "not_a_smiles",
    "ethanol": "CCO",
    "benzoate": "[Na+].[O-]C(=O)c1ccccc1",
    "propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "bad two": "C1CC(",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_app() as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator:
    with open_browser(str(chromium)) as browser:
        yield browser


@pytest.fixture
def page(browser, address) -> Iterator:
    """A new visitor, of whom nothing must reach another host and no error the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    outside: list[str] = []
    known = (address, address.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda sent: outside.extend([sent.url] * (not sent.url.startswith(known))))
    page.on("websocket", lambda sent: outside.extend([sent.url] * (not sent.url.startswith(known))))
    page.goto(address)
    page.get_by_role("button", name="Try an example").wait_for()
    yield page
    assert outside == [], "a request left for another host"
    context.close()


def upload(page, name: str, data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)


def wait_for_results(page, words: str) -> None:
    page.get_by_text(words, exact=True).wait_for()
    page.get_by_test_id("stDataFrame").first.wait_for()


def click_row(page, row: int) -> None:
    """Click the round mark at the left end of a row of the table."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 17, "y": 36 + 104 * row + 52})


def download(page) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    text = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def table_of_twenty() -> list[tuple[str, str, str]]:
    rows = [*MOLECULES.items()]
    return [(f"ID-{at:03d}", *rows[at % 7]) for at in range(18)] + [
        ("=1+1", "formula", "CCCC"),
        ("-7", "number", "CCCN"),
    ]


def test_a_table_from_upload_to_download(page):
    rows = table_of_twenty()
    failing = [at for at, row in enumerate(rows) if row[1].startswith("bad")]
    lines = [",".join(row) for row in rows]
    upload(page, "my molecules.csv", "\n".join(["Compound ID,name,SMILES", *lines]))
    wait_for_results(page, f"{20 - len(failing)} of 20")
    page.get_by_text(f"{len(failing)} with a problem").wait_for()

    click_row(page, 1)
    page.get_by_role("heading", name="caffeine").wait_for()
    page.get_by_role("heading", name="Nearest approved drugs").wait_for()
    page.get_by_role("img", name="Structure of caffeine", exact=True).wait_for()
    page.get_by_text("CAFFEINE", exact=True).first.wait_for()
    assert page.get_by_text("Tanimoto 1.00").count() >= 1, "caffeine is an approved drug"

    click_row(page, 2)
    page.get_by_role("alert").get_by_text("cannot parse").wait_for()

    answer = download(page)
    assert [row["Compound ID"] for row in answer] == [
        "'=1+1" if row[0] == "=1+1" else row[0] for row in rows
    ]
    assert [row["SMILES"] for row in answer] == [row[2] for row in rows]
    columns = list(answer[0])
    assert columns[:5] == ["Compound ID", "name", "SMILES", "standardized_smiles", "problem"]
    assert {"esol", "bbbp"} <= set(columns)
    for at, row in enumerate(answer):
        assert bool(row["esol"]) == (at not in failing)
        assert bool(row["standardized_smiles"]) == (at not in failing)
        if at in failing:
            assert row["problem"].startswith("cannot parse")
        else:
            assert Chem.MolFromSmiles(row["standardized_smiles"]) is not None
            float(row["esol"])


def test_an_sdf_and_its_properties(page):
    blocks = []
    for key, name in enumerate(("aspirin", "caffeine", "ethanol")):
        molecule = Chem.MolFromSmiles(MOLECULES[name])
        molecule.SetProp("_Name", name)
        blocks.append(f"{Chem.MolToMolBlock(molecule)}> <key>\n{key}\n\n$$$$\n")
    upload(page, "three.sdf", "".join(blocks))
    wait_for_results(page, "3 of 3")
    answer = download(page)
    assert [row["name"] for row in answer] == ["aspirin", "caffeine", "ethanol"]
    assert [row["key"] for row in answer] == ["0", "1", "2"]
    assert all(float(row["esol"]) < 2 for row in answer)


def test_pasted_molecules(page):
    page.get_by_role("tab", name="Paste").click()
    page.get_by_role("textbox").fill("CCO ethanol\nCCN ethylamine")
    page.get_by_role("button", name="Predict").click()
    wait_for_results(page, "2 of 2")
    page.get_by_role("heading", name="ethanol").wait_for()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("photo.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "JPEG picture"),
        ("many.csv", b"smiles\n" + b"CCO\n" * 2_001, "more than 2,000 rows"),
        ("numbers.csv", b"a,b\n1,2\n3,4\n", "no column looks like SMILES"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(page, name, data, words):
    upload(page, name, data)
    page.get_by_role("alert").get_by_text(words).wait_for()
    assert "Traceback" not in page.locator("body").inner_text()


def test_hostile_names_are_shown_as_they_stand(page):
    name = "<img src=x onerror=alert(1)>![a](http://evil.test/x.png) :red[b] $x^2$ :material/home:"
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    upload(page, "<b>bold<b>.csv", f'name,smiles,<script>alert(1)</script>\n"{name}",CCO,x\n')
    wait_for_results(page, "1 of 1")
    assert page.get_by_role("heading", name="<b>bold<b>.csv").count() == 1
    shown = page.get_by_role("heading", level=2).nth(1).inner_text()
    assert shown.replace("\u2060", "") == name[:59] + "…"
    links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert [link for link in links if "evil" in link] == []


def test_two_visitors_see_their_own_molecules_only(page, browser, address):
    other = browser.new_context().new_page()
    other.set_default_timeout(PATIENCE)
    other.goto(address)
    other.get_by_role("button", name="Try an example").wait_for()
    upload(page, "first.csv", "smiles,name\nCCO,mine\n")
    upload(other, "second.csv", "smiles,name\nCCN,yours\n")
    wait_for_results(page, "1 of 1")
    wait_for_results(other, "1 of 1")
    assert download(page)[0]["name"] == "mine"
    assert download(other)[0]["name"] == "yours"
    other.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overflows_a_phone(browser, address, theme):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    show_example(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
