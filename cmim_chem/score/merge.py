"""Shards to one file: in the end of a job whose output is a file, or later by `--merge`."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from cmim_chem.chem.output import check_output
from cmim_chem.chem.write import TABLE_ENDINGS
from cmim_chem.errors import InputError
from cmim_chem.score.forms import merge_shards
from cmim_chem.score.job import Job, Outcome, Watch, sum_up
from cmim_chem.score.journal import Journal
from cmim_chem.score.run import score_library
from cmim_chem.score.store import Store
from cmim_chem.score.tasks import InputChangedError
from cmim_chem.score.work import Work
from cmim_chem.score.worker import Engine

#: Ending of the folder that keeps the shards of a file until it is whole.
PARTS = ".parts"


def score_file(
    job: Job, engine: Engine, path: Path, watch: Watch, restart: bool = False
) -> Outcome:
    """Score a library into one file, by way of shards in a folder beside it.

    Parameters
    ----------
    job, engine, watch, restart
        As of `score_library`.
    path : Path
        The file. The folder has its name and the ending `.parts`, and is gone in the end.

    Returns
    -------
    Outcome
        Of the whole input.

    Raises
    ------
    InputError
        If the input is damaged: the file then has the rows before, and the folder stays.
    """
    store = Store(f"{path}{PARTS}", "job")
    journal = Journal(store)
    try:
        outcome = score_library(job, engine, store, watch, restart)
    except InputError as error:
        manifest = journal.manifest()
        if manifest is not None and not isinstance(error, InputChangedError):
            merge_shards(store, job.work, manifest.columns, journal.partial(), path)
        raise
    except BaseException:
        if not journal.partial():
            store.remove_all()  # nothing to go on from
        raise
    manifest = journal.close()
    merge_shards(store, job.work, manifest.columns, manifest.shards, path)
    store.remove_all()
    return replace(outcome, kept=min(outcome.kept, job.work.top or outcome.kept))


def merge(folder: str, output: Path | None) -> Outcome:
    """Close a folder of shards that one job or several have written, and make one file of it.

    Parameters
    ----------
    folder : str
        Path or URL.
    output : Path or None
        The file: `.csv`, `.parquet` or `.sdf` as the shards are; None only checks and closes.

    Returns
    -------
    Outcome
        Of the whole input.

    Raises
    ------
    InputError
        If the file would be of another kind than the shards.
    OutputError
        If some of the work is not done.
    """
    store = Store(folder)
    manifest = Journal(store).close()
    options = manifest.begun_with["options"]
    work = Work(**{field.name: options[field.name] for field in fields(Work)})
    outcome = sum_up(manifest.shards, manifest.shards)
    if output is not None:
        path = check_output(output, TABLE_ENDINGS, None)
        form = path.suffix.lower().removeprefix(".")
        if form != work.form and not work.top:
            raise InputError(f"{path}: the shards are .{work.form}; name a file of that ending")
        merge_shards(store, replace(work, form=form), manifest.columns, manifest.shards, path)
    return replace(outcome, kept=min(outcome.kept, work.top or outcome.kept))
