"""Intervals, calls and calibration of a probe, from folds to the stored folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.probes.artifact import SURENESS, load_probe, save_probe
from cmim_chem.probes.card import ProbeCard
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, fit_probe
from cmim_chem.probes.folds import assign_folds, predict_out_of_fold
from cmim_chem.probes.select import Trial, fit_candidate
from cmim_chem.probes.sureness import Sureness
from cmim_chem.probes.trust import learn_from_rows, learn_sureness
from cmim_chem.probes.words import ACTIVE, INACTIVE, NO_CALL, UNDECIDED

TRIAL = {
    "regression": Trial("h", "linear", {"alpha": 10.0}, 0.0),
    "classification": Trial("h", "linear", {"C": 0.1}, 0.0),
}


def make_data(kind="regression", n=900, seed=0, noise=None):
    """y is linear in h; its noise grows with h[:, 1] unless another is given."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n, 8)).astype(np.float32)
    ecfp = (rng.uniform(size=(n, 2048)) < 0.02).astype(np.float32)
    ecfp[:, :40] *= np.where(h[:, 1] > 0, 3, 1)[:, None]
    spread = np.exp(0.8 * h[:, 1]) if noise is None else noise
    y = h[:, 0] * 2 + 5 * h[:, 1] + spread * rng.normal(size=n)
    if kind == "classification":
        y = (y > 0).astype(float)
    rows = rng.permutation(n)
    split = (
        np.sort(rows[: n * 6 // 10]),
        np.sort(rows[n * 6 // 10 : n * 7 // 10]),
        np.sort(rows[n * 7 // 10 :]),
    )
    return TrainingData({"h": h, "ecfp": ecfp}, y[:, None], ("task",), kind, split)


def hold_out(data):
    rows = data.split[2]
    return {name: block[rows] for name, block in data.features.items()}, data.y[rows]


def test_folds_keep_groups_together_and_are_of_a_size():
    groups = np.random.default_rng(0).integers(0, 60, size=500)
    fold_of = assign_folds(groups)
    assert set(fold_of) == set(range(5))
    assert all(len(set(fold_of[groups == one])) == 1 for one in set(groups))
    assert np.bincount(fold_of).min() > 80
    assert set(assign_folds(np.array([7, 7, 9]))) == {0, 1}


def test_out_of_fold_never_knows_the_molecule():
    data = make_data(n=200, noise=1.0)
    rows = np.arange(200)
    found = predict_out_of_fold(data, TRIAL["regression"], rows)
    assert found.near.similarity.max() < 1.0
    y = data.y.copy()
    y[3] += 1000.0
    again = predict_out_of_fold(replace(data, y=y), TRIAL["regression"], rows)
    assert again.predicted[3] == found.predicted[3]
    assert (again.predicted != found.predicted).sum() > 100


@pytest.mark.parametrize("level", [0.7, 0.9])
def test_intervals_cover_new_molecules_at_the_level_and_are_wide_where_it_is_hard(level):
    covered, ratios = [], []
    for seed in range(6):
        data = make_data(seed=seed)
        rows = np.concatenate(data.split[:2])
        sureness = learn_from_rows(data, TRIAL["regression"], rows)
        features, y = hold_out(data)
        model = fit_candidate(data, TRIAL["regression"], rows, 0)
        found = sureness.assess(features, model.predict(features), level)
        covered.append(np.mean((found.lower <= y) & (y <= found.upper)))
        width = (found.upper - found.lower)[:, 0]
        hard = features["h"][:, 1] > 0.5
        ratios.append(width[hard].mean() / width[~hard].mean())
        assert (found.calls == NO_CALL).all()
    assert np.mean(covered) == pytest.approx(level, abs=0.03)
    assert np.mean(ratios) > 1.15


def test_test_rows_teach_nothing():
    data = make_data()
    y = data.y.copy()
    y[data.split[2]] = 1e6
    first, report = learn_sureness(data, TRIAL["regression"])
    second, other = learn_sureness(replace(data, y=y), TRIAL["regression"])
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])
    assert report["tasks"]["task"]["coverage"] > 0.8
    assert other["tasks"]["task"]["coverage"] == 0.0


def test_calls_are_right_as_often_as_promised_in_each_class():
    wrong = {ACTIVE: [], INACTIVE: []}
    for seed in range(6):
        data = make_data("classification", seed=seed)
        sureness, report = learn_sureness(data, TRIAL["classification"])
        features, y = hold_out(data)
        p = 1 / (1 + np.exp(-(features["h"][:, 0] * 2 + 5 * features["h"][:, 1])))
        calls = sureness.assess(features, p[:, None].astype(float), 0.9).calls[:, 0]
        for one, other in ((ACTIVE, INACTIVE), (INACTIVE, ACTIVE)):
            wrong[one].append(np.mean(calls[y[:, 0] == one] == other))
        assert {"ece_before", "ece_after", "undecided", "right"} == set(report["tasks"]["task"])
    assert np.mean(wrong[ACTIVE]) < 0.12
    assert np.mean(wrong[INACTIVE]) < 0.12
    surer = sureness.assess(features, p[:, None].astype(float), 0.99).calls
    assert (surer == UNDECIDED).sum() > (calls == UNDECIDED).sum()


def test_too_few_molecules_have_no_interval():
    data = make_data(n=10)
    sureness, _ = learn_sureness(data, TRIAL["regression"])
    assert sureness is None
    data = make_data(n=15)
    sureness, _ = learn_sureness(data, TRIAL["regression"])
    features, y = hold_out(data)
    assert np.isnan(sureness.assess(features, y, 0.95).lower).all()
    assert not np.isnan(sureness.assess(features, y, 0.5).lower).any()


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_a_probe_keeps_it_without_pickle_and_old_probes_load_without(kind, tmp_path):
    data = make_data(kind, n=300)
    about = About("assay", "An assay", ("An assay",), ("unit",), "digest")
    probe = fit_probe(data, about, ("h",), ("linear",))
    save_probe(probe, tmp_path / "assay")
    back = load_probe(tmp_path / "assay", "digest")
    features, _ = hold_out(data)
    predicted = back.predict(features)
    np.testing.assert_array_equal(predicted, probe.predict(features))
    ours, theirs = (one.assess(features, predicted, 0.8) for one in (probe, back))
    for name in ("lower", "upper", "calls", "domain"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert back.card.sureness["calibration_rows"] == 210
    assert "share" in back.card.to_markdown()

    old = replace(probe, sureness=None, card=replace(probe.card, sureness={}))
    save_probe(old, tmp_path / "old")
    assert not (tmp_path / "old" / SURENESS).exists()
    loaded = load_probe(tmp_path / "old", "digest")
    assert loaded.assess(features, loaded.predict(features)) is None
    content = {k: v for k, v in old.card.to_json().items() if k != "sureness"}
    assert ProbeCard.from_json(content).sureness == {}


def test_damage_is_named():
    data = make_data(n=200)
    arrays = learn_sureness(data, TRIAL["regression"])[0].arrays()
    del arrays["difficulty.weights"]
    with pytest.raises(ArtifactError, match="weights"):
        Sureness.from_arrays(arrays)


def test_groups_must_fit_the_rows():
    data = make_data(n=50)
    with pytest.raises(InputError, match="groups"):
        replace(data, groups=np.zeros(3, dtype=np.int64))
