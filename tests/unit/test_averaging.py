"""The comparison of means with single heads: who judges is not who chose, and means are means."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.averaging import compare, fit_candidates, split_again
from cmim_chem.metrics import score_tasks
from cmim_chem.probes.data import TrainingData


def test_scaffolds_stay_whole_and_large_ones_train() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 60, 400)
    groups[:80] = 99  # a fifth of all rows
    rows = np.arange(20, 400)
    train, choose, judge = split_again(rows, groups, seed=1)
    assert sorted(np.concatenate([train, choose, judge])) == list(rows)
    parts = [set(groups[part]) for part in (train, choose, judge)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert 99 in parts[0]
    for part in (choose, judge):
        assert 38 <= len(part) <= 51
    assert not np.array_equal(judge, split_again(rows, groups, seed=2)[2])


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_each_mean_is_the_score_of_averaged_margins(kind: str) -> None:
    generator = np.random.default_rng(3)
    blocks = {
        name: generator.normal(size=(150, 4)).astype(np.float32)
        for name in ("h", "descriptors", "ecfp")
    }
    y = blocks["h"][:, :1] + blocks["ecfp"][:, :1] + generator.normal(size=(150, 1))
    y = (y > 0).astype(np.float64) if kind == "classification" else y.astype(np.float64)
    rows = np.arange(150)
    data = TrainingData(blocks, y, ("a",), kind, (rows[:100], rows[100:125], rows[125:]))
    found, scores = fit_candidates(data), compare(data)
    metric = "roc_auc" if kind == "classification" else "rmse"
    both = [found["h+descriptors+ecfp", head][1] for head in ("linear", "svm")]
    expected = score_tasks(metric, y[125:], np.mean(both, axis=0), ("a",)).mean
    assert scores["linear+svm"] == pytest.approx(expected, abs=1e-4)
    sign = 1 if kind == "regression" else -1
    among = {k: v for k, v in found.items() if k[0] == "h"}
    best = min(among, key=lambda key: sign * among[key][0].valid)
    expected = score_tasks(metric, y[125:], found[best][1], ("a",)).mean
    assert scores["h"] == pytest.approx(expected, abs=1e-4)
    assert len(scores) == 4 + 2**4 - 1
