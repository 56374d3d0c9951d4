"""`CMIMFeaturizer`: z or h as a DeepChem featurizer, for ``dc.molnet.load_*(featurizer=...)``.

The embeddings are those of `cmim_chem.transformer`. A molecule that cannot be read becomes an empty
array, which is how DeepChem's loaders know what to leave out; the log names it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cmim_chem.sources.moleculenet import import_deepchem
from cmim_chem.transformer import CMIMTransformer

log = logging.getLogger(__name__)


class CMIMFeaturizer(import_deepchem().feat.MolecularFeaturizer):  # type: ignore[misc]
    """Molecules to embeddings, in one batch.

    Parameters
    ----------
    kind : str
        "h", "z" or "z+h".
    encoder : str or None
        Encoder folder; the shipped one if not given.

    Examples
    --------
    >>> CMIMFeaturizer("z").featurize(["CCO", "c1ccccc1"]).shape[0]
    2
    """

    def __init__(self, kind: str = "h", encoder: str | None = None) -> None:
        super().__init__()
        # DeepChem names its cache after the arguments, which it reads from these attributes.
        self.kind = kind
        self.encoder = encoder

    def featurize(
        self, datapoints: Iterable[str | Chem.Mol] | str | Chem.Mol, log_every_n: int = 1000
    ) -> NDArray[np.float32] | NDArray[np.object_]:
        """Embed molecules.

        Parameters
        ----------
        datapoints : SMILES, RDKit molecule, or iterable of them
            n molecules.
        log_every_n : int
            Not used: there is one batch.

        Returns
        -------
        ndarray
            Shape (n, d), float32. If a molecule cannot be read, shape (n,) of arrays of shape (d,),
            empty for those molecules.
        """
        del log_every_n
        given = [datapoints] if isinstance(datapoints, str | Chem.Mol) else list(datapoints)
        smiles = [Chem.MolToSmiles(one) if isinstance(one, Chem.Mol) else one for one in given]
        encoder = None if self.encoder is None else Path(self.encoder)
        rows = CMIMTransformer(self.kind, encoder, problems="nan").transform(smiles)
        failed = np.flatnonzero(np.isnan(rows).any(axis=1))
        if not len(failed):
            return rows
        for row in failed:
            log.warning("row %d is left out: %r cannot be read", row, str(smiles[row])[:60])
        kept: NDArray[np.object_] = np.empty(len(rows), dtype=object)
        kept[:] = [row if not np.isnan(row).any() else np.array([]) for row in rows]
        return kept
