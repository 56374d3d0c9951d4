"""`cmim benchmark` on real sets, and DeepChem's own loader, splitter and metric beside ours."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.datasets import load_dataset
from benchmarks.journal import read_records
from benchmarks.splits import assign, digest_assignment, load_parts, read_digests
from cmim_chem.cli import benchmark as command
from cmim_chem.errors import InputError
from cmim_chem.metrics import score_tasks
from tests.integration.stand_in import run

ROOT = Path(__file__).parents[2]
SMALL = ["--datasets", "freesolv", "--splits", "scaffold", "--representations", "descriptors,ecfp",
         "--heads", "linear,svm,knn"]  # fmt: skip


def read_lines(out: Path) -> list[dict]:
    return list(read_records(out))  # passes over a line that is being written


def name_cell(line: dict) -> tuple:
    return tuple(line[key] for key in ("dataset", "split", "seed", "representation", "head"))


@pytest.fixture
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


# ------------------------------------------------------------------------------- the command


@pytest.mark.needs_data
@pytest.mark.slow
def test_shards_merge_resume_and_repeat_the_same_figures(tmp_path, cache, data_dir):
    more = [*SMALL, "--cache", cache, "--data-dir", str(data_dir), "--quiet"]
    for out, shards in (("whole", ["0/1"]), ("parts", ["0/2", "1/2"])):
        for shard in shards:
            done = run("benchmark", *more, "--out", str(tmp_path / out), "--shard", shard)
            assert done.exit_code == 0, done.output
    whole, parts = read_lines(tmp_path / "whole"), read_lines(tmp_path / "parts")
    assert len(whole) == 6
    figures = [{name_cell(line): (line["value"], line["bootstrap"], line["params"])
                for line in lines} for lines in (whole, parts)]  # fmt: skip
    assert figures[0] == figures[1]
    # Put the files of both shards together, ask for everything: nothing is left to run.
    assert run("benchmark", *more, "--out", str(tmp_path / "parts")).exit_code == 0
    assert len(read_lines(tmp_path / "parts")) == 6
    for line in whole:
        assert line["metric"] == "rmse"
        assert line["n_test"] == 64
        assert line["tasks"] == 1
        assert line["skipped"] == {}
        assert len(line["bootstrap"]) == 500
        assert line["commit"] and line["split_digest"] and line["data_digest"]
        assert line["model_digest"] == ""
    written = run("benchmark", "--report", "--out", str(tmp_path / "whole"))
    assert written.exit_code == 0, written.output
    assert "freesolv" in (tmp_path / "whole" / "summary.md").read_text()


@pytest.mark.needs_data
@pytest.mark.slow
def test_a_run_killed_at_random_moments_loses_and_repeats_no_cell(tmp_path, cache, data_dir):
    places = ["--cache", cache, "--data-dir", str(data_dir), "--out", str(tmp_path)]
    command_line = [sys.executable, "-m", "cmim_chem.cli.main", "benchmark", *SMALL, *places]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    moments = random.Random(1)
    for _ in range(2):
        process = subprocess.Popen(
            command_line, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        seen = len(read_lines(tmp_path))
        while process.poll() is None and len(read_lines(tmp_path)) < min(seen + 1, 6):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    subprocess.run(command_line, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert len((tmp_path / "suite-0of1.jsonl").read_text().splitlines()) == 6
    counts = Counter(map(name_cell, read_lines(tmp_path)))
    assert len(counts) == 6
    assert set(counts.values()) == {1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--datasets", "qm9"], "unknown dataset 'qm9'"),
        (["--heads", "gnn"], "unknown head 'gnn'"),
        (["--shard", "3"], "--shard 0/4"),
        (["--shard", "4/4"], "counts from 0"),
        (["--seeds", "one"], "--seeds 0,1,2"),
        (["--encoder", "mim"], "mim=runs/mim"),
        (["--representations", "mim:h", "--datasets", "esol"], "--encoder mim=FOLDER"),
        (["--report"], "no results"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line_and_code_two(arguments, words, tmp_path):
    done = run("benchmark", *arguments, "--out", str(tmp_path / "out"), "--quiet")
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_list_shows_what_can_be_chosen():
    done = run("benchmark", "--list", "--quiet")
    assert done.exit_code == 0
    assert "toxcast" in done.output
    assert "lightgbm" in done.output


def test_without_the_suite_the_message_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(command.cmim_chem, "__file__", str(tmp_path / "cmim_chem" / "__init__.py"))
    with pytest.raises(InputError, match="not installed"):
        command.find_benchmarks()


# ------------------------------------------------------------------------- DeepChem beside it


@pytest.mark.needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bbbp", "clintox", "sider", "tox21"])
def test_deepchem_agrees_on_rows_indices_and_score(name, data_dir, tmp_path):
    from cmim_chem.sources.moleculenet import import_deepchem

    deepchem = import_deepchem()
    ours = load_dataset(name, data_dir)
    load = getattr(deepchem.molnet, ours.source.loader)
    columns, (raw,), _ = load(
        featurizer=deepchem.feat.DummyFeaturizer(), splitter=None, transformers=[], reload=False,
        data_dir=str(data_dir / "moleculenet"), save_dir=str(tmp_path),
    )  # fmt: skip
    # Rows: ours and the dropped are all of DeepChem's; labels are known where its weight is not 0.
    assert len(raw) == len(ours.rows) + len(ours.dropped) == ours.source.rows
    assert not set(ours.rows.tolist()) & set(ours.dropped)
    theirs = raw.select(ours.rows.tolist())
    assert list(theirs.ids) == list(ours.raw)
    assert len(columns) == ours.y.shape[1]
    assert np.array_equal(np.isnan(ours.y), theirs.w == 0)
    assert np.array_equal(np.nan_to_num(ours.y), np.where(theirs.w == 0, 0, theirs.y))
    # Indices.
    parts = load_parts(ours, "scaffold", 0)
    expected = deepchem.splits.ScaffoldSplitter().split(theirs)
    for part, rows in zip((parts.train, parts.valid, parts.test), expected, strict=True):
        assert part.tolist() == sorted(map(int, rows))
    # Score, of predictions that know something, on the test part.
    y, w = ours.y[parts.test], theirs.w[parts.test]
    guesses = np.random.default_rng(0).random(y.shape) + 0.3 * np.nan_to_num(y)
    metric = deepchem.metrics.Metric(
        deepchem.metrics.roc_auc_score, np.nanmean, mode="classification", n_tasks=y.shape[1]
    )
    both = np.stack([1 - guesses, guesses], axis=-1) / 2
    # Without its sample weights DeepChem would count every missing label as class 0.
    value = metric.compute_metric(
        np.nan_to_num(y), both, w=w, n_tasks=y.shape[1], use_sample_weights=True
    )
    assert score_tasks("roc_auc", y, guesses, ours.tasks).mean == pytest.approx(value, abs=1e-9)


@pytest.mark.needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["esol", "freesolv", "bace", "clintox"])
def test_the_saved_splits_are_what_the_code_makes(name, data_dir):
    dataset = load_dataset(name, data_dir)
    for split, seed in [("scaffold", 0)] + [("random", s) for s in (0, 4)] * (
        dataset.source.kind == "regression"
    ):
        fresh = digest_assignment(assign(dataset, split, seed))
        assert read_digests(name, split, seed) == (dataset.digest, fresh)
