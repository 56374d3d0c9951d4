"""Run cells one by one, each in one thread, and write down each as soon as it is finished.

A cell that is already in the result folder, for the same data, split, encoder and protocol, is not
run again. What is asked for is `benchmarks.cells`'s business, how lines get to the disk that of
`benchmarks.journal`, what they say in the end that of `benchmarks.summarize`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.bootstrap import draw_weights, resample
from benchmarks.cells import Cell
from benchmarks.clock import Clock
from benchmarks.datasets import Dataset
from benchmarks.heads.problem import Problem
from benchmarks.heads.table import HEADS, Choice, choose
from benchmarks.journal import Journal, Record, read_records
from benchmarks.machine import describe_machine, find_commit
from benchmarks.splits import Parts, read_digests
from benchmarks.workshop import Places, Workshop
from cmim_chem.errors import DataError
from cmim_chem.metrics import score_tasks

log = logging.getLogger("cmim_chem.benchmarks")

# Raised when a change makes finished cells incomparable with new ones.
PROTOCOL = 1

FloatArray = NDArray[np.float64]
NO_SCORE = "one class only in train"


@dataclass(frozen=True)
class Fitted:
    """A fitted cell before it is scored.

    Attributes
    ----------
    y, predicted : (n_test, t) float64
        Labels (NaN also for every task that could not be learned) and predictions.
    untaught : tuple of str
        Tasks that could not be learned.
    choice : Choice
    """

    y: FloatArray
    predicted: FloatArray
    untaught: tuple[str, ...]
    choice: Choice


def run_cells(cells: Sequence[Cell], places: Places, name: str) -> int:
    """Run the cells that are not finished yet.

    Parameters
    ----------
    cells : sequence of Cell
        In the order to run them.
    places : Places
        Folders of results, data, cache and encoders.
    name : str
        Of the result file in `places.out`, without its ending.

    Returns
    -------
    int
        Number of cells that were run.

    Raises
    ------
    CmimError
        When data or an encoder is missing or not the one expected, or another run writes here.
    """
    workshop = Workshop(places)
    torch.set_num_threads(1)
    # With one thread, sums are added in one order: the same cell, the same score.
    with threadpool_limits(1), Journal(places.out / f"{name}.jsonl") as journal:
        finished = {identify_record(record) for record in read_records(places.out)}
        left = [cell for cell in cells if identify_cell(cell, workshop) not in finished]
        log.info("%d cells, %d of them finished before", len(cells), len(cells) - len(left))
        clock = Clock(left)
        for cell in left:
            record = run_cell(cell, workshop)
            journal.append(record)
            clock.tick(cell, record["value"])
    return len(left)


def run_cell(cell: Cell, workshop: Workshop) -> Record:
    """Fit, choose on validation, score on test once.

    Parameters
    ----------
    cell : Cell
        What to run.
    workshop : Workshop
        Gives sets, splits and matrices.

    Returns
    -------
    dict
        The line of results, ready for JSON.

    Raises
    ------
    DataError
        When no task of the set can be scored on this split.
    """
    dataset, parts = workshop.dataset(cell.dataset), workshop.parts(cell)
    x = workshop.matrix(cell)
    began, worked = time.perf_counter(), time.process_time()
    fitted = fit_cell(cell, (dataset, parts), x)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
    scores = score_tasks(dataset.metric, fitted.y, fitted.predicted, dataset.tasks)
    if not scores.values:
        raise DataError(f"{cell.dataset}, {cell.split} split: no task has a score")
    return {
        **asdict(cell),
        "metric": dataset.metric,
        "value": round(scores.mean, 6),
        "n_train": len(parts.train),
        "n_test": len(parts.test),
        "tasks": len(scores.values),
        "skipped": scores.skipped | dict.fromkeys(fitted.untaught, NO_SCORE),
        "params": dict(fitted.choice.params),
        "valid": round(fitted.choice.valid, 6) if np.isfinite(fitted.choice.valid) else None,
        "columns": x.shape[1],
        **_score_more(cell, dataset, fitted),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "protocol": PROTOCOL,
        "commit": find_commit(),
        "model_digest": workshop.encoders.digest(cell.representation),
        "data_digest": dataset.digest,
        "split_digest": parts.digest,
        "machine": describe_machine(),
    }


def fit_cell(cell: Cell, table: tuple[Dataset, Parts], x: NDArray[np.float32]) -> Fitted:
    """Fit the head's grid on train, choose on valid, predict test.

    Parameters
    ----------
    cell : Cell
        What to fit.
    table : tuple of Dataset and Parts
        Labels and split.
    x : (n, d) float32
        Scaled features of all rows.

    Returns
    -------
    Fitted
    """
    dataset, parts = table
    y_train = dataset.y[parts.train]
    # A task with one class in train teaches nothing; it is left out by name, like one in test.
    learned = np.array([len(np.unique(labels[~np.isnan(labels)])) > 1 for labels in y_train.T])
    center, spread = np.zeros(len(learned)), np.ones(len(learned))
    if dataset.source.kind == "regression":
        center, spread = y_train.mean(axis=0), y_train.std(axis=0)
    targets = (dataset.y - center) / spread
    problem = Problem(
        kind=dataset.source.kind,
        x_train=x[parts.train],
        x_valid=x[parts.valid],
        x_test=x[parts.test],
        y_train=targets[np.ix_(parts.train, learned)],
        y_valid=targets[np.ix_(parts.valid, learned)],
        seed=cell.seed,
    )
    choice = choose(HEADS[cell.head], problem)
    y = np.where(learned, dataset.y[parts.test], np.nan)
    predicted = np.zeros_like(y)
    predicted[:, learned] = choice.test
    untaught = tuple(np.array(dataset.tasks)[~learned].tolist())
    return Fitted(y, predicted * spread + center, untaught, choice)


def identify_cell(cell: Cell, workshop: Workshop) -> tuple[object, ...]:
    """What must agree for a line to be about this cell, without reading the set."""
    data, split = read_digests(cell.dataset, cell.split, cell.seed)
    return (cell, workshop.encoders.digest(cell.representation), data, split, PROTOCOL)


def identify_record(record: Record) -> tuple[object, ...]:
    """The same of a line; None in place of what it lacks."""
    names = ("model_digest", "data_digest", "split_digest", "protocol")
    return (cell_of(record), *(record.get(name) for name in names))


def cell_of(record: Record) -> Cell:
    """The cell that a line is about."""
    return Cell(*(record[name] for name in Cell.__dataclass_fields__))


def _score_more(cell: Cell, dataset: Dataset, fitted: Fitted) -> Record:
    """Precision-recall beside ROC; the bootstrap where there is one split."""
    more: Record = {}
    if dataset.source.kind == "classification":
        scores = score_tasks("pr_auc", fitted.y, fitted.predicted, dataset.tasks)
        more["pr_auc"] = round(scores.mean, 6)
    if cell.split == "scaffold":
        weights = _draw(len(fitted.y))
        scores_drawn = resample(dataset.metric, fitted.y, fitted.predicted, weights)
        more["bootstrap"] = [
            None if np.isnan(one) else round(float(one), 5) for one in scores_drawn
        ]
    return more


_draw = lru_cache(maxsize=1)(draw_weights)
