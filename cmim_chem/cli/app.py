"""`cmim app`: open the browser app, which is a Streamlit program beside or inside the package."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import cmim_chem
from cmim_chem.errors import InputError

HELP = """Open the app in the browser; it serves this computer only.

\b
Example:
  cmim app --port 8600
"""


def find_app() -> Path:
    """Find the app's entry script.

    Returns
    -------
    Path
        Its `main.py`, inside an installed package or beside the package in a checkout.

    Raises
    ------
    InputError
        If there is none.
    """
    package = Path(cmim_chem.__file__).parent
    # Inside the package first: beside an installed one, `app` would be somebody else's.
    for folder in (package / "_app" / "app", package.parent / "app"):
        if (folder / "main.py").is_file():
            return folder / "main.py"
    raise InputError("the app is not installed; install cmim-chem again, from a wheel or checkout")


def build_command(script: Path, port: int, host: str, headless: bool) -> list[str]:
    """Build the command line that starts Streamlit.

    Parameters
    ----------
    script : Path
        Entry script of the app.
    port : int
        TCP port.
    host : str
        Address to listen on.
    headless : bool
        Whether to leave the browser closed.

    Returns
    -------
    list of str
        Program and arguments; nothing in them reaches for the network.
    """
    options = {
        "server.port": str(port),
        "server.address": host,
        "server.headless": str(headless).lower(),
        "browser.gatherUsageStats": "false",
        "global.developmentMode": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags]


def build_environment(script: Path) -> dict[str, str]:
    """Variables that the server of the app is started with.

    Parameters
    ----------
    script : Path
        The app's main script.

    Returns
    -------
    dict of str to str
        Those of this process, and the way to the app's modules.
    """
    search = [str(script.parents[1]), os.environ.get("PYTHONPATH", "")]
    # Every visitor comes with threads of its own, and glibc keeps memory aside for each of them.
    memory = {"MALLOC_ARENA_MAX": "1"}
    return memory | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, search))}


def app(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address to serve on; 0.0.0.0 lets other computers in.")
    ] = "localhost",
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
) -> None:
    """Serve the app until it is interrupted."""
    script = find_app()
    if importlib.util.find_spec("streamlit") is None:
        raise InputError("Streamlit is missing; install it with: pip install streamlit")
    # Arguments are a list, without a shell.
    command = build_command(script, port, host, headless)
    code = subprocess.call(command, env=build_environment(script))
    raise typer.Exit(code)
