"""Are two representations different, or is it the test molecules? Paired tests, corrected; ranks.

On the scaffold split the difference is divided by its standard deviation over the bootstrap
resamples that both share. On random splits it is a t-test over seeds with the correction of Nadeau
and Bengio (Machine Learning 2003, 52, 239), because the splits share molecules. All p-values of a
report are corrected together (Holm, Scand. J. Statist. 1979, 6, 65). Average ranks over sets are
compared as by Demsar (JMLR 2006, 7, 1): Friedman's test and Nemenyi's critical difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.board import Board, Entry

ALPHA = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two representations on one board, each with its best head by validation.

    Attributes
    ----------
    board : Board
    first, second : str
    gain : float
        By how much the first is better, in the metric's unit; negative if it is worse.
    deviation : float
        Standard deviation of the gain.
    p : float
        Two-sided, uncorrected.
    p_holm : float
        Corrected for all comparisons made together.
    """

    board: Board
    first: str
    second: str
    gain: float
    deviation: float
    p: float
    p_holm: float = float("nan")

    @property
    def verdict(self) -> int:
        """1 if the first is better after correction, -1 if it is worse, 0 if one cannot tell."""
        return int(np.sign(self.gain)) if self.p_holm < ALPHA else 0


@dataclass(frozen=True)
class Ranks:
    """Average ranks over sets, 1 is best.

    Attributes
    ----------
    mean : dict of str to float
        By representation, best first.
    sets : tuple of str
        What was averaged over.
    p : float
        Friedman's test that all are alike.
    critical : float
        Average ranks closer than this are not told apart (Nemenyi, 5 %).
    """

    mean: dict[str, float]
    sets: tuple[str, ...]
    p: float
    critical: float


def compare_all(boards: Sequence[Board]) -> list[Comparison]:
    """Every pair of representations on every board, corrected together.

    Parameters
    ----------
    boards : sequence of Board
        All that are reported together.

    Returns
    -------
    list of Comparison
        Pairs that were not run with the same seeds are left out.
    """
    found = [
        compare_pair(board, first, second)
        for board in boards
        for first, second in combinations(board.best, 2)
        if board.common_seeds((first, second))
    ]
    corrected = correct_holm(np.array([one.p for one in found]))
    return [replace(one, p_holm=float(p)) for one, p in zip(found, corrected, strict=True)]


def compare_pair(board: Board, first: str, second: str) -> Comparison:
    """Two representations on one board.

    Parameters
    ----------
    board : Board
        Results on one set and split.
    first, second : str
        Representations on it, run with the same seeds.

    Returns
    -------
    Comparison
    """
    one, other = board.best[first], board.best[second]
    sign = -1.0 if board.lower_is_better else 1.0
    gain = sign * (one.value - other.value)
    drawn = one.replicates()
    if drawn.size:
        deviation = float(np.nanstd(drawn - other.replicates(), ddof=1))
        p = _two_sided(gain, deviation, None)
    else:
        deviation = _deviate_over_seeds(one, other)
        p = _two_sided(gain, deviation, len(one.records) - 1)
    return Comparison(board, first, second, gain, deviation, p)


def correct_holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction; NaN stays NaN and does not count.

    Parameters
    ----------
    p : (m,) float64
        Uncorrected.

    Returns
    -------
    ndarray
        Shape (m,), float64, at most 1.
    """
    corrected = np.full_like(p, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return corrected


def rank_representations(boards: Sequence[Board]) -> Ranks | None:
    """Average ranks on the scaffold splits, each set once.

    Parameters
    ----------
    boards : sequence of Board
        All; those on random splits are not looked at.

    Returns
    -------
    Ranks or None
        None with fewer than three sets or two representations that are all there.
    """
    scaffold = [board for board in boards if board.split == "scaffold"]
    names = _names_everywhere(scaffold)
    if len(scaffold) < 3 or len(names) < 2:
        return None
    scores = np.array([[board.best[name].value for name in names] for board in scaffold])
    signs = np.array([1.0 if board.lower_is_better else -1.0 for board in scaffold])
    ranks = stats.rankdata(scores * signs[:, None], axis=1)
    n, k = ranks.shape
    p = float(stats.friedmanchisquare(*ranks.T).pvalue) if k > 2 else float("nan")
    q = stats.studentized_range.ppf(1 - ALPHA, k, np.inf) / np.sqrt(2)
    mean = dict(sorted(zip(names, ranks.mean(axis=0).tolist(), strict=True), key=lambda x: x[1]))
    sets = tuple(board.dataset for board in scaffold)
    return Ranks(mean, sets, p, float(q * np.sqrt(k * (k + 1) / (6 * n))))


def _names_everywhere(boards: Sequence[Board]) -> list[str]:
    """Representations that every board has, in the order of the first."""
    first = boards[0].best if boards else {}
    return [name for name in first if all(name in board.best for board in boards)]


def _deviate_over_seeds(one: Entry, other: Entry) -> float:
    """Standard deviation of a mean gain over random splits (Nadeau and Bengio, equation 11)."""
    gains = [a["value"] - b["value"] for a, b in zip(one.records, other.records, strict=True)]
    if len(gains) < 2:
        return float("nan")
    overlap = one.records[0]["n_test"] / one.records[0]["n_train"]
    return float(np.sqrt((1 / len(gains) + overlap) * np.var(gains, ddof=1)))


def _two_sided(gain: float, deviation: float, freedom: int | None) -> float:
    if not deviation > 0:
        return 1.0 if gain == 0 else float("nan")
    ratio = -abs(gain / deviation)
    return float(2 * (stats.norm.cdf(ratio) if freedom is None else stats.t.cdf(ratio, freedom)))
