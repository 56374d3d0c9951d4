"""Scores against scikit-learn, hand-computed values and the undefined cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from cmim_chem import metrics
from cmim_chem.errors import InputError

NAN = float("nan")


def test_hand_computed_values_ignore_missing_labels():
    y, predicted = [1.0, NAN, 3.0], [2.0, 100.0, 1.0]
    assert metrics.rmse(y, predicted) == pytest.approx(np.sqrt((1 + 4) / 2))
    assert metrics.mae(y, predicted) == pytest.approx(1.5)
    assert metrics.r2(y, predicted) == pytest.approx(1 - 5 / 2)


def test_hand_computed_roc_auc_counts_ordered_pairs_and_ties_as_half():
    # positives .9 and .4, negatives .4 and .1: pairs won 1, 1, 1/2, 1
    assert metrics.roc_auc([1, 0, 1, 0], [0.9, 0.4, 0.4, 0.1]) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2", "roc_auc", "pr_auc"])
def test_agrees_with_scikit_learn_on_the_labeled_rows(name):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 200).astype(float)
    predicted = rng.random(200)
    holes = rng.random(200) < 0.3
    y_holes = np.where(holes, NAN, y)
    oracle = {
        "rmse": lambda a, b: sk.mean_squared_error(a, b) ** 0.5,
        "mae": sk.mean_absolute_error,
        "r2": sk.r2_score,
        "roc_auc": sk.roc_auc_score,
        "pr_auc": sk.average_precision_score,
    }[name]
    found = metrics.score(name, y_holes, predicted)
    assert found.value == pytest.approx(oracle(y[~holes], predicted[~holes]), abs=1e-12)
    assert found.n == (~holes).sum()
    assert found.reason == ""


@pytest.mark.parametrize(
    ("name", "y", "reason"),
    [
        ("rmse", [NAN, NAN], "no labels"),
        ("roc_auc", [1.0, 1.0], "one class only (all 1)"),
        ("pr_auc", [0.0, NAN], "one class only (all 0)"),
        ("r2", [2.0, 2.0], "fewer than two different labels"),
        ("r2", [2.0, NAN], "fewer than two different labels"),
    ],
)
def test_undefined_scores_are_nan_and_say_why(name, y, reason):
    found = metrics.score(name, y, [0.5, 0.6])
    assert np.isnan(found.value)
    assert found.reason == reason


def test_mean_over_tasks_names_what_it_skipped():
    y = np.array([[1.0, 1.0, NAN], [0.0, 1.0, NAN], [1.0, NAN, NAN]])
    predicted = np.array([[0.9, 0.5, 0.5], [0.1, 0.5, 0.5], [0.2, 0.5, 0.5]])
    found = metrics.score_tasks("roc_auc", y, predicted, ["a", "b", "c"])
    assert found.values == {"a": 1.0}
    assert found.mean == 1.0
    assert found.skipped == {"b": "one class only (all 1)", "c": "no labels"}
    assert found.n == 3


def test_mean_over_no_defined_task_is_nan():
    found = metrics.score_tasks("rmse", np.full((2, 1), NAN), np.zeros((2, 1)), ["a"])
    assert np.isnan(found.mean)
    assert found.n == 0


def test_a_failed_prediction_on_a_labeled_row_is_refused_by_row():
    with pytest.raises(InputError, match=r"1 labeled rows .* row 2: remove failed rows"):
        metrics.rmse([NAN, 1.0, 2.0], [NAN, 1.0, NAN])


def test_wrong_labels_shapes_and_names_are_refused():
    with pytest.raises(InputError, match="must be 0 or 1"):
        metrics.roc_auc([0.0, 2.0], [0.1, 0.2])
    with pytest.raises(InputError, match="equally long"):
        metrics.rmse([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="choose one of"):
        metrics.score("auc", [1.0], [1.0])
    with pytest.raises(InputError, match="must both be"):
        metrics.score_tasks("rmse", np.zeros((2, 2)), np.zeros((2, 2)), ["a"])
