"""`cmim score`: a table in, the same table with predictions out, however long it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cmim_chem.cli import score_options as options
from cmim_chem.cli.console import Progress, finish, set_up_logging
from cmim_chem.cli.options import (
    Details,
    Level,
    Model,
    Plain,
    Quiet,
    SmilesColumn,
    Workers,
    count_processors,
)
from cmim_chem.cli.properties import choose_properties, describe_properties
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.predictor import Predictor
    from cmim_chem.score.job import Job
    from cmim_chem.score.tasks import Cut
    from cmim_chem.score.work import Work
    from cmim_chem.score.worker import Engine

HELP = """Predict every property for each row of a table, or of a folder of tables.

All columns of the input pass through, in order; added are standardized_smiles, problem and one
column per property. A row that fails keeps its place, with the reason in `problem`; a text there
that begins with `note:` says what was changed in a row that was scored.

How sure: PROPERTY_lower and PROPERTY_upper hold the true value of 90 % of molecules like those the
probe was fitted on (--level); `domain` says whether a molecule is of such a kind (in, borderline,
outside, and for which probes), `nearest_similarity` is its Tanimoto similarity to the training
molecule that is nearest, of the probe that knows it least.

A run that was stopped goes on where it was when the same command is given again, and ends with the
same output. With a folder as output the rows stay in shards, part-....csv or .parquet.

Exit code: 0 when the job ran, 1 with --strict if a row failed, 2 if the input cannot be read.

\b
Examples:
  cmim score molecules.csv -o predictions.csv
  cmim score library.smi.gz --properties esol,bbbp --quiet > predictions.csv
  cmim score molecules.csv --properties bace --level 0.8 --details
  cmim score library.parquet --where "esol > -4 and bbbp > 0.5" -o good.csv
  cmim score library.parquet --top 1000 --by bbbp -o best.csv
  cmim score library/ -o scored/ --shard 3/16
  cmim score --merge scored/ -o predictions.csv
  cmim score --list
