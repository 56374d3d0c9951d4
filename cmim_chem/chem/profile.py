"""The physico-chemical profile of a molecule, and the rules of thumb that chemists hold it against.

Counted and computed by RDKit from the structure, nothing predicted: it stands beside the
predictions. A broken rule is a remark, no verdict: many approved drugs break one. Substructures to
be warned of are in `cmim_chem.chem.alerts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors

from cmim_chem.chem.parse import parse_standardized


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of the profile.

    Attributes
    ----------
    name : str
        Short name, unique.
    title : str
        In words.
    unit : str
        Unit; empty for counts and ratios.
    digits : int
        Decimals worth showing.
    """

    name: str
    title: str
    unit: str = ""
    digits: int = 0


#: The profile, in the order of its columns.
QUANTITIES: tuple[Quantity, ...] = (
    Quantity("mol_weight", "Molecular weight", "g/mol", 1),
    Quantity("logp", "log P (Crippen)", "", 2),
    Quantity("tpsa", "Polar surface area (TPSA)", "Å²", 1),
    Quantity("hbd", "Hydrogen-bond donors (NH, OH)"),
    Quantity("hba", "Hydrogen-bond acceptors (N, O)"),
    Quantity("rotatable", "Rotatable bonds"),
    Quantity("rings", "Rings"),
    Quantity("aromatic_rings", "Aromatic rings"),
    Quantity("fsp3", "Share of sp³ carbons", "", 2),
    Quantity("refractivity", "Molar refractivity (Crippen)", "cm³/mol", 1),
    Quantity("atoms", "Atoms, hydrogen included"),
    Quantity("qed", "Drug-likeness (QED, 0 to 1)", "", 2),
)
_COMPUTE: Mapping[str, Callable[[Chem.Mol], float]] = {
    "mol_weight": Descriptors.MolWt,
    "logp": Crippen.MolLogP,
    "tpsa": rdMolDescriptors.CalcTPSA,
    "hbd": rdMolDescriptors.CalcNumLipinskiHBD,
    "hba": rdMolDescriptors.CalcNumLipinskiHBA,
    "rotatable": rdMolDescriptors.CalcNumRotatableBonds,
    "rings": rdMolDescriptors.CalcNumRings,
    "aromatic_rings": rdMolDescriptors.CalcNumAromaticRings,
    "fsp3": rdMolDescriptors.CalcFractionCSP3,
    "refractivity": Crippen.MolMR,
    "atoms": lambda molecule: molecule.GetNumAtoms(onlyExplicit=False),
    "qed": QED.qed,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of thumb: ranges that some numbers of the profile should lie in.

    Attributes
    ----------
    name : str
        As chemists call it.
    about : str
        What it speaks for.
    ranges : mapping of str to tuple of float
        Lowest and highest value of some quantities, in their units, both allowed.
    forgiven : int
        Numbers that may lie outside.
    source : str
        Where it was published.
    """

    name: str
    about: str
    ranges: Mapping[str, tuple[float, float]]
    forgiven: int
    source: str


_INF = float("inf")
RULES: tuple[Rule, ...] = (
    Rule(
        "Lipinski (rule of five)",
        "absorption by mouth",
        {"mol_weight": (0, 500), "logp": (-_INF, 5), "hbd": (0, 5), "hba": (0, 10)},
        1,
        "Adv. Drug Deliv. Rev. 1997, 23, 3",
    ),
    Rule(
        "Veber",
        "availability by mouth in rats",
        {"rotatable": (0, 10), "tpsa": (0, 140)},
        0,
        "J. Med. Chem. 2002, 45, 2615",
    ),
    Rule(
        "Egan",
        "passive absorption in the gut",
        {"logp": (-_INF, 5.88), "tpsa": (0, 131.6)},
        0,
        "J. Med. Chem. 2000, 43, 3867",
    ),
    Rule(
        "Ghose",
        "likeness to known drugs",
        {
            "mol_weight": (160, 480),
            "logp": (-0.4, 5.6),
            "refractivity": (40, 130),
            "atoms": (20, 70),
        },
        0,
        "J. Comb. Chem. 1999, 1, 55",
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a molecule stands to a rule.

    Attributes
    ----------
    rule : Rule
        The rule.
    broken : tuple of str
        Each number outside its range, in words, such as ``log P 5.6, above 5``.
    """

    rule: Rule
    broken: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether no more numbers lie outside than the rule forgives."""
        return len(self.broken) <= self.rule.forgiven


def profile(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Profile of molecules, in the order of `QUANTITIES`.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n, 12), float64, in the units of `QUANTITIES`.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    table = np.empty((len(smiles), len(QUANTITIES)))
    with rdBase.BlockLogs():
        for row, text in zip(table, smiles, strict=True):
            molecule = parse_standardized(text)
            row[:] = [_COMPUTE[one.name](molecule) for one in QUANTITIES]
    return table


def check_rules(values: Sequence[float] | NDArray[np.float64]) -> tuple[Verdict, ...]:
    """Hold a profile against every rule.

    Parameters
    ----------
    values : (12,) float
        One row of `profile`.

    Returns
    -------
    tuple of Verdict
        One per rule of `RULES`.
    """
    known = {one.name: float(value) for one, value in zip(QUANTITIES, values, strict=True)}
    return tuple(
        Verdict(
            rule,
            tuple(
                _describe_miss(name, known[name], limits)
                for name, limits in rule.ranges.items()
                if not limits[0] <= known[name] <= limits[1]
            ),
        )
        for rule in RULES
    )


def count_formula(smiles: str) -> str:
    """Molecular formula in Hill order, such as ``C9H8O4``.

    Parameters
    ----------
    smiles : str
        A standardized SMILES.

    Returns
    -------
    str
        The formula.

    Raises
    ------
    InputError
        If the SMILES does not parse.
    """
    with rdBase.BlockLogs():
        return str(rdMolDescriptors.CalcMolFormula(parse_standardized(smiles)))


def _describe_miss(name: str, value: float, limits: tuple[float, float]) -> str:
    one = next(quantity for quantity in QUANTITIES if quantity.name == name)
    side, limit = ("above", limits[1]) if value > limits[1] else ("below", limits[0])
    unit = f" {one.unit}" if one.unit else ""
    return f"{one.title} {value:.{one.digits}f}{unit}, {side} {limit:g}"
