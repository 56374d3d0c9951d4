"""Molecules as pictures for pages and tables; one that cannot be drawn is no reason to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmim_chem.chem.depict import svg_data_uri, write_data_uri
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.insight import Insight

CELL = (160, 96)  # pixels, in a table


def draw_picture(smiles: str, width: int, height: int, dark: bool) -> str | None:
    """Draw one molecule.

    Parameters
    ----------
    smiles : str
        SMILES.
    width, height : int
        Size in pixels.
    dark : bool
        For a dark page.

    Returns
    -------
    str or None
        Address of the picture; None if the molecule cannot be drawn.
    """
    try:
        return svg_data_uri(smiles, width, height, dark=dark)
    except InputError:
        return None


def draw_weights(insight: Insight, size: tuple[int, int], dark: bool) -> str:
    """Draw a molecule with the atoms that drive a prediction; the address of the picture."""
    from cmim_chem.insight import draw_atoms

    return write_data_uri(draw_atoms(insight.attribution, size, dark))
