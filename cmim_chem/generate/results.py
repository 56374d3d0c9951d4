"""What sampling and interpolating give back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.standardize import Standardized


@dataclass(frozen=True)
class Samples:
    """What came of sampling.

    Attributes
    ----------
    smiles : tuple of str
        Standardized, each once, none of them the seed; fewer than wanted if tries ran out.
    similarity : ndarray
        Tanimoto similarity (ECFP4 bits) to the seed, shape (n,), float64; NaN without a seed.
    tried, valid : int
        Codes decoded, and those of them that were molecules.
    """

    smiles: tuple[str, ...]
    similarity: NDArray[np.float64]
    tried: int
    valid: int


@dataclass(frozen=True)
class Way:
    """Molecules on the way from one to another; n steps, both ends included.

    Attributes
    ----------
    share : ndarray
        How far each step is, from 0 to 1, shape (n,), float64.
    molecules : tuple of Standardized
        n results; a step where the decoder wrote no molecule is a problem.
    similarity : ndarray
        Tanimoto similarity to the first and the last molecule, shape (n, 2), float64; NaN for
        problems.
    """

    share: NDArray[np.float64]
    molecules: tuple[Standardized, ...]
    similarity: NDArray[np.float64]
