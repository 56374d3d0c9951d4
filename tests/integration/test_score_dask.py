"""The same work on a Dask cluster, with the shipped model: the same rows, also if a worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.integration.libraries import write_csv
from tests.integration.slow_cmim import ROOT

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
ROWS = ("--batch-size", "50", "--shard-rows", "100", "--properties", "esol,bbbp")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tmp_path_factory.mktemp("library") / "in.csv", 900)


@pytest.fixture(scope="module")
def local(library: Path) -> Path:
    done = start(library, "-o", "local.csv", *ROWS, "--workers", "1", folder=library.parent)
    assert done.wait() == 0
    return library.parent / "local.csv"


def start(*arguments: object, folder: Path) -> subprocess.Popen:
    head = [sys.executable, "-m", "cmim_chem.cli.main", "score"]
    return subprocess.Popen(
        [*head, *map(str, arguments)],
        cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def check_equal(found: Path, expected: Path) -> None:
    one, two = pd.read_csv(found), pd.read_csv(expected)
    texts = ["smiles", "name", "standardized_smiles", "problem"]
    pd.testing.assert_frame_equal(one[texts], two[texts])
    numbers = ["esol", "bbbp"]
    np.testing.assert_allclose(one[numbers], two[numbers], rtol=0, atol=1e-4)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_local_cluster_gives_the_same_rows(library, local, tmp_path, workers):
    out = tmp_path / "out.csv"
    options = ("--engine", "dask", "--workers", workers)
    done = start(library, "-o", out, *ROWS, *options, folder=tmp_path)
    errors = done.communicate()[1]
    assert done.returncode == 0, errors
    assert "900 rows" in errors
    check_equal(out, local)


def test_batches_of_any_size_give_the_same_numbers(library, local, tmp_path):
    rows = ("--batch-size", "333", "--properties", "esol,bbbp", "--workers", "2")
    done = start(library, "-o", tmp_path / "out.csv", *rows, folder=tmp_path)
    assert done.communicate() and done.returncode == 0
    check_equal(tmp_path / "out.csv", local)


def test_a_lost_worker_costs_nothing_but_time(library, local, tmp_path):
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        out = tmp_path / "out.csv"
        options = ("--engine", "dask", "--scheduler", cluster.scheduler_address)
        process = start(library, "-o", out, *ROWS, *options, folder=tmp_path)
        parts = tmp_path / "out.csv.parts"
        while process.poll() is None and not list(parts.glob("_part-*.json")):
            time.sleep(0.02)
        assert process.poll() is None
        victim = next(iter(client.run(os.getpid).values()))
        os.kill(victim, signal.SIGKILL)
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        check_equal(out, local)


def test_no_scheduler_is_one_line(library, tmp_path):
    options = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    process = start(library, "-o", tmp_path / "out.csv", *ROWS, *options, folder=tmp_path)
    errors = process.communicate()[1]
    assert process.returncode == 2
    assert "tcp://127.0.0.1:1: no Dask scheduler answers there" in errors
    assert "Traceback" not in errors
