"""The work on this computer: in this process if it is a single batch, else in several.

Each worker is a process with one thread, which does everything for its batch. That is faster than
one process with threads: most of the time goes into chemistry, which holds Python's lock.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from cmim_chem.errors import WorkerError
from cmim_chem.predictor import Predictor
from cmim_chem.score.tasks import Task
from cmim_chem.score.work import Piece, Work, score_batch
from cmim_chem.score.worker import (
    AHEAD,
    Item,
    ModelPath,
    Result,
    die_with,
    keep_model,
    limit_threads,
    run_ahead,
    score_task,
)

_DIED = "a worker process died, killed by the system perhaps for want of memory"
_REMEDY = "run the same command again, with fewer --workers"


class Local:
    """Workers on this computer.

    Parameters
    ----------
    predictor : Predictor
        The model.
    path : ModelPath
        Where it was loaded from.
    workers : int
        Processes.
    """

    def __init__(self, predictor: Predictor, path: ModelPath, workers: int) -> None:
        self._predictor = predictor
        self._path = path
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[tuple[Task, Piece]]:
        """Score batches and give them back in the order in which they came.

        Parameters
        ----------
        work : Work
            What is wanted.
        tasks : iterable of Task
            The batches.

        Yields
        ------
        tuple of Task and Piece
            In order.

        Raises
        ------
        WorkerError
            If a worker process died.
        """
        limit_threads()

        def here(task: Task) -> Callable[[], Piece]:
            return partial(score_batch, self._predictor, work, task.batch, task.file)

        def send(task: Task) -> Future[Piece]:
            return self._start().submit(score_task, self._path, work, task)

        is_alone = self._workers == 1
        submit = here if is_alone else send_from_two(here, send)
        limit = 1 if is_alone else self._workers * AHEAD
        try:
            yield from run_ahead(tasks, submit, limit)
        except BrokenProcessPool:
            raise WorkerError(f"{_DIED}; what was finished is kept: {_REMEDY}") from None

    def close(self) -> None:
        """End the workers; what they have begun is lost."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A forked worker has the model at once and shares its memory; elsewhere it loads it.
            is_forked = sys.platform == "linux"
            gc.freeze()  # who looks for garbage in what is shared gets a copy of it
            self._pool = ProcessPoolExecutor(
                self._workers,
                multiprocessing.get_context("fork" if is_forked else "spawn"),
                _begin,
                (self._path, self._predictor if is_forked else None, os.getpid()),
            )
        return self._pool


def send_from_two(
    here: Callable[[Item], Callable[[], Result]], send: Callable[[Item], Future[Result]]
) -> Callable[[Item], Callable[[], Result]]:
    """Begin tasks in other processes as soon as there are two; a single one is worth none.

    Parameters
    ----------
    here : callable
        What does a task in this process when its turn has come.
    send : callable
        Begins a task in another one.

    Returns
    -------
    callable
        The `submit` of `run_ahead`.
    """
    held: list[Item] = []
    first: list[Future[Result]] = []

    def submit(task: Item) -> Callable[[], Result]:
        if not held and not first:
            held.append(task)
            return lambda: first[0].result() if first else here(task)()
        if held:
            first.append(send(held.pop()))
        return send(task).result

    return submit


def map_forked(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """Work on items in processes that share what `work` has loaded; in this one without fork.

    Parameters
    ----------
    work : callable
        Any function, a closure too: it is not sent but inherited.
    items : iterable
        What it is called with.
    workers : int
        Processes, of one thread each.

    Yields
    ------
    tuple
        Item and result, in order.

    Raises
    ------
    WorkerError
        If a process died.
    """
    if workers == 1 or sys.platform != "linux":
        yield from ((one, work(one)) for one in items)
        return
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, fork, _inherit, (work, os.getpid()))
    gc.freeze()

    def here(one: Item) -> Callable[[], Result]:
        return partial(work, one)

    def send(one: Item) -> Future[Result]:
        return pool.submit(_run_inherited, one)

    try:
        yield from run_ahead(items, send_from_two(here, send), workers * AHEAD)
    except BrokenProcessPool:
        raise WorkerError(f"{_DIED}: {_REMEDY}") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_inherited: list[Callable[[Any], Any]] = []


def _inherit(work: Callable[[Any], Any], parent: int) -> None:
    """Make a process a worker that knows its work already."""
    _live_with(parent)
    limit_threads()
    _inherited[:] = [work]


def _run_inherited(item: Any) -> Any:  # noqa: ANN401 - whatever `map_forked` was given
    return _inherited[0](item)


def _begin(path: ModelPath, predictor: Predictor | None, parent: int) -> None:
    """Make a process a worker."""
    _live_with(parent)
    keep_model(path, predictor)


def _live_with(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that reads and writes
    threading.Thread(target=die_with, args=(parent,), daemon=True).start()
    logging.getLogger("cmim_chem").setLevel(logging.ERROR)
