"""Facts about a molecule that RDKit computes cheaply: what the chemistry factors learn to predict.

Made while training, so costly descriptors are left out; the features that probes read are in
`cmim_chem.chem.descriptors`. Scaling is `cmim_chem.pretrain.facts`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Fragments, rdFingerprintGenerator, rdMolDescriptors

from cmim_chem.chem.descriptors import PROPERTY_NAMES, rdkit_properties
from cmim_chem.chem.graph import read_graph
from cmim_chem.chem.parse import parse_standardized

BITS = 1_024
_GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
# Vectors of descriptors that are computed in one go, and how many numbers each holds.
_VECTORS: dict[str, tuple[Callable[[Chem.Mol], Sequence[float]], int]] = {
    "SlogP_VSA": (rdMolDescriptors.SlogP_VSA_, 12),
    "SMR_VSA": (rdMolDescriptors.SMR_VSA_, 10),
    "PEOE_VSA": (rdMolDescriptors.PEOE_VSA_, 14),
    "MQN": (rdMolDescriptors.MQNs_, 42),
}
# RDKit's functional groups; the pattern is the second default of each counting function.
_GROUPS: dict[str, Chem.Mol] = {name: count.__defaults__[1] for name, count in Fragments.fns}

DESCRIPTORS: tuple[str, ...] = (
    *PROPERTY_NAMES,
    *(f"{name}{i + 1}" for name, (_, size) in _VECTORS.items() for i in range(size)),
)
GROUPS: tuple[str, ...] = tuple(_GROUPS)

# Every kind of fact and how many numbers it is: real numbers first, then yes or no.
REAL: dict[str, int] = {"descriptors": len(DESCRIPTORS)}
BINARY: dict[str, int] = {"ecfp": BITS, "groups": len(GROUPS)}


def compute_facts(smiles: Sequence[str], names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Facts of molecules.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.
    names : sequence of str
        Kinds of facts that are wanted.

    Returns
    -------
    dict of str to ndarray
        float32, by kind: ``descriptors``, shape (n, 121), in the units of RDKit, NaN where RDKit
        has no value; ``ecfp``, shape (n, 1024), the bits of ECFP4; ``groups``, shape (n, 85), which
        functional groups there are, 0 or 1.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    molecules = [parse_standardized(text) for text in smiles]
    found = {name: np.asarray(_KINDS[name](molecules), dtype=np.float32) for name in names}
    return {name: table.reshape(len(molecules), -1) for name, table in found.items()}


def _describe(molecules: list[Chem.Mol]) -> NDArray[np.float64]:
    known = rdkit_properties(molecules, [read_graph(one) for one in molecules])
    vectors = [[x for make, _ in _VECTORS.values() for x in make(one)] for one in molecules]
    table = np.column_stack([*(known[name] for name in PROPERTY_NAMES), np.array(vectors)])
    return np.where(np.isfinite(table), table, np.nan)


def _find_bits(molecules: list[Chem.Mol]) -> list[NDArray[np.uint8]]:
    return [_GENERATOR.GetFingerprintAsNumPy(one) for one in molecules]


def _find_groups(molecules: list[Chem.Mol]) -> list[list[bool]]:
    return [[one.HasSubstructMatch(group) for group in _GROUPS.values()] for one in molecules]


_KINDS: dict[str, Callable[[list[Chem.Mol]], Any]] = {
    "descriptors": _describe,
    "ecfp": _find_bits,
    "groups": _find_groups,
}
