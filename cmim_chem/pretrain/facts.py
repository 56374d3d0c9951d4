"""The facts of molecules of a corpus, as a training step wants them.

Computed while training, by the processes that prepare batches: a table of all facts of a large
corpus takes as long to make as an epoch and is no smaller than the memory of a laptop. What the
facts are is decided by `cmim_chem.chem.facts`, how well they are predicted by
`cmim_chem.model.chemistry`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.facts import DESCRIPTORS, REAL, compute_facts
from cmim_chem.errors import DataError
from cmim_chem.pretrain.corpus import Corpus

# Standard deviations at which a descriptor is clipped: a few molecules are far out, and a Gaussian
# would listen to little else.
CLIP = 5.0
# Molecules of which mean and spread of the descriptors are measured.
_SAMPLE = 5_000


class Facts:
    """Facts of the molecules of a corpus, descriptors in standard deviations.

    Parameters
    ----------
    corpus : Corpus
        Its folder gets ``facts.json``: mean and spread of the descriptors, measured once.
    names : sequence of str
        Kinds of facts: ``descriptors``, ``ecfp``, ``groups``.

    Raises
    ------
    DataError
        If ``facts.json`` is of another corpus or version.
    """

    def __init__(self, corpus: Corpus, names: Sequence[str]) -> None:
        self._corpus = corpus
        self._names = tuple(names)
        self._scale = _measure_scale(corpus) if REAL.keys() & set(names) else None

    def rows(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """Facts of molecules.

        Parameters
        ----------
        rows : ndarray
            Row numbers in the corpus, shape (B,).

        Returns
        -------
        dict of str to ndarray
            Shape (B, facts), float32: descriptors in standard deviations, NaN where there is no
            value; the others 0 or 1.
        """
        found = compute_facts(_spell(self._corpus, rows), self._names)
        if self._scale is not None:
            mean, spread = self._scale
            real = (found["descriptors"] - mean) / spread
            found["descriptors"] = np.clip(real, -CLIP, CLIP).astype(np.float32)
        return found


def _spell(corpus: Corpus, rows: NDArray[np.int64]) -> list[str]:
    return [corpus.tokenizer.decode(corpus[i].tolist()) for i in rows]


def _measure_scale(corpus: Corpus) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread of each descriptor over a sample of the corpus."""
    path = corpus.folder / "facts.json"
    about = {"corpus": corpus.manifest["sha256"]["tokens.npy"], "descriptors": list(DESCRIPTORS)}
    if not path.is_file():
        sample = np.sort(np.random.default_rng(0).permutation(len(corpus))[:_SAMPLE])
        real = compute_facts(_spell(corpus, sample), ["descriptors"])["descriptors"]
        known = np.ma.masked_invalid(real.astype(np.float64))
        spread = known.std(axis=0).filled(0.0)
        # A descriptor that does not vary says nothing, and any scale will do for it.
        spread = np.where(spread > 1e-6, spread, 1.0)
        scale = {"mean": known.mean(axis=0).filled(0.0).tolist(), "spread": spread.tolist()}
        fresh = path.with_name(f"facts.json.{os.getpid()}")  # several processes may begin together
        fresh.write_text(json.dumps(about | scale) + "\n", encoding="utf-8")
        fresh.replace(path)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if about.items() <= stored.items():
            return np.array(stored["mean"]), np.array(stored["spread"])
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: not readable ({error}); remove it") from error
    raise DataError(f"{path}: facts of another corpus or version; remove it")
