"""Classical features of molecules, by RDKit: physico-chemical descriptors and ECFP4 counts.

They join h in the probes, and are the baseline that h must beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from rdkit.DataStructs import BulkTanimotoSimilarity, ExplicitBitVect

from cmim_chem.chem.crippen import crippen_values
from cmim_chem.chem.graph import Graph, read_graph
from cmim_chem.chem.parse import parse_standardized
from cmim_chem.chem.paths import PATH_INDICES, path_indices
from cmim_chem.chem.qed import PARTS, compute_qed

ECFP_RADIUS = 2
ECFP_SIZE = 2_048

# RDKit's own table of cheap descriptors (43 of them), then three that chemists read every day.
PROPERTY_NAMES: tuple[str, ...] = tuple(rdMolDescriptors.Properties().GetPropertyNames())
DESCRIPTOR_NAMES = (*PROPERTY_NAMES, "MolLogP", "MolMR", "QED")
_CRIPPEN = ("CrippenClogP", "CrippenMR")
# Those that RDKit computes for one molecule as fast as can be.
_RDKIT_NAMES = tuple(n for n in PROPERTY_NAMES if n not in (*PATH_INDICES, *_CRIPPEN))
_PROPERTIES = rdMolDescriptors.Properties(_RDKIT_NAMES)
_GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=ECFP_RADIUS, fpSize=ECFP_SIZE)


def descriptors(molecules: Sequence[str | Chem.Mol]) -> NDArray[np.float32]:
    """Physico-chemical descriptors, in the order of `DESCRIPTOR_NAMES`.

    Parameters
    ----------
    molecules : sequence of str or rdkit.Chem.Mol
        n standardized SMILES, or what they parse to.

    Returns
    -------
    ndarray
        Shape (n, 46), float32; NaN where RDKit cannot compute a descriptor of a molecule.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    parsed = _parse(molecules)
    graphs = [read_graph(molecule) for molecule in parsed]
    found = rdkit_properties(parsed, graphs)
    found |= {"MolLogP": found["CrippenClogP"], "MolMR": found["CrippenMR"]}
    found["QED"] = np.empty(len(parsed))
    for row, (molecule, graph) in enumerate(zip(parsed, graphs, strict=True)):
        known = {name: float(found[name][row]) for name in PARTS}
        found["QED"][row] = compute_qed(molecule, graph, known)
    table = np.column_stack([found[name] for name in DESCRIPTOR_NAMES]).astype(np.float32)
    return np.where(np.isfinite(table), table, np.float32(np.nan))


def rdkit_properties(
    molecules: Sequence[Chem.Mol], graphs: Sequence[Graph]
) -> dict[str, NDArray[np.float64]]:
    """RDKit's table of cheap descriptors.

    Parameters
    ----------
    molecules : sequence of rdkit.Chem.Mol
        n molecules.
    graphs : sequence of Graph
        What `read_graph` makes of them.

    Returns
    -------
    dict of str to ndarray
        Shape (n,), float64, for each of `PROPERTY_NAMES`; not finite where RDKit's is not.
    """
    rows = [list(_PROPERTIES.ComputeProperties(one)) for one in molecules]
    table = np.array(rows, dtype=np.float64).reshape(len(molecules), len(_RDKIT_NAMES))
    found = dict(zip(_RDKIT_NAMES, table.T, strict=True))
    crippen = dict(zip(_CRIPPEN, crippen_values(molecules, graphs), strict=True))
    return found | path_indices(graphs, found) | crippen


def ecfp_counts(molecules: Sequence[str | Chem.Mol]) -> NDArray[np.float32]:
    """Folded ECFP4 counts (Rogers and Hahn, J. Chem. Inf. Model. 2010, 50, 742).

    Parameters
    ----------
    molecules : sequence of str or rdkit.Chem.Mol
        n standardized SMILES, or what they parse to.

    Returns
    -------
    ndarray
        Shape (n, 2048), float32.

    Raises
    ------
    InputError
        If a SMILES does not parse.
    """
    table = np.zeros((len(molecules), ECFP_SIZE), dtype=np.float32)
    for row, molecule in zip(table, _parse(molecules), strict=True):
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
    first, *rest = map(_fingerprint, [smiles, *others])
    return np.array(BulkTanimotoSimilarity(first, rest), dtype=np.float64)


# The neighbors of one molecule are often those of the next.
@lru_cache(maxsize=65_536)
def _fingerprint(smiles: str) -> ExplicitBitVect:
    return _GENERATOR.GetFingerprint(parse_standardized(smiles))


def _parse(molecules: Sequence[str | Chem.Mol]) -> list[Chem.Mol]:
    return [parse_standardized(one) if isinstance(one, str) else one for one in molecules]
