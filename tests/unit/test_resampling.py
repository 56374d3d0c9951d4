"""The bootstrap against what is known of it, and scores that are not defined."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.metrics import roc_auc, roc_points
from cmim_chem.resampling import bootstrap_interval

RNG = np.random.default_rng(11)
Y = RNG.normal(size=400)
GUESS = Y + RNG.normal(size=400) * 0.5


def test_the_interval_holds_the_score_and_is_as_wide_as_theory_says():
    low, high = bootstrap_interval("rmse", Y, GUESS, replicates=2_000)
    error = np.abs(Y - GUESS)
    rmse = np.sqrt(np.mean(error**2))
    # Delta method: the standard error of a root mean square.
    expected = 2 * 1.96 * np.std(error**2) / np.sqrt(len(Y)) / (2 * rmse)
    assert low < rmse < high
    assert high - low == pytest.approx(expected, rel=0.1)


def test_more_molecules_make_it_narrower():
    few = bootstrap_interval("rmse", Y[:40], GUESS[:40])
    many = bootstrap_interval("rmse", Y, GUESS)
    assert many[1] - many[0] < 0.7 * (few[1] - few[0])


def test_the_same_seed_gives_the_same_ends_and_gaps_are_left_out():
    first = bootstrap_interval("rmse", Y, GUESS, seed=3)
    assert first == bootstrap_interval("rmse", Y, GUESS, seed=3)
    gaps = np.concatenate([Y, [np.nan, np.nan]])
    assert bootstrap_interval("rmse", gaps, np.concatenate([GUESS, [0, 0]]), seed=3) == first


def test_an_undefined_score_has_no_interval():
    assert np.isnan(bootstrap_interval("roc_auc", np.ones(20), np.linspace(0, 1, 20))).all()


def test_drawings_of_one_class_are_left_out():
    y = np.array([1.0, *[0.0] * 9])
    low, high = bootstrap_interval("roc_auc", y, np.linspace(1, 0, 10))
    assert (low, high) == (1.0, 1.0)


def test_the_area_under_the_roc_points_is_the_score():
    labels = (Y > 0).astype(float)
    false, true = roc_points(labels, GUESS)
    assert np.trapezoid(true, false) == pytest.approx(roc_auc(labels, GUESS))
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert not len(roc_points(np.ones(5), np.arange(5))[0])
