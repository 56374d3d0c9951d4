"""Platt's two numbers and the calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from cmim_chem.probes.calibration import calibration_error, fit_platt, to_margins


def test_platt_finds_the_logistic_line():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000) * 2
    y = (rng.uniform(size=len(x)) < expit(0.5 * x - 1.0)).astype(float)
    slope, offset = fit_platt(x, y)
    theirs = LogisticRegression(C=1e9, tol=1e-8).fit(x[:, None], y)
    assert slope == pytest.approx(theirs.coef_[0, 0], abs=1e-3)
    assert offset == pytest.approx(theirs.intercept_[0], abs=2e-3)


def test_overconfident_probabilities_are_mended_without_changing_the_order():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.02, 0.98, size=4000)
    y = (rng.uniform(size=len(truth)) < truth).astype(float)
    said = expit(3 * to_margins(truth) + 0.7)
    slope, offset = fit_platt(to_margins(said[:2000]), y[:2000])
    mended = expit(to_margins(said[2000:]) * slope + offset)
    assert calibration_error(y[2000:], said[2000:]) > 0.1
    assert calibration_error(y[2000:], mended) < 0.04
    assert (np.argsort(mended, kind="stable") == np.argsort(said[2000:], kind="stable")).all()


def test_a_handful_of_molecules_changes_little():
    slope, offset = fit_platt([3.0, -3.0], [0.0, 1.0])
    assert slope >= 0.05
    assert abs(offset) < 0.5
    assert fit_platt([], []) == pytest.approx((1.0, 0.0))


def test_calibration_error_by_hand():
    y, p = [0, 1, 1, 1, np.nan], [0.25, 0.25, 0.85, 0.85, 0.99]
    assert calibration_error(y, p) == pytest.approx((2 * 0.25 + 2 * 0.15) / 4)
    assert np.isnan(calibration_error([np.nan], [0.3]))
    assert calibration_error([1.0, 0.0], [1.0, 0.0]) == 0.0
