"""`cmim embed`: a table in, the embedding of each row out, as an array or beside the columns."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import (
    BatchSize,
    Input,
    Model,
    Quiet,
    SmilesColumn,
    Workers,
    count_processors,
)
from cmim_chem.cli.stream import BATCH_ROWS, Job, run_job

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cmim_chem.chem.read import Batch
    from cmim_chem.predictor import Predictor

HELP = """Embed each row of a table: z is the latent code, h the informative embedding.

The output is one row per row of the input, in order. An .npy file holds float32 (n, d), with NaN
in rows that failed. A .parquet file holds the input's columns, then standardized_smiles, problem
and d columns h_000, h_001, ... (or z_000, ...).

\b
Examples:
  cmim embed molecules.csv -o h.npy
  cmim embed library.sdf.gz --kind z -o z.parquet
"""


class Kind(StrEnum):
    """The two embeddings of a molecule."""

    z = "z"
    h = "h"


def embed(
    table: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help=".npy or .parquet.")],
    kind: Annotated[Kind, typer.Option(help="Latent code z or informative embedding h.")] = Kind.h,
    smiles_column: SmilesColumn = None,
    batch_size: BatchSize = BATCH_ROWS,
    workers: Workers = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")
    ] = False,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Embed a table."""
    set_up_logging(quiet)

    import pandas as pd

    from cmim_chem.chem.output import check_output
    from cmim_chem.chem.read import join_columns
    from cmim_chem.chem.write import ArrayWriter, open_writer
    from cmim_chem.predictor import Predictor

    check_output(output, (".npy", ".parquet"), table)
    predictor = Predictor.load(model)
    _, nothing = predictor.embed([])
    d = getattr(nothing, kind).shape[1]
    names = [f"{kind}_{at:03d}" for at in range(d)]
    added = ("standardized_smiles", "problem", *names)
    workers = workers or count_processors()
    job = Job(table, smiles_column, "embedded", added, batch_size, quiet, strict, workers)

    def as_array(batch: Batch) -> tuple[NDArray[np.float32], Sequence[str]]:
        vectors, columns = embed_batch(predictor, batch, kind)
        return vectors, columns["problem"].tolist()

    def as_table(batch: Batch) -> tuple[pd.DataFrame, Sequence[str]]:
        vectors, columns = embed_batch(predictor, batch, kind)
        table = join_columns(batch.frame, columns, pd.DataFrame(vectors, columns=names))
        return table, columns["problem"].tolist()

    if output.suffix.lower() == ".npy":
        run_job(job, ArrayWriter(output, table), as_array)
    else:
        run_job(job, open_writer(output, table), as_table)


def embed_batch(
    predictor: Predictor, batch: Batch, kind: Kind
) -> tuple[NDArray[np.float32], pd.DataFrame]:
    """Embed a batch of a table.

    Parameters
    ----------
    predictor : Predictor
        Gives the embeddings.
    batch : Batch
        n rows.
    kind : Kind
        Which embedding.

    Returns
    -------
    tuple of (n, d) float32 and pandas.DataFrame
        Vectors, NaN where a row failed; and the columns standardized_smiles and problem.
    """
    import pandas as pd

    from cmim_chem.chem.read import merge_problems
    from cmim_chem.report import describe_problem

    standardized, embeddings = predictor.embed(batch.smiles, with_h=kind == Kind.h)
    problems = [describe_problem(one) for one in standardized]
    columns = {
        "standardized_smiles": [one.smiles or "" for one in standardized],
        "problem": merge_problems(problems, batch.problems),
    }
    return getattr(embeddings, kind), pd.DataFrame(columns, dtype="str")
