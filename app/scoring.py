"""The work that an upload makes: its molecules scored and drawn, here or by several processes.

Free of Streamlit. It is done part by part, so that a page can show progress, go on where it was
interrupted and leave turns to other visitors; the numbers are those of one call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import pandas as pd

from app.pictures import CELL, draw_picture
from app.results import PROBLEM, Results
from app.upload import Upload
from cmim_chem.chem.read import merge_problems
from cmim_chem.errors import WorkerError
from cmim_chem.report import prediction_columns

if TYPE_CHECKING:
    from cmim_chem.predictor import Predictor

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

PART_ROWS = 256


class Runner(Protocol):
    """What does the work: `Here`, or `cmim_chem.score.crew.Crew`."""

    def run(
        self, work: Callable[[Predictor, Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Call a function with the model and each of the items; its results in their order."""


@dataclass(frozen=True)
class Here:
    """The process of the server itself, one item after another.

    Attributes
    ----------
    predictor : Predictor
        The model.
    slot : context manager
        Entered for each item: visitors take turns instead of slowing each other down.
    """

    predictor: Predictor
    slot: AbstractContextManager[object] = field(default_factory=nullcontext)

    def run(
        self, work: Callable[[Predictor, Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Call a function with the model and each of the items.

        Yields
        ------
        object
            Its results.
        """
        for item in items:
            with self.slot:
                result = work(self.predictor, item)
            yield result


def score_parts(
    runners: Sequence[Runner], upload: Upload, parts: list[pd.DataFrame], level: float = 0.9
) -> Iterator[int]:
    """Score the rows that are not in `parts` yet, part by part, the longest molecules first.

    Molecules of one length are computed together; parts of all lengths would be half empty.

    Parameters
    ----------
    runners : sequence of Runner
        The first does the work; the next one goes on if its processes die.
    upload : Upload
        n rows.
    parts : list of pandas.DataFrame
        Finished parts, with the numbers of their rows as index; each new one is appended before it
        is reported.
    level : float
        Of intervals and calls.

    Yields
    ------
    int
        Number of rows scored so far.
    """
    smiles, problems = upload.batch.smiles, upload.batch.problems
    order = sorted(range(len(smiles)), key=lambda row: len(str(smiles[row])), reverse=True)
    done = sum(len(part) for part in parts)
    yield done
    rest = _cut(order[done:])
    cells = [[smiles[row] for row in rows] for rows in rest]
    found = _run(runners, partial(_score_part, level=level), cells)
    for rows, scored in zip(rest, found, strict=True):
        said = merge_problems(scored[PROBLEM].tolist(), [problems[row] for row in rows])
        parts.append(scored.set_axis(rows).assign(**{PROBLEM: said}))
        done += len(rows)
        yield done


def draw_parts(
    runners: Sequence[Runner], results: Results, dark: bool, pictures: list[str | None]
) -> Iterator[int]:
    """Draw the molecule of every row for a table, part by part.

    Parameters
    ----------
    runners : sequence of Runner
        As of `score_parts`.
    results : Results
        n rows.
    dark : bool
        For a dark page.
    pictures : list of str or None
        Empty; n addresses of pictures in the end, None where there is no molecule.

    Yields
    ------
    int
        Number of different molecules drawn so far.
    """
    smiles = [results.standardized(row) for row in range(len(results.added))]
    different = list(dict.fromkeys(one for one in smiles if one is not None))
    drawn: dict[str | None, str | None] = {}
    parts = _cut(different)
    found = _run(runners, partial(_draw_part, dark=dark), parts)
    for part, pictured in zip(parts, found, strict=True):
        drawn |= zip(part, pictured, strict=True)
        yield len(drawn)
    pictures += [drawn.get(one) for one in smiles]


def _cut(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[at : at + PART_ROWS] for at in range(0, len(items), PART_ROWS)]


def _run(
    runners: Sequence[Runner], work: Callable[[Predictor, Item], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """Let the first runner work; where it fails, the rest goes to the others."""
    first, *others = runners
    done = 0
    try:
        for result in first.run(work, items):
            done += 1
            yield result
    except WorkerError:
        if not others:
            raise
        logger.exception("parts of an upload are done by the server itself")
        yield from _run(others, work, items[done:])


def _score_part(predictor: Predictor, cells: Sequence[object], level: float) -> pd.DataFrame:
    return prediction_columns(predictor.score(cells, level=level), details=True)


def _draw_part(_: Predictor, smiles: Sequence[str], dark: bool) -> list[str | None]:
    return [draw_picture(one, *CELL, dark=dark) for one in smiles]
