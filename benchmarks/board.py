"""Result lines to boards: the scores of all representations on one set and split, with intervals.

A board holds, for every representation, its heads and the one that is best on the validation rows:
that one is reported. The interval is over bootstrap resamples of the test molecules where there is
one split, else over seeds. Comparing representations is left to `benchmarks.compare`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.cells import Cell
from benchmarks.datasets import DATASETS
from benchmarks.heads.table import HEADS, MEAN
from benchmarks.journal import Record
from cmim_chem.metrics import LOWER_IS_BETTER

log = logging.getLogger("cmim_chem.benchmarks")

LEVEL = 0.95


@dataclass(frozen=True)
class Entry:
    """One representation with one head on one set and split, over all seeds.

    Attributes
    ----------
    head : str
    records : tuple of dict
        Lines by seed, ascending.
    """

    head: str
    records: tuple[Record, ...]

    @property
    def value(self) -> float:
        """Mean test score over seeds."""
        return float(np.mean([record["value"] for record in self.records]))

    @property
    def valid(self) -> float:
        """Mean validation score over seeds, greater is better; minus infinity if undefined."""
        scores = [record["valid"] for record in self.records]
        return float(np.mean(scores)) if None not in scores else -np.inf

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that are there."""
        return tuple(record["seed"] for record in self.records)

    def replicates(self) -> NDArray[np.float64]:
        """Scores of the bootstrap resamples, (r,) float64; empty for splits with seeds."""
        drawn = self.records[0].get("bootstrap") or []
        return np.array([np.nan if one is None else one for one in drawn], dtype=np.float64)

    def interval(self) -> tuple[float, float]:
        """95 % interval of the score: percentiles of the bootstrap, or Student's t over seeds."""
        drawn = self.replicates()
        tail = (1 - LEVEL) / 2
        if drawn.size:
            low, high = np.nanquantile(drawn, [tail, 1 - tail])
            return float(low), float(high)
        values = np.array([record["value"] for record in self.records])
        if len(values) < 2:
            return float("nan"), float("nan")
        half = stats.t.ppf(1 - tail, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Board:
    """All results on one set and split.

    Attributes
    ----------
    dataset, split, metric : str
    entries : dict
        Representation to head to `Entry`.
    """

    dataset: str
    split: str
    metric: str
    entries: dict[str, dict[str, Entry]]

    @property
    def lower_is_better(self) -> bool:
        """Whether the metric is an error."""
        return self.metric in LOWER_IS_BETTER

    @cached_property
    def best(self) -> dict[str, Entry]:
        """Representation to the entry of its best head by validation, or of the mean of heads."""
        return {name: heads.get(MEAN) or max(heads.values(), key=lambda e: e.valid)
                for name, heads in self.entries.items()}  # fmt: skip

    def common_seeds(self, names: Iterable[str]) -> bool:
        """Whether the representations were all run with the same seeds."""
        return len({self.best[name].seeds for name in names}) == 1


def keep_current(records: Iterable[Record]) -> list[Record]:
    """The last line of every cell, of the latest protocol and of one encoder per representation.

    Lines of an encoder that was replaced since, or of other data, are left out, so that no row of a
    table mixes two.
    """
    given = list(records)
    if not given:
        return []
    protocol = max(record["protocol"] for record in given)
    lines = [record for record in given if record["protocol"] == protocol]
    encoder = {record["representation"]: record["model_digest"] for record in lines}
    data = {record["dataset"]: record["data_digest"] for record in lines}
    last = {}
    for record in lines:
        current = record["model_digest"] == encoder[record["representation"]]
        if current and record["data_digest"] == data[record["dataset"]]:
            last[tuple(record[name] for name in Cell.__dataclass_fields__)] = record
    if len(last) < len(given):
        log.warning("%d lines are of earlier data, encoders or protocols", len(given) - len(last))
    return list(last.values())


def build_boards(records: Iterable[Record]) -> list[Board]:
    """Boards in the order of the suite, scaffold before random.

    Parameters
    ----------
    records : iterable of dict
        See `keep_current`.

    Returns
    -------
    list of Board
    """
    grouped: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        grouped[record["dataset"], record["split"]].append(record)
    order = {name: place for place, name in enumerate(DATASETS)}
    keys = sorted(grouped, key=lambda key: (order[key[0]], key[1] != "scaffold"))
    return [_build_board(key, grouped[key]) for key in keys]


def _build_board(key: tuple[str, str], records: list[Record]) -> Board:
    lines: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in sorted(records, key=lambda record: record["seed"]):
        lines[record["representation"]][record["head"]].append(record)
    entries = {
        name: {head: Entry(head, tuple(heads[head])) for head in HEADS if head in heads}
        for name, heads in lines.items()
    }
    return Board(*key, records[0]["metric"], entries)
