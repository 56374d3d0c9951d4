"""Better molecules near a seed: CMA-ES over codes, as MolMIM does it (arXiv 2208.09016, section 4).

CMA-ES uses nothing but the order of its candidates, so that is all it gets: molecules that keep to
the limits by their property, then those that do not by how far they are off, then codes that decode
to no molecule. The limits are the similarity to the seed and the domain of the predictions: without
the second, the search ends where a probe is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cma
import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.errors import InputError
from cmim_chem.generate.generator import MAX_RADIUS, Generator
from cmim_chem.generate.oracles import find_oracle

DIRECTIONS = ("up", "down")
# Variances only: a full covariance of 256 dimensions takes far more candidates to learn. And none
# of the tolerances, which look at values, and would be looking at ranks.
_ENDLESS = {
    "CMA_diagonal": True,
    **dict.fromkeys(("tolfun", "tolfunhist", "tolx"), 0),
    **dict.fromkeys(("tolflatfitness", "tolstagnation"), np.inf),
}


@dataclass(frozen=True)
class Goal:
    """What is wanted.

    Attributes
    ----------
    name : str
        ``qed``, ``plogp`` or a property that a probe predicts.
    direction : str
        ``up`` or ``down``.
    min_similarity : float
        Least Tanimoto similarity (ECFP4 bits) to the seed.
    target : float or None
        The search ends once a molecule is this good.
    """

    name: str = "qed"
    direction: str = "up"
    min_similarity: float = 0.4
    target: float | None = None

    def __post_init__(self) -> None:
        """Reject what makes no sense."""
        if self.direction not in DIRECTIONS:
            raise InputError(f"direction {self.direction!r}: take up or down")
        if not 0.0 <= self.min_similarity <= 1.0:
            raise InputError(f"min_similarity {self.min_similarity}: give a number from 0 to 1")


@dataclass(frozen=True)
class Search:
    """How to look for it.

    Attributes
    ----------
    particles : int
        Codes per iteration.
    iterations : int
        Iterations at most.
    radius : float
        First step size, in units of the spread of the codes.
    seed : int
        Fixes everything.
    """

    particles: int = 20
    iterations: int = 50
    radius: float = 1.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Reject what makes no sense."""
        if self.particles < 2 or self.iterations < 1:
            raise InputError("give at least 2 particles and 1 iteration")
        if not 0.0 < self.radius <= MAX_RADIUS:
            raise InputError(f"radius {self.radius}: give a number above 0, at most {MAX_RADIUS:g}")


@dataclass(frozen=True)
class Optimized:
    """What the search found.

    Attributes
    ----------
    smiles : tuple of str
        n standardized molecules within the limits, the best first; the seed is not among them.
    value, similarity, cosine : ndarray
        Their property, Tanimoto similarity to the seed and cosine to the nearest molecule of the
        index, each of shape (n,), float64.
    start : float
        The property of the seed.
    calls : int
        Molecules whose property was measured, the seed included.
    iterations : int
        Iterations done.
    """

    smiles: tuple[str, ...]
    value: NDArray[np.float64]
    similarity: NDArray[np.float64]
    cosine: NDArray[np.float64]
    start: float
    calls: int
    iterations: int


def optimize(
    generator: Generator,
    smiles: str,
    goal: Goal,
    search: Search,
    stop: Callable[[], bool] = lambda: False,
) -> Optimized:
    """Look for better molecules.

    Parameters
    ----------
    generator : Generator
        Writes and judges molecules.
    smiles : str
        The seed.
    goal : Goal
        What is wanted.
    search : Search
        How to look for it.
    stop : callable
        Asked after each iteration; True ends the search with what there is.

    Returns
    -------
    Optimized
        Every molecule within the limits that was met, the best first.

    Raises
    ------
    InputError
        If the seed cannot be read or the property is not known.
    """
    (start,), z = generator.encode(smiles)
    judge = _Judge(generator, start, goal)
    first_step = search.radius * generator.bank.spread
    settings = {"popsize": search.particles, "seed": search.seed + 1, "verbose": -9}
    strategy = cma.CMAEvolutionStrategy(z[0].astype(np.float64), first_step, settings | _ENDLESS)
    done = 0
    while done < search.iterations and not judge.reached() and not (done and stop()):
        codes = np.array(strategy.ask())
        strategy.tell(list(codes), judge.rank(codes).tolist())
        done += 1
    return judge.summarize(done)


@dataclass(frozen=True)
class _Verdict:
    value: float  # NaN outside the limits, where nothing was measured
    off: float  # by how much a molecule misses the limits; 0 within
    similarity: float
    cosine: float


class _Judge:
    """Measures molecules, each once, and puts codes in order."""

    def __init__(self, generator: Generator, start: str, goal: Goal) -> None:
        self._generator = generator
        self._goal = goal
        self._start = start
        self._sign = 1.0 if goal.direction == "up" else -1.0
        _, self._oracle = find_oracle(generator.predictor, goal.name)
        self._start_value = float(self._oracle([start])[0])
        self._verdicts: dict[str, _Verdict] = {}
        self._calls = 1

    def rank(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Order of codes, shape (n,), from 0, the best first; equal molecules share a rank."""
        found = [one.smiles for one in self._generator.decode(codes)]
        self._measure(list(dict.fromkeys(s for s in found if s and s not in self._verdicts)))
        keys = [self._key(s) for s in found]
        order = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        return np.array([order[key] for key in keys], dtype=np.float64)

    def _key(self, smiles: str | None) -> tuple[int, float]:
        if smiles is None:
            return (2, 0.0)
        verdict = self._verdicts[smiles]
        return (1, verdict.off) if verdict.off > 0 else (0, -self._sign * verdict.value)

    def _measure(self, smiles: list[str]) -> None:
        if not smiles:
            return
        alike = tanimoto(self._start, smiles)
        cosine = self._find_cosine(smiles)
        off = np.maximum(self._goal.min_similarity - alike, 0.0)
        off += np.maximum(self._generator.bank.domain - cosine, 0.0)
        value = np.full(len(smiles), np.nan)
        if (within := off <= 0).any():
            value[within] = self._oracle([s for s, ok in zip(smiles, within, strict=True) if ok])
            self._calls += int(within.sum())
        # A probe that has no answer is no help either.
        off[within & ~np.isfinite(value)] = np.inf
        for row in zip(smiles, value, off, alike, cosine, strict=True):
            self._verdicts[row[0]] = _Verdict(*map(float, row[1:]))

    def _find_cosine(self, smiles: list[str]) -> NDArray[np.float64]:
        predictor = self._generator.predictor
        if predictor.index is None:
            return np.ones(len(smiles))
        embedded = predictor.embedder.embed(smiles)
        found = predictor.index.query(embedded.h, 1).cosine[:, 0].astype(np.float64)
        return np.where(np.isfinite(found), found, -1.0)

    def _best(self) -> list[str]:
        good = [s for s, v in self._verdicts.items() if v.off <= 0 and s != self._start]
        return sorted(good, key=lambda s: -self._sign * self._verdicts[s].value)

    def reached(self) -> bool:
        """Tell whether a molecule is as good as was wanted."""
        best = self._best()
        if self._goal.target is None or not best:
            return False
        return self._sign * (self._verdicts[best[0]].value - self._goal.target) >= 0

    def summarize(self, iterations: int) -> Optimized:
        best = self._best()
        found = [self._verdicts[s] for s in best]
        return Optimized(
            tuple(best),
            np.array([v.value for v in found]),
            np.array([v.similarity for v in found]),
            np.array([v.cosine for v in found]),
            self._start_value,
            self._calls,
            iterations,
        )
