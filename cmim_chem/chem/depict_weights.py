"""A molecule with its atoms colored by numbers: small SVG, the color says the sign, depth the size.

Plain pictures are `cmim_chem.chem.depict`'s; what the numbers mean is the caller's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

from cmim_chem.errors import InputError

_WHITE = (1.0, 1.0, 1.0)
_RAISES, _LOWERS = (0.95, 0.55, 0.15), (0.25, 0.50, 0.90)


def weighted_svg(smiles: str, weights: ArrayLike, width: int = 320, height: int = 240) -> str:
    """Draw one molecule with colored atoms.

    Parameters
    ----------
    smiles : str
        Standardized SMILES with n atoms.
    weights : (n,) float64
        Orange above 0, blue below, the paler the nearer to 0.
    width, height : int
        Pixels.

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
    if molecule is None or molecule.GetNumAtoms() != len(values):
        raise InputError(f"no picture of {smiles[:80]!r}: it needs one weight for each atom")
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    colors = {}
    for atom, value in enumerate(values.tolist()):
        share = abs(value) / largest
        full = _RAISES if value > 0 else _LOWERS
        colors[atom] = tuple((1 - share) * w + share * f for w, f in zip(_WHITE, full, strict=True))
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    options = drawer.drawOptions()
    options.fillHighlights, options.clearBackground = True, False
    rdMolDraw2D.PrepareAndDrawMolecule(
        drawer, molecule, highlightAtoms=list(colors), highlightAtomColors=colors, highlightBonds=[]
    )
    drawer.FinishDrawing()
    text: str = drawer.GetDrawingText()
    return text
