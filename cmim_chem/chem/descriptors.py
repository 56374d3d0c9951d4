"""Classical features of molecules, by RDKit: physico-chemical descriptors and ECFP4 counts.

They join h in the probes where that validates better, and are the baseline that h must beat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import QED, Crippen, rdFingerprintGenerator, rdMolDescriptors
from rdkit.DataStructs import BulkTanimotoSimilarity

from cmim_chem.errors import InputError

ECFP_RADIUS = 2
ECFP_SIZE = 2_048

# RDKit's own table of cheap descriptors (43 of them), then three that chemists read every day.
_PROPERTIES = rdMolDescriptors.Properties()
DESCRIPTOR_NAMES: tuple[str, ...] = (*_PROPERTIES.GetPropertyNames(), "MolLogP", "MolMR", "QED")
_GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=ECFP_RADIUS, fpSize=ECFP_SIZE)


def descriptors(smiles: Sequence[str]) -> NDArray[np.float32]:
    """Physico-chemical descriptors, in the order of `DESCRIPTOR_NAMES`.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n, 46), float32; NaN where RDKit cannot compute a descriptor of a molecule.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    table = np.zeros((len(smiles), len(DESCRIPTOR_NAMES)), dtype=np.float32)
    for row, molecule in zip(table, _parse(smiles), strict=True):
        values = [
            *_PROPERTIES.ComputeProperties(molecule),
            Crippen.MolLogP(molecule),
            Crippen.MolMR(molecule),
            QED.qed(molecule),
        ]
        row[:] = values
    return np.where(np.isfinite(table), table, np.float32(np.nan))


def ecfp_counts(smiles: Sequence[str]) -> NDArray[np.float32]:
    """Folded ECFP4 counts (Rogers and Hahn, J. Chem. Inf. Model. 2010, 50, 742).

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n, 2048), float32.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    table = np.zeros((len(smiles), ECFP_SIZE), dtype=np.float32)
    for row, molecule in zip(table, _parse(smiles), strict=True):
        row[:] = _GENERATOR.GetCountFingerprintAsNumPy(molecule)
    return table


def tanimoto(smiles: str, others: Sequence[str]) -> NDArray[np.float64]:
    """Tanimoto similarity of ECFP4 bits, as chemists know it.

    Parameters
    ----------
    smiles : str
        A standardized SMILES.
    others : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n,), float64, between 0 and 1.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    first, *rest = (_GENERATOR.GetFingerprint(m) for m in _parse([smiles, *others]))
    return np.array(BulkTanimotoSimilarity(first, rest), dtype=np.float64)


def _parse(smiles: Sequence[str]) -> list[Chem.Mol]:
    with rdBase.BlockLogs():
        molecules = [Chem.MolFromSmiles(s) for s in smiles]
    for text, molecule in zip(smiles, molecules, strict=True):
        if molecule is None:
            raise InputError(f"cannot parse {text[:80]!r}: standardize it first")
    return molecules
