"""Heads: equal to scikit-learn where they can be, missing labels unseen, the same twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.svm import LinearSVC

from benchmarks.heads import kernel, trees
from benchmarks.heads.linear import solve_classes, solve_ridge
from benchmarks.heads.problem import Candidate, Problem
from benchmarks.heads.score import mean_metric, rank_auc
from benchmarks.heads.table import HEADS, MANY_TASKS, MEAN, MEMBERS, Head, choose

N_TRAIN, N_VALID, N_TEST, D = 120, 40, 50, 12


def make_problem(kind: str, tasks: int = 2, missing: float = 0.0, seed: int = 0) -> Problem:
    """Labels that follow from the first columns, with noise."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(N_TRAIN + N_VALID + N_TEST, D)).astype(np.float32)
    y = x[:, : tasks % D or D] @ generator.normal(size=(tasks % D or D, tasks))
    y += 0.3 * generator.normal(size=y.shape)
    if kind == "classification":
        y = (y > 0).astype(float)
    y[generator.random(y.shape) < missing] = np.nan
    a, b = N_TRAIN, N_TRAIN + N_VALID
    return Problem(kind, x[:a], x[a:b], x[b:], y[:a], y[a:b], seed=0)


@pytest.mark.parametrize("c", [1e-2, 1.0])
def test_logistic_regression_is_that_of_scikit_learn_task_by_task(c):
    problem = make_problem("classification", tasks=3, missing=0.4)
    found = solve_classes(problem.x_train, problem.y_train, c)
    for task, labels in enumerate(problem.y_train.T):
        known = ~np.isnan(labels)
        model = LogisticRegression(C=c, tol=1e-8, max_iter=1000)
        model.fit(problem.x_train[known], labels[known])
        np.testing.assert_allclose(found[:-1, task], model.coef_[0], atol=5e-3)
        np.testing.assert_allclose(found[-1, task], model.intercept_[0], atol=5e-3)


def test_balanced_squared_hinge_is_that_of_scikit_learn():
    problem = make_problem("classification", tasks=1)
    found = solve_classes(problem.x_train, problem.y_train, 0.1, "squared_hinge", balanced=True)
    model = LinearSVC(C=0.1, class_weight="balanced", intercept_scaling=1000, max_iter=100_000)
    model.fit(problem.x_train, problem.y_train[:, 0])
    np.testing.assert_allclose(found[:-1, 0], model.coef_[0], atol=1e-2)


@pytest.mark.parametrize("rows", [N_TRAIN, 8])  # more rows than columns, and fewer
def test_ridge_is_that_of_scikit_learn(rows):
    problem = make_problem("regression")
    x, y = problem.x_train[:rows], problem.y_train[:rows]
    found = solve_ridge(x, y, 3.0)
    model = Ridge(alpha=3.0).fit(x.astype(float), y)
    np.testing.assert_allclose(found[:-1].T, model.coef_, atol=1e-5)
    np.testing.assert_allclose(found[-1], model.intercept_, atol=1e-5)


@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.parametrize("name", HEADS)
def test_every_head_learns_and_says_the_same_twice(name, kind):
    problem = make_problem(kind)
    first, second = (choose(HEADS[name], problem) for _ in range(2))
    assert first.test.shape == (N_TEST, 2)
    assert np.array_equal(first.test, second.test)
    assert first.valid > (0.7 if kind == "classification" else -0.85)  # RMSE of a constant: 1.1


# The network's batches and LightGBM's bins see all rows; both have a test of their own below.
@pytest.mark.parametrize("name", ["linear", "svm", "knn", "forest"])
def test_a_row_without_a_label_teaches_nothing(name):
    problem = make_problem("classification", tasks=1)
    hidden = np.arange(N_TRAIN) % 3 == 0
    y = np.where(hidden[:, None], np.nan, problem.y_train)
    with_gaps = replace(problem, y_train=y)
    without = replace(problem, x_train=problem.x_train[~hidden], y_train=problem.y_train[~hidden])
    grid = HEADS[name].grid["classification"][:1]
    a, b = (next(iter(HEADS[name].fit(one, grid))) for one in (with_gaps, without))
    np.testing.assert_allclose(a.valid, b.valid, atol=1e-4)


