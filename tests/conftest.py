"""What several test files share: where the data and the browser are, and when a skip is a failure.

A test marked ``needs_data`` or ``browser`` is skipped, with the reason, on a machine that lacks
them. ``CMIM_REQUIRE=data,browser`` (set by continuous integration) turns those skips into failures.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def _find_data() -> Path | None:
    """Return the folder that CMIM_DATA names, if it is there."""
    named = os.environ.get("CMIM_DATA", "")
    folder = Path(named).expanduser().resolve()
    return folder if named and (folder / "moleculenet").is_dir() else None


def _find_chromium() -> Path | None:
    """Return the first Chromium on the path."""
    found = next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), None)
    return Path(found) if found else None


# marker: (name in CMIM_REQUIRE, how to find it, why a test is skipped without it)
_NEEDS = {
    "needs_data": ("data", _find_data, "CMIM_DATA does not name a folder with moleculenet/ in it"),
    "browser": ("browser", _find_chromium, f"none of {', '.join(_CHROMIUM_NAMES)} is installed"),
}


def _find_or_skip(marker: str) -> Path:
    """Return the place of what a marker needs; skip the test without it, or fail it if required."""
    name, find, reason = _NEEDS[marker]
    found = find()
    if found is None:
        required = name in os.environ.get("CMIM_REQUIRE", "").split(",")
        (pytest.fail if required else pytest.skip)(reason)
    return found


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold back a marked test before its fixtures are built."""
    for marker in _NEEDS:
        if item.get_closest_marker(marker):
            _find_or_skip(marker)


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Undo what a command run in this process did to the library's log, `--quiet` above all."""
    log = logging.getLogger("cmim_chem")
    before = log.level, list(log.handlers)
    yield
    log.setLevel(before[0])
    log.handlers[:] = before[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder with moleculenet/ and corpora/; skip the test without it."""
    return _find_or_skip("needs_data")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the Chromium to hand to playwright; skip the test without it."""
    return _find_or_skip("browser")
