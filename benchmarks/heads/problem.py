"""What a head is given and what it gives back; choosing among its points is left to `choose`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatMatrix = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Params = Mapping[str, float]


@dataclass(frozen=True)
class Problem:
    """Matrices and labels of one split. Heads learn from `train`, may look at `valid`, not further.

    Attributes
    ----------
    kind : "regression" or "classification"
    x_train, x_valid, x_test : (n, d) float32
        Scaled on the training rows.
    y_train, y_valid : (n, t) float64
        Standardized targets or 0 and 1; NaN where missing. Every task has two different labels in
        train.
    seed : int
        Fixes everything random.
    """

    kind: Literal["regression", "classification"]
    x_train: FloatMatrix
    x_valid: FloatMatrix
    x_test: FloatMatrix
    y_train: FloatArray
    y_valid: FloatArray
    seed: int

    def narrow(self, tasks: NDArray[np.int64]) -> Problem:
        """The same problem with some of its tasks only."""
        return replace(self, y_train=self.y_train[:, tasks], y_valid=self.y_valid[:, tasks])


@dataclass(frozen=True)
class Candidate:
    """One fitted grid point.

    Attributes
    ----------
    params : mapping of str to float
        The point, completed by what was chosen while fitting.
    valid : (n_valid, t) float64
        Predictions: standardized targets, or any number that grows with the belief in class 1.
    predict_test : callable
        The same for the test rows, computed when asked for.
    """

    params: Params
    valid: FloatArray
    predict_test: Callable[[], FloatArray]


# A head fits the points of a grid, in order, one at a time: the next may reuse work of the last.
Fit = Callable[[Problem, Sequence[Params]], Iterable[Candidate]]
