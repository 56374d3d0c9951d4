"""Pictures of every page of the running app: `python -m app.screenshot --out app/screenshots`.

Starts the app on the shipped model (or the one that `CMIM_WEIGHTS` names), opens it in a headless
Chromium, does what a visitor does and waits for the answer. The browser tests use the same openers.
Needs the Python package playwright and a Chromium of the system; the page Train is only taken with
`--table`, a table with a measured column.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MAIN = Path(__file__).with_name("main.py")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Milliseconds to wait for an answer: the model is loaded on the way.
PATIENCE = 180_000
#: ... and for a model to be fitted.
TRAINING_PATIENCE = 900_000

_START_SECONDS = 60
_DRAWING = 2_000  # milliseconds: a grid draws its pictures on a canvas, without a sign


def find_chromium() -> str | None:
    """Find the browser of the system.

    Returns
    -------
    str or None
        Its path, None if there is none.
    """
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((path for path in found if path), None)


@contextmanager
def running_app() -> Iterator[str]:
    """Start the app on a free port of this computer.

    Yields
    ------
    str
        Its address; the app ends with the block.

    Raises
    ------
    RuntimeError
        If it does not answer within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    search = os.pathsep.join(filter(None, [str(MAIN.parents[1]), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(MAIN), *options],
        env=os.environ | {"PYTHONPATH": search},
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(f"{address}/_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait()


@contextmanager
def open_browser(chromium: str) -> Iterator[Browser]:
    """Open a headless browser.

    Parameters
    ----------
    chromium : str
        Path of the program.

    Yields
    ------
    Browser
        Closed with the block.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # The sandbox of Chromium does not start for root, as in most containers.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def show_example(page: Page, address: str) -> None:
    """Open the app, load the example and wait until everything about it is drawn.

    Parameters
    ----------
    page : Page
        Of a browser.
    address : str
        Of the app.
    """
    page.goto(address)
    page.get_by_role("button", name="Try an example").click(timeout=PATIENCE)
    page.get_by_text("Nearest approved drugs").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def wait_until_done(page: Page) -> None:
    """Wait until the server has sent all of the page: buttons that stand there are the new ones."""
    page.wait_for_function(
        """document.querySelector('[data-test-script-state="notRunning"]')
            && !document.querySelector('[data-stale="true"]')""",
        timeout=PATIENCE,
    )


def wait_until_drawn(page: Page) -> None:
    """Wait until the page is at rest."""
    wait_until_done(page)
    page.wait_for_timeout(_DRAWING)


def show_welcome(page: Page, address: str) -> None:
    """Open the app without molecules."""
    page.goto(address)
    page.get_by_text("Fluconazole").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def show_charts(page: Page, address: str) -> None:
    """Show how the properties of the example are distributed."""
    show_example(page, address)
    page.get_by_role("radio", name="Charts").click(timeout=PATIENCE)
    page.get_by_text("Bars: your molecules").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def show_map(page: Page, address: str) -> None:
    """Show where the molecules of the example are among the known ones."""
    show_example(page, address)
    page.get_by_role("radio", name="Map").click(timeout=PATIENCE)
    page.get_by_text("Large dots: your molecules").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def show_making(page: Page, address: str) -> None:
    """Make molecules near the one that stands there, and keep them."""
    page.goto(f"{address}/make")
    page.get_by_role("button", name="Make molecules").click(timeout=PATIENCE)
    page.get_by_role("button", name="Keep all").click(timeout=TRAINING_PATIENCE)
    page.get_by_role("heading", name="Basket").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def show_model(page: Page, address: str) -> None:
    """Show the page about the model."""
    page.goto(f"{address}/model")
    page.get_by_text("Citation").wait_for(timeout=PATIENCE)
    wait_until_drawn(page)


def show_training(page: Page, address: str, table: Path) -> None:
    """Learn from a table and show its score."""
    page.goto(f"{address}/train")
    page.get_by_text("What a table should look like").wait_for(timeout=PATIENCE)
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Fit", exact=True).click(timeout=PATIENCE)
    page.get_by_text("Molecules held out").wait_for(timeout=TRAINING_PATIENCE)
    wait_until_drawn(page)


SCENES = {
    "welcome": show_welcome,
    "predict": show_example,
    "charts": show_charts,
    "map": show_map,
    "make": show_making,
    "model": show_model,
}


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description="Take pictures of the running app.")
    parser.add_argument("--out", type=Path, default=MAIN.parent / "screenshots", help="folder")
    parser.add_argument("--scenes", nargs="*", choices=[*SCENES, "train"], help="all without it")
    parser.add_argument("--table", type=Path, help="what the page Train learns from")
    parser.add_argument("--width", type=int, default=1280, help="pixels")
    parser.add_argument("--tallest", type=int, default=1_500, help="pixels; the rest is cut off")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        parser.error(f"no browser found: install one of {', '.join(CHROMIUM_NAMES)}")
    scenes: dict[str, Callable[[Page, str], None]] = dict(SCENES)
    if options.table is not None:
        scenes["train"] = partial(show_training, table=options.table)
    options.out.mkdir(parents=True, exist_ok=True)
    with running_app() as address, open_browser(chromium) as browser:
        for name in options.scenes or scenes:
            page = browser.new_page(
                viewport={"width": options.width, "height": 900}, color_scheme=options.theme
            )
            scenes[name](page, address)
            take_picture(page, options.out / f"{name}.png", options.tallest)
            page.close()


def take_picture(page: Page, path: Path, tallest: int) -> None:
    """Take a picture as tall as the page.

    Parameters
    ----------
    page : Page
        At rest.
    path : Path
        A file ending in .png.
    tallest : int
        Most pixels: what is below them is left out.
    """
    width = page.evaluate("window.innerWidth")
    tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": tall})
    page.mouse.move(0, 0)  # nothing looks pointed at
    page.wait_for_timeout(_DRAWING)
    clip = {"x": 0, "y": 0, "width": width, "height": min(tall, tallest)}
    page.screenshot(path=path, clip=clip)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the app did not start; try it by hand: streamlit run app/main.py")


if __name__ == "__main__":
    main()
