"""Draw molecules as small SVG pictures that read well on light and on dark pages.

RDKit does the drawing; this module picks colors with enough contrast, leaves the background
transparent and packs the picture to a third of its size or less, because a table of thousands of
rows carries one picture per row. Reading and cleaning SMILES is left to
`cmim_chem.chem.standardize`; where a picture is shown is left to the caller.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

from cmim_chem.errors import InputError

_SVG = "http://www.w3.org/2000/svg"
#: Red, green and blue, from 0 to 1.
Color = tuple[float, float, float]
# RDKit's own greens, cyans and yellows fade on white: these keep a contrast of 4.5 to 1 or more.
_LIGHT: dict[int, Color] = {
    6: (0.09, 0.10, 0.12),
    7: (0.11, 0.24, 0.85),
    8: (0.80, 0.07, 0.07),
    9: (0.00, 0.45, 0.45),
    15: (0.65, 0.33, 0.00),
    16: (0.50, 0.41, 0.00),
    17: (0.00, 0.46, 0.10),
    35: (0.53, 0.22, 0.12),
    53: (0.44, 0.10, 0.56),
}
_DARK: dict[int, Color] = {
    6: (0.92, 0.93, 0.95),
    7: (0.55, 0.70, 1.00),
    8: (1.00, 0.53, 0.50),
    9: (0.35, 0.87, 0.87),
    15: (1.00, 0.67, 0.30),
    16: (0.95, 0.82, 0.30),
    17: (0.40, 0.88, 0.48),
    35: (0.95, 0.62, 0.48),
    53: (0.85, 0.60, 0.98),
}
_STYLES = ("fill", "stroke", "stroke-width")  # what an element may say besides its style
_HIGHLIGHT = {False: (1.00, 0.84, 0.55), True: (0.45, 0.33, 0.10)}
# Signs that an address may hold as they are.
_SAFE = frozenset(string.ascii_letters + string.digits + " /:,='.-_~")
# What RDKit writes: each element in a line of its own, attributes in single quotes.
_ELEMENT = re.compile(r"<(path|ellipse) ([^>]*)/>")
_ATTRIBUTE = re.compile(r"([\w-]+)='([^']*)'")
# Signs of its paths, and of `_ellipse_path`, that need no blank beside them.
_SIGNS = ",MLQCaZ"
# What an SVG viewer assumes anyway, and the fill rule that none of the simple outlines needs.
_DEFAULTS = {
    "fill-rule": "evenodd",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-miterlimit": "10",
    "stroke-opacity": "1",
    "fill-opacity": "1",
}


def svg(
    smiles: str,
    width: int,
    height: int,
    highlight: Sequence[int] | None = None,
    dark: bool = False,
) -> str:
    """Draw one molecule.

    Parameters
    ----------
    smiles : str
        A valid SMILES; it is drawn as written, without standardization.
    width : int
        Width of the picture in pixels.
    height : int
        Height of the picture in pixels.
    highlight : sequence of int or None
        Atoms to mark, numbered from 0 in the order of the SMILES.
    dark : bool
        Colors for a dark page instead of a light one.

    Returns
    -------
    str
        An SVG document with a transparent background; it holds no text and no reference to
        anything outside.

    Raises
    ------
    InputError
        When RDKit cannot read the SMILES or it has no atom, or an atom to mark does not exist.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None or molecule.GetNumAtoms() == 0:
            raise InputError(f"no picture of {smiles[:80]!r}: it is not a valid SMILES")
        marked = sorted(set(highlight or ()))
        if marked and not 0 <= marked[0] <= marked[-1] < molecule.GetNumAtoms():
            raise InputError(
                f"cannot mark the atoms {marked}: the molecule has {molecule.GetNumAtoms()} "
                "atoms, numbered from 0"
            )
        drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
        _set_options(drawer.drawOptions(), height, dark)
        rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule, highlightAtoms=marked)
        drawer.FinishDrawing()
        return _pack(drawer.GetDrawingText(), width, height)


def svg_on_colors(
    molecule: Chem.Mol, size: tuple[int, int], colors: Mapping[int, Color], dark: bool = False
) -> str:
    """Draw one molecule in one color, with a disk of its own color behind each atom.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        With at least one atom; properties ``atomNote`` are drawn beside the atoms.
    size : tuple of int
        Width and height in pixels.
    colors : mapping of int to Color
        By atom; red, green and blue from 0 to 1.
    dark : bool
        For a dark page.

    Returns
    -------
    str
        As of `svg`.
    """
    drawer = rdMolDraw2D.MolDraw2DSVG(*size)
    options = drawer.drawOptions()
    _set_options(options, size[1], dark)
    # Red and blue atoms would be lost on the disks, and their colors would mean two things.
    line = (_DARK if dark else _LIGHT)[6]
    options.setAtomPalette({-1: line})
    options.setAtomNoteColour(line)
    options.annotationFontScale = 0.6
    options.fillHighlights = True
    with rdBase.BlockLogs():
        rdMolDraw2D.PrepareAndDrawMolecule(
            drawer,
            molecule,
            highlightAtoms=list(colors),
            highlightAtomColors=dict(colors),
            highlightBonds=[],
        )
    drawer.FinishDrawing()
    return _pack(drawer.GetDrawingText(), *size)


