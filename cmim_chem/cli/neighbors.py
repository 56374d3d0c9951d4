"""`cmim neighbors`: for each molecule, the known molecules it is most like."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import Model, OptionalInput, Quiet, SmilesColumn, TableOutput
from cmim_chem.cli.stream import BATCH_ROWS, Job, run_job
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cmim_chem.chem.read import Batch
    from cmim_chem.predictor import Predictor

HELP = """Find the approved drugs and ZINC molecules nearest to each row of a table.

The output is a long table: query (row of the input, from 1), query_name, query_smiles, rank, name,
smiles, source, chembl_id, year, cosine (of centered h), tanimoto (of ECFP4), problem.
A row that fails has one line, with the reason in `problem`.

\b
Examples:
  cmim neighbors molecules.csv -k 5 --source drugs -o neighbors.csv
  cmim neighbors --smiles "CC(=O)Oc1ccccc1C(=O)O"
"""


class Source(StrEnum):
    """Where neighbors may come from."""

    all = "all"
    drugs = "drugs"
    zinc = "zinc"


# Stated, because a batch in which every row fails would not show them; all others are text.
TYPES = {
    "query": "int64",
    "rank": "Int64",
    "year": "Int64",
    "cosine": "float64",
    "tanimoto": "float64",
}
INDEX_SOURCE = {Source.all: None, Source.drugs: "approved drug", Source.zinc: "ZINC"}


def neighbors(
    table: OptionalInput = None,
    output: TableOutput = None,
    smiles: Annotated[
        list[str] | None, typer.Option(help="A molecule instead of a table; may be repeated.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Neighbors of each molecule.")] = 10,
    source: Annotated[Source, typer.Option(help="Where neighbors may come from.")] = Source.all,
    smiles_column: SmilesColumn = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")
    ] = False,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Find neighbors."""
    if (table is None) == (not smiles):
        raise InputError("name a table, or molecules with --smiles; see cmim neighbors --help")
    set_up_logging(quiet)

    from cmim_chem.chem.write import open_writer
    from cmim_chem.predictor import Predictor

    writer = open_writer(output, table)
    predictor = Predictor.load(model)

    def work(batch: Batch) -> tuple[pd.DataFrame, Sequence[str]]:
        return find_neighbors(predictor, batch, k, INDEX_SOURCE[source])

    if table is None:
        with writer:
            writer.write(work(make_batch(smiles or []))[0])
    else:
        job = Job(table, smiles_column, "searched", (), BATCH_ROWS, quiet, strict)
        run_job(job, writer, work)


def make_batch(smiles: Sequence[str]) -> Batch:
    """Make a batch of molecules given on the command line.

    Parameters
    ----------
    smiles : sequence of str
        n SMILES.

    Returns
    -------
    Batch
        n rows with one column.
    """
    import pandas as pd

    from cmim_chem.chem.read import Batch

    frame = pd.DataFrame({"smiles": list(smiles)}, dtype="str")
    return Batch(frame, ("",) * len(smiles), "smiles")


def find_neighbors(
    predictor: Predictor, batch: Batch, k: int, source: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Find the neighbors of a batch and say which row of the input each belongs to.

    Parameters
    ----------
    predictor : Predictor
        Knows the index.
    batch : Batch
        n rows.
    k : int
        Neighbors of each row.
    source : str or None
        Source in the index, None for all.

    Returns
    -------
    tuple of pandas.DataFrame and list of str
        The long table, and the problem of each of the n rows.
    """
    from cmim_chem.chem.columns import find_identifier
    from cmim_chem.chem.read import merge_problems

    raw = batch.smiles
    found = predictor.neighbors(raw, k=k, source=source).reset_index(drop=True)
    rows = found["query"].to_numpy()
    first = found.drop_duplicates("query").set_index("query")["problem"]
    predicted = first.reindex(range(len(raw)), fill_value="").tolist()
    problems = merge_problems(predicted, batch.problems)
    name = find_identifier([one for one in batch.frame.columns if one != batch.smiles_column])
    names = batch.frame[name].tolist() if name is not None else [""] * len(raw)
    found = found.astype({one: kind for one, kind in TYPES.items() if one in found.columns})
    texts = [one for one in found.columns if one not in TYPES]
    found[texts] = found[texts].astype("str").fillna("")
    found["query"] = rows + batch.first_row + 1
    found["problem"] = [problems[row] for row in rows]
    found.insert(1, "query_name", [names[row] for row in rows])
    found.insert(2, "query_smiles", [raw[row] for row in rows])
    return found, problems
