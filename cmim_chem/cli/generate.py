"""`cmim generate`: molecules written by the decoder, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import Input, Model, Quiet, SmilesColumn, TableOutput
from cmim_chem.cli.stream import Job, run_job

if TYPE_CHECKING:
    import pandas as pd

    from cmim_chem.chem.read import Batch
    from cmim_chem.generate.generator import Generator
    from cmim_chem.model.decoding import Decoding

HELP = """Make molecules: reconstruct, sample, interpolate, optimize.

Every molecule is parsed, standardized and labelled: QED, penalized logP, the nearest known molecule
and the predictions of `cmim score`. Nobody has made or tested it.

\b
Examples:
  cmim generate sample --around "CC(=O)Oc1ccccc1C(=O)O" --radius 1 -n 20
  cmim generate optimize "CC(=O)Oc1ccccc1C(=O)O" --property qed -o better.csv
"""
RECONSTRUCT_HELP = """Read each molecule of a table into a code and write it down again.

Added to the input's columns: standardized_smiles, written_smiles, exact, similarity, problem.

\b
Example:
  cmim generate reconstruct molecules.csv -o written.csv
"""
SAMPLE_HELP = """Molecules near a seed, or without one near random molecules of the corpus.

Only valid molecules are given, each once and never the seed. How many codes it took is told on
standard error.

\b
Examples:
  cmim generate sample --around "CC(=O)Oc1ccccc1C(=O)O" --radius 1 -n 20
  cmim generate sample -n 1000 --properties esol,bbbp -o molecules.csv
"""
INTERPOLATE_HELP = """Molecules on the way from one to another; one row per step, ends included.

\b
Example:
  cmim generate interpolate "CC(=O)Oc1ccccc1C(=O)O" "Cn1cnc2c1c(=O)n(C)c(=O)n2C" --steps 10
"""
OPTIMIZE_HELP = """Look for molecules like a seed but with a better property, by CMA-ES over codes.

The property is qed, plogp (penalized logP) or one of `cmim score --list`. Molecules less similar
than asked for, or outside the domain of the predictions, are not given.

\b
Examples:
  cmim generate optimize "CC(=O)Oc1ccccc1C(=O)O" --property qed --min-similarity 0.4
  cmim generate optimize "CCCCCCCCc1ccccc1" --property esol --direction up -n 5
"""
ADDED = ("standardized_smiles", "written_smiles", "exact", "similarity", "problem")


class Direction(StrEnum):
    """Which way a property should go."""

    up = "up"
    down = "down"


Count = Annotated[int, typer.Option("-n", min=1, max=100_000, help="Molecules wanted.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same molecules.")]
Temperature = Annotated[
    float, typer.Option(min=0.0, max=10.0, help="0 writes the likeliest token, more is bolder.")
]
TopP = Annotated[float, typer.Option(help="With a temperature: only the likeliest tokens.")]
Beams = Annotated[int, typer.Option(min=1, max=16, help="Beginnings kept; only at temperature 0.")]
Rescue = Annotated[
    int,
    typer.Option(
        min=0,
        max=16,
        help="Beams to search where no molecule was written; then codes nearby are tried.",
    ),
]
Properties = Annotated[
    str | None,
    typer.Option(help="Only these predictions, as in `cmim score`; `none` for none."),
]
Probe = Annotated[
    list[Path] | None, typer.Option(help="Folder of a probe of your own; may be repeated.")
]

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@commands.command("reconstruct", help=RECONSTRUCT_HELP)
def reconstruct(
    table: Input,
    output: TableOutput = None,
    smiles_column: SmilesColumn = None,
    beams: Beams = 1,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a row failed.")
    ] = False,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Write down what was read."""
    set_up_logging(quiet)

    from cmim_chem.chem.write import open_writer
    from cmim_chem.generate.generator import Generator
    from cmim_chem.model.decoding import Decoding

    writer = open_writer(output, table)
    generator = Generator.load(model)
    how = Decoding(beams=beams)
    job = Job(table, smiles_column, "written", ADDED, quiet=quiet, strict=strict)
    run_job(job, writer, lambda batch: _reconstruct_batch(generator, batch, how))


def _reconstruct_batch(
    generator: Generator, batch: Batch, how: Decoding
) -> tuple[pd.DataFrame, list[str]]:
    from cmim_chem.chem.read import join_columns, merge_problems
    from cmim_chem.generate.labels import compare_molecules

    added = compare_molecules(*generator.reconstruct(batch.smiles, how))
    problems = merge_problems(added["problem"].tolist(), batch.problems)
    return join_columns(batch.frame, added.assign(problem=problems)), problems


