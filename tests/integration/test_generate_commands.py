"""`cmim generate`: tables with labels, and the command line's contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmim_chem.generate.generator import Generator
from tests.integration.stand_in import THREE_ROWS, read_csv, run
from tests.unit.generating import Speller, make_generator

COMMANDS = ("reconstruct", "sample", "interpolate", "optimize")


@pytest.fixture
def generator(monkeypatch, tmp_path):
    made = make_generator(tmp_path / "index", Speller)
    monkeypatch.setattr(Generator, "load", lambda folder=None, extra_probes=(): made)
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    result = run("generate", command, "--help")
    assert result.exit_code == 0
    assert f"\n    cmim generate {command}" in result.output
    assert command in run("generate", "--help").output


def test_reconstruct_keeps_rows_and_columns(generator, tmp_path: Path):
    (tmp_path / "in.csv").write_text(THREE_ROWS)
    result = run("generate", "reconstruct", tmp_path / "in.csv", "--quiet")
    assert result.exit_code == 0
    frame = read_csv(result.stdout)
    assert frame["name"].tolist() == ["aspirin", "bad", "benzoate"]
    assert frame["problem"][1].startswith("cannot parse")
    assert frame["problem"][2].startswith("note: salt removed")
    assert run("generate", "reconstruct", tmp_path / "in.csv", "--strict").exit_code == 1


def test_sample_writes_a_table_and_tells_the_validity(generator, tmp_path: Path):
    out = tmp_path / "out.csv"
    result = run("generate", "sample", "--around", "CCO", "-n", "3", "--radius", "3", "-o", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "3 of 3 molecules" in result.stderr
    frame = read_csv(out.read_text())
    assert len(frame) == 3
    assert {"smiles", "similarity", "qed", "plogp", "nearest", "known"} <= set(frame.columns)
    again = run("generate", "sample", "--around", "CCO", "-n", "3", "--radius", "3", "--quiet")
    assert again.stdout == out.read_text()
    assert again.stderr == ""


def test_interpolate_and_optimize(generator):
    way = read_csv(run("generate", "interpolate", "CCO", "CCOC", "--steps", "4").stdout)
    assert way["step"].tolist() == [0, 1, 2, 3]
    assert way["smiles"][0] == "CCO"
    result = run("generate", "optimize", "CCO", "--min-similarity", "0.1", "--iterations", "3",
                 "--radius", "3", "-n", "2")  # fmt: skip
    assert result.exit_code == 0
    found = read_csv(result.stdout)
    assert 0 < len(found) <= 2
    assert "molecules within the limits" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "--around", "C("],
        ["sample", "--radius", "-1"],
        ["sample", "--temperature", "1", "--beams", "2"],
        ["sample", "--top-p", "0"],
        ["optimize", "CCO", "--property", "beauty"],
        ["interpolate", "CCO", "xyz"],
    ],
)
def test_mistakes_are_one_line_and_code_two(generator, arguments):
    result = run("generate", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("cmim: ")
    assert result.stderr.count("\n") == 1
