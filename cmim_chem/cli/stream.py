"""The loop that embed and neighbors share: read a batch, work on it, write it, count it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

from cmim_chem.cli.console import Progress, Tally, finish
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.chem.read import Batch

BATCH_ROWS = 1_024

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Writer(Protocol[T_contra]):
    """What results are written to: a table or an array that appears when it is whole."""

    def write(self, part: T_contra, /) -> None: ...  # noqa: D102 - as `chem.write.TableWriter`
    def commit(self) -> None: ...  # noqa: D102
    def __enter__(self) -> object: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True)
class Job:
    """One run over a table.

    Attributes
    ----------
    table : str
        Path, or "-" for standard input.
    smiles_column : str or None
        Column of the SMILES if the user named it.
    verb : str
        What progress calls the work, such as "scored".
    reserved : tuple of str
        Columns that will be added.
    batch_rows : int
        Rows read, worked on and written at a time.
    quiet : bool
        Show no progress and no summary.
    strict : bool
        End with exit code 1 if a row failed.
    workers : int
        Processes that work on batches.
    """

    table: str
    smiles_column: str | None
    verb: str
    reserved: tuple[str, ...] = ()
    batch_rows: int = BATCH_ROWS
    quiet: bool = False
    strict: bool = False
    workers: int = 1


def run_job(job: Job, writer: Writer[T], work: Callable[[Batch], tuple[T, Sequence[str]]]) -> None:
    """Work through a table and write what comes of it.

    Parameters
    ----------
    job : Job
        What to read and what to show.
    writer : Writer
        Receives what `work` makes of each batch.
    work : callable
        Turns a batch into what is written, and one problem ("" if none) per row.

    Raises
    ------
    InputError
        If the table cannot be read; results of the rows before a damaged place are kept.
    WorkerError
        If a worker process died.
    typer.Exit
        With code 1, if the job is strict and a row failed.
    """
    from cmim_chem.chem.read import open_table
    from cmim_chem.score.local import map_forked

    tally = Tally()
    with writer, Progress(job.verb, job.quiet) as progress:
        reader = open_table(
            job.table, job.smiles_column, batch_rows=job.batch_rows, reserved=job.reserved
        )
        with reader:
            batches = ((batch, reader.fraction_read()) for batch in reader)
            done = map_forked(lambda one: work(one[0]), batches, job.workers)
            try:
                with closing(done):
                    for (_, fraction), (part, problems) in done:
                        writer.write(part)
                        tally.add(problems)
                        progress.advance(len(problems), fraction)
            except InputError:
                if tally.rows:
                    writer.commit()
                raise
    finish(tally, progress.seconds, job.quiet, job.strict)
