"""A worker, in this process, another one or on another computer: its model, and what it is asked.

`ModelPath` says which model; a worker loads it once, however many batches it is given, and makes
sure that it is the very same one.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.predictor import Predictor
from cmim_chem.score.tasks import Task
from cmim_chem.score.work import Piece, Work, score_batch

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Tasks that wait in front of each worker: enough that none of them has nothing to do.
AHEAD = 3
_PATIENCE = 2.0  # seconds


@dataclass(frozen=True)
class ModelPath:
    """Where a model is, and which.

    Attributes
    ----------
    folder : str
        Folder of the weights; "" for those that ship.
    probes : tuple of str
        Folders of further probes.
    digests : tuple of (str, str)
        What `Predictor.digests` must say.
    """

    folder: str
    probes: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]

    def load(self) -> Predictor:
        """Load the model.

        Raises
        ------
        ArtifactError
            If another one is found there.
        """
        folder = Path(self.folder) if self.folder else None
        predictor = Predictor.load(folder, tuple(map(Path, self.probes)), known=False)
        if read_digests(predictor.digests) != self.digests:
            raise ArtifactError(
                f"{self.folder or 'the shipped model'}: a worker has another one than the computer "
                "that began the job; install the same version, or the same weights, on all"
            )
        return predictor


def read_digests(digests: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those digests that the numbers depend on: the encoder's and the probes'."""
    return tuple(sorted((k, v) for k, v in digests.items() if k == "encoder" or ":" in k))


class Engine(Protocol):
    """What runs the work: `local.Local` or `cluster.Cluster`."""

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[tuple[Task, Piece]]:
        """Score batches and give them back in the order in which they came."""

    def close(self) -> None:
        """End what was started."""


_models: dict[ModelPath, Predictor] = {}


def keep_model(path: ModelPath, predictor: Predictor | None = None) -> Predictor:
    """Load a model if this process has not got it yet, and bind it to one thread.

    Parameters
    ----------
    path : ModelPath
        Which.
    predictor : Predictor, optional
        The model, where it is at hand.

    Returns
    -------
    Predictor
        The same one each time.
    """
    if path not in _models:
        limit_threads()
        logging.getLogger("cmim_chem").setLevel(logging.ERROR)
        _models.clear()
        _models[path] = path.load() if predictor is None else predictor
    return _models[path]


def limit_threads() -> None:
    """Let this process compute in one thread: workers are what fills the processors."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)
    os.environ["OMP_NUM_THREADS"] = "1"


def die_with(parent: int) -> None:
    """End this process when its parent is gone: nobody else would.

    Parameters
    ----------
    parent : int
        Id of the parent's process.
    """
    while os.getppid() == parent:
        time.sleep(_PATIENCE)
    os._exit(1)


def score_task(path: ModelPath, work: Work, task: Task) -> Piece:
    """Score a batch in a worker.

    Parameters
    ----------
    path : ModelPath
        The model.
    work : Work
        What is wanted.
    task : Task
        The batch.

    Returns
    -------
    Piece
        Its rows.
    """
    return score_batch(keep_model(path), work, task.batch, task.file)


def run_ahead(
    tasks: Iterable[Item], submit: Callable[[Item], Callable[[], Result]], limit: int
) -> Iterator[tuple[Item, Result]]:
    """Keep workers busy, and give results in the order of the tasks.

    Parameters
    ----------
    tasks : iterable
        What is to be done.
    submit : callable
        Begins a task and returns what waits for its result.
    limit : int
        Tasks begun and not given back: what bounds the memory.

    Yields
    ------
    tuple
        Task and result, in order.

    Raises
    ------
    InputError
        If the input turns out damaged, after all tasks before that have been given.
    """
    waiting: deque[tuple[Item, Callable[[], Result]]] = deque()
    rest = iter(tasks)
    damage: InputError | None = None
    is_open = True
    while is_open or waiting:
        while is_open and len(waiting) < limit:
            try:
                task = next(rest)
            except StopIteration:
                is_open = False
            except InputError as error:
                damage, is_open = error, False
            else:
                waiting.append((task, submit(task)))
        if waiting:
            task, result = waiting.popleft()
            yield task, result()
    if damage is not None:
        raise damage
