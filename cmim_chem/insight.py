"""One property of one molecule in depth: which atoms drive it, and what was measured for its like.

Puts `cmim_chem.attribution` and `cmim_chem.measured` side by side and into words, for the app and
the report of a molecule. It takes a moment, so it is done for what somebody asks about only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cmim_chem.attribution import Attribution, attribute_atoms, rank_atoms
from cmim_chem.chem.depict_weights import weighted_svg
from cmim_chem.chem.parse import parse_standardized
from cmim_chem.errors import InputError
from cmim_chem.measured import find_measured
from cmim_chem.measurements import Measurements
from cmim_chem.predictions import Property
from cmim_chem.predictor import Predictor
from cmim_chem.report import format_number

#: A molecule of more atoms is not explained: each is hidden in turn, five times over.
MOST_ATOMS = 150
_NUMBERED = 5

LEGEND = (
    "Orange atoms raise the prediction, blue ones lower it, the deeper the more; the largest are "
    "numbered as in the SMILES. It says what this model reads, not what causes the effect."
)
CLIFF = (
    "Activity cliff: two similar molecules (Tanimoto 0.55 or more) with very different measured "
    "values. Near a cliff, small changes matter, and predictions are often wrong."
)


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """What drives one property of a molecule, and what was measured for its like.

    Attributes
    ----------
    attribution : Attribution
        Change of the prediction with each atom.
    measured : DataFrame or None
        As of `cmim_chem.measured.find_measured`; None if no table is at hand.
    table : str
        What the values come from, in words; empty without them.
    """

    attribution: Attribution
    measured: pd.DataFrame | None = None
    table: str = ""

    @property
    def property(self) -> Property:
        """What was predicted."""
        return self.attribution.property


def explain_property(predictor: Predictor, smiles: str, name: str) -> Attribution:
    """Find out which atoms drive a property, unless the molecule is very large.

    Parameters
    ----------
    predictor : Predictor
        That predicted it.
    smiles : str
        Standardized SMILES.
    name : str
        Of the property.

    Returns
    -------
    Attribution

    Raises
    ------
    InputError
        If the molecule is too large, or the property is not known.
    """
    atoms = parse_standardized(smiles).GetNumAtoms()
    if atoms > MOST_ATOMS:
        raise InputError(
            f"this molecule has {atoms} atoms; only up to {MOST_ATOMS} are hidden one by one here"
        )
    return attribute_atoms(predictor, smiles, [name])[0]


def add_measured(found: Attribution, known: Measurements, table: str, k: int = 8) -> Insight:
    """Put the nearest measured molecules beside the atoms that matter.

    Parameters
    ----------
    found : Attribution
        Of one property.
    known : Measurements
        Of that property.
    table : str
        Where these come from, in words.
    k : int
        Molecules wanted.

    Returns
    -------
    Insight
    """
    return Insight(found, find_measured(found.smiles, known, k), table)


def draw_atoms(found: Attribution, size: tuple[int, int], dark: bool = False) -> str:
    """Draw the molecule with its atoms colored, as an SVG document; `LEGEND` says how to read it.

    Parameters
    ----------
    found : Attribution
        Of one property.
    size : tuple of int
        Width and height in pixels.
    dark : bool
        For a dark page.

    Returns
    -------
    str
    """
    numbered = rank_atoms(found, _NUMBERED)["atom"].tolist()
    return weighted_svg(found.smiles, found.atoms, *size, numbered=numbered, dark=dark)


def describe_atoms(found: Attribution, k: int = _NUMBERED) -> str:
    """Say in a sentence or two which atoms matter most.

    Parameters
    ----------
    found : Attribution
        Of one property.
    k : int
        Atoms named.

    Returns
    -------
    str
        Such as ``Raised most by O4 (+0.41), C2 (+0.20); lowered most by c7 (−0.35), in
        log10 mol/L, when each is compared with the molecule without it.``
    """
    ranked = rank_atoms(found, k)
    if ranked.empty:
        return "No atom changes this prediction."
    is_chance = found.property.kind == "classification"
    unit = "log-odds" if is_chance else found.property.unit
    parts = [
        f"{words} by {', '.join(_name_atoms(ranked[keep]))}"
        for words, keep in (("raised", ranked["change"] > 0), ("lowered", ranked["change"] < 0))
        if keep.any()
    ]
    return f"The prediction is {'; '.join(parts)}. Changes when an atom is hidden, in {unit}."


def describe_neighbors(insight: Insight) -> list[tuple[str, list[str]]]:
    """The nearest measured molecules and what is said of each.

    Parameters
    ----------
    insight : Insight
        Of one property.

    Returns
    -------
    list of tuple of str and list of str
        SMILES and lines of words: the value first, then similarity and cliff. Empty where nothing
        was measured.
    """
    if insight.measured is None:
        return []
    cards = []
    for smiles, value, tanimoto, cliff in insight.measured.itertuples(index=False):
        lines = [_name_value(insight.property, value), f"Tanimoto {tanimoto:.2f}"]
        lines += ["this molecule"] if smiles == insight.attribution.smiles else []
        cards.append((smiles, [*lines, "activity cliff"] if cliff else lines))
    return cards


def _name_value(one: Property, value: float) -> str:
    if one.kind == "classification":
        return "measured active" if value >= 0.5 else "measured inactive"
    return f"measured {format_number(value)} {one.unit}".strip()


def _name_atoms(ranked: pd.DataFrame) -> Sequence[str]:
    pairs = zip(ranked["label"], ranked["change"], strict=True)
    return [
        f"{label} ({'+' if change > 0 else ''}{format_number(change)})" for label, change in pairs
    ]
