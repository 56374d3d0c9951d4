"""How sure a probe is: intervals, calibrated probabilities, possible classes and its domain.

Learned from out-of-fold predictions of the training and validation part (`probes.folds`), stored as
plain arrays beside the model. The level is chosen when a molecule is predicted. Nothing here knows
of SMILES or units; what the numbers are called is `cmim_chem.report`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cmim_chem.errors import ArtifactError
from cmim_chem.probes.calibration import fit_platt, to_margins
from cmim_chem.probes.conformal import Ranked, rank_scores
from cmim_chem.probes.difficulty import Difficulty, fit_difficulty
from cmim_chem.probes.domain import Codes, Domain, Nearness
from cmim_chem.probes.features import Features
from cmim_chem.probes.model import Kind
from cmim_chem.probes.words import ACTIVE, INACTIVE, NO_CALL, UNDECIDED

if TYPE_CHECKING:  # so that predicting does not import what fits
    from cmim_chem.probes.folds import OutOfFold

FloatArray = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.generic]]

#: The level of intervals and classes unless a user chooses another.
LEVEL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """How sure the predictions of n molecules are, for t tasks.

    Attributes
    ----------
    lower, upper : (n, t) float64
        Ends of the interval of a number; NaN for classes, and where the table was too small for
        the level.
    calls : (n, t) int8
        ACTIVE or INACTIVE where the other class can be excluded at the level, else UNDECIDED;
        NO_CALL for numbers.
    near : Nearness
        To the training molecules.
    domain : (n,) int8
        INSIDE, BORDERLINE or OUTSIDE.
    """

    lower: FloatArray
    upper: FloatArray
    calls: Codes
    near: Nearness
    domain: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Sureness:
    """What a probe keeps to say how sure it is.

    Attributes
    ----------
    domain : Domain
    scores : tuple of Ranked
        Conformal scores: of a regression probe one per task, the absolute error divided by its
        expected size; of a classifier two per task, one minus the probability of the true class,
        for molecules of class 0 and of class 1.
    difficulty : Difficulty or None
        Expected size of errors; None for classes.
    platt : (2, t) float64
        Slope and offset of each task's log-odds; 1 and 0 for numbers.
    """

    domain: Domain
    scores: tuple[Ranked, ...]
    difficulty: Difficulty | None
    platt: FloatArray

    def calibrate(self, predicted: FloatArray) -> FloatArray:
        """Turn a classifier's (n, t) probabilities into frequencies; numbers stay as they are."""
        if self.difficulty is not None:
            return predicted
        return np.asarray(expit(to_margins(predicted) * self.platt[0] + self.platt[1]))

    def assess(
        self,
        features: Features,
        predicted: FloatArray,
        level: float = LEVEL,
        near: Nearness | None = None,
    ) -> Assessment:
        """Say how sure predictions are.

        Parameters
        ----------
        features : mapping of str to (n, d) float32
            At least the blocks of `probes.domain.BLOCKS`.
        predicted : (n, t) float64
            Calibrated predictions.
        level : float
            Share of molecules whose interval holds the true value, or whose true class is not
            excluded; between 0 and 1.
        near : Nearness, optional
            Of the n molecules to `domain`, where it is known.

        Returns
        -------
        Assessment

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        near = self.domain.measure(features) if near is None else near
        return self.assess_near(near, count_bits(features), predicted, level)

    def assess_near(
        self, near: Nearness, sizes: FloatArray, predicted: FloatArray, level: float = LEVEL
    ) -> Assessment:
        """As `assess`, for molecules whose nearness (n) and sizes (n,) are known."""
        lower = np.full(predicted.shape, np.nan)
        upper = np.full(predicted.shape, np.nan)
        calls = np.full(predicted.shape, NO_CALL, dtype=np.int8)
        if self.difficulty is not None:
            factor = np.array([ranked.quantile(level) for ranked in self.scores])
            half = self.difficulty.scale(predicted, near, sizes) * factor
            half[~np.isfinite(half)] = np.nan
            lower, upper = predicted - half, predicted + half
        else:
            for task in range(predicted.shape[1]):
                calls[:, task] = self._call(task, predicted[:, task], level)
        return Assessment(lower, upper, calls, near, self.domain.judge(near))

    def _call(self, task: int, p: FloatArray, level: float) -> Codes:
        negative, positive = self.scores[2 * task], self.scores[2 * task + 1]
        # Both classes are tested by themselves, so that a rare one is not drowned by the other.
        may_be_0 = negative.p_values(p) > 1 - level
        may_be_1 = positive.p_values(1 - p) > 1 - level
        call = np.where(may_be_1, ACTIVE, INACTIVE)
        return np.where(may_be_0 == may_be_1, UNDECIDED, call).astype(np.int8)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every array under a prefixed name; `from_arrays` is the inverse."""
        flat: dict[str, NDArray[np.generic]] = {"platt": self.platt}
        flat |= {f"domain.{name}": array for name, array in self.domain.arrays().items()}
        if self.difficulty is not None:
            flat |= {f"difficulty.{name}": a for name, a in self.difficulty.arrays().items()}
        for at, ranked in enumerate(self.scores):
            flat[f"scores.{at:03d}.values"] = ranked.values
            flat[f"scores.{at:03d}.ranks"] = ranked.ranks
            flat[f"scores.{at:03d}.n"] = np.asarray([ranked.n], dtype=np.int64)
        return flat

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Sureness:
        """Rebuild from `arrays`.

        Raises
        ------
        ArtifactError
            When an array is absent.
        """
        domain = Domain.from_arrays(_strip("domain.", arrays))
        parts = _strip("difficulty.", arrays)
        try:
            difficulty = None
            if parts:
                names = ("center", "spread", "weights", "offset", "limits")
                difficulty = Difficulty(*(parts[name].astype(np.float64) for name in names))
            count = sum(name.startswith("scores.") and name.endswith(".n") for name in arrays)
            scores = tuple(
                Ranked(
                    arrays[f"scores.{at:03d}.values"].astype(np.float64),
                    arrays[f"scores.{at:03d}.ranks"].astype(np.int64),
                    int(arrays[f"scores.{at:03d}.n"][0]),
                )
                for at in range(count)
            )
            platt = arrays["platt"].astype(np.float64)
        except KeyError as error:
            raise ArtifactError(f"the probe lacks the array {error}; fit it again") from error
        return cls(domain, scores, difficulty, platt)


