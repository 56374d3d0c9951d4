"""The work on a Dask cluster: an adapter, the work itself is `work.score_batch`.

Dask does what it is good at: it places batches, and places them again when a worker is lost. What
has been finished, and in which order it is written, is no business of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from cmim_chem.errors import InputError, WorkerError
from cmim_chem.score.tasks import Task
from cmim_chem.score.work import Piece, Work
from cmim_chem.score.worker import AHEAD, ModelPath, run_ahead, score_task

# Times that a batch is begun again after an error, and after the loss of its worker.
_RETRIES = 2
_LOSSES = 5
_PATIENCE = "10s"


class Cluster:
    """Workers of a Dask cluster.

    Parameters
    ----------
    path : ModelPath
        The model; on other computers its folders must be at the same place.
    scheduler : str
        Address such as ``tcp://host:8786``; "" starts a cluster on this computer.
    workers : int
        Processes of a cluster that is started.

    Raises
    ------
    InputError
        If Dask is not installed.
    WorkerError
        If the cluster cannot be reached.
    """

    def __init__(self, path: ModelPath, scheduler: str, workers: int) -> None:
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError:
            raise InputError("--engine dask needs Dask: pip install 'cmim-chem[dask]'") from None
        self._path = path
        self._own: Any = None
        dask.config.set({"distributed.scheduler.allowed-failures": _LOSSES})
        address = scheduler
        if not address:
            self._own = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            )
            address = self._own.scheduler_address
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerError(f"{address}: no Dask scheduler answers there ({error})") from None

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
            If workers were lost again and again, or the scheduler is gone.
        """
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        def submit(task: Task) -> Callable[[], Piece]:
            future = self._client.submit(
                score_task, self._path, work, task, pure=False, retries=_RETRIES
            )
            result: Callable[[], Piece] = future.result
            return result

        threads = sum(self._client.nthreads().values())
        try:
            yield from run_ahead(tasks, submit, max(1, threads) * AHEAD)
        except (KilledWorker, CommClosedError, CancelledError) as error:
            raise WorkerError(
                f"the Dask cluster lost the work ({type(error).__name__}); what was finished is "
                "kept: run the same command again when the cluster is well"
            ) from None

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        self._client.close()
        if self._own is not None:
            self._own.close()
