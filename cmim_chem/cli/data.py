"""`cmim data`: fetch the benchmark tables and corpora, and verify the files that are there."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from cmim_chem.cli.console import lay_out, set_up_logging
from cmim_chem.cli.options import Quiet

HELP = """Fetch and verify benchmark tables and corpora.

\b
Examples:
  cmim data fetch esol bbbp
  cmim data verify
"""
FETCH_HELP = """Download tables and corpora that are missing; needs a connection.

Without a name, all tables. `cmim data verify` lists their names; zinc15_250K and its larger
siblings are corpora for `cmim pretrain`.

\b
Example:
  cmim data fetch esol bbbp --data-dir data/raw
"""
VERIFY_HELP = """Compare the files of the tables with their checksums; exit code 1 if one is wrong.

\b
Example:
  cmim data verify --data-dir data/raw
"""

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Tables; all if none.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Data folder; else the variable CMIM_DATA, else your cache folder."),
]


@commands.command("fetch", help=FETCH_HELP)
def fetch(names: Names = None, data_dir: DataDir = None, quiet: Quiet = False) -> None:
    """Download what is missing."""
    set_up_logging(quiet, logging.INFO)

    from cmim_chem.sources import moleculenet

    for path in moleculenet.fetch(names or (), data_dir):
        typer.echo(str(path))


@commands.command("verify", help=VERIFY_HELP)
def verify(names: Names = None, data_dir: DataDir = None, quiet: Quiet = False) -> None:
    """Check the files that are there."""
    set_up_logging(quiet)

    from cmim_chem.sources import facts

    found = facts.verify(data_dir, names or ())
    rows = [
        [
            one.state,
            "" if one.rows is None else str(one.rows),
            str(one.expected_rows),
            str(one.file),
        ]
        for one in found
    ]
    typer.echo(lay_out(["state", "rows", "expected", "file"], rows))
    if any(one.state != "ok" for one in found):
        raise typer.Exit(1)
