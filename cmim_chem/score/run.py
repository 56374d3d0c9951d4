"""A job from beginning to end: read, score on an engine, write shards, note them, go on if stopped.

`score_library` leaves shards and a manifest in a folder; `stream_rows` gives the rows to a caller
who wants them at once and can do without going on later. `merge` makes one file of a folder.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from cmim_chem.chem.output import check_output
from cmim_chem.chem.write import TABLE_ENDINGS
from cmim_chem.errors import InputError, OutputError
from cmim_chem.score.forms import (
    choose_ending,
    encode_shard,
    join_tables,
    merge_shards,
    to_frame,
    write_header,
)
from cmim_chem.score.journal import Journal, Manifest, Shard, explain_change, name_shard
from cmim_chem.score.library import Library
from cmim_chem.score.store import Store
from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import Cut, InputChangedError, Key, Origin, Reading, Task
from cmim_chem.score.work import Piece, Rows, Work, pack
from cmim_chem.score.worker import Engine

logger = logging.getLogger(__name__)

#: Ending of the folder that keeps the shards of a file until it is whole.
PARTS = ".parts"
#: Told after every batch: rows scored since the last call, share of the input read or None.
Watch = Callable[[int, float | None], None]


@dataclass(frozen=True)
class Job:
    """What is to be scored, and how.

    Attributes
    ----------
    library : Library
        The input.
    work : Work
        What is wanted of every row.
    cut : Cut
        Batches, shards, and which of them.
    smiles_column : str or None
        Column of the SMILES; found if not given.
    model : mapping of str to str
        Digests of the encoder and the probes.
    software : mapping of str to str
        Versions that the numbers may depend on.
    """

    library: Library
    work: Work
    cut: Cut
    smiles_column: str | None
    model: Mapping[str, str]
    software: Mapping[str, str]

    def describe(self) -> dict[str, Any]:
        """What must not change while the job is not done, as plain values."""
        files = range(len(self.library.files))
        options = {
            **vars(self.work),
            "properties": list(self.work.properties),
            "smiles_column": self.smiles_column,
            "batch_rows": self.cut.batch_rows,  # numbers differ by it, in their last digits
            "shard_rows": self.cut.shard_rows,
            "jobs": self.cut.jobs,
        }
        return {
            "input": [self.library.identify(file) for file in files],
            "model": dict(self.model),
            "software": dict(self.software),
            "options": options,
        }


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    tally : Tally
        Counts over all rows of the job, those of earlier runs included.
    kept : int
        Rows of the output.
    earlier : int
        Rows that were scored by earlier runs.
    """

    tally: Tally
    kept: int
    earlier: int


def stream_rows(job: Job, engine: Engine, write: Callable[[str], object], watch: Watch) -> Outcome:
    """Score a library and hand over the rows as text, in order.

    Parameters
    ----------
    job : Job
        With a form of text.
    engine : Engine
        Does the work.
    write : callable
        Takes the text.
    watch : callable
        Takes the progress.

    Returns
    -------
    Outcome
        Of the whole input.
    """
    reading = _read(job, {})
    tally, kept, best, damage = Tally(), 0, list[Rows](), None
    rows = engine.run(job.work, reading.tasks())
    while damage is None:
        try:
            task, piece = next(rows)
        except StopIteration:
            break
        except InputError as error:  # what came before is still given
            damage = error
            continue
        if not tally.rows:
            write(write_header((*reading.columns, *job.work.added), job.work.form))
        if job.work.top:
            best = [join_tables(job.work, [*best, piece.rows])]
        else:
            write(str(piece.rows))
        tally.include(piece.tally)
        kept += piece.kept
        watch(len(task.batch.frame), task.fraction)
    for table in best:
        write(str(pack(to_frame(table), job.work.form)))
    if damage is not None:
        raise damage
    return Outcome(tally, min(kept, job.work.top or kept), 0)


