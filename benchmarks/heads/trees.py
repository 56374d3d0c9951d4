"""Random forests and LightGBM, one model per task on the rows that carry its label.

Where there are more than a hundred tasks (ToxCast), the forests of tasks that are labeled on the
same rows are one forest with several outputs: exact masking at a payable price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from benchmarks.heads.problem import Candidate, FloatArray, FloatMatrix, Params, Problem
from benchmarks.heads.score import mean_metric

TREES = {"regression": 100, "classification": 200}
MANY_TASKS = 100
# With more labels than this, fewer trees; with more rows or many tasks, each on a share of rows.
MANY_LABELS = 20_000
FEW_TREES = 100
MANY_ROWS = 20_000
SHARE_OF_ROWS = 0.3
FEATURE_SHARE = {"regression": 0.33, "classification": "sqrt"}


def fit_forest(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Random forest with parameter `leaf` (least rows of a leaf)."""
    groups = group_tasks(problem.y_train)
    for params in grid:
        forests = [(_grow(problem, group, params), group) for group in groups]
        yield Candidate(
            params,
            _vote(forests, problem.x_valid, problem.y_valid.shape[1]),
            lambda forests=forests: _vote(forests, problem.x_test, problem.y_valid.shape[1]),
        )


def group_tasks(y: FloatArray) -> list[NDArray[np.int64]]:
    """Tasks that share a forest."""
    if y.shape[1] <= MANY_TASKS:
        return [np.array([task]) for task in range(y.shape[1])]
    alike: dict[bytes, list[int]] = defaultdict(list)
    for task, missing in enumerate(np.isnan(y).T):
        alike[missing.tobytes()].append(task)
    return [np.array(tasks) for tasks in alike.values()]


def _grow(problem: Problem, group: NDArray[np.int64], params: Params) -> Any:  # noqa: ANN401
    known = ~np.isnan(problem.y_train[:, group[0]])
    tasks, rows = problem.y_train.shape[1], int(known.sum())
    regression = problem.kind == "regression"
    few = tasks * rows > MANY_LABELS
    share = not regression and (rows > MANY_ROWS or tasks > MANY_TASKS)
    settings: dict[str, Any] = {
        "n_estimators": FEW_TREES if few else TREES[problem.kind],
        "max_samples": SHARE_OF_ROWS if share else None,
        "min_samples_leaf": int(params["leaf"]),
        "max_features": FEATURE_SHARE[problem.kind],
        "random_state": problem.seed,
        "n_jobs": 1,
    }
    forest = (RandomForestRegressor if regression else RandomForestClassifier)(**settings)
    y = problem.y_train[np.ix_(known, group)]
    return forest.fit(problem.x_train[known], y[:, 0] if len(group) == 1 else y)


def _vote(forests: list[tuple[Any, NDArray[np.int64]]], x: FloatMatrix, tasks: int) -> FloatArray:
    predicted = np.empty((len(x), tasks))
    for forest, group in forests:
        if isinstance(forest, RandomForestRegressor):
            predicted[:, group] = forest.predict(x).reshape(len(x), -1)
        else:
            shares = forest.predict_proba(x)
            columns = shares if isinstance(shares, list) else [shares]
            predicted[:, group] = np.column_stack([column[:, 1] for column in columns])
    return predicted


def fit_lightgbm(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Boosted trees with parameters `leaves`, `rate`, `rounds`; without `rounds`, the best is kept.

    The number of rounds is one for all tasks.
    """
    for params in grid:
        boosters = _boost(problem, params)
        offered = [int(params["rounds"])] if "rounds" in params else ROUNDS
        best: tuple[float, int, FloatArray] | None = None
        for rounds in offered:
            valid = _boosted(boosters, problem.x_valid, rounds)
            score = mean_metric(problem.kind, problem.y_valid, valid)
            if best is None or score > best[0]:
                best = (score, rounds, valid)
        assert best is not None
        _, rounds, valid = best
        yield Candidate(
            {**params, "rounds": rounds},
            valid,
            lambda boosters=boosters, rounds=rounds: _boosted(boosters, problem.x_test, rounds),
        )


ROUNDS = (50, 100, 200)


def _boost(problem: Problem, params: Params) -> list[Any]:
    import lightgbm

    settings = {
        "objective": "regression" if problem.kind == "regression" else "binary",
        "num_leaves": int(params["leaves"]),
        "learning_rate": params["rate"],
        "feature_fraction": 0.3,
        "min_data_in_leaf": int(np.clip(len(problem.x_train) // 100, 3, 20)),
        "lambda_l2": 1.0,
        "max_bin": 63,
        "seed": problem.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    rounds = int(params.get("rounds", max(ROUNDS)))
    base = lightgbm.Dataset(problem.x_train, params=settings, free_raw_data=False).construct()
    boosters = []
    for labels in problem.y_train.T:
        known = np.flatnonzero(~np.isnan(labels))
        base.set_label(np.nan_to_num(labels))
        part = base if len(known) == len(labels) else base.subset(known)
        boosters.append(lightgbm.train(settings, part, num_boost_round=rounds))
    return boosters


def _boosted(boosters: list[Any], x: FloatMatrix, rounds: int) -> FloatArray:
    return np.column_stack(
        [one.predict(x, num_iteration=rounds, raw_score=True, num_threads=1) for one in boosters]
    )
