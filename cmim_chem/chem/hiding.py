"""A molecule with one atom hidden, as token sequences, fingerprints and descriptors.

For `cmim_chem.attribution`, which compares what a model says of them. Atoms are numbered in the
order of the SMILES, which is RDKit's order when it reads that SMILES.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from cmim_chem.chem.descriptors import ECFP_RADIUS, ECFP_SIZE, descriptors
from cmim_chem.chem.parse import parse_standardized
from cmim_chem.chem.tokenizer import Tokenizer, split_tokens

FloatMatrix = NDArray[np.float32]

_GENERATOR = rdFingerprintGenerator.GetMorganGenerator(radius=ECFP_RADIUS, fpSize=ECFP_SIZE)


def find_atoms(smiles: str) -> list[tuple[str, int]]:
    """The tokens of a SMILES, each with the number of its atom, or -1.

    Parameters
    ----------
    smiles : str
        One SMILES.

    Returns
    -------
    list of tuple of str and int
        Tokens whose concatenation is the SMILES.

    Raises
    ------
    InputError
        If it cannot be a SMILES.
    """
    found, atoms = [], 0
    for token in split_tokens(smiles):
        is_atom = token[0] == "[" or token[0].isalpha() or token == "*"
        found.append((token, atoms if is_atom else -1))
        atoms += is_atom
    return found


def spell_atoms(
    tokenizer: Tokenizer, smiles: str, stand_ins: Sequence[str]
) -> tuple[list[int], list[list[list[int]]]]:
    """Token ids of a molecule, and with each atom replaced.

    Parameters
    ----------
    tokenizer : Tokenizer
        Vocabulary.
    smiles : str
        Standardized SMILES with n atoms.
    stand_ins : sequence of str
        Atoms that replace, one token each. What comes out need not be a sensible molecule.

    Returns
    -------
    list of int
        Ids of the molecule.
    list of list of list of int
        For each stand-in, and for each of the n atoms, the ids with that atom replaced.
    """
    tokens = find_atoms(smiles)
    count = 1 + max(atom for _, atom in tokens)
    hidden_ids = []
    for stand_in in stand_ins:
        texts = [
            "".join(stand_in if atom == hidden else token for token, atom in tokens)
            for hidden in range(count)
        ]
        hidden_ids.append([tokenizer.encode(text) for text in texts])
    return tokenizer.encode(smiles), hidden_ids


def hide_in_ecfp(smiles: str) -> FloatMatrix:
    """Folded ECFP4 counts, whole and without the environments around each atom.

    Parameters
    ----------
    smiles : str
        Standardized SMILES with n atoms.

    Returns
    -------
    (n + 1, 2048) float32
        The first row is that of the molecule.

    Raises
    ------
    InputError
        If it does not parse.
    """
    molecule = parse_standardized(smiles)
    extra = rdFingerprintGenerator.AdditionalOutput()
    extra.AllocateBitInfoMap()
    whole = _GENERATOR.GetCountFingerprintAsNumPy(molecule, additionalOutput=extra)
    table = np.repeat(whole[None].astype(np.float32), molecule.GetNumAtoms() + 1, axis=0)
    for bit, environments in extra.GetBitInfoMap().items():
        for atom, _ in environments:
            table[atom + 1, bit] -= 1
    return np.asarray(np.maximum(table, np.float32(0.0)))


def hide_in_descriptors(smiles: str) -> FloatMatrix:
    """Descriptors, whole and with each atom made a wildcard.

    Parameters
    ----------
    smiles : str
        Standardized SMILES with n atoms.

    Returns
    -------
    (n + 1, 46) float32
        The first row is that of the molecule; NaN where RDKit cannot compute one.

    Raises
    ------
    InputError
        If it does not parse.
    """
    molecule = parse_standardized(smiles)
    variants = [molecule]
    with rdBase.BlockLogs():
        for atom in range(molecule.GetNumAtoms()):
            hidden = Chem.RWMol(molecule)
            one = hidden.GetAtomWithIdx(atom)
            one.SetAtomicNum(0)
            one.SetFormalCharge(0)
            one.SetNoImplicit(True)
            one.SetNumExplicitHs(0)
            variants.append(molecule if Chem.SanitizeMol(hidden, catchErrors=True) else hidden)
        return descriptors([Chem.Mol(one) for one in variants])
