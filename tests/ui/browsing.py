"""What a visitor does in a real browser, for the tests that drive one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from app.screenshot import wait_until_done, wait_until_drawn


def upload(page, name: str, data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)


def wait_for_results(page, words: str) -> None:
    page.get_by_text(words, exact=True).wait_for()
    page.get_by_test_id("stDataFrame").first.wait_for()


def click_table(page, x: float, y: float) -> None:
    """Click at a place of the table, from its upper left corner."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": x, "y": y})


def click_row(page, row: int) -> None:
    """Click the round mark at the left end of a row, below the two lines of headings."""
    click_table(page, 17, 72 + 104 * row + 52)


def take(page, button: str) -> Path:
    """Press a button for a file."""
    # Streamlit forgets a file as soon as a run of the page has made its successor, and answers a
    # click on the button that is about to be replaced with an error.
    wait_until_done(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path())


def download(page, kind: str = "CSV") -> bytes:
    return take(page, f"Download {kind}").read_bytes()


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def show(page, view: str) -> None:
    page.get_by_role("radio", name=view).click()


def unfold(page) -> None:
    """Open everything that is folded away."""
    for part in page.get_by_test_id("stExpander").all():
        part.locator("summary").click()
    wait_until_drawn(page)
