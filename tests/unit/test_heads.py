"""Heads in numpy against scikit-learn, and the inputs they are given."""

from __future__ import annotations

import warnings

import lightgbm
import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.probes import heads
from cmim_chem.probes.features import fit_inputs
from cmim_chem.probes.heads import HEADS, Request
from cmim_chem.probes.kernel import round_rows, unround
from cmim_chem.probes.trees import Trees

NAN = float("nan")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 12)).astype(np.float32)
    signal = x[:, 0] - 2 * x[:, 1] * x[:, 2]
    return x, np.column_stack([signal, (signal + rng.normal(size=240) > 0).astype(float)])


# ------------------------------------------------------------------ against scikit-learn


def test_ridge_and_logistic_equal_scikit_learn(table):
    x, y = table
    ridge, _ = heads.fit_linear(x, y[:, :1], Request("regression", {"alpha": 10.0}))
    expected = Ridge(alpha=10.0).fit(x.astype(float), y[:, 0]).predict(x)
    np.testing.assert_allclose(ridge.margins(x)[:, 0], expected, atol=1e-5)
    logistic, _ = heads.fit_linear(x, y[:, 1:], Request("classification", {"C": 0.1}))
    model = LogisticRegression(C=0.1, max_iter=300, tol=1e-3).fit(x, y[:, 1])
    np.testing.assert_allclose(
        expit(logistic.margins(x)[:, 0]), model.predict_proba(x)[:, 1], atol=1e-6
    )


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_svm_equals_scikit_learn_on_the_rounded_rows(table, kind):
    x, y = table
    labels = y[:, 0] if kind == "regression" else y[:, 1]
    head, _ = heads.fit_svm(x, labels[:, None], Request(kind, {"C": 1.0, "width": 1.0}))
    rounded, gamma = unround(round_rows(x)), 1.0 / x.shape[1]
    if kind == "regression":
        model = SVR(C=1.0, gamma=gamma, epsilon=0.1).fit(rounded, labels)
        expected, slope, offset = model.predict(x), 1.0, 0.0
    else:
        model = SVC(C=1.0, gamma=gamma, class_weight="balanced").fit(rounded, labels)
        slope, offset = head.calibration[:, 0]
        expected = model.decision_function(x)
        assert slope > 0
    np.testing.assert_allclose(head.margins(x)[:, 0], expected * slope + offset, atol=1e-6)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_mlp_equals_scikit_learn(table, kind):
    x, y = table
    labels = y[:, 0] if kind == "regression" else y[:, 1]
    head, _ = heads.fit_mlp(x, labels[:, None], Request(kind, {"alpha": 1.0, "width": 16}, seed=3))
    settings = {"hidden_layer_sizes": (16,), "alpha": 1.0, "batch_size": 64, "max_iter": 100}
    settings |= {"early_stopping": True, "random_state": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "regression":
            expected = MLPRegressor(**settings).fit(x, labels).predict(x)
        else:
            model = MLPClassifier(**settings).fit(x, labels.astype(int))
            expected = model.predict_proba(x)[:, 1]
    found = head.margins(x)[:, 0]
    found = found if kind == "regression" else expit(found)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_mlp_with_several_tasks_is_one_network(table):
    x, y = table
    labels = np.column_stack([y[:, 1], 1 - y[:, 1], (x[:, 3] > 0).astype(float)])
    head, _ = heads.fit_mlp(x, labels, Request("classification", {"alpha": 0.1, "width": 128}))
    found = expit(head.margins(x))
    assert found.shape == (240, 3)
    assert ((found[:, 2] > 0.5) == (labels[:, 2] == 1)).mean() > 0.9


def test_platt_probabilities_have_the_frequency_of_the_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=600) > 1.8).astype(float)  # about one in ten
    head, _ = heads.fit_svm(x, y[:, None], Request("classification", {"C": 1.0, "width": 1.0}))
    fresh = rng.normal(size=(4000, 4)).astype(np.float32)
    truth = (fresh[:, 0] + rng.normal(size=4000) > 1.8).mean()
    assert expit(head.margins(fresh)).mean() == pytest.approx(truth, abs=0.04)


