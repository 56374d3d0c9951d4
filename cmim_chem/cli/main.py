"""The command `cmim`: its sub-commands, its version and how errors end.

Nothing heavy is imported before a command runs, so that `--help` answers at once. An error that a
user can do something about is one line and exit code 2; anything else is a bug and shows its trace.
"""

from __future__ import annotations

import atexit
import errno
import gc
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import cmim_chem
from cmim_chem.cli import app as app_command
from cmim_chem.cli import (
    benchmark,
    data,
    embed,
    explain,
    fit,
    generate,
    neighbors,
    pretrain,
    score,
    serve,
)
from cmim_chem.errors import CmimError

HELP = """Predict properties of molecules from SMILES, on this computer.

\b
Example:
  cmim score molecules.csv -o predictions.csv
"""
USAGE_CODE = 2
_OBJECTS_PER_SEARCH = 100_000  # new ones, before Python looks for garbage among them
BROKEN_PIPE_CODE = 141  # what a shell reports for a program that SIGPIPE ended


class _Group(TyperGroup):
    """Commands whose anticipated errors are one line on standard error."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the type is private to typer
        try:
            return super().invoke(ctx)
        except CmimError as error:
            typer.echo(f"cmim: {error}", err=True)
            raise typer.Exit(USAGE_CODE) from None
        except BrokenPipeError:
            _silence_output()
            raise typer.Exit(BROKEN_PIPE_CODE) from None
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            typer.echo("cmim: the disk is full; make room and start again", err=True)
            raise typer.Exit(USAGE_CODE) from None


app = typer.Typer(
    cls=_Group,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("score", help=score.HELP)(score.score)
app.command("embed", help=embed.HELP)(embed.embed)
app.command("neighbors", help=neighbors.HELP)(neighbors.neighbors)
app.command("explain", help=explain.HELP)(explain.explain)
app.command("fit", help=fit.HELP)(fit.fit)
app.command("pretrain", help=pretrain.HELP)(pretrain.pretrain)
app.command("benchmark", help=benchmark.HELP)(benchmark.benchmark)
app.command("serve", help=serve.HELP)(serve.serve)
app.command("app", help=app_command.HELP)(app_command.app)
app.add_typer(generate.commands, name="generate", help=generate.HELP)
app.add_typer(data.commands, name="data", help=data.HELP)


def describe_version() -> str:
    """Version of the package and digests of the shipped weights, one to a line."""
    manifest = Path(cmim_chem.__file__).parent / "weights" / "manifest.json"
    lines = [f"cmim-chem {cmim_chem.__version__}"]
    try:
        digests = json.loads(manifest.read_text(encoding="utf-8"))
        parts = ("encoder", "probes", "index", "reference")
        lines += [f"{part:<9} {digests[part]}" for part in parts if part in digests]
    except (OSError, ValueError, KeyError, TypeError):
        lines.append("no shipped weights")
    return "\n".join(lines)


def _silence_output() -> None:
    """Let standard output lead nowhere: its reader has left, and Python must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(describe_version())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and the digests of encoder, probes and index, and exit.",
        ),
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Entry point of the console script."""
    # A million objects that torch and others make when they are imported are never garbage: look
    # for it seldom, and do not take them apart one by one in the end. Saves 1.7 s of every command.
    gc.set_threshold(_OBJECTS_PER_SEARCH)
    atexit.register(gc.freeze)
    app(prog_name="cmim")


if __name__ == "__main__":
    main()
