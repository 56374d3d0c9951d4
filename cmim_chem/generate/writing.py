"""Codes to molecules: written, standardized, and rescued where what was written is no molecule.

The rescue, if it is asked for, tries the likeliest beams first and then codes nearby: the caller
lists them, here is how (`list_nearer`, `list_along`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.standardize import Standardized, standardize, standardize_many
from cmim_chem.embed import Embedder
from cmim_chem.model.decoding import GREEDY, Decoding

NOT_A_MOLECULE = "the decoder wrote no molecule: "
# Shares of the noise, and of a step along a line, at which a code is tried again.
_NEARER = (0.75, 0.5)
_ALONG = (-1 / 3, 1 / 3)

Codes = NDArray[np.floating[Any]]


def list_nearer(mu: Codes, noise: Codes) -> list[Codes]:
    """Codes around others, and what to try instead: the same with less noise.

    Parameters
    ----------
    mu, noise : ndarray
        Shape (n, d_z), or what broadcasts to it.

    Returns
    -------
    list of ndarray
        Of shape (n, d_z), the one that is wanted first.
    """
    return [mu + share * noise for share in (1.0, *_NEARER)]


def list_along(first: Codes, last: Codes, share: NDArray[np.float64]) -> list[Codes]:
    """Codes on the straight line between two, and what to try instead: a third of a step aside.

    Parameters
    ----------
    first, last : ndarray
        The ends, shape (1, d_z).
    share : ndarray
        How far from the first to the last, from 0 to 1, evenly spaced; shape (n,).

    Returns
    -------
    list of ndarray
        Of shape (n, d_z), the one that is wanted first.
    """
    step = 1.0 / (len(share) + 1)
    places = [(share + aside * step)[:, None] for aside in (0.0, *_ALONG)]
    return [(1.0 - at) * first + at * last for at in places]


def write_first(
    embedder: Embedder, choices: Sequence[Codes], how: Decoding = GREEDY, seed: int = 0
) -> tuple[Standardized, ...]:
    """Write codes and standardize what was written.

    Parameters
    ----------
    embedder : Embedder
        Its decoder writes.
    choices : sequence of ndarray
        Codes of shape (n, d_z), each instead of those before where these are no molecules and
        `how` asks for rescue; a row that is not finite becomes a problem.
    how : Decoding
        Greedy if not given.
    seed : int
        Fixes what a temperature leaves to chance.

    Returns
    -------
    tuple of Standardized
        n molecules, or the problems of the first of the choices.
    """
    found = _write(embedder, choices[0], how, seed)
    for codes in choices[1:] if how.rescue else ():
        bad = [i for i, one in enumerate(found) if one.smiles is None]
        if not bad:
            break
        for i, one in zip(bad, _write(embedder, codes[bad], how, seed), strict=True):
            found[i] = found[i] if one.smiles is None else one
    return tuple(found)


def _write(embedder: Embedder, z: Codes, how: Decoding, seed: int) -> list[Standardized]:
    codes = np.array(z, dtype=np.float32)
    finite = np.asarray(np.isfinite(codes).reshape(len(codes), -1).all(axis=1))
    codes[~finite] = 0.0
    written = embedder.decode(codes, how, seed)
    found = standardize_many(written)
    if how.rescue:
        _search_beams(embedder, codes, finite, how.rescue, found)
    return [
        one if one.smiles is not None and good else _explain(text, one, bool(good))
        for text, one, good in zip(written, found, finite, strict=True)
    ]


def _search_beams(
    embedder: Embedder,
    codes: NDArray[np.float32],
    finite: NDArray[np.bool_],
    beams: int,
    found: list[Standardized],
) -> None:
    """Replace what is no molecule by the likeliest beam that is one."""
    bad = [i for i, one in enumerate(found) if one.smiles is None and finite[i]]
    texts = embedder.list_candidates(codes[bad], beams)
    for i, row in zip(bad, texts, strict=True):
        good = (one for one in map(standardize, row) if one.smiles is not None)
        found[i] = next(good, found[i])


def _explain(text: str, one: Standardized, finite: bool) -> Standardized:
    if not finite:
        return Standardized(None, "a code with numbers that are missing or not finite")
    if not text:
        return Standardized(None, NOT_A_MOLECULE + "it came to no end")
    return Standardized(None, f"{NOT_A_MOLECULE}{text[:80]}: {one.problem}")
