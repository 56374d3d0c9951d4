"""`cmim score`: a table in, the same table with predictions out, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cmim_chem.cli.console import lay_out, set_up_logging
from cmim_chem.cli.options import (
    BatchSize,
    Details,
    Level,
    Model,
    OptionalInput,
    Plain,
    Quiet,
    SmilesColumn,
    TableOutput,
    Workers,
)
from cmim_chem.cli.stream import BATCH_ROWS, Job, run_job
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cmim_chem.chem.read import Batch
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

HELP = """Predict every property for each row of a table.

All columns of the input pass through, in order; added are standardized_smiles, problem and one
column per property. A row that fails keeps its place, with the reason in `problem`; a text there
that begins with `note:` says what was changed in a row that was scored.

How sure: PROPERTY_lower and PROPERTY_upper hold the true value of 90 % of molecules like those the
probe was fitted on (--level); `domain` says whether a molecule is of such a kind (in, borderline,
outside, and for which probes), `nearest_similarity` is its Tanimoto similarity to the training
molecule that is nearest, of the probe that knows it least.

Exit code: 0 when the job ran, 1 with --strict if a row failed, 2 if the input cannot be read.

\b
Examples:
  cmim score molecules.csv -o predictions.csv
  cmim score library.smi.gz --properties esol,bbbp --quiet > predictions.csv
  cmim score molecules.csv --properties bace --level 0.8 --details
  cmim score --list
"""
ADDED_COLUMNS = ("standardized_smiles", "problem")


def score(
    table: OptionalInput = None,
    output: TableOutput = None,
    smiles_column: SmilesColumn = None,
    probe: Annotated[
        list[Path] | None, typer.Option(help="Folder of a probe of your own; may be repeated.")
    ] = None,
    properties: Annotated[
        str | None, typer.Option(help="Only these, by the names of --list, separated by commas.")
    ] = None,
    level: Level = 0.9,
    details: Details = False,
    plain: Plain = False,
    batch_size: BatchSize = BATCH_ROWS,
    workers: Workers = 1,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")
    ] = False,
    quiet: Quiet = False,
    list_properties: Annotated[
        bool, typer.Option("--list", help="Show the properties with unit and score, and exit.")
    ] = False,
    model: Model = None,
) -> None:
    """Score a table."""
    if table is None and not list_properties:
        raise InputError("name a table to score, or - for standard input; see cmim score --help")
    set_up_logging(quiet)

    from cmim_chem.chem.write import open_writer
    from cmim_chem.predictor import Predictor
    from cmim_chem.probes.conformal import check_level
    from cmim_chem.report import list_columns

    writer = open_writer(output, table)
    predictor = Predictor.load(model, tuple(probe or ()))
    if list_properties or table is None:
        typer.echo(describe_properties(predictor))
        return
    names = choose_properties(predictor, properties)
    sure = Certainty(None if plain else check_level(level), details)
    wanted = predictor.select(names)
    added = (*ADDED_COLUMNS, *list_columns(wanted, not plain, details))
    job = Job(table, smiles_column, "scored", added, batch_size, quiet, strict)
    run_job(job, writer, lambda batch: score_batch(predictor, batch, names, workers, sure))


class Certainty(NamedTuple):
    """What is wanted beside the values: level of intervals (None for none), and every detail."""

    level: float | None
    details: bool


def score_batch(
    predictor: Predictor, batch: Batch, names: Sequence[str], workers: int, sure: Certainty
) -> tuple[pd.DataFrame, list[str]]:
    """Join a batch of a table with its predictions.

    Parameters
    ----------
    predictor : Predictor
        Gives the predictions.
    batch : Batch
        n rows.
    names : sequence of str
        Properties wanted.
    workers : int
        Processes that standardize molecules.
    sure : Certainty
        What is wanted beside the values.

    Returns
    -------
    tuple of pandas.DataFrame and list of str
        n rows: the input's columns, then the added ones; and the problem of each row.
    """
    from cmim_chem.chem.read import join_columns, merge_problems
    from cmim_chem.report import prediction_columns

    predictions = predictor.score(batch.smiles, properties=names, workers=workers, level=sure.level)
    added = prediction_columns(predictions, sure.details)
    problems = merge_problems(added["problem"].tolist(), batch.problems)
    return join_columns(batch.frame, added.assign(problem=problems)), problems


def describe_properties(predictor: Predictor) -> str:
    """Lay out what `--list` shows.

    Parameters
    ----------
    predictor : Predictor
        Knows the properties.

    Returns
    -------
    str
        One line per property: name, title, unit, held-out score.
    """
    rows = [[one.name, one.title, one.unit, _describe_score(one)] for one in predictor.properties]
    return lay_out(["name", "title", "unit", "held-out score"], rows)


def _describe_score(one: Property) -> str:
    metric = {"rmse": "RMSE", "roc_auc": "ROC-AUC"}.get(one.metric, one.metric)
    return "not defined" if one.score is None else f"{metric} {one.score:.3f}"


def choose_properties(predictor: Predictor, wanted: str | None) -> list[str]:
    """Names of the properties to write, in the order of `--list`.

    Parameters
    ----------
    predictor : Predictor
        Knows all properties.
    wanted : str or None
        Names of properties or of whole probes, separated by commas; None is all.

    Returns
    -------
    list of str
        Column names.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    known = predictor.properties
    if wanted is None:
        return [one.name for one in known]
    asked = {name.strip() for name in wanted.split(",") if name.strip()}
    unknown = asked - {name for one in known for name in (one.name, one.probe)}
    if unknown or not asked:
        bad = ", ".join(sorted(unknown)) or "nothing"
        raise InputError(f"--properties names {bad}; see cmim score --list for what there is")
    return [one.name for one in known if one.name in asked or one.probe in asked]
