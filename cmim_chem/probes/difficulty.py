"""How large an error to expect of one molecule, from how near it is and what was predicted.

A line through a handful of numbers predicts the logarithm of the absolute error; it makes conformal
intervals wide for hard molecules and narrow for easy ones. It need not be right: an interval keeps
its coverage with any positive scale (Lei et al., J. Am. Stat. Assoc. 2018, 113, 1094, section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.domain import Nearness

FloatArray = NDArray[np.float64]

_PENALTY = 10.0  # molecules
_FLOOR = 0.1  # of the median error: the logarithm of a lucky hit says nothing
_LEAST, _MOST = 0.05, 0.95
_FEWEST = 30


@dataclass(frozen=True, slots=True, eq=False)
class Difficulty:
    """The scale of errors of t regression tasks.

    Attributes
    ----------
    center, spread : (t, 5) float64
        How the inputs are standardized.
    weights : (t, 5) float64
    offset : (t,) float64
    limits : (t, 2) float64
        Smallest and largest scale, in the unit.
    """

    center: FloatArray
    spread: FloatArray
    weights: FloatArray
    offset: FloatArray
    limits: FloatArray

    def scale(self, predicted: FloatArray, near: Nearness, sizes: FloatArray) -> FloatArray:
        """Expected size of the errors.

        Parameters
        ----------
        predicted : (n, t) float64
            In the unit.
        near : Nearness
            Of the n molecules.
        sizes : (n,) float64
            Sums of the ECFP counts, which grow with the molecule.

        Returns
        -------
        (n, t) float64
            Positive, in the unit.
        """
        out = np.empty(predicted.shape)
        for task in range(predicted.shape[1]):
            inputs = _gather(predicted[:, task], near, sizes)
            # A sum over columns instead of a matrix product: the same for a row in any company.
            line = ((inputs - self.center[task]) / self.spread[task] * self.weights[task]).sum(1)
            low, high = self.limits[task]
            out[:, task] = np.clip(np.exp(np.minimum(line + self.offset[task], 50.0)), low, high)
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store."""
        return {
            "center": self.center,
            "spread": self.spread,
            "weights": self.weights,
            "offset": self.offset,
            "limits": self.limits,
        }


def fit_difficulty(
    errors: FloatArray, predicted: FloatArray, near: Nearness, sizes: FloatArray
) -> Difficulty:
    """Learn the scale of errors.

    Parameters
    ----------
    errors : (n, t) float64
        Of predictions for molecules that were not fitted on; NaN where there is no label.
    predicted, near, sizes
        As of `Difficulty.scale`.

    Returns
    -------
    Difficulty
        One scale for all molecules of a task with few labels.
    """
    fits = [
        _fit_task(np.abs(errors[:, task]), _gather(predicted[:, task], near, sizes))
        for task in range(errors.shape[1])
    ]
    center, spread, weights, offset, limits = (np.array(part) for part in zip(*fits, strict=True))
    return Difficulty(center, spread, weights, offset, limits)


def _fit_task(error: FloatArray, inputs: FloatArray) -> tuple[FloatArray, ...]:
    known = ~np.isnan(error)
    error, inputs = error[known], inputs[known]
    width = inputs.shape[1]
    middle = float(np.median(error)) if len(error) else 1.0
    middle = middle if middle > 0.0 else 1.0
    flat = (np.zeros(width), np.ones(width), np.zeros(width))
    if len(error) < _FEWEST:
        return (*flat, np.array(np.log(middle)), np.array([middle, middle]))
    target = np.log(error + _FLOOR * middle)
    center, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    x = (inputs - center) / spread
    square = x.T @ x + _PENALTY * np.eye(width)
    weights = np.linalg.solve(square, x.T @ (target - target.mean()))
    scale = np.exp(x @ weights + target.mean())
    limits = np.quantile(scale, (_LEAST, _MOST))
    return center, spread, weights, np.array(target.mean()), limits


def _gather(predicted: FloatArray, near: Nearness, sizes: FloatArray) -> FloatArray:
    """The five inputs: (n, 5)."""
    return np.column_stack(
        [near.similarity, near.distance, predicted, predicted**2, np.log1p(sizes)]
    )