def count_bits(features: Features) -> FloatArray:
    """Sums of the ECFP counts of n molecules, (n,) float64: how large each is."""
    return np.asarray(features["ecfp"].sum(axis=1), dtype=np.float64)


def fit_sureness(
    kind: Kind, y: FloatArray, found: OutOfFold, sizes: FloatArray, domain: Domain
) -> Sureness:
    """Learn from out-of-fold predictions how far off a probe is.

    Parameters
    ----------
    kind : str
        "regression" or "classification".
    y : (m, t) float64
        Labels of the rows of `found`, NaN where missing.
    found : OutOfFold
        What models that did not know them said of these rows.
    sizes : (m,) float64
        As `count_bits` gives them.
    domain : Domain
        Of the molecules that the final model is fitted on.

    Returns
    -------
    Sureness
    """
    tasks = y.shape[1]
    if kind == "regression":
        errors = y - found.predicted
        difficulty = fit_difficulty(errors, found.predicted, found.near, sizes)
        scaled = np.abs(errors) / difficulty.scale(found.predicted, found.near, sizes)
        ranked = tuple(rank_scores(scaled[:, task]) for task in range(tasks))
        return Sureness(domain, ranked, difficulty, np.vstack([np.ones(tasks), np.zeros(tasks)]))
    platt = np.array([_fit_task(y[:, i], found.predicted[:, i]) for i in range(tasks)]).T
    p = expit(to_margins(found.predicted) * platt[0] + platt[1])
    scores = []
    for task in range(tasks):
        for label in (0, 1):
            rows = y[:, task] == label
            scores.append(rank_scores(np.abs(label - p[rows, task])))
    return Sureness(domain, tuple(scores), None, platt)


def _fit_task(labels: FloatArray, predicted: FloatArray) -> tuple[float, float]:
    known = ~np.isnan(labels)
    if len(np.unique(labels[known])) < 2:
        return 1.0, 0.0
    return fit_platt(to_margins(predicted[known]), labels[known])


def _strip(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
