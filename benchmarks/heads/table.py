"""The table of heads, their grids, and the choice of a grid point on the validation rows.

The same grids for every representation. Fitted on train only, chosen on validation only (mean over
tasks), not refitted on both. With more than fifty tasks (ToxCast) the point is chosen on twenty of
them, evenly spaced, and then fitted for all. `MEAN` is what ships: the mean of three of the heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.heads.kernel import fit_svm
from benchmarks.heads.linear import fit_linear
from benchmarks.heads.neighbors import fit_knn
from benchmarks.heads.network import fit_mlp
from benchmarks.heads.problem import Candidate, Fit, FloatArray, Params, Problem
from benchmarks.heads.score import mean_metric
from benchmarks.heads.trees import fit_forest, fit_lightgbm
from cmim_chem.probes.mean import MEAN, join_params

MEMBERS = ("linear", "svm", "lightgbm")
_FLAT = 1e-12
MANY_TASKS = 50
SCOUTS = 20


@dataclass(frozen=True)
class Head:
    """One row of the table.

    Attributes
    ----------
    fit : callable
        Fits the points of a grid in order.
    grid : mapping of kind to tuple of parameter points
        The first of equals wins.
    """

    fit: Fit
    grid: Mapping[str, tuple[Params, ...]]


@dataclass(frozen=True)
class Choice:
    """The point that won.

    Attributes
    ----------
    params : mapping of str to float
    valid : float
        Its mean validation metric (RMSE in standardized units), greater is better; minus infinity
        when the validation rows cannot score it.
    test : (n_test, t) float64
        Its test predictions.
    """

    params: Params
    valid: float
    test: FloatArray


_RADIAL = ({"C": 1.0, "width": 1.0}, {"C": 10.0, "width": 1.0}, {"C": 10.0, "width": 0.2})
_DROP = ({"dropout": 0.2, "decay": 1e-3}, {"dropout": 0.5, "decay": 1e-1})
_K = ({"k": 5}, {"k": 15}, {"k": 50})

HEADS: dict[str, Head] = {
    "linear": Head(
        fit_linear,
        {
            "regression": tuple({"alpha": alpha} for alpha in (3000.0, 300.0, 30.0, 3.0)),
            "classification": ({"C": 1e-4}, {"C": 1e-3}, {"C": 1e-2}, {"C": 1e-1}),
        },
    ),
    "svm": Head(fit_svm, {"regression": _RADIAL, "classification": _RADIAL}),
    "mlp": Head(fit_mlp, {"regression": _DROP, "classification": _DROP}),
    "knn": Head(fit_knn, {"regression": _K, "classification": _K}),
    "forest": Head(
        fit_forest,
        {"regression": ({"leaf": 1},), "classification": ({"leaf": 4}, {"leaf": 1})},
    ),
    "lightgbm": Head(
        fit_lightgbm,
        {
            "regression": ({"leaves": 15, "rate": 0.1},),
            "classification": ({"leaves": 15, "rate": 0.05},),
        },
    ),
}


def fit_mean(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """The mean of the best points of `MEMBERS`, which is the head of what ships; no parameters.

    Decision values of classes are divided by their spread on the validation rows first.
    """
    del grid
    found = {name: _choose(HEADS[name], problem)[0] for name in MEMBERS}
    flat = np.ones(problem.y_train.shape[1])
    scales = [
        np.maximum(one.valid.std(axis=0), _FLAT) if problem.kind == "classification" else flat
        for one in found.values()
    ]

    def average(said: Sequence[FloatArray]) -> FloatArray:
        scaled = [one / scale for one, scale in zip(said, scales, strict=True)]
        return np.asarray(np.mean(scaled, axis=0), dtype=np.float64)

    yield Candidate(
        join_params({name: one.params for name, one in found.items()}),
        average([one.valid for one in found.values()]),
        lambda: average([one.predict_test() for one in found.values()]),
    )


HEADS[MEAN] = Head(fit_mean, {"regression": ({},), "classification": ({},)})


def choose(head: Head, problem: Problem) -> Choice:
    """Fit the grid of a head and keep the point that is best on the validation rows.

    Parameters
    ----------
    head : Head
        A row of `HEADS`.
    problem : Problem
        Matrices and labels.

    Returns
    -------
    Choice
    """
    best, valid = _choose(head, problem)
    return Choice(best.params, valid, best.predict_test())


def _choose(head: Head, problem: Problem) -> tuple[Candidate, float]:
    grid = head.grid[problem.kind]
    tasks = problem.y_train.shape[1]
    if tasks > MANY_TASKS and len(grid) > 1:
        scouts = np.linspace(0, tasks - 1, SCOUTS).round().astype(np.int64)
        grid = (_best(head, problem.narrow(scouts), grid)[0].params,)
    return _best(head, problem, grid)


def _best(head: Head, problem: Problem, grid: tuple[Params, ...]) -> tuple[Candidate, float]:
    best: tuple[Candidate, float] | None = None
    for candidate in head.fit(problem, grid):
        score = mean_metric(problem.kind, problem.y_valid, candidate.valid)
        if best is None or score > best[1]:
            best = (candidate, score)
    assert best is not None, "a grid has at least one point"
    return best
