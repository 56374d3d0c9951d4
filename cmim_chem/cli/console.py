"""What commands tell on standard error: log lines, progress and the closing summary.

Standard output belongs to results. On a terminal progress is a bar, elsewhere a plain line now and
then, with `--quiet` nothing.
"""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from cmim_chem.score.tally import Tally, name_kind

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["Progress", "Tally", "finish", "lay_out", "name_kind", "set_up_logging"]
_LINE_EVERY = 10.0  # seconds


def set_up_logging(quiet: bool, level: int = logging.WARNING) -> None:
    """Send the library's log to standard error, as lines that begin with `cmim:`."""
    log = logging.getLogger("cmim_chem")
    for handler in list(log.handlers):
        log.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("cmim: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.ERROR if quiet else level)


class Progress:
    """Rows done so far, as a bar on a terminal or as a line every ten seconds.

    Parameters
    ----------
    verb : str
        What is being done, such as "scored".
    quiet : bool
        Show nothing.
    """

    def __init__(self, verb: str, quiet: bool) -> None:
        self._verb = verb
        self._quiet = quiet
        self._rows = 0
        self._first: float | None = None
        self._began = self._told = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    @property
    def seconds(self) -> float:
        """Time since the beginning, in seconds."""
        return time.monotonic() - self._began

    def advance(self, rows: int, fraction: float | None) -> None:
        """Tell that more rows are done.

        Parameters
        ----------
        rows : int
            Rows done since the last call.
        fraction : float or None
            Share of the whole input, if known.
        """
        self._rows += rows
        if self._first is None:
            self._first = fraction  # of a run that goes on, most may have been done before
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=fraction, total=None if fraction is None else 1.0,
                description=f"{self._rows:,} rows {self._verb}{self._tell_pace(fraction)}",
            )  # fmt: skip
        elif not self._quiet and time.monotonic() - self._told >= _LINE_EVERY:
            self._told = time.monotonic()
            share = "" if fraction is None else f" ({fraction:.0%} of the input)"
            pace = self._tell_pace(fraction)
            typer.echo(f"cmim: {self._rows:,} rows {self._verb}{share}{pace}", err=True)

    def _tell_pace(self, fraction: float | None) -> str:
        """Rate and time left."""
        pace = f", {self._rows / max(self.seconds, 1e-3):,.0f} per second"
        if fraction is None or self._first is None or fraction <= self._first:
            return pace
        left = self.seconds * (1 - fraction) / (fraction - self._first)
        return f"{pace}, {_write_time(left)} left"

    def __enter__(self) -> Progress:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as RichProgress

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading", total=None)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def finish(
    tally: Tally, seconds: float, quiet: bool, strict: bool = False, earlier: int = 0
) -> None:
    """Show the summary; under `strict`, end with exit code 1 if a row failed.

    Parameters
    ----------
    tally : Tally
        What was counted.
    seconds : float
        Time taken.
    quiet : bool
        Show nothing.
    strict : bool
        Whether failed rows make the run fail.
    earlier : int
        Rows that an earlier run had done.

    Raises
    ------
    typer.Exit
        With code 1, if `strict` and a row failed.
    """
    if not quiet:
        typer.echo(tally.describe(seconds, earlier), err=True)
    if strict and tally.failed:
        raise typer.Exit(1)


def _write_time(seconds: float) -> str:
    """Write a time for people who wait."""
    hours, minutes = int(seconds // 3600), int(seconds // 60) % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def lay_out(header: list[str], rows: list[list[str]]) -> str:
    """Align a small table for reading.

    Parameters
    ----------
    header : list of str
        Column names.
    rows : list of list of str
        Cells.

    Returns
    -------
    str
        Lines whose columns are two blanks apart.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    ]
    return "\n".join(lines)
