"""Trials: each can run, none sees a test row, and the table compares like with like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import encoder_trials, throughput
from benchmarks.datasets import Dataset
from benchmarks.encoder_trials import Trial, list_trials, score_split, write_report
from benchmarks.splits import Parts
from cmim_chem.errors import InputError
from cmim_chem.model.config import ModelConfig, preset
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.network import Network
from cmim_chem.sources.facts import get_source


def test_every_trial_of_the_table_is_a_run_of_the_same_budget() -> None:
    trials = list_trials([], 6400, [0, 1])
    assert trials[0].name == "plain"
    assert len({trial.folder for trial in trials}) == len({t.identify() for t in trials})
    for trial in trials:
        config = trial.configure(Path("corpus"), Path("out"))
        assert config.steps * config.batch_size == round(6400 * trial.settings.get("share", 1.0))
        assert config.seed == trial.seed
    with pytest.raises(InputError, match="no trial 'x'"):
        list_trials(["x"], 100, [0])


@pytest.mark.parametrize(("name", "tasks"), [("esol", 1), ("sider", 3)])
def test_a_score_depends_on_no_test_row(name: str, tasks: int) -> None:
    generator = np.random.default_rng(0)
    h = generator.normal(size=(300, 8)).astype(np.float32)
    y = h[:, :tasks] + 0.1 * generator.normal(size=(300, tasks))
    if name == "sider":
        y = (y > 0).astype(np.float64)
    rows = np.arange(300)
    dataset = Dataset(get_source(name), tuple("abc"[:tasks]), rows, (), (), y, {}, "")
    parts = Parts(rows[:200], rows[200:250], rows[250:], "")
    score = score_split(dataset, parts, h)
    assert 0.8 < score <= 1.0
    changed, other = y.copy(), h.copy()
    changed[250:], other[250:] = 1 - y[250:], 7.0
    assert score_split(replace(dataset, y=changed), parts, other) == score
    changed[200:250] = changed[200:250][::-1]
    assert score_split(replace(dataset, y=changed), parts, h) < score


def test_a_trial_is_told_apart_by_all_that_it_sets() -> None:
    trial = Trial("a", 0, 100, {"tau": 0.1})
    changes = ({"name": "b"}, {"seed": 1}, {"molecules": 200}, {"settings": {"tau": 0.2}})
    others = [replace(trial, **change) for change in changes]
    assert len({one.identify() for one in (trial, *others)}) == 5


def test_the_table_compares_with_the_plain_trial_of_budget_and_seed() -> None:
    def line(name: str, budget: int, seed: int, esol: float, bbbp: float) -> dict[str, object]:
        return {"name": name, "budget": budget, "molecules": budget, "seed": seed, "seconds": 9,
                "valid": {"esol": esol, "bbbp": bbbp}, "mean": (esol + bbbp) / 2}  # fmt: skip

    records = [
        line("plain", 100, 0, 0.5, 0.7),
        line("plain", 100, 1, 0.5, 0.7),
        line("x", 100, 1, 0.6, 0.7),
        line("x", 100, 0, 0.6, 0.66),
        line("x", 200, 0, 0.9, 0.9),
        line("y", 100, 0, 0.6, 0.66),
    ]
    rows = {row[: row.index("|", 10)]: row for row in write_report(records)[2:]}
    # Gains 0.03 and 0.05: 12.706 (Student, one degree of freedom) times 0.01.
    assert "| +0.0300, +0.0500 | +0.0400 ± 0.1271 | 2/4 |" in rows["| x | 100 "]
    assert "| +0.0300 |  | 1/2 |" in rows["| y | 100 "]
    assert "|  |  |  |  |" in rows["| x | 200 "]


def test_flops_are_those_of_the_matrix_products() -> None:
    shape: ModelConfig = preset("tiny", 50)
    config = PretrainConfig(Path("c"), Path("o"), preset="tiny")
    length, d, slots, queries = 20, shape.width, shape.memory_slots, shape.pool_queries
    encoder = shape.encoder_layers * (24 * length * d**2 + 4 * length**2 * d)
    pool = 4 * queries * d**2 + 4 * length * d**2 + 4 * queries * length * d
    latent = 4 * queries * d * shape.d_z + 2 * shape.d_z * d * (1 + slots)
    context = slots + length
    decoder = 20 * length * d**2 + 4 * context * d**2 + 4 * length * context * d
    forward = encoder + pool + latent + shape.decoder_layers * decoder + 2 * length * d * 50
    counted = throughput.count_flops(Network(config, shape), length)
    assert counted == pytest.approx(3 * forward, rel=0.01)


def test_a_trial_trains_scores_and_is_not_run_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []

    def run(trial: Trial, args: object) -> dict[str, object]:
        calls.append(trial.name)
        return {"trial": trial.identify(), "mean": 0.5}

    monkeypatch.setattr(encoder_trials, "run_trial", run)
    options = ["x", "--out", str(tmp_path), "--trials", "plain", "tau-03"]
    for _ in range(2):
        monkeypatch.setattr("sys.argv", options)
        encoder_trials.main()
    assert calls == ["plain", "tau-03"]
