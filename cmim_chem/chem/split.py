"""Train, validation and test rows: by Bemis-Murcko scaffold, or at random.

Used by `cmim fit`, by the shipped probes and by the benchmark, so that their numbers mean the same.
The scaffolds are RDKit's, the assignment is that of DeepChem 2.8's `ScaffoldSplitter` (a test
compares the two row by row). Unlike it, a SMILES that cannot be read is an error, never a row that
quietly disappears: removing such rows, and saying so, is left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from cmim_chem.errors import InputError

IndexArray = NDArray[np.int64]
Split = tuple[IndexArray, IndexArray, IndexArray]

EIGHTY_TEN_TEN = (0.8, 0.1, 0.1)


def scaffold_split(
    smiles: Sequence[str], fractions: tuple[float, float, float] = EIGHTY_TEN_TEN
) -> Split:
    """Split so that no scaffold is in two parts; deterministic.

    Groups of molecules with the same Bemis-Murcko framework (stereo ignored) go, largest first, to
    train until it is full, then to validation, then to test. Groups of equal size go in the
    reverse order of their first row, as in DeepChem.

    Parameters
    ----------
    smiles : sequence of str, length n
        Readable SMILES.
    fractions : tuple of float
        Train, validation and test fractions; they must add up to 1.

    Returns
    -------
    tuple of three (m,) int64 arrays
        Row numbers of train, validation and test, in DeepChem's order; together every row once.

    Raises
    ------
    InputError
        When a SMILES cannot be read (the row is named) or the fractions are not a partition.

    References
    ----------
    Bemis and Murcko, J. Med. Chem. 1996, 39, 2887 (frameworks); Wu et al., arXiv 1703.00564,
    section 3.2 (scaffold splitting).
    """
    _check_fractions(fractions)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(smiles):
        groups.setdefault(murcko_scaffold(text, row), []).append(row)
    ordered = sorted(groups.values(), key=lambda rows: (len(rows), rows[0]), reverse=True)
    # The cut-offs are summed exactly as DeepChem does: 0.8 + 0.1 is not 0.9 in floating point.
    train_cutoff = fractions[0] * len(smiles)
    valid_cutoff = (fractions[0] + fractions[1]) * len(smiles)
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for rows in ordered:
        if len(train) + len(rows) <= train_cutoff:
            train += rows
        elif len(train) + len(valid) + len(rows) <= valid_cutoff:
            valid += rows
        else:
            test += rows
    return _as_index(train), _as_index(valid), _as_index(test)


def murcko_scaffold(smiles: str, row: int = 0) -> str:
    """Bemis-Murcko framework of one molecule, stereo ignored.

    Parameters
    ----------
    smiles : str
        Readable SMILES.
    row : int
        What an error calls it.

    Returns
    -------
    str
        Canonical SMILES; empty for a molecule without a ring.

    Raises
    ------
    InputError
        When the SMILES cannot be read.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(
            f"row {row} (counting from 0): cannot split by scaffold because the SMILES"
            f" {smiles[:60]!r} cannot be read; standardize the column and remove the rows that fail"
        )
    scaffold_smiles: Any = MurckoScaffold.MurckoScaffoldSmiles
    return str(scaffold_smiles(mol=molecule, includeChirality=False))


def group_scaffolds(smiles: Sequence[str]) -> IndexArray:
    """Number the ring systems, so that a cross-validation can keep each together.

    Parameters
    ----------
    smiles : sequence of str, length n
        Readable SMILES.

    Returns
    -------
    (n,) int64
        Equal for molecules of one Bemis-Murcko framework. A molecule without a ring is a group of
        its own: having no ring does not make two molecules alike.

    Raises
    ------
    InputError
        When a SMILES cannot be read (the row is named).
    """
    number: dict[str, int] = {}
    groups = []
    for row, text in enumerate(smiles):
        scaffold = murcko_scaffold(text, row) or f"row {row}"
        groups.append(number.setdefault(scaffold, len(number)))
    return _as_index(groups)


def random_split(
    n: int, fractions: tuple[float, float, float] = EIGHTY_TEN_TEN, seed: int = 0
) -> Split:
    """Split n rows at random.

    Parameters
    ----------
    n : int
        Number of rows.
    fractions : tuple of float
        Train, validation and test fractions; they must add up to 1.
    seed : int
        Fixes the permutation.

    Returns
    -------
    tuple of three (m,) int64 arrays
        Row numbers in ascending order; together every row once.

    Raises
    ------
    InputError
        When n is negative or the fractions are not a partition.
    """
    _check_fractions(fractions)
    if n < 0:
        raise InputError(f"cannot split {n} rows")
    order = np.random.default_rng(seed).permutation(n).astype(np.int64)
    first = round(fractions[0] * n)
    second = round((fractions[0] + fractions[1]) * n)
    return np.sort(order[:first]), np.sort(order[first:second]), np.sort(order[second:])


def _check_fractions(fractions: tuple[float, float, float]) -> None:
    if min(fractions) < 0 or abs(sum(fractions) - 1.0) > 1e-7:
        raise InputError(f"split fractions {fractions} must be >= 0 and add up to 1")


def _as_index(rows: list[int]) -> IndexArray:
    return np.asarray(rows, dtype=np.int64)