def score_library(
    job: Job, engine: Engine, store: Store, watch: Watch, restart: bool = False
) -> Outcome:
    """Score a library into shards; go on where an earlier run of the same job stopped.

    Parameters
    ----------
    job : Job
        What is to be done.
    engine : Engine
        Does the work.
    store : Store
        Folder of the shards.
    watch : callable
        Takes the progress.
    restart : bool
        Forget an earlier run.

    Returns
    -------
    Outcome
        Counts of this job (of its own shards, if it is one of several).

    Raises
    ------
    InputError
        If the input is damaged; the shards before are kept, and noted as such.
    OutputError
        If the folder belongs to another job, or cannot be written.
    """
    journal = Journal(store)
    if restart:
        store.remove_all()
    manifest = _resume(journal, job)
    if manifest.is_done:
        logger.warning("%s: was finished before; nothing is left to do", store.place)
        return _sum_up(manifest.shards, manifest.shards)
    files = len(job.library.files)
    store.remove_rests()
    done = journal.finished(lambda key: job.cut.takes(key, files))
    reading = _read(job, {key: shard.origin for key, shard in done.items()})
    written = dict(done)
    for key, group in groupby(engine.run(job.work, reading.tasks()), lambda pair: pair[0].key):
        manifest = _begin(journal, manifest, (*reading.columns, *job.work.added))
        shard, damage = _write_shard(journal, job.work, manifest.columns, (key, group, watch))
        if damage is not None:
            is_cut_off = not isinstance(damage, InputChangedError)
            journal.save(replace(manifest, is_damaged=is_cut_off))
            raise damage
        written[key] = shard
    _begin(journal, manifest, (*reading.columns, *job.work.added))  # if no shard was for this job
    journal.end_job(job.cut.job, job.cut.jobs, written)
    if job.cut.jobs == 1:
        journal.close()
    return _sum_up(written.values(), done.values())


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
    outcome = _sum_up(manifest.shards, manifest.shards)
    if output is not None:
        path = check_output(output, TABLE_ENDINGS, None)
        form = path.suffix.lower().removeprefix(".")
        if form != work.form and not work.top:
            raise InputError(f"{path}: the shards are .{work.form}; name a file of that ending")
        merge_shards(store, replace(work, form=form), manifest.columns, manifest.shards, path)
    return replace(outcome, kept=min(outcome.kept, work.top or outcome.kept))


def _read(job: Job, done: Mapping[Key, Origin]) -> Reading:
    return Reading(job.library, job.cut, job.smiles_column, job.work.added, done)


def _resume(journal: Journal, job: Job) -> Manifest:
    """Find the manifest of an earlier run, or make one that is not written yet."""
    now = job.describe()
    before = journal.manifest()
    if before is None:
        return Manifest(now)
    began = dict(before.begun_with)
    if before.is_damaged:  # the same input, mended: its rows are compared as they are read
        began["input"] = now["input"]
    if change := explain_change(began, now, journal.store.place):
        raise OutputError(change)
    return replace(before, begun_with=now)


def _begin(journal: Journal, manifest: Manifest, columns: tuple[str, ...]) -> Manifest:
    """Write the manifest as soon as the columns are known."""
    if manifest.columns and manifest.columns != columns:
        raise InputChangedError(
            f"{journal.store.place}: was begun with other columns; put the old input back, or start"
            " over with --restart"
        )
    if not manifest.columns:
        manifest = replace(manifest, columns=columns)
        journal.store.make()
        journal.save(manifest)
    return manifest


def _write_shard(
    journal: Journal,
    work: Work,
    columns: tuple[str, ...],
    source: tuple[Key, Iterable[tuple[Task, Piece]], Watch],
) -> tuple[Shard, InputError | None]:
    """Write a shard while its batches come in, and note it; it is cut off where the input is."""
    key, group, watch = source
    name = f"{name_shard(key)}.{choose_ending(work)}"
    digest, tally = hashlib.sha256(), Tally()
    kept, origin, damage = 0, Origin(0, 0, ""), None

    def collect() -> Iterator[Rows]:
        nonlocal kept, origin, damage
        try:
            for task, piece in group:
                tally.include(piece.tally)
                kept, origin = kept + piece.kept, task.origin
                watch(len(task.batch.frame), task.fraction)
                yield piece.rows
        except InputError as error:
            damage = error

    def encode() -> Iterator[bytes]:
        for part in encode_shard(work, columns, collect()):
            digest.update(part)
            yield part

    journal.store.write(name, encode())
    kept = min(kept, work.top or kept)
    shard = Shard(key, name, digest.hexdigest(), kept, origin, tally, damage is None)
    journal.add(shard)
    return shard, damage


def _sum_up(shards: Iterable[Shard], earlier: Iterable[Shard]) -> Outcome:
    tally, kept = Tally(), 0
    for shard in shards:
        tally.include(shard.tally)
        kept += shard.kept
    return Outcome(tally, kept, sum(shard.tally.rows for shard in earlier))
