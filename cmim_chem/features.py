"""What a probe may read of a molecule: the embeddings z and h, and what is joined to them.

Embedding is `cmim_chem.embed`'s work; which blocks a probe reads, and how they are scaled, is said
by the probe.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cmim_chem.chem.descriptors import descriptors, ecfp_counts
from cmim_chem.embed import Embeddings
from cmim_chem.errors import ArtifactError

# All that a probe may read of a molecule, by name.
BLOCKS = ("z", "h", "descriptors", "ecfp")


def gather_features(
    embedded: Embeddings, rows: NDArray[np.int64], smiles: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """All blocks of some molecules, to fit a probe on.

    Parameters
    ----------
    embedded : Embeddings
        n molecules.
    rows : ndarray
        The m of them wanted, shape (m,), int64; none of them failed.
    smiles : sequence of str
        m standardized SMILES.

    Returns
    -------
    dict of str to ndarray
        Every one of `BLOCKS`, shape (m, d), float32.
    """
    features = {"z": embedded.z[rows], "h": embedded.h[rows]}
    add_features(features, BLOCKS, smiles)
    return features


def add_features(
    features: dict[str, NDArray[np.float32]],
    blocks: Sequence[str],
    molecules: Sequence[str | Chem.Mol],
) -> None:
    """Compute the blocks of features that are not there yet.

    Parameters
    ----------
    features : dict of str to ndarray
        Blocks of shape (n, d), float32, by name; ``z`` and ``h`` must be in it if they are wanted.
        Added to.
    blocks : sequence of str
        Names wanted, of `BLOCKS`.
    molecules : sequence of str or rdkit.Chem.Mol
        n standardized SMILES, or what they parse to.

    Raises
    ------
    ArtifactError
        If a block is not known, as in a probe of a later version.
    """
    makers = {"descriptors": descriptors, "ecfp": ecfp_counts}
    for block in blocks:
        if block not in features:
            if block not in makers:
                raise ArtifactError(f"a probe needs unknown features {block!r}: update cmim-chem")
            features[block] = makers[block](molecules)
