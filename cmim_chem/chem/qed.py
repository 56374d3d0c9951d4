"""QED (Bickerton et al., Nat. Chem. 2012, 4, 90) as RDKit computes it, to the last bit, but sooner.

RDKit looks for 116 structural alerts and 11 kinds of acceptors in every molecule. Here a pattern is
looked for only if the molecule has, for each atom and each bond of the pattern, one that it could
match, and rings are counted without being looked for. Weights, curves and patterns are RDKit's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from rdkit import Chem
from rdkit.Chem import QED

from cmim_chem.chem.graph import AROMATIC, Graph

#: RDKit's properties that are parts of QED.
PARTS = ("amw", "CrippenClogP", "NumHBD", "tpsa", "NumRotatableBonds")

# Boron to iodine without the metals: elements whose bonds are what they look like.
_NONMETALS = (5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 52, 53)
_USUAL = frozenset((*_NONMETALS, *(number + AROMATIC for number in _NONMETALS)))

_ORDERS = {
    "SingleOrAromaticBond 1 = val": frozenset((1.0, 1.5)),
    "BondOrder 1 = val": frozenset((1.0,)),
    "BondOrder 2 = val": frozenset((2.0,)),
    "BondOrder 3 = val": frozenset((3.0,)),
}

# What an atom of a pattern may be: codes of atoms, or None for any.
_Atoms = frozenset[int] | None
# What a bond of a pattern may be: its two ends and its order, None for any.
_Bond = tuple[_Atoms, frozenset[float] | None, _Atoms]
# What an atom or a bond of a molecule is.
_Code = int | tuple[int, float, int]


def compute_qed(molecule: Chem.Mol, graph: Graph, known: Mapping[str, float]) -> float:
    """Quantitative estimate of drug-likeness.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        A sanitized molecule.
    graph : Graph
        Its atoms and bonds.
    known : mapping of str to float
        The properties `PARTS` of the molecule.

    Returns
    -------
    float
        Between 0 and 1.
    """
    seen = _screen().see(graph)
    # RDKit's function removes written hydrogens first, and bonds to metals may be none to it.
    if not seen.atoms <= _USUAL:
        return float(QED.qed(molecule))
    parts = QED.QEDproperties(
        MW=known["amw"],
        ALOGP=known["CrippenClogP"],
        HBA=sum(len(molecule.GetSubstructMatches(p)) for p in seen.candidates("acceptors")),
        HBD=known["NumHBD"],
        PSA=known["tpsa"],
        ROTB=known["NumRotatableBonds"],
        AROM=_count_rings(graph),
        ALERTS=sum(map(molecule.HasSubstructMatch, seen.candidates("alerts"))),
    )
    return float(QED.qed(molecule, qedProperties=parts))


def _count_rings(graph: Graph) -> int:
    """Rings that are left without the atoms of `QED.AliphaticRings`, RDKit's aromatic rings.

    Those atoms are not aromatic and bound singly to another that is not. What is left has as many
    independent rings as it has bonds between atoms that are joined already.
    """
    kinds = graph.kinds
    gone = set()
    for first, second, order in graph.bonds:
        if order == 1 and kinds[first] < AROMATIC and kinds[second] < AROMATIC:
            gone |= {first, second}
    group = list(range(len(kinds)))
    rings = 0
    for first, second, _ in graph.bonds:
        if first in gone or second in gone:
            continue
        while first != group[first]:
            first = group[first]
        while second != group[second]:
            second = group[second]
        rings += first == second
        group[first] = second
    return rings


@dataclass
class _Screen:
    """What each pattern needs, as bits of an integer, and what each atom and bond can give."""

    needs: dict[str, list[tuple[int, Chem.Mol]]] = field(default_factory=dict)
    conditions: dict[_Atoms | _Bond, int] = field(default_factory=dict)
    given: dict[_Code, int] = field(default_factory=dict)

    def add(self, name: str, patterns: list[Chem.Mol]) -> None:
        """Add a group of patterns."""
        self.needs[name] = [(self._need(pattern), pattern) for pattern in patterns]

    def see(self, graph: Graph) -> _Seen:
        """Collect what a molecule gives."""
        kinds = graph.kinds
        atoms = set(kinds)
        given = 0
        bonds = {(kinds[a], order, kinds[b]) for a, b, order in graph.bonds}
        codes: tuple[_Code, ...] = (*atoms, *bonds)
        for code in codes:
            given |= self.given[code] if code in self.given else self._give(code)
        return _Seen(self, atoms, given)

    def _need(self, pattern: Chem.Mol) -> int:
        atoms = [_allowed(atom.DescribeQuery().splitlines()) for atom in pattern.GetAtoms()]
        needed: list[_Atoms | _Bond] = list(atoms)
        for bond in pattern.GetBonds():
            ends = atoms[bond.GetBeginAtomIdx()], atoms[bond.GetEndAtomIdx()]
            needed.append((ends[0], _ORDERS.get(bond.DescribeQuery().strip()), ends[1]))
        bits = 0
        for condition in needed:
            bits |= 1 << self.conditions.setdefault(condition, len(self.conditions))
        return bits

    def _give(self, code: _Code) -> int:
        bits = 0
        for condition, place in self.conditions.items():
            bits |= _meets(code, condition) << place
        self.given[code] = bits
        return bits


@dataclass(frozen=True)
class _Seen:
    """What one molecule gives."""

    screen: _Screen
    atoms: set[int]
    given: int

    def candidates(self, name: str) -> list[Chem.Mol]:
        """Patterns of a group that the molecule may contain."""
        return [p for need, p in self.screen.needs[name] if not need & ~self.given]


@cache
def _screen() -> _Screen:
    screen = _Screen()
    screen.add("acceptors", QED.Acceptors)
    screen.add("alerts", QED.StructuralAlerts)
    return screen


def _allowed(query: list[str]) -> _Atoms:
    """Read from a query tree, one node to a line and indented by depth, which atoms can match.

    What is not about element and aromaticity is not understood, and so excludes no atom.
    """
    head, rest = query[0].split(), query[1:]
    if head[0] in {"AtomAnd", "AtomOr"}:
        depth = min(len(line) - len(line.lstrip()) for line in rest)
        starts = [at for at, line in enumerate(rest) if not line[depth:].startswith(" ")]
        ends = [*starts[1:], len(rest)]
        parts = [_allowed(rest[at:end]) for at, end in zip(starts, ends, strict=True)]
        known = [part for part in parts if part is not None]
        if head[0] == "AtomOr":
            return frozenset().union(*known) if len(known) == len(parts) else None
        return frozenset.intersection(*known) if known else None
    if head[2:] == ["=", "val"] and head[0] == "AtomType":
        return frozenset((int(head[1]),))
    if head[2:] == ["=", "val"] and head[0] == "AtomAtomicNum":
        return frozenset((int(head[1]), int(head[1]) + AROMATIC))
    return None


def _meets(code: _Code, condition: _Atoms | _Bond) -> bool:
    if condition is None or isinstance(condition, frozenset):
        return isinstance(code, int) and (condition is None or code in condition)
    if isinstance(code, int):
        return False
    one, order, other = condition
    ways = (code, code[::-1])
    return any(
        (one is None or begin in one)
        and (order is None or kind in order)
        and (other is None or end in other)
        for begin, kind, end in ways
    )
