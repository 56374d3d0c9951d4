"""The options of `cmim score`: how each is spelled and explained, and what it means together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.options import INPUT_HELP
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.score.tasks import Cut

BATCH_ROWS = 512
SHARD_ROWS = 16_384


class ShardForm(StrEnum):
    """What the shards of a folder are."""

    csv = "csv"
    parquet = "parquet"
    sdf = "sdf"


class EngineName(StrEnum):
    """Where the work is done."""

    local = "local"
    dask = "dask"


Input = Annotated[
    str | None,
    typer.Argument(metavar="[INPUT]", help=f"A folder of tables, a URL, or one: {INPUT_HELP}"),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o",
        help=".csv, .parquet or .sdf; or a folder or URL of one, for shards; without it, CSV on "
        "standard output.",
    ),
]  # fmt: skip
Probes = Annotated[
    list[Path] | None, typer.Option(help="Folder of a probe of your own; may be repeated.")
]
Properties = Annotated[
    str | None, typer.Option(help="Only these, by the names of --list, separated by commas.")
]
Where = Annotated[
    str, typer.Option(help="Only rows that meet this, as in 'esol > -4 and bbbp > 0.5'.")
]
Top = Annotated[int, typer.Option(min=0, help="Only so many rows, the best first by --by.")]
By = Annotated[str, typer.Option(help="Property that says which rows are best: the largest.")]
Smallest = Annotated[bool, typer.Option("--smallest", help="The smallest are best.")]
Float32 = Annotated[bool, typer.Option("--float32", help="Write numbers in single precision.")]
Form = Annotated[ShardForm, typer.Option("--format", help="Of the shards in a folder.")]
Shard = Annotated[
    str, typer.Option(help="i/n: do the i-th of n parts, i from 1; all write to one folder.")
]
ShardRows = Annotated[int, typer.Option(min=1, help="Rows of a shard: what a stop can cost.")]
Restart = Annotated[bool, typer.Option("--restart", help="Forget what a stopped run has done.")]
Merge = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Make one file of a folder of shards.")
]
Engine = Annotated[EngineName, typer.Option(help="Processes of this computer, or a Dask cluster.")]
Scheduler = Annotated[
    str, typer.Option(help="Address of the Dask cluster, tcp://host:port; else a local one.")
]
BatchRows = Annotated[
    int,
    typer.Option(
        "--batch-size", min=1, help="Rows of a worker's turn; numbers differ in the last digits."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")]
List = Annotated[
    bool, typer.Option("--list", help="Show the properties with unit and score, and exit.")
]


@dataclass(frozen=True)
class Target:
    """Where the rows go.

    Attributes
    ----------
    path : Path or None
        The file; None for a folder and for standard output.
    folder : str
        The folder; "" if there is none.
    form : str
        `csv`, `parquet` or `sdf`.
    """

    path: Path | None = None
    folder: str = ""
    form: str = "csv"


def read_target(output: str | None, table: str | None, form: ShardForm) -> Target:
    """Understand `--output`.

    Parameters
    ----------
    output : str or None
        As given.
    table : str or None
        The input, which must not be overwritten.
    form : ShardForm
        Of the shards in a folder.

    Returns
    -------
    Target
        Checked, as far as that is possible before the work.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    from cmim_chem.chem.output import check_output
    from cmim_chem.chem.write import TABLE_ENDINGS

    if output is None or output == "-":
        return Target()
    path = Path(output)
    is_folder = output.endswith("/") or path.is_dir() or not path.suffix or "://" in output
    if not is_folder:
        path = check_output(path, TABLE_ENDINGS, table)
        return Target(path, form=path.suffix.lower().removeprefix("."))
    if table is not None and Path(table).is_dir() and path.is_dir() and path.samefile(table):
        raise InputError(f"{output}: is the input, which is never written to; name another folder")
    return Target(folder=output.rstrip("/"), form=form.value)


def read_cut(shard: str, batch_rows: int, shard_rows: int) -> Cut:
    """Understand `--shard`, `--batch-size` and `--shard-rows`.

    Parameters
    ----------
    shard : str
        As in ``3/16``; "" for all of the work.
    batch_rows, shard_rows : int
        As given.

    Returns
    -------
    Cut
        Whose batches make up whole shards.

    Raises
    ------
    InputError
        If there is no such part.
    """
    from cmim_chem.score.tasks import Cut

    batch_rows = min(batch_rows, shard_rows)
    shard_rows = -(-shard_rows // batch_rows) * batch_rows
    if not shard:
        return Cut(batch_rows, shard_rows)
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", shard.strip())
    job, jobs = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= job <= jobs:
        raise InputError(f"--shard {shard}: write it like 3/16, from 1/16 to 16/16")
    return Cut(batch_rows, shard_rows, job - 1, jobs)


def check_together(target: Target, table: str | None, shard: str, top: int, by: str) -> None:
    """Check options that only make sense with others.

    Parameters
    ----------
    target : Target
        Where the rows go.
    table : str or None
        The input.
    shard, top, by
        As given.

    Raises
    ------
    InputError
        If they do not fit together.
    """
    if shard and not target.folder:
        raise InputError("--shard needs a folder that all parts write to: -o FOLDER/")
    if shard and table == "-":
        raise InputError("--shard needs an input that every part can read: a file or a folder")
    if top and target.folder and not shard:
        raise InputError("--top gives one table: name a file, -o best.csv")
    if bool(top) != bool(by):
        raise InputError("--top N and --by PROPERTY go together, as in --top 1000 --by esol")


def choose_columns(names: Sequence[str], known: Sequence[str], where: str, by: str) -> list[str]:
    """Choose the properties to write, and check those that `--where` and `--by` name.

    Parameters
    ----------
    names : sequence of str
        Properties asked for.
    known : sequence of str
        All there are.
    where, by : str
        As given.

    Returns
    -------
    list of str
        Those asked for and that of `by`, in the order of `known`.

    Raises
    ------
    InputError
        If a name is unknown or the condition is not understood.
    """
    from cmim_chem.score.where import read_condition

    if where:
        read_condition(where, known)
    if by and by not in known:
        raise InputError(f"--by {by}: is no property; see cmim score --list for what there is")
    return [name for name in known if name in names or name == by]
