"""A molecule with its atoms colored by numbers: small SVG, the color says the sign, depth the size.

Plain pictures are `cmim_chem.chem.depict`'s; what the numbers mean is the caller's.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike
from rdkit import Chem, rdBase

from cmim_chem.chem.depict import Color, svg_on_colors
from cmim_chem.errors import InputError

# By whether the page is dark: the color of 0, of what raises, of what lowers. Orange and blue are
# told apart by those who see no red or no green too.
_COLORS: dict[bool, tuple[Color, Color, Color]] = {
    False: ((1.0, 1.0, 1.0), (0.95, 0.55, 0.15), (0.25, 0.50, 0.90)),
    True: ((0.06, 0.07, 0.09), (0.72, 0.36, 0.04), (0.16, 0.36, 0.78)),
}


def weighted_svg(
    smiles: str,
    weights: ArrayLike,
    width: int = 320,
    height: int = 240,
    *,
    numbered: Collection[int] = (),
    dark: bool = False,
) -> str:
    """Draw one molecule with colored atoms.

    Parameters
    ----------
    smiles : str
        Standardized SMILES with n atoms.
    weights : (n,) float64
        Orange above 0, blue below, the paler the nearer to 0.
    width, height : int
        Pixels.
    numbered : collection of int
        Atoms, from 0, that get their number, from 1, beside them.
    dark : bool
        For a dark page.

    Returns
    -------
    str
        An SVG document.

    Raises
    ------
    InputError
        If the SMILES does not parse or has another number of atoms.
    """
    values = np.asarray(weights, dtype=np.float64)
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() != len(values) or not len(values):
        raise InputError(f"no picture of {smiles[:80]!r}: it needs one weight for each atom")
    for atom in numbered:
        molecule.GetAtomWithIdx(int(atom)).SetProp("atomNote", str(atom + 1))
    largest = float(np.abs(values).max()) or 1.0
    colors = {
        atom: _mix(value / largest, _COLORS[dark])
        for atom, value in enumerate(values.tolist())
        if value
    }
    return svg_on_colors(molecule, (width, height), colors, dark)


def _mix(share: float, colors: tuple[Color, Color, Color]) -> Color:
    """Color of a number between -1 and 1."""
    zero, raises, lowers = colors
    full, depth = raises if share > 0 else lowers, abs(share)
    red, green, blue = ((1 - depth) * z + depth * f for z, f in zip(zero, full, strict=True))
    return red, green, blue