def test_trees_equal_lightgbm_to_the_last_bit(table):
    x, y = table
    holes = np.where(np.arange(x.size).reshape(x.shape) % 17 == 0, NAN, x).astype(np.float32)
    labels = np.column_stack([y[:, 1], 1 - y[:, 1]])
    params = {"leaves": 7, "rate": 0.1, "rounds": 30}
    head, _ = HEADS["lightgbm"].fit(holes, labels, Request("classification", params))
    boosters = [lightgbm.Booster(model_str=text) for text in head.texts()]
    for rows in (holes, holes[:1], np.asfortranarray(holes[::2]), holes[:0]):
        expected = [one.predict(rows, raw_score=True) if len(rows) else [] for one in boosters]
        np.testing.assert_array_equal(head.margins(rows), np.column_stack(expected))


def test_trees_refuse_damaged_texts_and_other_widths(table):
    x, y = table
    head, _ = HEADS["lightgbm"].fit(x, y[:, :1], Request("regression", {"leaves": 3, "rate": 0.1}))
    with pytest.raises(ArtifactError, match="columns"):
        head.margins(x[:, :3])
    with pytest.raises(ArtifactError, match="damaged"):
        Trees("tree\nversion=v4\n")


@pytest.mark.parametrize("name", list(HEADS))
def test_missing_labels_are_masked_not_learned_as_zero(name, table):
    x, y = table
    holes = np.column_stack([y[:, 1], y[:, 1]])
    holes[::3, 1] = NAN
    if HEADS[name].complete_only:
        holes = holes[:, 1:]
    params = HEADS[name].grid["classification"][0]
    head, _ = HEADS[name].fit(x, holes, Request("classification", params))
    dropped, _ = HEADS[name].fit(
        x[~np.isnan(holes[:, -1])],
        holes[~np.isnan(holes[:, -1]), -1:],
        Request("classification", params),
    )
    masked, expected = head.margins(x)[:, -1], dropped.margins(x)[:, 0]
    if name == "lightgbm":  # bins the matrix on all rows, so its thresholds differ a little
        assert np.corrcoef(masked, expected)[0, 1] > 0.95
    else:
        np.testing.assert_allclose(masked, expected, atol=1e-6)


# ------------------------------------------------------------------ inputs


def make_blocks():
    rng = np.random.default_rng(0)
    return {
        "h": rng.normal(size=(300, 8)).astype(np.float32),
        "z": rng.normal(size=(300, 8)).astype(np.float32),
        "ecfp": rng.poisson(0.3, size=(300, 30)).astype(np.float32),
    }


def test_inputs_come_from_the_given_rows_only():
    blocks = make_blocks()
    rows = np.arange(100)
    inputs = fit_inputs(blocks, ("h", "ecfp"), rows)
    changed = {name: block.copy() for name, block in blocks.items()}
    changed["h"][100:] *= 50
    again = fit_inputs(changed, ("h", "ecfp"), rows)
    for name, array in inputs.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])
    x = inputs.transform({name: block[rows] for name, block in blocks.items()})
    np.testing.assert_allclose(x[:, :8].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x[:, :8].std(axis=0), 1, atol=1e-5)


def test_rare_bits_constant_columns_and_wild_descriptors_are_tamed():
    counts = np.zeros((400, 4), dtype=np.float32)
    counts[:2, 0] = 1  # in 0.5 % of the rows
    counts[:40, 1] = 9
    counts[:, 2] = 1  # in all rows
    dense = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    dense[:, 1] = 5.0
    features = {"ecfp": counts, "descriptors": dense}
    inputs = fit_inputs(features, ("descriptors", "ecfp"), np.arange(400))
    assert inputs.blocks[0].columns.tolist() == [0, 2]
    assert inputs.blocks[1].columns.tolist() == [1]
    wild = {"ecfp": counts[:1], "descriptors": np.array([[np.inf, 0, NAN]], dtype=np.float32)}
    assert inputs.transform(wild)[0, :2].tolist() == [10.0, 0.0]


def test_inputs_refuse_absent_narrow_and_failed_blocks():
    blocks = make_blocks()
    inputs = fit_inputs(blocks, ("h",), np.arange(100))
    with pytest.raises(InputError, match="features h are needed"):
        inputs.transform({"z": blocks["z"]})
    with pytest.raises(InputError, match=r"this probe needs \(n, 8\)"):
        inputs.transform({"h": blocks["h"][:, :5]})
    failed = blocks["h"].copy()
    failed[[7, 9]] = NAN
    with pytest.raises(InputError, match=r"no numbers in 2 rows, the first is row 7"):
        inputs.transform({"h": failed})
