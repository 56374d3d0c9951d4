"""Help, version and every command but `score`, in process."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

import cmim_chem
from cmim_chem.cli import app as app_command
from cmim_chem.cli import main as main_module
from cmim_chem.cli.main import app
from tests.integration.stand_in import ASPIRIN, BAD, read_csv, run

COMMANDS = [
    *(
        "score",
        "embed",
        "neighbors",
        "generate",
        "fit",
        "pretrain",
        "benchmark",
        "data",
        "serve",
        "app",
    )
]


# ------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"\n    cmim {command}" in result.output


def test_top_help_lists_the_commands():
    result = run("--help")
    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.output for command in COMMANDS)
    assert "cmim score molecules.csv" in result.output


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy_and_answer_at_once(arguments):
    code = (
        "import sys\n"
        f"sys.argv = ['cmim', *{arguments!r}]\n"
        "from cmim_chem.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'rdkit', 'pandas', 'numpy', 'deepchem', 'streamlit', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert time.monotonic() - began < 5  # a loaded machine; alone it takes a quarter of a second


def test_version_with_and_without_weights(monkeypatch, tmp_path: Path):
    package = tmp_path / "package"
    (package / "weights").mkdir(parents=True)
    monkeypatch.setattr(main_module.cmim_chem, "__file__", str(package / "__init__.py"))
    assert run("--version").output == f"cmim-chem {cmim_chem.__version__}\nno shipped weights\n"
    manifest = package / "weights" / "manifest.json"
    digests = {"encoder": "e1", "probes": "p2", "index": "i3", "reference": "r4"}
    manifest.write_text(json.dumps(digests | {"order": ["esol"]}))
    lines = run("--version").output.splitlines()
    assert dict(line.split() for line in lines[1:]) == digests
    manifest.write_text("not json")
    assert "no shipped weights" in run("--version").output


# ------------------------------------------------------------------------ embed, neighbors


def test_embed_to_npy(stand_in, table, tmp_path: Path):
    assert run("embed", table, "-o", tmp_path / "h.npy").exit_code == 0
    h = np.load(tmp_path / "h.npy", allow_pickle=False)
    assert (h.dtype, h.shape) == (np.float32, (3, 4))
    assert np.isnan(h[BAD]).all()
    assert (h[0] == len(ASPIRIN)).all()
    assert run("embed", table, "--kind", "z", "-o", tmp_path / "z.npy").exit_code == 0
    assert np.load(tmp_path / "z.npy").shape == (3, 3)


def test_embed_to_parquet(stand_in, table, tmp_path: Path):
    assert run("embed", table, "-o", tmp_path / "h.parquet").exit_code == 0
    frame = pd.read_parquet(tmp_path / "h.parquet")
    assert list(frame.columns) == [
        *("smiles", "name", "standardized_smiles", "problem", "h_000", "h_001", "h_002", "h_003")
    ]
    assert frame["h_000"].dtype == np.float32
    assert frame["name"].tolist() == ["aspirin", "bad", "benzoate"]
    assert frame["problem"][BAD].startswith("cannot parse")


def test_neighbors_of_a_table(stand_in, table):
    result = run("neighbors", table, "-k", "2", "--source", "drugs")
    assert result.exit_code == 0
    found = read_csv(result.stdout)
    assert found["query"].tolist() == [1, 1, 2, 3, 3]
    assert found["query_name"].tolist() == ["aspirin"] * 2 + ["bad"] + ["benzoate"] * 2
    assert found["query_smiles"][0] == ASPIRIN
    assert found["name"].tolist()[:2] == ["approved drug 1", "approved drug 2"]
    assert found["rank"].tolist() == ["1", "2", "", "1", "2"]
    assert found["problem"][2].startswith("cannot parse")


def test_neighbors_of_given_molecules(stand_in):
    found = read_csv(run("neighbors", "--smiles", "CCO", "--smiles", "CC", "-k", "1").stdout)
    assert found["query_smiles"].tolist() == ["CCO", "CC"]
    assert found["query"].tolist() == [1, 2]


def test_neighbors_count_rows_across_batches(stand_in, tmp_path: Path):
    (tmp_path / "in.smi").write_text("CCO\n" * 2100)
    found = read_csv(run("neighbors", tmp_path / "in.smi", "-k", "1", "--quiet").stdout)
    assert found["query"].tolist() == list(range(1, 2101))


# --------------------------------------------------------------------------- pretrain, app


def test_options_of_pretrain_are_the_fields_of_its_config():
    from cmim_chem.pretrain.config import PretrainConfig

    command = get_command(app).commands["pretrain"]
    options = {one.opts[0].removeprefix("--").replace("-", "_"): one for one in command.params}
    fields = {one.name: one for one in dataclasses.fields(PretrainConfig)}
    assert set(options) == {*fields, "resume", "quiet"}
    for name, one in fields.items():
        if one.default is not dataclasses.MISSING:
            assert options[name].default == one.default, name


def test_pretrain_says_what_is_wrong(tmp_path: Path):
    result = run("pretrain", "--corpus", tmp_path, "--out", tmp_path / "o", "--preset", "huge")
    assert result.exit_code == 2
    assert result.stderr.startswith("cmim: --preset huge: choose one of ")


def test_data_verify_tells_each_file(tmp_path: Path):
    (tmp_path / "moleculenet").mkdir()
    (tmp_path / "moleculenet" / "SAMPL.csv").write_text("smiles\nC\n")
    result = run("data", "verify", "esol", "freesolv", "--data-dir", tmp_path)
    assert result.exit_code == 1
    header, esol, freesolv = result.stdout.splitlines()
    assert header.split() == ["state", "rows", "expected", "file"]
    assert esol.startswith("missing")
    assert freesolv.startswith("wrong checksum  1 ")
    unknown = run("data", "verify", "nonsense")
    assert unknown.exit_code == 2
    assert unknown.stderr.startswith("cmim: unknown table 'nonsense'")


@pytest.mark.needs_data
def test_data_verify_of_whole_files(data_dir: Path):
    result = run("data", "verify", "esol", "bace", "--data-dir", data_dir)
    assert result.exit_code == 0
    assert result.stdout.count("\nok ") == 2


def test_data_fetch_names_the_files(monkeypatch, tmp_path: Path):
    from cmim_chem.sources import moleculenet

    monkeypatch.setattr(moleculenet, "fetch", lambda names, folder: [folder / n for n in names])
    result = run("data", "fetch", "a", "b", "--data-dir", tmp_path)
    assert result.stdout.splitlines() == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_app_starts_streamlit_offline_on_this_computer(monkeypatch, tmp_path: Path):
    package = tmp_path / "site" / "cmim_chem"
    script = package / "_app" / "app" / "main.py"
    script.parent.mkdir(parents=True)
    script.write_text("")
    calls = []
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(app_command.cmim_chem, "__file__", str(package / "__init__.py"))
    monkeypatch.setattr(subprocess, "call", lambda *args, **named: calls.append((args, named)) or 0)
    assert run("app", "--port", "8600", "--headless").exit_code == 0
    (command,), named = calls[0]
    assert command[1:5] == ["-m", "streamlit", "run", str(script)]
    assert "--server.port=8600" in command
    assert "--server.address=localhost" in command
    assert "--server.headless=true" in command
    assert "--browser.gatherUsageStats=false" in command
    assert named["env"]["PYTHONPATH"].startswith(str(package / "_app"))
    assert named["env"]["MALLOC_ARENA_MAX"] == "1", "else memory grows with every visitor"
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert run("app").exit_code == 0
    assert calls[1][1]["env"]["MALLOC_ARENA_MAX"] == "4", "what was set stays"


def test_app_that_is_not_there(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(app_command.cmim_chem, "__file__", str(tmp_path / "a" / "__init__.py"))
    result = run("app")
    assert result.exit_code == 2
    assert "the app is not installed" in result.stderr
