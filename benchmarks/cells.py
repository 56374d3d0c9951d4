"""The cells of the suite: one for every dataset, split, seed, representation and head asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.datasets import DATASETS
from benchmarks.heads.table import HEADS, MEAN
from benchmarks.representations import AVERAGED, DEFAULT, list_blocks
from benchmarks.splits import SEEDS, list_splits
from cmim_chem.errors import InputError
from cmim_chem.sources.facts import get_source

SPLITS = ("scaffold", "random")

# Typical seconds of a cell by set: for telling the time left, until the run itself knows better.
SECONDS = {
    "freesolv": 0.6, "esol": 1.0, "bbbp": 2.0, "bace": 2.0, "clintox": 3.0, "sider": 12.0,
    "lipophilicity": 5.0, "tox21": 20.0, "hiv": 30.0, "muv": 60.0, "toxcast": 90.0,
}  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Cell:
    """What one line of results is about."""

    dataset: str
    split: str
    seed: int
    representation: str
    head: str


@dataclass(frozen=True)
class Selection:
    """What was asked for; the default is the full suite.

    Attributes
    ----------
    datasets, representations, heads, splits : tuple of str
    seeds : tuple of int
        Of the random splits; the scaffold split has one.

    Raises
    ------
    InputError
        For an unknown name or an empty choice.
    """

    datasets: tuple[str, ...] = DATASETS
    representations: tuple[str, ...] = DEFAULT
    heads: tuple[str, ...] = tuple(HEADS)
    splits: tuple[str, ...] = SPLITS
    seeds: tuple[int, ...] = SEEDS

    def __post_init__(self) -> None:
        """Check the names."""
        _check("dataset", self.datasets, DATASETS)
        _check("head", self.heads, tuple(HEADS))
        _check("split", self.splits, SPLITS)
        _check("seed", self.seeds, SEEDS)
        for representation in self.representations:
            list_blocks(representation)


def list_cells(selection: Selection, shard: tuple[int, int] = (0, 1)) -> list[Cell]:
    """Cells of a selection in the order they are run, cheap sets first.

    Parameters
    ----------
    selection : Selection
        What was asked for.
    shard : tuple of int
        (i, n): every n-th cell from the i-th on. The shards of all i are the whole suite, and each
        has its share of every set.

    Returns
    -------
    list of Cell

    Raises
    ------
    InputError
        When the shard is not one of n, or nothing is left to run.
    """
    i, n = shard
    if not 0 <= i < n:
        raise InputError(f"shard {i}/{n}: i counts from 0 to n - 1, as in --shard 0/{max(n, 1)}")
    cells = [
        Cell(dataset, split, seed, representation, head)
        for dataset in DATASETS
        if dataset in selection.datasets
        for split, seed in list_splits(get_source(dataset).kind)
        if split in selection.splits and (split == "scaffold" or seed in selection.seeds)
        for representation in selection.representations
        for head in selection.heads
        if head != MEAN or representation in AVERAGED
    ]
    if not cells:
        raise InputError(
            "nothing to run: random splits exist for the regression sets only, the head"
            f" {MEAN!r} for {' and '.join(AVERAGED)} only"
        )
    return cells[i::n]


def _check(what: str, given: Sequence[T], known: Sequence[T]) -> None:
    unknown = [one for one in given if one not in known]
    if unknown or not given:
        listing = ", ".join(map(str, known))
        raise InputError(f"unknown {what} {unknown[0]!r}: choose among {listing}" if unknown
                         else f"no {what} chosen: choose among {listing}")  # fmt: skip
