"""Counts of rows, of notes and of problems by kind, which can be stored and added up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

NOTE = "note: "


class Tally:
    """Counts of rows, of problems by kind and of notes."""

    def __init__(self) -> None:
        self.rows = 0
        self.notes = 0
        self.problems: Counter[str] = Counter()

    @property
    def failed(self) -> int:
        """Number of rows without results."""
        return self.problems.total()

    def add(self, problems: Iterable[str]) -> None:
        """Count rows.

        Parameters
        ----------
        problems : iterable of str
            One text per row: "", a note, or a problem.
        """
        for text in problems:
            self.rows += 1
            if text.startswith(NOTE):
                self.notes += 1
            elif text:
                self.problems[name_kind(text)] += 1

    def include(self, other: Tally) -> None:
        """Add what another has counted."""
        self.rows += other.rows
        self.notes += other.notes
        self.problems.update(other.problems)

    def describe(self, seconds: float, earlier: int = 0) -> str:
        """Sum up in a few lines.

        Parameters
        ----------
        seconds : float
            Time taken.
        earlier : int
            Rows that were done before that time.

        Returns
        -------
        str
            Rows, seconds, rate, notes, then one line per kind of problem, the most frequent first.
        """
        before = f" ({earlier:,} of them before)" if earlier else ""
        rate = (self.rows - earlier) / max(seconds, 1e-3)
        head = (
            f"cmim: {self.rows:,} rows in {seconds:.1f} s{before}, {rate:,.0f} per second; "
            f"{self.failed:,} with a problem, {self.notes:,} with a note"
        )
        kinds = [f"  {count:>8,}  {kind}" for kind, count in self.problems.most_common()]
        return "\n".join([head, *kinds])

    def to_json(self) -> dict[str, Any]:
        """As plain values, the inverse of `from_json`."""
        return {"rows": self.rows, "notes": self.notes, "problems": dict(self.problems)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Tally:
        """Read what `to_json` gave."""
        tally = cls()
        tally.rows, tally.notes = int(content["rows"]), int(content["notes"])
        tally.problems.update(content["problems"])
        return tally


def name_kind(problem: str) -> str:
    """Reduce a problem to its kind: what stands before the colon, numbers left open."""
    return re.sub(r"\d[\d,]*", "N", problem.partition(":")[0])
