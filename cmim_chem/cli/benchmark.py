"""`cmim benchmark`: run the MoleculeNet suite, or sum up what is finished."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import cmim_chem
from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import Quiet
from cmim_chem.errors import InputError

HELP = """Run the MoleculeNet suite: datasets x splits x representations x heads.

One line of JSON per finished cell goes to OUT/suite-IofN.jsonl. A run that was stopped goes on
where it was. Without options, the full suite: some hours on one core.

\b
Examples:
  cmim benchmark --datasets esol,bbbp --heads linear,forest --out results
  cmim benchmark --encoder mim=runs/mim/encoder --representations mim:z,mim:h --out results
  cmim benchmark --shard 0/4 --out results     # and 1/4, 2/4, 3/4 elsewhere; merge by copying
  cmim benchmark --report --out results        # writes summary.md and figures from the lines
"""

_NAMES = "Names, comma-separated; all by default."


def find_benchmarks() -> Path:
    """Find the folder that holds the package `benchmarks`.

    Returns
    -------
    Path
        Inside an installed package, or the root of a checkout.

    Raises
    ------
    InputError
        If there is none.
    """
    package = Path(cmim_chem.__file__).parent
    # Inside the package first: beside an installed one, `benchmarks` would be somebody else's.
    for folder in (package / "_benchmarks", package.parent):
        if (folder / "benchmarks" / "run.py").is_file():
            return folder
    raise InputError("the suite is not installed; install cmim-chem again, from wheel or checkout")


def benchmark(
    datasets: Annotated[str | None, typer.Option(help=_NAMES)] = None,
    representations: Annotated[
        str | None, typer.Option(help="cmim:z, cmim:h, cmim:z+h, ecfp, ...; see --list.")
    ] = None,
    heads: Annotated[str | None, typer.Option(help=_NAMES)] = None,
    splits: Annotated[str | None, typer.Option(help="scaffold, random; both by default.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds of the random splits.")] = None,
    encoder: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FOLDER", help="Another encoder; repeatable.")
    ] = None,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Every N-th cell from the I-th.")
    ] = "0/1",
    out: Annotated[Path, typer.Option(help="Folder of the result files.")] = Path(
        "benchmarks/results"
    ),
    cache: Annotated[
        Path | None, typer.Option(help="Folder for embeddings; else your cache folder.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder; else CMIM_DATA, else your cache folder.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Run nothing; write summary.md and the figures.")
    ] = False,
    list_choices: Annotated[
        bool, typer.Option("--list", help="Show what can be chosen, and exit.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run cells, or write the report."""
    set_up_logging(quiet, logging.INFO)
    sys.path.insert(0, str(find_benchmarks()))
    if report:
        for path in importlib.import_module("benchmarks.summarize").write_report(out):
            typer.echo(str(path))
        return

    names = {"datasets": datasets, "representations": representations, "heads": heads}
    selection = _select({**names, "splits": splits}, seeds)
    if list_choices:
        for name in ("datasets", "representations", "heads", "splits", "seeds"):
            typer.echo(f"{name:<16} {' '.join(map(str, getattr(selection, name)))}")
        return
    part = _read_shard(shard)
    cells: Any = importlib.import_module("benchmarks.cells")
    workshop: Any = importlib.import_module("benchmarks.workshop")
    places = workshop.Places(out, data_dir, cache or _find_cache(), _read_encoders(encoder or []))
    todo = cells.list_cells(selection, part)
    importlib.import_module("benchmarks.run").run_cells(todo, places, "suite-{}of{}".format(*part))


def _select(named: dict[str, str | None], seeds: str | None) -> Any:  # noqa: ANN401 - imported late
    wanted: dict[str, Any] = {
        name: _split(text) for name, text in named.items() if text is not None
    }
    if seeds is not None:
        wanted["seeds"] = tuple(_read_seed(text) for text in _split(seeds))
    return importlib.import_module("benchmarks.cells").Selection(**wanted)


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _read_seed(text: str) -> int:
    if not text.isdigit():
        raise InputError(f"--seeds {text!r}: whole numbers, as in --seeds 0,1,2")
    return int(text)


def _read_shard(text: str) -> tuple[int, int]:
    i, slash, n = text.partition("/")
    if not (slash and i.isdigit() and n.isdigit()):
        raise InputError(f"--shard {text!r}: two whole numbers, as in --shard 0/4")
    return int(i), int(n)


def _read_encoders(given: list[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    for (name, sign, folder), text in zip(pairs, given, strict=True):
        if not (name and sign and folder) or not set(":+,").isdisjoint(name):
            raise InputError(f"--encoder {text!r}: a name and a folder, as in mim=runs/mim/encoder")
    return {name: Path(folder) for name, _, folder in pairs}


def _find_cache() -> Path:
    import pooch

    return Path(pooch.os_cache("cmim-chem")) / "benchmark"
