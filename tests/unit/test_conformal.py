"""Conformal intervals and classes against a well-kept library, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.errors import InputError
from cmim_chem.probes.conformal import rank_scores

crepes = pytest.importorskip("crepes")


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
# Not 19 or 999: where (n + 1) * level is whole, crepes rounds 3.9999999 down.
@pytest.mark.parametrize("n", [22, 107, 1000])
def test_intervals_are_those_of_crepes(level, n):
    rng = np.random.default_rng(n)
    residuals, scale = rng.normal(size=n), rng.uniform(0.5, 2.0, size=n)
    new, new_scale = rng.normal(size=50), rng.uniform(0.5, 2.0, size=50)
    theirs = crepes.ConformalRegressor().fit(residuals, sigmas=scale)
    ends = theirs.predict_int(new, sigmas=new_scale, confidence=level)
    factor = rank_scores(np.abs(residuals) / scale).quantile(level)
    if (n + 1) * (1 - level) < 1:
        assert factor == np.inf
        return
    np.testing.assert_allclose(ends[:, 0], new - factor * new_scale, rtol=1e-12)
    np.testing.assert_allclose(ends[:, 1], new + factor * new_scale, rtol=1e-12)


def test_p_values_are_those_of_crepes():
    rng = np.random.default_rng(1)
    scores, new = rng.uniform(size=80), rng.uniform(size=(40, 1))
    theirs = crepes.ConformalClassifier().fit(scores).predict_p(new, smoothing=False)
    np.testing.assert_allclose(rank_scores(scores).p_values(new[:, 0]), theirs[:, 0], rtol=1e-12)


def test_new_scores_are_exceeded_as_often_as_promised():
    rng = np.random.default_rng(2)
    for level in (0.8, 0.9):
        held = [
            np.mean(new <= rank_scores(known).quantile(level))
            for known, new in zip(
                rng.exponential(size=(100, 200)), rng.exponential(size=(100, 500)), strict=True
            )
        ]
        assert np.mean(held) == pytest.approx(level, abs=0.012)


def test_few_scores_have_no_interval_and_exclude_no_class():
    few = rank_scores([0.1, 0.2, 0.3])
    assert few.quantile(0.9) == np.inf
    assert few.quantile(0.75) == 0.3
    assert few.p_values([10.0]) == 0.25
    none = rank_scores([])
    assert none.quantile(0.5) == np.inf
    assert none.p_values([1.0]) == 1.0


def test_thinning_errs_to_the_safe_side_only():
    scores = np.random.default_rng(3).normal(size=5000)
    whole, thin = rank_scores(scores, most=5000), rank_scores(scores, most=100)
    assert len(thin.values) == 100
    for level in np.linspace(0.05, 0.99, 40):
        assert thin.quantile(level) >= whole.quantile(level)
        assert thin.quantile(level) <= whole.quantile(min(level + 0.011, 0.9999))
    new = np.linspace(-3, 3, 50)
    assert (thin.p_values(new) >= whole.p_values(new)).all()


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(InputError, match=r"such as 0\.9"):
        rank_scores([1.0]).quantile(level)
