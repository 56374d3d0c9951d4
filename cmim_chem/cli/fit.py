"""`cmim fit`: a table with a target column in, a probe folder and its held-out score out."""

from __future__ import annotations

import logging
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import lay_out, set_up_logging
from cmim_chem.cli.options import Model, Quiet, SmilesColumn

if TYPE_CHECKING:
    from cmim_chem.probes.card import ProbeCard
    from cmim_chem.probes.model import Kind

HELP = """Fit a probe on a table of your own.

Features and head are chosen on validation rows; the score that is shown comes from test rows of
other scaffolds. The folder then works in `cmim score --probe FOLDER`.

\b
Examples:
  cmim fit assay.csv --target pIC50 --unit "-log10 mol/L" -o probes/assay
  cmim score molecules.csv --probe probes/assay --properties pIC50
"""


class Task(StrEnum):
    """What the labels are."""

    auto = "auto"
    regression = "regression"
    classification = "classification"


KINDS: dict[Task, Kind | None] = {
    Task.auto: None,
    Task.regression: "regression",
    Task.classification: "classification",
}


def fit(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="Table with a SMILES column and a target, as for cmim score."
        ),
    ],
    target: Annotated[str, typer.Option(help="Column of the labels; empty cells are left out.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the probe.")],
    name: Annotated[str, typer.Option(help="Name of the property; the target's without it.")] = "",
    unit: Annotated[str, typer.Option(help="Unit of the target, in words.")] = "as in the table",
    task: Annotated[Task, typer.Option(help="Told by the labels without it.")] = Task.auto,
    head: Annotated[str, typer.Option(help="auto, linear, svm, mlp or lightgbm.")] = "auto",
    features: Annotated[
        str, typer.Option(help="auto, or some of z, h, descriptors, ecfp joined by +.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Fixes everything random.")] = 0,
    smiles_column: SmilesColumn = None,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Fit a probe."""
    set_up_logging(quiet, logging.INFO)

    from cmim_chem.assay import FitRequest, fit_table
    from cmim_chem.chem.read import read_table
    from cmim_chem.predictor import Predictor
    from cmim_chem.probes.artifact import save_probe

    request = FitRequest(
        target=target,
        name=name,
        unit=unit,
        task=KINDS[task],
        head=None if head == "auto" else head,
        features=None if features == "auto" else features,
        seed=seed,
        created=date.today().isoformat(),
    )
    rows = read_table(table, smiles_column)
    probe = fit_table(Predictor.load(model), rows, request)
    save_probe(probe, output)
    typer.echo(describe_probe(probe.card, output))


def describe_probe(card: ProbeCard, folder: Path) -> str:
    """Say what was fitted and how well it does.

    Parameters
    ----------
    card : ProbeCard
        Facts of the probe.
    folder : Path
        Where it was written.

    Returns
    -------
    str
        A few lines: the choice, the held-out scores, the notes.
    """
    from cmim_chem.probes.card import ENTRY_WORDS, METRIC_WORDS

    metric = METRIC_WORDS[card.metric]
    scores = []
    for entry, words in ENTRY_WORDS.items():
        if entry in card.scores:
            value = card.scores[entry]["value"]
            scores.append([words, "not defined" if value is None else f"{value:.3f}"])
    lines = [
        f"{card.name}: {card.kind}, {card.rows} molecules, features {card.features}, "
        f"head {card.head}",
        f"split: {card.split}, {'/'.join(map(str, card.split_rows))} rows",
        lay_out(["on test rows", metric], scores),
        *(f"note: {note}" for note in card.notes),
        f"written to {folder}; use it with: cmim score TABLE --probe {folder}",
    ]
    return "\n".join(lines)
