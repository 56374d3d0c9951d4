"""Split-conformal prediction from a few stored numbers: intervals, and which classes are possible.

A score says how strange a label is for a molecule that was not fitted on. From the sorted scores of
such molecules follow, at any level and without assumptions on their distribution, the interval of a
number and the set of classes that cannot be excluded (Vovk, Gammerman and Shafer, Algorithmic
Learning in a Random World, 2005). Which scores those are is the business of `probes.sureness`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmim_chem.errors import InputError

FloatArray = NDArray[np.float64]

#: Order statistics that are kept of the scores of one task.
MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Sorted conformal scores.

    Attributes
    ----------
    values : (k,) float64
        Ascending.
    ranks : (k,) int64
        Rank of each value among all `n` scores, counted from 1.
    n : int
        Number of scores behind them.
    """

    values: FloatArray
    ranks: NDArray[np.int64]
    n: int

    def quantile(self, level: float) -> float:
        """Smallest kept score that at least a share `level` of new scores does not exceed.

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        float
            The ceil((n + 1) * level)-th score; infinite where there are too few for the level.

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        # The tolerance keeps 0.9 * 10 from becoming 9.000000000000002.
        wanted = math.ceil((self.n + 1) * check_level(level) - 1e-9)
        at = int(np.searchsorted(self.ranks, wanted))
        return math.inf if at == len(self.ranks) else float(self.values[at])

    def p_values(self, scores: ArrayLike) -> FloatArray:
        """Share of molecules at least as strange, the new one counted in.

        Parameters
        ----------
        scores : (m,) float64
            Of new molecules.

        Returns
        -------
        (m,) float64
            In (0, 1]; where scores were left out, the larger of the possible values.
        """
        before = np.searchsorted(self.values, np.asarray(scores, dtype=np.float64), side="left")
        # All scores up to the kept one before are lower; those between two kept ones may be higher.
        lower = np.concatenate([[0], self.ranks])[before]
        return np.asarray((self.n - lower + 1) / (self.n + 1), dtype=np.float64)


def rank_scores(scores: ArrayLike, most: int = MOST_KEPT) -> Ranked:
    """Sort scores and keep at most `most` of them, evenly by rank.

    Parameters
    ----------
    scores : (n,) float64
        NaN are left out.
    most : int
        Numbers to keep.

    Returns
    -------
    Ranked
        What is thinned errs to wider intervals, by one part in `most` of the level.
    """
    known = np.asarray(scores, dtype=np.float64)
    known = np.sort(known[~np.isnan(known)])
    n = len(known)
    ranks = np.unique(np.ceil(np.linspace(1, n, min(n, most))).astype(np.int64))
    return Ranked(known[ranks - 1], ranks, n)


def check_level(level: float) -> float:
    """Return the level.

    Raises
    ------
    InputError
        If it is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level:g}: give a share between 0 and 1, such as 0.9")
    return level
