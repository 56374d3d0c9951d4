"""Progress of a run: a line per cell, with the time that is left."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from benchmarks.cells import SECONDS, Cell

log = logging.getLogger("cmim_chem.benchmarks")


class Clock:
    """Tells, after each cell, how long the rest will take.

    The typical cost of a cell by set is scaled by how long the finished cells really took.

    Parameters
    ----------
    cells : sequence of Cell
        What will be run.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._n = len(cells)
        self._left = sum(SECONDS[cell.dataset] for cell in cells)
        self._spent = 0.0
        self._done = 0
        self._began = time.monotonic()

    def tick(self, cell: Cell, value: float) -> None:
        """Report a finished cell.

        Parameters
        ----------
        cell : Cell
            The one that is done.
        value : float
            Its score.
        """
        self._done += 1
        self._spent += SECONDS[cell.dataset]
        self._left -= SECONDS[cell.dataset]
        left = self._left * (time.monotonic() - self._began) / self._spent
        log.info(
            "%d of %d, %s left: %s %s %d, %s, %s: %.4f",
            self._done,
            self._n,
            format_time(left),
            cell.dataset,
            cell.split,
            cell.seed,
            cell.representation,
            cell.head,
            value,
        )


def format_time(seconds: float) -> str:
    """``2 h 05 min``, ``7 min`` or ``40 s``."""
    minutes = round(max(seconds, 0.0) / 60)
    if seconds < 90:
        return f"{max(seconds, 0.0):.0f} s"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
