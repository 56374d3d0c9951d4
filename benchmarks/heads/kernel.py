"""Support vector machines with a radial kernel; above a number of rows on Nystroem features.

The kernel's gamma is `width` divided by the number of columns: scaled columns have unit variance,
so the same widths fit every representation. Classes are balanced by weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.svm import SVC, SVR

from benchmarks.heads.linear import linear_candidate, solve_classes, solve_ridge
from benchmarks.heads.problem import Candidate, FloatArray, FloatMatrix, Params, Problem

# With more training rows the exact machine is too slow.
EXACT_ROWS = 4_000
LANDMARKS = 1_000


def fit_svm(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Radial SVM with parameters `C` and `width`."""
    fit = _fit_exact if len(problem.x_train) <= EXACT_ROWS else _fit_nystroem
    return fit(problem, grid)


def radial_kernel(x: FloatMatrix, others: FloatMatrix, gamma: float) -> FloatMatrix:
    """exp(-gamma |x - other|^2), shape (n, m), float32."""
    squares = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", others, others)
    squares -= 2 * (x @ others.T)
    return np.exp(-np.float32(gamma) * np.maximum(squares, 0, out=squares), out=squares)


def _fit_exact(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    gamma = np.nan
    for params in grid:
        if params["width"] / problem.x_train.shape[1] != gamma:
            gamma = params["width"] / problem.x_train.shape[1]
            kernel, valid, test = (
                radial_kernel(x, problem.x_train, gamma)
                for x in (problem.x_train, problem.x_valid, problem.x_test)
            )
        machines = [_fit_task(problem, task, kernel, params) for task in _tasks(problem)]
        yield Candidate(params, _decide(machines, valid), _later(machines, test))


def _tasks(problem: Problem) -> range:
    return range(problem.y_train.shape[1])


def _later(machines: list[tuple[Any, Any]], kernel: FloatMatrix) -> Any:  # noqa: ANN401 - a closure
    return lambda: _decide(machines, kernel)


def _fit_task(problem: Problem, task: int, kernel: FloatMatrix, params: Params) -> tuple[Any, Any]:
    """Machine of one task and the training rows that it knows."""
    labels = problem.y_train[:, task]
    rows = np.flatnonzero(~np.isnan(labels))
    if problem.kind == "regression":
        machine = SVR(kernel="precomputed", C=params["C"], epsilon=0.1)
    else:
        machine = SVC(kernel="precomputed", C=params["C"], class_weight="balanced")
    return machine.fit(kernel[np.ix_(rows, rows)], labels[rows]), rows


def _decide(machines: list[tuple[Any, Any]], kernel: FloatMatrix) -> FloatArray:
    return np.column_stack(
        [getattr(one, "decision_function", one.predict)(kernel[:, rows]) for one, rows in machines]
    )


def _fit_nystroem(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    gamma = np.nan
    for params in grid:
        if params["width"] / problem.x_train.shape[1] != gamma:
            gamma = params["width"] / problem.x_train.shape[1]
            x_train, x_valid, x_test = _map_nystroem(problem, gamma)
        if problem.kind == "regression":
            weights = solve_ridge(x_train, problem.y_train, 1 / params["C"])
        else:
            weights = solve_classes(
                x_train, problem.y_train, params["C"], "squared_hinge", balanced=True
            )
        yield linear_candidate(params, weights, (x_valid, x_test))


def _map_nystroem(problem: Problem, gamma: float) -> list[FloatMatrix]:
    """Features whose products approximate the kernel (Williams and Seeger, NIPS 2000)."""
    generator = np.random.default_rng(problem.seed)
    rows = np.sort(generator.choice(len(problem.x_train), LANDMARKS, replace=False))
    landmarks = problem.x_train[rows]
    values, vectors = np.linalg.eigh(radial_kernel(landmarks, landmarks, gamma).astype(np.float64))
    kept = values > 1e-6 * values[-1]
    whiten = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    parts = (problem.x_train, problem.x_valid, problem.x_test)
    return [radial_kernel(x, landmarks, gamma) @ whiten for x in parts]
