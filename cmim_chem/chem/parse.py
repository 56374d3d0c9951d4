"""Standardized SMILES to an RDKit molecule, or to the one error that all who need it raise."""

from __future__ import annotations

from rdkit import Chem, rdBase

from cmim_chem.errors import InputError


def parse_standardized(smiles: str) -> Chem.Mol:
    """Parse a SMILES that has been standardized.

    Parameters
    ----------
    smiles : str
        As `cmim_chem.chem.standardize` gives it.

    Returns
    -------
    rdkit.Chem.Mol
        The molecule; RDKit's own log stays quiet.

    Raises
    ------
    InputError
        If RDKit cannot read it.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"cannot parse {smiles[:80]!r}: standardize it first")
    return molecule
