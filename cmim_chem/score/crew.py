"""Workers of a server: processes that keep the model and are given one thing to do after another.

`cmim_chem.score.local` forks its workers, which a server full of threads cannot do, and ends them
with their job. These start with nothing, and end when there has been nothing to do for a while.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from cmim_chem.errors import WorkerError
from cmim_chem.score.worker import Item, ModelPath, Result, die_with, keep_model

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

    from cmim_chem.predictor import Predictor

_MOST_WORKERS = 4  # each has a model of its own; some 540 MB a process
_IDLE = 900  # seconds
_AHEAD = 2  # pieces of one caller for each worker: others get their turn soon


class Crew:
    """Processes that keep one model, one for each processor; several threads may use it.

    Parameters
    ----------
    path : ModelPath
        The model.
    """

    def __init__(self, path: ModelPath) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def run(
        self, work: Callable[[Predictor, Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Work on items, several at a time.

        Parameters
        ----------
        work : callable
            A function of a module, or a partial of one: it goes to the workers by its name.
        items : sequence
            What it is called with, behind the model.

        Yields
        ------
        object
            Its results, in the order of the items.

        Raises
        ------
        WorkerError
            If a worker process died.
        """
        from loky import cpu_count

        workers = min(_MOST_WORKERS, cpu_count())
        pool = self._gather(workers)
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_work, self._path, work, item))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            self._dismiss(pool)
            raise WorkerError("a worker process died, perhaps for want of memory") from None
        finally:
            for one in waiting:
                one.cancel()

    def _gather(self, workers: int) -> ProcessPoolExecutor:
        """Start the processes, unless they are there; one that has ended starts with new work."""
        from loky import ProcessPoolExecutor

        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    workers,
                    timeout=_IDLE,
                    initializer=_begin,
                    initargs=(self._path, os.getpid()),
                    env={"OMP_NUM_THREADS": "1"},
                )
            return self._pool

    def _dismiss(self, pool: ProcessPoolExecutor) -> None:
        """Let the next caller have new processes."""
        with self._lock:
            if self._pool is pool:
                self._pool = None


def _begin(path: ModelPath, parent: int) -> None:
    """Make a process a worker."""
    threading.Thread(target=die_with, args=(parent,), daemon=True).start()
    keep_model(path)


def _work(path: ModelPath, work: Callable[[Predictor, Item], Result], item: Item) -> Result:
    return work(keep_model(path), item)
