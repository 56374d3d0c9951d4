"""Options that several commands share, so that they are spelled and explained alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

INPUT_HELP = ".csv .tsv .smi .txt .sdf .parquet, plain or .gz, or - for standard input."

Input = Annotated[str, typer.Argument(metavar="INPUT", help=INPUT_HELP)]
OptionalInput = Annotated[str | None, typer.Argument(metavar="[INPUT]", help=INPUT_HELP)]
TableOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help=".csv or .parquet; without it, CSV on standard output."),
]
SmilesColumn = Annotated[
    str | None,
    typer.Option(help="Column of the SMILES; found by name, then by content, without it."),
]
Model = Annotated[
    Path | None,
    typer.Option(help="Folder with encoder/, probes/ and index/ instead of the shipped one."),
]
BatchSize = Annotated[
    int, typer.Option(min=1, help="Rows read and worked on at a time; no result depends on it.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; as many as processors if absent.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no summary, errors only.")]
Level = Annotated[
    float, typer.Option(help="Share of the true values that intervals hold, such as 0.9.")
]
Details = Annotated[
    bool,
    typer.Option(
        "--details",
        help="Also the class that is left at that level (PROPERTY_call: active, inactive or"
        " undecided), and domain and similarity probe by probe.",
    ),
]
Plain = Annotated[
    bool, typer.Option("--plain", help="Values only, without intervals and domain; quicker.")
]


def count_processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
