"""The choice on validation, the refit on all rows, and data that does not fit together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from cmim_chem.errors import InputError
from cmim_chem.probes import judge, select
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import select_and_fit
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.mean import MEAN, part_params

NAN = float("nan")


def make_data(kind, n=300, tasks=1, seed=0):
    """h carries the signal, ecfp carries counts of noise."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n, 8)).astype(np.float32)
    y = h[:, :tasks] * 3.0 + 10.0 + rng.normal(size=(n, tasks)) * 0.1
    if kind == "classification":
        y = (y > 10.0).astype(float)
    features = {
        "h": h,
        "z": rng.normal(size=(n, 8)).astype(np.float32),
        "descriptors": rng.normal(size=(n, 3)).astype(np.float32),
        "ecfp": rng.poisson(0.3, size=(n, 30)).astype(np.float32),
    }
    rows = np.arange(n)
    split = (rows[: n * 8 // 10], rows[n * 8 // 10 : n * 9 // 10], rows[n * 9 // 10 :])
    return TrainingData(features, y, tuple(f"task{i}" for i in range(tasks)), kind, split)


def test_only_validation_decides_and_test_is_a_report():
    data = make_data("regression")
    first = judge.select(data, heads=("linear", "svm"))
    spoiled = data.y.copy()
    spoiled[data.split[2]] = np.random.default_rng(5).normal(size=(30, 1)) * 100
    other = TrainingData(data.features, spoiled, data.tasks, data.kind, data.split)
    second = judge.select(other, heads=("linear", "svm"))
    assert first.trials == second.trials
    assert first.best == second.best
    assert first.test["ships"].mean != second.test["ships"].mean


@pytest.mark.parametrize(("kind", "sign"), [("regression", 1), ("classification", -1)])
def test_the_mean_of_the_best_heads_ships_and_the_parts_are_only_scored(kind, sign):
    data = make_data(kind)
    choice = select.choose(data)
    assert (choice.best.features, choice.best.head) == ("h+descriptors+ecfp", MEAN)
    assert {t.features for t in choice.trials} == {*select.FEATURE_SETS, *select.BASELINES}
    members = part_params(choice.best.params)
    assert tuple(members) == ("linear", "svm", "lightgbm")
    for head in members:
        tried = [t for t in choice.trials if (t.features, t.head) == (choice.best.features, head)]
        best = min(tried, key=lambda t: sign * t.valid)
        assert members[head] == best.params
    for part in ("h", *select.BASELINES):  # one head each, the one that validated best
        trial, _ = choice.winners[part]
        tried = [t.valid for t in choice.trials if t.features == part]
        assert sign * trial.valid == min(sign * valid for valid in tried)
        assert trial.head in HEADS
    found = judge.judge(data, choice)
    assert set(found.test) == {"ships", "h", "descriptors", "ecfp", "constant"}
    assert sign * found.test["h"].mean < sign * found.test["constant"].mean


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_a_mean_predicts_what_its_members_predict_on_average(kind):
    data = make_data(kind, tasks=2)
    trial = select.choose(data, ("h+ecfp",)).best
    mean = select.fit_candidate(data, trial, data.split[0], seed=0)
    margins = []
    for head, params in part_params(trial.params).items():
        alone = select.Trial(trial.features, head, params, NAN)
        predicted = select.fit_candidate(data, alone, data.split[0], seed=0).predict(data.features)
        margins.append(logit(predicted) if kind == "classification" else predicted)
    expected = np.mean(margins, axis=0)
    if kind == "classification":
        expected = expit(expected)
    np.testing.assert_allclose(mean.predict(data.features), expected, rtol=1e-6, atol=1e-9)


def test_where_the_svm_takes_too_long_the_perceptron_is_averaged():
    offered = select.offer_heads(make_data("regression", n=4000), list(HEADS))
    assert select.list_members("h+ecfp", ["h", "h+ecfp"], offered) == ("linear", "mlp", "lightgbm")
    assert select.list_members("h", ["h", "h+ecfp"], offered) == ()


def test_one_head_that_is_asked_for_is_not_averaged():
    found = judge.select(make_data("regression"), heads=("linear",))
    assert found.best.head == "linear"
    assert {trial.head for trial in found.trials} == {"linear"}


def test_the_shipped_model_is_refitted_on_all_rows_in_the_unit_of_the_table():
    data = make_data("regression")
    model, _ = select_and_fit(data, ("h", "z+h"))
    predicted = model.predict(data.features)
    assert np.sqrt(np.mean((predicted - data.y) ** 2)) < 0.8
    assert model.targets.center[0] == pytest.approx(data.y.mean())


def test_the_same_seed_gives_the_same_model():
    data = make_data("classification", n=120)
    for head in HEADS:
        first, second = (
            select_and_fit(data, ("h",), (head,), seed=4)[0].predict(data.features)
            for _ in range(2)
        )
        np.testing.assert_array_equal(first, second)


def test_a_task_with_one_class_is_a_stated_constant():
    data = make_data("classification", tasks=2)
    y = data.y.copy()
    y[:, 1] = np.where(np.arange(len(y)) < 240, 1.0, NAN)
    one_sided = TrainingData(data.features, y, data.tasks, data.kind, data.split)
    model, found = select_and_fit(one_sided, heads=("linear",))
    assert (model.predict(data.features)[:, 1] == 1.0).all()
    assert found.test["ships"].skipped == {"task1": "no labels"}
    assert any("task1" in note and "constant 1" in note for note in found.notes)


def test_heads_are_offered_where_they_are_affordable():
    small, holes = make_data("classification", tasks=2), make_data("classification", tasks=2)
    holes.y[0, 0] = NAN
    assert select.offer_heads(small, list(HEADS)) == ("linear", "svm", "mlp", "lightgbm")
    assert "mlp" not in select.offer_heads(holes, list(HEADS))
    large = make_data("classification", n=4000)
    assert "svm" not in select.offer_heads(large, list(HEADS))


def test_a_validation_split_that_cannot_score_is_said_and_does_not_stop():
    data = make_data("classification", n=60)
    y = data.y.copy()
    y[data.split[1]] = 1.0
    found = judge.select(TrainingData(data.features, y, data.tasks, data.kind, data.split))
    first = {head: spec.grid["classification"][0] for head, spec in HEADS.items()}
    members = part_params(found.best.params)
    for head, params in members.items():
        assert {key: params[key] for key in first[head]} == first[head]
    assert any("validation rows" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": (np.array([0, 1]), np.array([1]), np.array([2]))}, "names a row twice"),
        ({"split": (np.array([0]), np.array([1]), np.array([999]))}, "does not exist"),
        ({"y": np.full((300, 1), 2.0)}, "must be 0 or 1"),
        ({"tasks": ("a", "b")}, "labels have shape"),
        ({"features": {"h": np.zeros((2, 3), dtype=np.float32)}}, "have 2 rows, labels 300"),
    ],
)
def test_data_that_does_not_fit_together_is_refused(change, message):
    data = make_data("classification")
    parts = {name: getattr(data, name) for name in ("features", "y", "tasks", "kind", "split")}
    with pytest.raises(InputError, match=message):
        TrainingData(**{**parts, **change})