@commands.command("sample", help=SAMPLE_HELP)
def sample(
    around: Annotated[str | None, typer.Option(help="SMILES of a seed.")] = None,
    n: Count = 10,
    radius: Annotated[
        float, typer.Option(help="Noise on the code; 1 is the spread of the codes of molecules.")
    ] = 0.9,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    beams: Beams = 1,
    rescue: Rescue = 0,
    seed: Seed = 0,
    properties: Properties = None,
    probe: Probe = None,
    output: TableOutput = None,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Sample."""
    set_up_logging(quiet)

    from cmim_chem.generate.generator import Generator
    from cmim_chem.generate.labels import tabulate_samples
    from cmim_chem.model.decoding import Decoding

    how = Decoding(temperature, top_p, beams, rescue)
    generator = Generator.load(model, tuple(probe or ()))
    wanted = _choose(generator, properties)
    found = generator.sample(n, around, radius, how, seed)
    _write(tabulate_samples(generator, found, wanted), output)
    _tell(
        quiet,
        f"{len(found.smiles):,} of {n:,} molecules; {found.tried:,} codes decoded,"
        f" {found.valid / max(found.tried, 1):.1%} valid",
    )


@commands.command("interpolate", help=INTERPOLATE_HELP)
def interpolate(
    first: Annotated[str, typer.Argument(metavar="SMILES", help="Where to begin.")],
    last: Annotated[str, typer.Argument(metavar="SMILES", help="Where to end.")],
    steps: Annotated[int, typer.Option(min=2, max=1_000, help="Rows, ends included.")] = 10,
    beams: Beams = 1,
    rescue: Rescue = 8,
    properties: Properties = None,
    output: TableOutput = None,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Interpolate."""
    set_up_logging(quiet)

    from cmim_chem.generate.generator import Generator
    from cmim_chem.generate.labels import tabulate_way
    from cmim_chem.model.decoding import Decoding

    generator = Generator.load(model)
    wanted = _choose(generator, properties)
    how = Decoding(beams=beams, rescue=rescue)
    way = generator.interpolate(first, last, steps, how)
    _write(tabulate_way(generator, way, wanted), output)


@commands.command("optimize", help=OPTIMIZE_HELP)
def optimize(
    smiles: Annotated[str, typer.Argument(metavar="SMILES", help="The seed.")],
    name: Annotated[str, typer.Option("--property", help="What is to become better.")] = "qed",
    direction: Annotated[Direction, typer.Option(help="Which way is better.")] = Direction.up,
    min_similarity: Annotated[
        float, typer.Option(help="Least Tanimoto similarity (ECFP4) to the seed, 0 to 1.")
    ] = 0.4,
    n: Count = 10,
    particles: Annotated[int, typer.Option(min=2, help="Codes per iteration.")] = 20,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations at most.")] = 50,
    radius: Annotated[float, typer.Option(help="First step, in spreads of the codes.")] = 1.2,
    seed: Seed = 0,
    properties: Properties = None,
    probe: Probe = None,
    output: TableOutput = None,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Optimize."""
    set_up_logging(quiet)

    from cmim_chem.generate.generator import Generator
    from cmim_chem.generate.labels import tabulate_optimized
    from cmim_chem.generate.optimize import Goal, Search
    from cmim_chem.generate.optimize import optimize as look_for

    goal = Goal(name, direction.value, min_similarity)
    search = Search(particles, iterations, radius, seed)
    generator = Generator.load(model, tuple(probe or ()))
    wanted = _choose(generator, properties)
    found = look_for(generator, smiles, goal, search)
    _write(tabulate_optimized(generator, found, n, wanted), output)
    _tell(
        quiet,
        f"{len(found.smiles):,} molecules within the limits, {found.calls:,} measured; the seed has"
        f" {name} {found.start:.4g}" + (f", the best {found.value[0]:.4g}" if found.smiles else ""),
    )


def _choose(generator: Generator, properties: str | None) -> Sequence[str]:
    from cmim_chem.cli.properties import choose_properties

    if properties == "none":
        return ()
    return choose_properties(generator.predictor, properties)


def _write(frame: pd.DataFrame, output: Path | None) -> None:
    from cmim_chem.chem.write import open_writer

    with open_writer(output) as writer:
        writer.write(frame)


def _tell(quiet: bool, text: str) -> None:
    if not quiet:
        typer.echo(f"cmim: {text}", err=True)