@pytest.mark.parametrize("name", ["lightgbm", "mlp"])
def test_a_missing_label_is_not_a_negative(name):
    problem = make_problem("classification", tasks=2)
    positive = problem.y_train[:, 0] == 1
    hidden = positive & (np.cumsum(positive) % 3 > 0)  # two of three positives of the first task
    y = problem.y_train.copy()
    y[hidden, 0] = np.nan
    grid = HEADS[name].grid["classification"][:1]

    def mean_belief(labels):
        (found,) = HEADS[name].fit(replace(problem, y_train=labels), grid)
        return expit(found.valid[:, 0]).mean()

    masked, negative = mean_belief(y), mean_belief(np.nan_to_num(y))
    share = np.nanmean(y[:, 0])
    assert abs(masked - share) < 0.12
    assert masked > negative + 0.08


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_mean_is_of_the_best_points_in_like_units(kind):
    problem = make_problem(kind)
    mean = choose(HEADS[MEAN], problem)
    found = [choose(HEADS[name], replace(problem, x_test=problem.x_valid)) for name in MEMBERS]
    units = [one.test.std(axis=0) if kind == "classification" else 1.0 for one in found]
    tested = [choose(HEADS[name], problem).test / unit
              for name, unit in zip(MEMBERS, units, strict=True)]  # fmt: skip
    np.testing.assert_allclose(mean.test, np.mean(tested, axis=0), atol=1e-9)
    assert {name.partition(".")[0] for name in mean.params} == set(MEMBERS)


def test_large_problems_use_landmarks_and_are_nearly_as_good(monkeypatch):
    problem = make_problem("classification", tasks=1)
    exact = choose(HEADS["svm"], problem).valid
    monkeypatch.setattr(kernel, "EXACT_ROWS", 50)
    monkeypatch.setattr(kernel, "LANDMARKS", 60)
    assert choose(HEADS["svm"], problem).valid > exact - 0.1


def test_tasks_labeled_on_the_same_rows_share_a_forest(monkeypatch):
    monkeypatch.setattr(trees, "MANY_TASKS", 2)
    y = np.ones((6, 4))
    y[0, [1, 3]] = np.nan
    assert [group.tolist() for group in trees.group_tasks(y)] == [[0, 2], [1, 3]]
    monkeypatch.setattr(trees, "MANY_TASKS", 4)
    assert [group.tolist() for group in trees.group_tasks(y)] == [[0], [1], [2], [3]]


def test_the_point_is_chosen_on_validation_and_never_on_test():
    problem = make_problem("classification", tasks=1)
    asked = []

    def fit(given, grid):
        for params in grid:
            good = given.y_valid if params["good"] else 1 - given.y_valid
            yield Candidate(params, good, lambda p=params: asked.append(p) or np.zeros((N_TEST, 1)))

    grid = ({"good": 0.0}, {"good": 1.0}, {"good": 1.0, "later": 1.0})
    choice = choose(Head(fit, {"classification": grid}), problem)
    assert choice.params == {"good": 1.0}
    assert choice.valid == 1.0
    assert asked == [{"good": 1.0}]  # the test rows are predicted once, by the winner


def test_many_tasks_are_scouted_by_a_few_and_all_are_fitted():
    problem = make_problem("classification", tasks=MANY_TASKS + 10)
    seen = []

    def fit(given, grid):
        for params in grid:
            test = np.zeros((N_TEST, given.y_train.shape[1]))
            seen.append((test.shape[1], params["k"]))
            yield Candidate(params, np.zeros_like(given.y_valid), lambda found=test: found)

    choice = choose(Head(fit, {"classification": ({"k": 1}, {"k": 2})}), problem)
    assert seen == [(20, 1), (20, 2), (MANY_TASKS + 10, 1)]
    assert choice.test.shape == (N_TEST, MANY_TASKS + 10)


def test_the_choosing_metric_is_masked_and_means_over_defined_tasks():
    y = np.array([[0.0, 1, np.nan], [1, 1, np.nan], [1, 1, 0], [np.nan, 1, 1]])
    guesses = np.array([[0.3, 0, 9], [0.2, 1, -9], [0.6, 2, 0.1], [99, 3, 0.2]])
    expected = np.mean([roc_auc_score(y[:3, 0], guesses[:3, 0]), 1.0])
    assert mean_metric("classification", y, guesses) == expected
    assert mean_metric("classification", y[:, 1:2], guesses[:, 1:2]) == -np.inf
    assert mean_metric("regression", y[:, :1], y[:, :1] + 2) == -2.0
    assert np.isnan(rank_auc(np.ones(3), np.arange(3.0)))
