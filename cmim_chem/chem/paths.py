"""Connectivity and shape indices of many molecules at once, equal to RDKit's up to rounding.

RDKit lists the paths of a molecule anew for each of nine indices. Here all molecules are one graph
without bonds between them, whose paths of two to four bonds are found with arrays. The indices are
those of Hall and Kier, Rev. Comp. Chem. 1991, 2, 367: chi as in equations 5, 9 and 10, kappa as in
equations 58 to 62. RDKit also counts paths that end where they have been: those that close a ring
count each of its atoms once, those that end on a ring of three they entered count one atom twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cmim_chem.chem.graph import AROMATIC, Graph

#: RDKit's names of the indices computed here.
PATH_INDICES = (
    *("chi2v", "chi3v", "chi4v", "chi2n", "chi3n", "chi4n"),
    *("kappa2", "kappa3", "Phi"),
)

_TABLE = Chem.GetPeriodicTable()
_ELEMENTS = range(119)
_OUTER = np.array([_TABLE.GetNOuterElecs(n) if n else 0 for n in _ELEMENTS], dtype=np.float64)
# Electrons below the outer shell, less the one that equation 5 takes off, for the third row on.
_CORE = np.array([n - _OUTER[n] - 1.0 if n > 10 else 1.0 for n in _ELEMENTS])

Floats = NDArray[np.float64]
_Atoms = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Paths:
    """Directed paths of one length: `atoms`, the weight of each, and the atom that comes twice."""

    atoms: tuple[_Atoms, ...]
    weight: float
    again: _Atoms | None = None

    def sum(self, delta: Floats, owner: _Atoms, n: int) -> Floats:
        """Sum the products of delta over the paths of each of n molecules."""
        product = np.full(len(self.atoms[0]), self.weight)
        for atoms in self.atoms if self.again is None else (*self.atoms, self.again):
            product *= delta[atoms]
        return np.bincount(owner[self.atoms[0]], product, n).astype(np.float64)


def path_indices(graphs: Sequence[Graph], known: Mapping[str, Floats]) -> dict[str, Floats]:
    """Compute the indices of `PATH_INDICES`.

    Parameters
    ----------
    graphs : sequence of Graph
        n molecules.
    known : mapping of str to ndarray
        RDKit's properties ``NumHeavyAtoms``, ``hallKierAlpha`` and ``kappa1``, shape (n,), float64.

    Returns
    -------
    dict of str to ndarray
        Shape (n,), float64; not finite where RDKit's are not.
    """
    n = len(graphs)
    sizes = np.array([len(graph.kinds) for graph in graphs], dtype=np.intp)
    owner = np.repeat(np.arange(n), sizes)
    paths = _find_paths(graphs, sizes)
    deltas = _deltas(graphs)
    is_heavy = np.array([k != 1 for g in graphs for k in g.kinds], dtype=np.float64)
    found: dict[str, Floats] = {}
    with np.errstate(all="ignore"):
        for kind, delta in deltas.items():
            for length, parts in paths.items():
                total = np.sum([part.sum(delta, owner, n) for part in parts], axis=0)
                found[f"chi{length}{kind}"] = total
        two, three = (
            np.sum([part.sum(is_heavy, owner, n) for part in paths[length]], axis=0)
            for length in (2, 3)
        )
        atoms, alpha = known["NumHeavyAtoms"], known["hallKierAlpha"]
        found["kappa2"] = _divide((atoms + alpha - 1) * (atoms + alpha - 2) ** 2, two + alpha)
        odd = np.where(atoms % 2 == 1, 1, 2)
        found["kappa3"] = _divide((atoms + alpha - odd) * (atoms + alpha - 3) ** 2, three + alpha)
        found["Phi"] = np.where(atoms > 0, known["kappa1"] * found["kappa2"] / atoms, 0.0)
    return found


def _divide(above: Floats, below: Floats) -> Floats:
    return np.where(below != 0.0, above / below**2, 0.0)


def _deltas(graphs: Sequence[Graph]) -> dict[str, Floats]:
    """Compute delta^-1/2 of each atom, by valence (v) and by outer electrons only (n)."""
    kinds = np.array([kind for graph in graphs for kind in graph.kinds], dtype=np.intp)
    hydrogens = np.array([count for graph in graphs for count in graph.hydrogens], dtype=np.float64)
    element = kinds % AROMATIC
    outer = _OUTER[element] - hydrogens
    outer[element <= 1] = 0.0
    with np.errstate(all="ignore"):
        by_kind = {"v": outer / _CORE[element], "n": outer}
        return {k: np.where(d != 0.0, 1.0 / np.sqrt(d), 0.0) for k, d in by_kind.items()}


def _find_paths(graphs: Sequence[Graph], sizes: _Atoms) -> dict[int, list[_Paths]]:
    """Find the paths of 2, 3 and 4 bonds; every one from both of its ends, hence the weights."""
    first = np.concatenate([np.zeros(1, dtype=np.intp), np.cumsum(sizes)])
    bonds = [(a + at, b + at) for at, g in zip(first, graphs, strict=False) for a, b, _ in g.bonds]
    ends = np.array(bonds, dtype=np.intp).reshape(-1, 2)
    begin, end = np.concatenate([ends, ends[:, ::-1]]).T
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    start = np.searchsorted(begin, np.arange(first[-1] + 1))

    def extend(path: tuple[_Atoms, ...]) -> tuple[_Atoms, ...]:
        # One copy of each path for every neighbor of its last atom but the one it came from.
        count = start[path[-1] + 1] - start[path[-1]]
        rows = np.repeat(np.arange(len(count)), count)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
        new = end[start[path[-1]][rows] + place]
        kept = new != path[-2][rows]
        return (*(atoms[rows[kept]] for atoms in path), new[kept])

    def choose(path: tuple[_Atoms, ...], chosen: NDArray[np.bool_]) -> tuple[_Atoms, ...]:
        return tuple(atoms[chosen] for atoms in path)

    two = extend((begin, end))
    three = extend(two)
    closed = three[3] == three[0]
    triangle = choose(three, closed)[:3]
    three = choose(three, ~closed)
    four = extend(three)
    ring, lariat = four[4] == four[0], four[4] == four[1]
    square, lasso = choose(four, ring)[:4], choose(four, lariat)[:4]
    return {
        2: [_Paths(two, 1 / 2)],
        3: [_Paths(three, 1 / 2), _Paths(triangle, 1 / 6)],
        4: [
            _Paths(choose(four, ~ring & ~lariat), 1 / 2),
            _Paths(square, 1 / 8),
            _Paths(lasso, 1 / 2, lasso[1]),
        ],
    }
