"""Wildman and Crippen's log P and molar refractivity (J. Chem. Inf. Comput. Sci. 1999, 39, 868).

Equal to RDKit's to the last bit. RDKit looks for 110 patterns in every molecule to find out what
each atom contributes. No pattern reaches farther than an atom's neighbors, or than their neighbors
if the atom is oxygen; so what is found for an atom holds for all atoms with the same surroundings,
and is looked up from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cmim_chem.chem.graph import Graph

Floats = NDArray[np.float64]
# An atom and its surroundings, as nested tuples of numbers.
_Key = tuple[Any, ...]
# What an atom and each of its hydrogens add to log P and to the refractivity.
_Parts = tuple[float, float, float, float]

_OXYGEN = 8
_HYDROGEN = 1
_MOST_KEPT = 50_000  # surroundings: some 30 MB

_known: dict[_Key, _Parts] = {}


def crippen_values(molecules: Sequence[Chem.Mol], graphs: Sequence[Graph]) -> tuple[Floats, Floats]:
    """Compute log P and molar refractivity.

    Parameters
    ----------
    molecules : sequence of rdkit.Chem.Mol
        n sanitized molecules.
    graphs : sequence of Graph
        Theirs.

    Returns
    -------
    (n,) float64
        Log P.
    (n,) float64
        Molar refractivity.
    """
    if len(_known) > _MOST_KEPT:
        _known.clear()
    parts: list[_Parts] = []
    for molecule, graph in zip(molecules, graphs, strict=True):
        keys = _describe_atoms(graph)
        if any(key not in _known for key in keys):
            _learn(molecule, keys)
        parts += [_known[key] for key in keys]
    table = np.array(parts, dtype=np.float64).reshape(-1, 4)
    owner = np.repeat(np.arange(len(graphs)), [len(graph.kinds) for graph in graphs])
    counts = np.array([n for graph in graphs for n in graph.hydrogens], dtype=np.intp)
    # RDKit's order of adding: the atoms, then their hydrogens.
    owners = np.concatenate([owner, np.repeat(owner, counts)])
    logp, refractivity = (
        np.bincount(owners, np.concatenate([own, np.repeat(each, counts)]), len(graphs)).astype(
            float
        )
        for own, each in ((table[:, 0], table[:, 2]), (table[:, 1], table[:, 3]))
    )
    for row, (molecule, graph) in enumerate(zip(molecules, graphs, strict=True)):
        if _HYDROGEN in graph.kinds:  # hydrogens that are written are atoms of their own
            logp[row], refractivity[row] = rdMolDescriptors.CalcCrippenDescriptors(molecule)
    return logp, refractivity


def _describe_atoms(graph: Graph) -> list[_Key]:
    around: list[list[tuple[float, int]]] = [[] for _ in graph.kinds]
    for a, b, order in graph.bonds:
        around[a].append((order, b))
        around[b].append((order, a))
    own = list(zip(graph.kinds, graph.hydrogens, graph.charges, map(len, around), strict=True))
    near = [
        (one, *sorted([(order, own[other]) for order, other in bonds]))
        for one, bonds in zip(own, around, strict=True)
    ]
    return [
        (key, *sorted([near[other] for _, other in bonds])) if kind == _OXYGEN else key
        for key, kind, bonds in zip(near, graph.kinds, around, strict=True)
    ]


def _learn(molecule: Chem.Mol, keys: Sequence[_Key]) -> None:
    whole = Chem.AddHs(molecule)
    found = rdMolDescriptors._CalcCrippenContribs(whole)
    hydrogens = dict.fromkeys(range(len(keys)), (0.0, 0.0))
    for at in range(len(keys), whole.GetNumAtoms()):
        (parent,) = whole.GetAtomWithIdx(at).GetNeighbors()
        hydrogens[parent.GetIdx()] = found[at]
    for at, key in enumerate(keys):
        _known[key] = (*found[at], *hydrogens[at])
