"""The largest Tanimoto similarity of fingerprints to those of several sets, found together.

Similarities are of bits, as chemists know them; what they say of a probe is `probes.domain`'s
business.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Fingerprints:
    """Sets of fingerprints laid out bit by bit, to be compared with others.

    Parameters
    ----------
    sets : sequence of (m, b) uint8
        q sets of m fingerprints each, eight bits to a byte.
    """

    def __init__(self, sets: Sequence[NDArray[np.uint8]]) -> None:
        # An empty one goes before each set, so that none is without a largest similarity.
        packed = np.concatenate([np.pad(bits, ((1, 0), (0, 0))) for bits in sets])
        lengths = [len(bits) + 1 for bits in sets]
        self._starts = np.cumsum([0, *lengths[:-1]])
        by_byte = np.ascontiguousarray(packed.T)
        self._columns = np.empty((8 * len(by_byte), len(packed)), dtype=np.uint8)
        for bit in range(8):  # the first bit of a byte is its highest, as for numpy.packbits
            self._columns[bit::8] = (by_byte >> (7 - bit)) & 1
        self._sizes = np.add.reduce(self._columns, axis=0, dtype=np.float32)

    def find_largest(self, counts: NDArray[np.floating]) -> FloatArray:
        """Compare molecules with every set.

        Parameters
        ----------
        counts : (n, 8 * b) float32
            Where a number is not 0, a bit is set.

        Returns
        -------
        (n, q) float64
            Largest similarity to each set, from 0 to 1.
        """
        found = np.empty((len(counts), len(self._starts)))
        shared = {kind: np.empty(len(self._sizes), dtype=kind) for kind in (np.uint8, np.uint16)}
        for row, one in enumerate(counts):
            present = np.flatnonzero(one)
            # Adding the columns of the few bits that are set is quicker than a matrix product.
            common = shared[np.uint8 if len(present) < 256 else np.uint16]
            common[:] = 0
            for bit in present:
                np.add(common, self._columns[bit], out=common)
            union = self._sizes + np.float32(len(present))
            union -= common
            np.maximum(union, 1.0, out=union)
            found[row] = np.maximum.reduceat(common / union, self._starts)
        return found
