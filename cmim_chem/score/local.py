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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from cmim_chem.errors import WorkerError
from cmim_chem.predictor import Predictor
from cmim_chem.score.tasks import Task
from cmim_chem.score.work import Piece, Work, score_batch
from cmim_chem.score.worker import (
    AHEAD,
    ModelPath,
    die_with,
    keep_model,
    limit_threads,
    run_ahead,
    score_task,
)


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
        held: list[Task] = []  # the first batch, until it is known whether it is the only one
        sent: list[Future[Piece]] = []  # the same, when it turned out not to be

        def send(task: Task) -> Future[Piece]:
            return self._start().submit(score_task, self._path, work, task)

        def submit(task: Task) -> Callable[[], Piece]:
            here = partial(score_batch, self._predictor, work, task.batch, task.file)
            if self._workers == 1:  # done when its turn has come
                return here
            if not held and not sent:
                held.append(task)
                return lambda: sent[0].result() if sent else here()
            if held:
                sent.append(send(held.pop()))
            return send(task).result

        try:
            yield from run_ahead(tasks, submit, 1 if self._workers == 1 else self._workers * AHEAD)
        except BrokenProcessPool:
            raise WorkerError(
                "a worker process died, killed by the system perhaps for want of memory; what was "
                "finished is kept: run the same command again, with fewer --workers"
            ) from None

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


def _begin(path: ModelPath, predictor: Predictor | None, parent: int) -> None:
    """Make a process a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that reads and writes
    threading.Thread(target=die_with, args=(parent,), daemon=True).start()
    logging.getLogger("cmim_chem").setLevel(logging.ERROR)
    keep_model(path, predictor)
