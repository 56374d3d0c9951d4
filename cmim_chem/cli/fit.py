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

The mean of a linear model, an SVM (above 3,000 rows a perceptron) and boosted trees, the setting of
each chosen on validation rows; the score that is shown comes from test rows of other scaffolds. The
folder then works in `cmim score --probe FOLDER`, with intervals and domain; its report/report.md
tells how good it is, how sure, and where it was wrong. Molecules measured more than once count
once: numbers are averaged, contradictory classes left out.

\b
Examples:
  cmim fit assay.csv --target pIC50 --unit "-log10 mol/L" -o probes/assay
  cmim score molecules.csv --probe probes/assay --properties pIC50
  cmim fit assay.csv --target pIC50 --split time:date --nested -o probes/assay
  cmim fit assay.csv --target pIC50 --finetune -o probes/assay
  cmim fit tox.csv --target herg --target ames --name safety -o probes/safety
"""


class Task(StrEnum):
    """What the labels are."""

    auto = "auto"
    regression = "regression"
    classification = "classification"


#: A tenth of fewer molecules says too little to leave it at that.
FEW_FOR_ONE_SPLIT = 200

KINDS: dict[Task, Kind | None] = {
    Task.auto: None,
    Task.regression: "regression",
    Task.classification: "classification",
}


Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE", help="Table with a SMILES column and a target, as for cmim score."
    ),
]
Targets = Annotated[
    list[str],
    typer.Option(help="Column of the labels, empty where unknown; may be repeated."),
]
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder of the probe.")]
Name = Annotated[str, typer.Option(help="Name of the property; the target's without it.")]
Unit = Annotated[str, typer.Option(help="Unit of the target, in words.")]
TaskOption = Annotated[Task, typer.Option(help="Told by the labels without it.")]
Head = Annotated[
    str, typer.Option(help="auto, the mean of several; or linear, svm, mlp, lightgbm alone.")
]
FeatureSet = Annotated[
    str,
    typer.Option(
        help="auto, that is h+descriptors+ecfp; or some of z, h, descriptors, ecfp joined by +."
    ),
]
SplitOption = Annotated[
    str, typer.Option(help="scaffold, random or time:COLUMN: what is held out.")
]
NestedOption = Annotated[
    bool,
    typer.Option(
        "--nested/--no-nested",
        help="Also a nested cross-validation; done by itself for fewer than 200 molecules.",
    ),
]
Finetune = Annotated[
    bool,
    typer.Option(
        "--finetune/--no-finetune",
        help="Also train a copy of the encoder on the table, minutes for a thousand molecules; kept"
        " only if it validates better.",
    ),
]
Report = Annotated[
    bool, typer.Option("--report/--no-report", help="Write report/ into the folder.")
]
Seed = Annotated[int, typer.Option(help="Fixes everything random.")]


def fit(
    table: Table,
    target: Targets,
    output: Folder,
    name: Name = "",
    unit: Unit = "as in the table",
    task: TaskOption = Task.auto,
    head: Head = "auto",
    features: FeatureSet = "auto",
    split: SplitOption = "scaffold",
    nested: NestedOption = False,
    finetune: Finetune = False,
    report: Report = True,
    seed: Seed = 0,
    smiles_column: SmilesColumn = None,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Fit a probe."""
    set_up_logging(quiet, logging.INFO)

    from cmim_chem.assay import FitRequest, fit_assay
    from cmim_chem.assay_report import validate_nested, write_report
    from cmim_chem.chem.read import read_table
    from cmim_chem.predictor import Predictor
    from cmim_chem.probes.artifact import save_probe

    request = FitRequest(
        target=target[0],
        more_targets=tuple(target[1:]),
        split=split,
        finetune=finetune,
        name=name,
        unit=unit,
        task=KINDS[task],
        head=None if head == "auto" else head,
        features=None if features == "auto" else features,
        seed=seed,
        created=date.today().isoformat(),
    )
    rows = read_table(table, smiles_column)
    fitted = fit_assay(Predictor.load(model), rows, request)
    card = fitted.probe.card
    save_probe(fitted.probe, output)
    typer.echo(describe_probe(card, output, fitted.seconds))
    if report:
        crossed = None
        if nested or card.rows < FEW_FOR_ONE_SPLIT:
            crossed = validate_nested(fitted, request.feature_sets, request.heads)
        page = write_report(fitted, output / "report", crossed)
        typer.echo(f"report: {page}")


def describe_probe(card: ProbeCard, folder: Path, seconds: float = 0.0) -> str:
    """Say what was fitted and how well it does.

    Parameters
    ----------
    card : ProbeCard
        Facts of the probe.
    folder : Path
        Where it was written.
    seconds : float
        Time that fine-tuning took.

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
        *describe_sureness(card),
        *([f"{card.tell_finetuning()} It took {seconds:.0f} s."] if card.finetuning else []),
        *(f"note: {note}" for note in card.notes),
        f"written to {folder}; use it with: cmim score TABLE --probe {folder}",
    ]
    return "\n".join(lines)


def describe_sureness(card: ProbeCard) -> list[str]:
    """Say how intervals and probabilities came out on the test rows.

    Parameters
    ----------
    card : ProbeCard
        Facts of the probe.

    Returns
    -------
    list of str
        One line per target; none for a probe that cannot say how sure it is.
    """
    lines = []
    for task, found in card.sureness.get("tasks", {}).items():
        if found.get("coverage") is not None:
            share = f"{100 * found['coverage']:.0f} % of test rows"
            lines.append(f"{task}: 90 % intervals hold {share}, median width {found['width']:.3g}")
        elif found.get("ece_after") is not None:
            before, after = found["ece_before"], found["ece_after"]
            lines.append(f"{task}: calibration error {before:.3f}, {after:.3f} once calibrated")
    return lines
