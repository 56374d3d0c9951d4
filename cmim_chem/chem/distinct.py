"""Rows to different molecules and back, so that each is computed once however often it occurs.

Between the cells of a table and everything that is computed from molecules; what that is,
`cmim_chem.predictor` knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cmim_chem.chem.standardize import Standardized, standardize_many, standardize_molecule

#: Place of a row that holds no molecule.
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Distinct:
    """The m different molecules of n cells.

    Attributes
    ----------
    standardized : tuple of Standardized
        What became of each of the n cells.
    place : (n,) int64
        Number of each cell's molecule among the m; `NOWHERE` if it has none.
    smiles : tuple of str
        m standardized SMILES, all different.
    molecules : tuple of rdkit.Chem.Mol or str
        What they parse to, or the SMILES where that is not at hand.
    """

    standardized: tuple[Standardized, ...]
    place: NDArray[np.int64]
    smiles: tuple[str, ...]
    molecules: tuple[Chem.Mol | str, ...]


def find_molecules(cells: Sequence[object], workers: int = 1) -> Distinct:
    """Standardize cells and find the different molecules among them.

    Parameters
    ----------
    cells : sequence of object
        n cells.
    workers : int
        Processes that standardize.

    Returns
    -------
    Distinct
        n rows, m molecules.
    """
    found: list[tuple[Standardized, Chem.Mol | None]]
    if workers > 1:
        found = [(one, None) for one in standardize_many(cells, workers)]
    else:
        found = [standardize_molecule(cell) for cell in cells]
    molecules: dict[str, Chem.Mol | str] = {}
    for one, molecule in found:
        if one.smiles is not None:
            molecules.setdefault(one.smiles, one.smiles if molecule is None else molecule)
    number = {smiles: at for at, smiles in enumerate(molecules)}
    place = [NOWHERE if one.smiles is None else number[one.smiles] for one, _ in found]
    rows = tuple(one for one, _ in found)
    return Distinct(
        rows, np.array(place, dtype=np.int64), tuple(molecules), tuple(molecules.values())
    )


def find_texts(cells: Sequence[object]) -> tuple[list[object], NDArray[np.int64]]:
    """Find the different texts among cells; what is no text counts as different.

    Parameters
    ----------
    cells : sequence of object
        n cells.

    Returns
    -------
    list of object
        m cells in order of appearance.
    (n,) int64
        Number of each cell among the m.
    """
    first: dict[object, int] = {}
    different: list[object] = []
    place = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        key = cell if isinstance(cell, str) else (row,)
        if key not in first:
            first[key] = len(different)
            different.append(cell)
        place[row] = first[key]
    return different, place
