"""A job from beginning to end: read, score on an engine, write shards, note them, go on if stopped.

`score_library` leaves shards and a manifest in a folder; `stream_rows` gives the rows to a caller
who wants them at once and can do without going on later. `merge` makes one file of the shards.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from cmim_chem.errors import InputError, OutputError
from cmim_chem.score.forms import (
    choose_ending,
    encode_shard,
    join_tables,
    to_frame,
    write_header,
)
from cmim_chem.score.job import Job, Outcome, Watch, sum_up
from cmim_chem.score.journal import Journal, name_shard
from cmim_chem.score.manifest import Manifest, Shard, explain_change
from cmim_chem.score.store import Store
from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import InputChangedError, Key, Origin, Task
from cmim_chem.score.work import Piece, Rows, Work, pack
from cmim_chem.score.worker import Engine

logger = logging.getLogger(__name__)


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
    reading = job.read({})
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
        return sum_up(manifest.shards, manifest.shards)
    files = len(job.library.files)
    store.remove_rests()
    done = journal.finished(lambda key: job.cut.takes(key, files))
    reading = job.read({key: shard.origin for key, shard in done.items()})
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
    return sum_up(written.values(), done.values())


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
