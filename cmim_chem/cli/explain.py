"""`cmim explain`: one molecule, and how sure, why and like what its predictions are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmim_chem.cli.console import lay_out, set_up_logging
from cmim_chem.cli.options import Level, Model
from cmim_chem.cli.properties import choose_properties
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.attribution import Attribution
    from cmim_chem.predictions import Predictions
    from cmim_chem.predictor import Predictor

HELP = """Explain the predictions of one molecule: how sure, which atoms, like what.

\b
Examples:
  cmim explain "CC(=O)Oc1ccccc1C(=O)O" --properties esol,bbbp --svg pictures
  cmim explain "CC(=O)Oc1ccccc1C(=O)O" --properties pIC50 --probe my_probe
      --measured assay.csv --target pIC50
"""
ATOMS_SHOWN = 5


def explain(
    smiles: Annotated[str, typer.Argument(metavar="SMILES", help="One molecule.")],
    properties: Annotated[
        str | None, typer.Option(help="Names of --list, separated by commas; all without it.")
    ] = None,
    probe: Annotated[
        list[Path] | None, typer.Option(help="Folder of a probe of your own; may be repeated.")
    ] = None,
    level: Level = 0.9,
    svg: Annotated[
        Path | None, typer.Option(help="Folder for a picture per property, atoms colored.")
    ] = None,
    measured: Annotated[
        str | None, typer.Option(help="Table of measured molecules to show the nearest of.")
    ] = None,
    target: Annotated[str, typer.Option(help="Column of their values.")] = "",
    neighbors: Annotated[int, typer.Option(min=1, help="How many of each are shown.")] = 5,
    model: Model = None,
) -> None:
    """Explain one molecule."""
    set_up_logging(True)
    if measured is not None and not target:
        raise InputError("--measured needs --target: the column of the values")

    from cmim_chem.attribution import attribute_atoms
    from cmim_chem.predictor import Predictor

    predictor = Predictor.load(model, tuple(probe or ()))
    names = choose_properties(predictor, properties)
    found = predictor.score([smiles], names, level=level)
    if found.standardized[0].smiles is None:
        raise InputError(f"{smiles[:80]!r}: {found.standardized[0].problem}")
    attributions = attribute_atoms(predictor, smiles, names)
    typer.echo(describe_values(found, attributions))
    if svg is not None:
        save_pictures(attributions, svg)
        typer.echo(f"pictures: {svg}")
    typer.echo(describe_drugs(predictor, smiles, neighbors))
    if measured is not None:
        typer.echo(describe_measured(found.standardized[0].smiles, measured, target, neighbors))


def describe_values(found: Predictions, attributions: list[Attribution]) -> str:
    """Lay out values, intervals, domain and the atoms that matter most."""
    from cmim_chem.attribution import rank_atoms
    from cmim_chem.probes.words import CALLS, WORDS
    from cmim_chem.report import describe_domain, format_number

    sure = found.certainty
    lines, rows = [f"standardized: {found.standardized[0].smiles}"], []
    for i, (one, why) in enumerate(zip(found.properties, attributions, strict=True)):
        if sure is None or not one.sure:
            interval = domain = ""
        else:
            ends = [format_number(end[0, i]) for end in (sure.lower, sure.upper)]
            is_number = one.kind == "regression"
            interval = " to ".join(ends) if is_number else CALLS[int(sure.calls[0, i])]
            at = sure.probes.index(one.probe)
            domain = describe_domain(WORDS[int(sure.domain[0, at])], float(sure.similarity[0, at]))
        ranked = rank_atoms(why, ATOMS_SHOWN)
        pairs = zip(ranked["label"], ranked["change"], strict=True)
        atoms = " ".join(f"{label}:{change:+.2f}" for label, change in pairs)
        rows.append([one.name, format_number(why.value), interval, domain, atoms])
    header = ["property", "value", "interval or class", "domain", "atom:contribution"]
    return "\n".join([*lines, lay_out(header, rows)])


def save_pictures(attributions: list[Attribution], folder: Path) -> None:
    """Draw each property with its atoms colored: what raises it orange, what lowers it blue."""
    from cmim_chem.attribution import rank_atoms
    from cmim_chem.chem.depict_weights import weighted_svg

    folder.mkdir(parents=True, exist_ok=True)
    for one in attributions:
        shown = rank_atoms(one, ATOMS_SHOWN)["atom"].tolist()
        drawing = weighted_svg(one.smiles, one.atoms, numbered=shown)
        (folder / f"{one.property.name}.svg").write_text(drawing, encoding="utf-8")


def describe_drugs(predictor: Predictor, smiles: str, k: int) -> str:
    """Lay out the nearest known molecules of the first source, the approved drugs."""
    if not predictor.sources:
        return ""
    source = predictor.sources[0]
    table = predictor.neighbors([smiles], k=k, source=source)
    rows = [
        [str(one.name), f"{one.cosine:.2f}", f"{one.tanimoto:.2f}", str(one.smiles)]
        for one in table.itertuples(index=False)
    ]
    return lay_out([f"nearest {source}", "cosine", "tanimoto", "smiles"], rows)


def describe_measured(smiles: str, table: str, target: str, k: int) -> str:
    """Lay out the nearest measured molecules and the cliffs among them."""
    from cmim_chem.chem.read import read_table
    from cmim_chem.measured import find_measured, read_measured

    found = find_measured(smiles, read_measured(read_table(table, None), target), k)
    rows = [
        [f"{value:.4g}", f"{near:.2f}", one, "cliff" if cliff else ""]
        for one, value, near, cliff in found.itertuples(index=False)
    ]
    return lay_out([f"measured {target}", "tanimoto", "smiles", ""], rows)