def svg_data_uri(
    smiles: str,
    width: int,
    height: int,
    highlight: Sequence[int] | None = None,
    dark: bool = False,
) -> str:
    """Draw one molecule as a ``data:`` address, for tables and HTML without extra files.

    Parameters
    ----------
    smiles : str
        A valid SMILES; it is drawn as written, without standardization.
    width : int
        Width of the picture in pixels.
    height : int
        Height of the picture in pixels.
    highlight : sequence of int or None
        Atoms to mark, numbered from 0 in the order of the SMILES.
    dark : bool
        Colors for a dark page instead of a light one.

    Returns
    -------
    str
        ``data:image/svg+xml,...``, percent-encoded: a quarter shorter than base64 would be.

    Raises
    ------
    InputError
        When RDKit cannot read the SMILES or it has no atom, or an atom to mark does not exist.
    """
    return write_data_uri(svg(smiles, width, height, highlight, dark))


def write_data_uri(picture: str) -> str:
    """Write an SVG document as a ``data:`` address, percent-encoded."""
    # Single quotes need no escape in an address; double ones would.
    text = picture.replace('"', "'")
    # Sign by sign: a table draws thousands of pictures, and `quote` looks up each character. An
    # escape begins with %, whose own turn is therefore the first.
    for sign in ("%", *(set(text) - _SAFE - {"%"})):
        text = text.replace(sign, quote(sign, safe=""))
    return f"data:image/svg+xml,{text}"


def _set_options(options: Any, height: int, dark: bool) -> None:  # noqa: ANN401 - RDKit's types are wrong
    """Set palette, line and size so that small and large molecules look alike."""
    palette = _DARK if dark else _LIGHT
    options.clearBackground = False
    options.setAtomPalette({-1: palette[6], 0: palette[6], 1: palette[6], **palette})
    options.setHighlightColour(_HIGHLIGHT[dark])
    options.setLegendColour(palette[6])
    options.bondLineWidth = 1.4
    options.scaleBondWidth = False
    # A single small molecule must not be blown up to fill the whole picture.
    options.fixedBondLength = max(22, 0.16 * height)
    options.padding = 0.06
    options.minFontSize = 7


def _pack(text: str, width: int, height: int) -> str:
    """Join all paths of one style into one, and drop what an SVG viewer assumes anyway."""
    paths: dict[str, list[str]] = {}
    for tag, attributes in _ELEMENT.findall(text):
        found = dict(_ATTRIBUTE.findall(attributes))
        style = _style(found.get("style", ""), *map(found.get, _STYLES))
        data = _ellipse_path(found) if tag == "ellipse" else found.get("d", "")
        if data:
            paths.setdefault(style, []).append(data)
    body = "".join(f'<path {style} d="{_shorten(data)}"/>' for style, data in paths.items())
    return (
        f'<svg xmlns="{_SVG}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{body}</svg>'
    )


@lru_cache(maxsize=4_096)  # a picture has dozens of paths and a handful of styles
def _style(written: str, *values: str | None) -> str:
    """Return the drawing attributes of an element, without the defaults."""
    pairs = [part.split(":", 1) for part in written.split(";") if ":" in part]
    style = {name.strip(): value.strip() for name, value in pairs}
    style |= {name: value for name, value in zip(_STYLES, values, strict=True) if value}
    kept = {name: value for name, value in style.items() if _DEFAULTS.get(name) != value}
    if kept.get("stroke") == "none":
        kept.pop("stroke-width", None)
    return " ".join(f'{name}="{value.removesuffix("px")}"' for name, value in kept.items())


def _ellipse_path(found: Mapping[str, str]) -> str:
    """Write an ellipse, the mark behind an atom, as a path of two arcs."""
    x, y, rx, ry = (float(found.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
    arc = f"a {rx:.1f},{ry:.1f} 0 1 0"
    return f"M {x - rx:.1f},{y:.1f} {arc} {2 * rx:.1f},0 {arc} {-2 * rx:.1f},0 Z"


def _shorten(paths: Sequence[str]) -> str:
    """Join path data and remove the blanks and zeros that it can do without."""
    data = " ".join(" ".join(paths).split()) + " "
    # Numbers have one decimal. Replacing is several times faster than a regular expression.
    data = data.replace(".0 ", " ").replace(".0,", ",")
    for sign in _SIGNS:
        data = data.replace(f" {sign}", sign).replace(f"{sign} ", sign)
    return data.strip()
