"""`cmim neighbors`: for each molecule, the known molecules it is most like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import (
    Model,
    OptionalInput,
    Quiet,
    SmilesColumn,
    TableOutput,
    Workers,
    count_processors,
)
from cmim_chem.cli.stream import BATCH_ROWS, Job, run_job
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cmim_chem.chem.read import Batch
    from cmim_chem.predictor import Predictor

    Search = Callable[[Sequence[object]], pd.DataFrame]

HELP = """Find the approved drugs and ZINC molecules nearest to each row of a table.

The output is a long table: query (row of the input, from 1), query_name, query_smiles, rank, name,
smiles, source, chembl_id, year, cosine (of centered h), tanimoto (of ECFP4), problem.
A row that fails has one line, with the reason in `problem`.

--build makes an index of a library of your own: every molecule is compared below 50,000, above that
a graph finds the neighbors and its recall is measured. With --index neighbors come from there, with
the row of the library instead of source, chembl_id and year.

\b
Examples:
  cmim neighbors molecules.csv -k 5 --source drugs -o neighbors.csv
  cmim neighbors --smiles "CC(=O)Oc1ccccc1C(=O)O"
  cmim neighbors --build library.smi.gz -o library.index
  cmim neighbors molecules.csv --index library.index -o neighbors.csv
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
    "row": "Int64",
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
    build: Annotated[
        str | None, typer.Option(metavar="LIBRARY", help="Make an index of this table in OUTPUT.")
    ] = None,
    index: Annotated[Path | None, typer.Option(help="Look in an index that --build made.")] = None,
    workers: Workers = None,
    smiles_column: SmilesColumn = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")
    ] = False,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Find neighbors."""
    if (table is None) + (not smiles) + (build is None) != 2:
        raise InputError(
            "name a table, or molecules with --smiles, or a library with --build; see cmim "
            "neighbors --help"
        )
    if index is not None and source is not Source.all:
        raise InputError("--source is for the index that ships; an index of your own has none")
    set_up_logging(quiet)
    workers = workers or count_processors()

    from cmim_chem.predictor import Predictor

    if build is not None:
        if output is None:
            raise InputError("--build needs a folder to make: -o library.index")
        job = Job(build, smiles_column, "indexed", (), BATCH_ROWS, quiet, strict, workers)
        return build_index(Predictor.load(model), job, output)

    from cmim_chem.chem.write import open_writer

    writer = open_writer(output, table)
    predictor = Predictor.load(model)
    look = open_search(predictor, index, k, INDEX_SOURCE[source])

    if table is None:
        with writer:
            writer.write(find_neighbors(look, make_batch(smiles or []))[0])
    else:
        job = Job(table, smiles_column, "searched", (), BATCH_ROWS, quiet, strict, workers)
        run_job(job, writer, lambda batch: find_neighbors(look, batch))


def build_index(predictor: Predictor, job: Job, folder: Path) -> None:
    """Make an index of a library.

    Parameters
    ----------
    predictor : Predictor
        Embeds.
    job : Job
        What to read and what to show.
    folder : Path
        Where the index will be.
    """
    from cmim_chem.library_index.build import Builder
    from cmim_chem.library_index.molecules import embed_batch

    builder = Builder(folder, predictor.embedder.digest)
    try:
        run_job(job, builder, lambda batch: embed_batch(predictor, batch))
    finally:
        if builder.facts and not job.quiet:
            recall = builder.facts["recall_at_10"]
            how = "exact search" if recall is None else f"recall@10 {recall:.3f} of exact search"
            count = builder.facts["molecules"]
            typer.echo(f"cmim: {folder}: {count:,} molecules, {how}", err=True)


def open_search(predictor: Predictor, index: Path | None, k: int, source: str | None) -> Search:
    """Choose where neighbors come from.

    Parameters
    ----------
    predictor : Predictor
        Embeds, and knows the index that ships.
    index : Path or None
        An index of the user's.
    k : int
        Neighbors of each row.
    source : str or None
        Source in the index that ships, None for all.

    Returns
    -------
    callable
        Turns raw SMILES into a long table.
    """
    if index is None:
        return lambda raw: predictor.neighbors(raw, k=k, source=source)

    from cmim_chem.library_index.molecules import find_neighbors
    from cmim_chem.library_index.search import LibraryIndex

    opened = LibraryIndex.open(index, predictor.embedder.digest)
    return lambda raw: find_neighbors(predictor, opened, raw, k)


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


def find_neighbors(look: Search, batch: Batch) -> tuple[pd.DataFrame, list[str]]:
    """Find the neighbors of a batch and say which row of the input each belongs to.

    Parameters
    ----------
    look : callable
        Turns raw SMILES into a long table.
    batch : Batch
        n rows.

    Returns
    -------
    tuple of pandas.DataFrame and list of str
        The long table, and the problem of each of the n rows.
    """
    from cmim_chem.chem.columns import find_identifier
    from cmim_chem.chem.read import merge_problems

    raw = batch.smiles
    found = look(raw).reset_index(drop=True)
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
