"""The bootstrap: equal to scikit-learn on the rows that were drawn, and drawn once for all."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, root_mean_squared_error

from benchmarks.bootstrap import draw_weights, resample, weighted_auc, weighted_rmse

N, R = 40, 25


@pytest.fixture
def scored():
    generator = np.random.default_rng(3)
    labels = (generator.random(N) < 0.3).astype(float)
    return labels, np.round(generator.random(N) + 0.3 * labels, 1)  # rounded: many ties


def drawn_rows(weights):
    return np.repeat(np.arange(len(weights)), weights.astype(int))


def test_auc_of_each_resample_is_that_of_scikit_learn(scored):
    labels, guesses = scored
    weights = draw_weights(N, R)
    expected = [roc_auc_score(labels[r], guesses[r]) for r in map(drawn_rows, weights)]
    np.testing.assert_allclose(weighted_auc(labels, guesses, weights), expected, atol=1e-12)


def test_rmse_of_each_resample_is_that_of_scikit_learn(scored):
    labels, guesses = scored
    weights = draw_weights(N, R)
    expected = [root_mean_squared_error(labels[r], guesses[r]) for r in map(drawn_rows, weights)]
    np.testing.assert_allclose(weighted_rmse(labels, guesses, weights), expected, atol=1e-9)


def test_a_resample_has_as_many_molecules_and_is_the_same_every_time():
    weights = draw_weights(N, R)
    assert (weights.sum(axis=1) == N).all()
    assert np.array_equal(weights, draw_weights(N, R))
    assert not np.array_equal(weights[0], weights[1])


def test_a_resample_with_one_class_is_undefined():
    weights = np.array([[1.0, 1, 0], [1, 0, 2]], dtype=np.float32)
    auc = weighted_auc(np.array([0.0, 0, 1]), np.array([0.1, 0.3, 0.2]), weights)
    assert np.isnan(auc[0])
    assert auc[1] == 1.0


def test_missing_labels_and_undefined_tasks_do_not_count(scored):
    labels, guesses = scored
    weights = draw_weights(N, R)
    y = np.column_stack([labels, np.where(np.arange(N) < 20, labels, np.nan), np.zeros(N)])
    wild = np.where(np.isnan(y), 1e9, guesses[:, None])
    first = weighted_auc(labels, guesses, weights)
    second = weighted_auc(labels[:20], guesses[:20], weights[:, :20])
    expected = np.nanmean([first, second], axis=0)
    np.testing.assert_allclose(resample("roc_auc", y, wild, weights), expected, atol=1e-12)