"""


def score(
    table: options.Input = None,
    output: options.Output = None,
    smiles_column: SmilesColumn = None,
    probe: options.Probes = None,
    properties: options.Properties = None,
    level: Level = 0.9,
    details: Details = False,
    plain: Plain = False,
    where: options.Where = "",
    top: options.Top = 0,
    by: options.By = "",
    smallest: options.Smallest = False,
    float32: options.Float32 = False,
    form: options.Form = options.ShardForm.csv,
    shard: options.Shard = "",
    shard_rows: options.ShardRows = options.SHARD_ROWS,
    restart: options.Restart = False,
    merge: options.Merge = None,
    engine: options.Engine = options.EngineName.local,
    scheduler: options.Scheduler = "",
    batch_size: options.BatchRows = options.BATCH_ROWS,
    workers: Workers = None,
    strict: options.Strict = False,
    quiet: Quiet = False,
    list_properties: options.List = False,
    model: Model = None,
) -> None:
    """Score a table."""
    set_up_logging(quiet)
    if merge is not None:
        return merge_folder(merge, output, quiet, strict)
    if table is None and not list_properties:
        raise InputError("name a table to score, or - for standard input; see cmim score --help")
    target = options.read_target(output, table, form)
    options.check_together(target, table, shard, top, by)
    cut = options.read_cut(shard, batch_size, shard_rows)
    from cmim_chem.predictor import Predictor
    from cmim_chem.score.work import Work

    predictor = Predictor.load(model, tuple(probe or ()), known=False)
    if list_properties or table is None:
        return typer.echo(describe_properties(predictor))
    names = choose_properties(predictor, properties)
    names = options.choose_columns(names, [one.name for one in predictor.properties], where, by)
    work = Work(tuple(names), where, top, by, smallest, float32, target.form)
    work = add_certainty(predictor, work, None if plain else level, details)
    job = make_job(predictor, table, smiles_column, work, cut)
    source = ("" if model is None else str(model.resolve()), probe or ())
    run = open_engine(predictor, engine, scheduler, workers or count_processors(), source)
    run_job(job, run, target, restart, (quiet, strict))


def add_certainty(predictor: Predictor, work: Work, level: float | None, details: bool) -> Work:
    """Say which columns tell how sure the predictions are; None is no level and no columns."""
    from dataclasses import replace

    from cmim_chem.probes.conformal import check_level
    from cmim_chem.report import list_columns

    if level is not None:
        check_level(level)
    columns = list_columns(predictor.select(work.properties), level is not None, details)
    return replace(work, level=level, details=details, columns=tuple(columns))


def make_job(
    predictor: Predictor, table: str, smiles_column: str | None, work: Work, cut: Cut
) -> Job:
    """Find the input, and say which model and software the numbers come from."""
    from dataclasses import replace

    from rdkit import rdBase

    from cmim_chem import __version__
    from cmim_chem.score.job import Job
    from cmim_chem.score.library import Library
    from cmim_chem.score.worker import read_digests

    library = Library.find(table)
    software = {"cmim-chem": __version__, "rdkit": rdBase.rdkitVersion}
    work = replace(work, several_files=len(library.files) > 1)
    return Job(library, work, cut, smiles_column, dict(read_digests(predictor.digests)), software)


def open_engine(
    predictor: Predictor,
    name: options.EngineName,
    scheduler: str,
    workers: int,
    source: tuple[str, Sequence[Path]],
) -> Engine:
    """Open what does the work.

    Parameters
    ----------
    predictor : Predictor
        The model.
    name : EngineName
        Which engine.
    scheduler : str
        Address of a Dask cluster, "" for none.
    workers : int
        Processes.
    source : tuple of str and sequence of Path
        Where the model and further probes are.

    Returns
    -------
    Engine
        To be closed.

    Raises
    ------
    InputError
        If an address is given for the wrong engine.
    """
    from cmim_chem.score.worker import ModelPath, read_digests

    folder, probes = source
    paths = tuple(str(probe.resolve()) for probe in probes)
    model = ModelPath(folder, paths, read_digests(predictor.digests))
    if name == options.EngineName.dask:
        from cmim_chem.score.cluster import Cluster

        return Cluster(model, scheduler, workers)
    if scheduler:
        raise InputError("--scheduler is the address of a Dask cluster: add --engine dask")

    from cmim_chem.score.local import Local

    return Local(predictor, model, workers)


def run_job(
    job: Job, engine: Engine, target: options.Target, restart: bool, show: tuple[bool, bool]
) -> None:
    """Run a job, show how it gets on and what it came to.

    Parameters
    ----------
    job : Job
        What is to be done.
    engine : Engine
        Does it; closed in the end.
    target : Target
        Where the rows go.
    restart : bool
        Forget an earlier run.
    show : tuple of bool
        Be quiet; be strict.
    """
    from cmim_chem.score import merge, run
    from cmim_chem.score.store import Store

    quiet, strict = show
    try:
        with Progress("scored", quiet) as progress:
            if target.path is not None:
                outcome = merge.score_file(job, engine, target.path, progress.advance, restart)
            elif target.folder:
                store = Store(target.folder, f"{job.cut.job}-of-{job.cut.jobs}")
                outcome = run.score_library(job, engine, store, progress.advance, restart)
            else:
                outcome = run.stream_rows(job, engine, sys.stdout.write, progress.advance)
                sys.stdout.flush()
    finally:
        engine.close()
    finish(outcome.tally, progress.seconds, quiet, strict, outcome.earlier)
    if not quiet and (job.work.where or job.work.top):
        typer.echo(f"cmim: {outcome.kept:,} rows were written", err=True)


def merge_folder(folder: str, output: str | None, quiet: bool, strict: bool) -> None:
    """Make one file of a folder of shards.

    Parameters
    ----------
    folder : str
        Path or URL.
    output : str or None
        The file; None only checks that all is there.
    quiet, strict : bool
        As for a job.
    """
    from cmim_chem.score.merge import merge

    began = time.monotonic()
    outcome = merge(folder, None if output is None else Path(output))
    finish(outcome.tally, time.monotonic() - began, quiet, strict, outcome.earlier)
