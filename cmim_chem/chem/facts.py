"""Facts about a molecule that RDKit computes cheaply: what the chemistry factors learn to predict.

Made for millions of molecules, so costly descriptors are left out; the features that probes read
are in `cmim_chem.chem.descriptors`. Scaling and storing are `cmim_chem.pretrain.facts`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Fragments, rdFingerprintGenerator, rdMolDescriptors

from cmim_chem.chem.parse import parse_standardized

BITS = 1_024
_GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
_PROPERTIES = rdMolDescriptors.Properties()
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
    *_PROPERTIES.GetPropertyNames(),
    *(f"{name}{i + 1}" for name, (_, size) in _VECTORS.items() for i in range(size)),
)
GROUPS: tuple[str, ...] = tuple(_GROUPS)

# Every kind of fact and how many numbers it is: real numbers first, then yes or no.
REAL: dict[str, int] = {"descriptors": len(DESCRIPTORS)}
BINARY: dict[str, int] = {"ecfp": BITS, "groups": len(GROUPS)}


def compute_facts(smiles: Sequence[str]) -> dict[str, NDArray[np.float32] | NDArray[np.bool_]]:
    """Facts of molecules.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    dict of str to ndarray
        ``descriptors``, shape (n, 121), float32, in the units of RDKit, NaN where RDKit has no
        value; ``ecfp``, shape (n, 1024), bool, the bits of ECFP4; ``groups``, shape (n, 85), bool,
        which functional groups there are.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    n = len(smiles)
    real = np.zeros((n, len(DESCRIPTORS)), dtype=np.float32)
    bits = np.zeros((n, BITS), dtype=np.bool_)
    groups = np.zeros((n, len(GROUPS)), dtype=np.bool_)
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            molecule = parse_standardized(text)
            values = list(_PROPERTIES.ComputeProperties(molecule))
            for compute, _ in _VECTORS.values():
                values.extend(compute(molecule))
            real[row] = values
            bits[row] = _GENERATOR.GetFingerprintAsNumPy(molecule)
            groups[row] = [molecule.HasSubstructMatch(pattern) for pattern in _GROUPS.values()]
    real[~np.isfinite(real)] = np.nan
    return {"descriptors": real, "ecfp": bits, "groups": groups}
