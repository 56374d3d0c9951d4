"""Ridge and logistic regression of all tasks at once, with missing labels masked.

The sum of scikit-learn's objectives, one per task: C times the loss of the labeled rows plus half
the squared norm of the weights, the intercept free. Fitting the tasks together turns hundreds of
small fits into a few matrix products. The same solver, with the squared hinge, is the linear part
of the large support vector machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from benchmarks.heads.problem import Candidate, FloatArray, FloatMatrix, Params, Problem

MAX_ITERATIONS = 80
Loss = Literal["log", "squared_hinge"]


def fit_linear(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Ridge (`alpha`) or logistic regression (`C`)."""
    weights: FloatArray | None = None
    for params in grid:
        if problem.kind == "regression":
            weights = solve_ridge(problem.x_train, problem.y_train, params["alpha"])
        else:
            labels = (problem.x_train, problem.y_train)
            weights = solve_classes(*labels, params["C"], loss="log", start=weights)
        yield linear_candidate(params, weights, (problem.x_valid, problem.x_test))


def linear_candidate(
    params: Params, weights: FloatArray, x: tuple[FloatMatrix, FloatMatrix]
) -> Candidate:
    """Candidate of a linear model on the given validation and test matrices."""

    def apply(rows: FloatMatrix) -> FloatArray:
        return rows @ weights[:-1].astype(np.float32) + weights[-1]

    return Candidate(params, apply(x[0]), lambda: apply(x[1]))


def solve_ridge(x: FloatMatrix, y: FloatArray, alpha: float) -> FloatArray:
    """Ridge regression of complete tasks, the intercept not penalized.

    Parameters
    ----------
    x : (n, d) float32
        Scaled features.
    y : (n, t) float64
        Without missing labels.
    alpha : float
        Penalty of the squared norm.

    Returns
    -------
    ndarray
        Shape (d + 1, t): weights, then the intercept.
    """
    center = x.mean(axis=0, dtype=np.float64)
    centered = x - center
    middle = y.mean(axis=0)
    n, d = x.shape
    if n > d:
        gram = centered.T @ centered + alpha * np.eye(d)
        weights = np.linalg.solve(gram, centered.T @ (y - middle))
    else:  # the same by the smaller, dual system
        gram = centered @ centered.T + alpha * np.eye(n)
        weights = centered.T @ np.linalg.solve(gram, y - middle)
    return np.vstack([weights, middle - center @ weights])


def solve_classes(
    x: FloatMatrix,
    y: FloatArray,
    c: float,
    loss: Loss = "log",
    *,
    start: FloatArray | None = None,
    balanced: bool = False,
) -> FloatArray:
    """Linear classifiers of all tasks by L-BFGS.

    Parameters
    ----------
    x : (n, d) float32
        Scaled features.
    y : (n, t) float64
        0, 1 or NaN.
    c : float
        Weight of the loss against the penalty, scikit-learn's C.
    loss : "log" or "squared_hinge"
        Logistic regression or a support vector machine.
    start : (d + 1, t) float64 or None
        Where to begin.
    balanced : bool
        Whether both classes of a task have the same total weight.

    Returns
    -------
    ndarray
        Shape (d + 1, t): weights, then the intercept.
    """
    shape = (x.shape[1] + 1, y.shape[1])
    sign = np.where(y == 1, 1.0, -1.0).astype(np.float32)
    cost = (c * _row_weights(y, balanced)).astype(np.float32)
    transposed = np.ascontiguousarray(x.T)

    def value_and_gradient(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(shape)
        margin = x @ weights[:-1].astype(np.float32)
        margin += weights[-1].astype(np.float32)
        margin *= sign
        if loss == "log":
            value = np.sum(cost * np.logaddexp(np.float32(0), -margin), dtype=np.float64)
            slope = -cost * expit(-margin) * sign
        else:
            short = np.maximum(np.float32(1) - margin, np.float32(0))
            value = np.sum(cost * short**2, dtype=np.float64)
            slope = -2 * cost * short * sign
        gradient = np.empty(shape)
        gradient[:-1] = transposed @ slope + weights[:-1]
        gradient[-1] = slope.sum(axis=0, dtype=np.float64)
        return float(value + 0.5 * np.sum(weights[:-1] ** 2)), gradient.ravel()

    first = np.zeros(shape) if start is None else start
    found = optimize.minimize(
        value_and_gradient,
        first.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_ITERATIONS, "ftol": 1e-6, "gtol": 1e-3},
    )
    return np.asarray(found.x, dtype=np.float64).reshape(shape)


def _row_weights(y: FloatArray, balanced: bool) -> NDArray[np.float64]:
    """0 for missing labels; 1, or what gives both classes half of the task's labels."""
    known = (~np.isnan(y)).astype(np.float64)
    if not balanced:
        return known
    positive = (y == 1).sum(axis=0)
    total = known.sum(axis=0)
    share = np.where(y == 1, positive, total - positive)
    return known * total / (2 * np.maximum(share, 1))
