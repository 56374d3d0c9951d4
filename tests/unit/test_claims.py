"""Verdicts on the papers' claims, from lines made so that the answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.claims import Effect, compare_drops, match, read_scores, summarize
from benchmarks.claims_report import write_page
from benchmarks.train_claims import list_runs

AUC = {"cmim": 0.80, "mim": 0.75, "vae": 0.60, "infonce": 0.78}
DROP = {"cmim": 0.01, "infonce": 0.05}  # per halving of the batch below 256


def cell(run: str, part: str, value: float, dataset: str, **more: object) -> dict[str, object]:
    record = {
        "dataset": dataset,
        "split": "scaffold",
        "seed": 0,
        "representation": f"{run}:{part}",
        "head": "linear",
        "metric": "roc_auc",
        "value": value,
        "valid": 0.5,
        "commit": "abc",
    }
    return record | more


@pytest.fixture
def results(tmp_path):
    lines = []
    for objective, score in AUC.items():
        for batch in (16, 64, 256):
            for seed in range(3):
                run = f"{objective}-b{batch}-s{seed}"
                value = score - DROP.get(objective, 0) * np.log2(256 / batch) + 0.001 * seed
                for i, dataset in enumerate(("bace", "bbbp", "sider")):
                    lines.append(cell(run, "z", value + 0.02 * i, dataset))
                    if objective != "infonce":
                        lines.append(cell(run, "h", value + 0.02 * i + 0.03, dataset))
                        # A better test score that validates worse must not be chosen.
                        bad = cell(run, "h", 0.99, dataset, head="svm", valid=0.4)
                        lines.append(bad)
    (tmp_path / "probes").mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "probes" / "suite-0of1.jsonl").write_text(text)
    accuracy = {"cmim": 0.900, "mim": 0.905}
    written = [
        {
            "run": f"{objective}-b{batch}-s{seed}",
            "token_accuracy": value,
            "exact": 0.1,
            "validity": {"0": 0.5},
        }
        for objective, value in accuracy.items()
        for batch in (16, 64)
        for seed in range(3)
    ]
    (tmp_path / "decoding.jsonl").write_text("".join(json.dumps(x) + "\n" for x in written))
    return tmp_path


def test_the_head_is_chosen_on_validation(results):
    scores, commits = read_scores(results / "probes")
    assert scores["classification"]["bace/scaffold/0", "cmim-b256-s0", "h"] == pytest.approx(0.83)
    assert commits == ["abc"]


def test_pairs_are_of_one_set_and_seed(results):
    scores = read_scores(results / "probes")[0]["classification"]
    pairs = match(scores, ("cmim-b64", "h"), ("mim-b64", "h"), [0, 1, 2])("bace/scaffold/0")
    assert len(pairs) == 3
    assert [a - b for a, b in pairs] == pytest.approx([0.05 - 2 * 0.01] * 3)


def test_drops(results):
    scores = read_scores(results / "probes")[0]["classification"]
    effect = compare_drops("classification", scores, ("b256", "b16"), [0, 1, 2])
    assert effect.mean == pytest.approx(100 * 4 * (0.05 - 0.01))
    assert (effect.sets, effect.pairs) == (3, 9)


def test_interval_covers_the_spread_between_sets():
    effect = summarize([np.array([1.0, 1.0]), np.array([3.0, 3.0]), np.array([2.0, 2.0])])
    assert effect.mean == pytest.approx(2.0)
    assert (effect.low, effect.high) == pytest.approx((1.0, 3.0), abs=0.35)
    assert summarize([]) is None


@pytest.mark.parametrize(
    ("low", "high", "margin", "verdict"),
    [
        (0.1, 2.0, 0.0, "holds"),
        (-2.0, -0.1, 0.0, "does not hold"),
        (-0.1, 0.1, 0.0, "cannot tell"),
        (-0.5, 0.1, 1.0, "holds"),
        (-3.0, -1.5, 1.0, "does not hold"),
    ],
)
def test_verdicts(low, high, margin, verdict):
    assert Effect((low + high) / 2, low, high, 3, 9).judge(margin) == verdict


def test_page(results):
    page = write_page(results)
    assert (
        "2. *h beats z, for cMIM and also for MIM and VAE, with no further training*: **holds**"
        in page
    )
    assert (
        "| 4 | reconstruction by cMIM, by MIM; batches 16 and 64 | -0.50 (-0.50 to -0.50) |" in page
    )
    assert "| `infonce-b256` | 3 |" in page


def test_every_run_has_one_name_and_the_same_molecules(tmp_path):
    runs, budget = list_runs()
    assert len({run.name for run in runs}) == len(runs)
    for run in runs:
        config = run.configure(budget, tmp_path, tmp_path)
        assert config.steps * config.batch_size == budget["molecules"]
    wide = next(run for run in runs if run.settings.get("d_z") == 256)
    assert wide.configure(budget, tmp_path, tmp_path).shape == ("d_z=256",)
