"""The contract of `cmim score`, in process: what goes in and out, exit codes, messages."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from cmim_chem.cli import main as main_module
from cmim_chem.cli.console import Tally, name_kind
from cmim_chem.errors import ArtifactError
from cmim_chem.predictor import Predictor
from tests.integration.stand_in import ASPIRIN, BAD, SALT, THREE_ROWS, StandIn, read_csv, run

# ------------------------------------------------------------------------------------ score


def test_score_from_standard_input(stand_in):
    result = run("score", "-", stdin=THREE_ROWS)
    assert result.exit_code == 0
    scored = read_csv(result.stdout)
    assert list(scored.columns) == [
        *("smiles", "name", "standardized_smiles", "problem", "length", "double", "toxic")
    ]
    assert scored["name"].tolist() == ["aspirin", "bad", "benzoate"]
    assert scored["problem"][0] == ""
    assert scored["problem"][BAD].startswith("cannot parse")
    assert scored["problem"][SALT].startswith("note: salt removed: Na")
    assert scored["length"][BAD] == ""
    assert float(scored["length"][0]) == len(ASPIRIN)
    assert "3 rows" in result.stderr
    assert "1 with a problem, 1 with a note" in result.stderr
    assert "1  cannot parse" in result.stderr


def test_quiet_means_silence(stand_in, table):
    result = run("score", table, "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_strict_fails_after_the_output_is_written(stand_in, table, tmp_path: Path):
    result = run("score", table, "--strict", "-o", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3
    table.write_text("smiles\nCCO\n[Na+].CC(=O)[O-]\n")
    assert run("score", table, "--strict").exit_code == 0


@pytest.mark.parametrize("batch_size", [1, 7, 2048])
def test_rows_keep_their_order_whatever_the_batch(stand_in, tmp_path: Path, batch_size):
    rows = [("C" * (1 + at % 30) if at % 50 else "broken(", at) for at in range(120)]
    (tmp_path / "in.csv").write_text("smiles,n\n" + "".join(f"{s},{n}\n" for s, n in rows))
    out = tmp_path / "out.parquet"
    result = run("score", tmp_path / "in.csv", "-o", out, "--batch-size", batch_size)
    assert result.exit_code == 0
    scored = pd.read_parquet(out)
    assert scored["smiles"].tolist() == [s for s, _ in rows]
    assert scored["n"].tolist() == [str(n) for _, n in rows]
    assert scored["length"].isna().tolist() == [n % 50 == 0 for _, n in rows]


def test_properties_by_name_or_probe(stand_in, table):
    def columns(wanted):
        return read_csv(run("score", table, "--properties", wanted).stdout).columns[4:].tolist()

    assert columns("toxic,length") == ["length", "toxic"]
    assert columns("sizes") == ["length", "double"]
    result = run("score", table, "--properties", "length,nonsense")
    assert result.exit_code == 2
    assert result.stderr == (
        "cmim: --properties names nonsense; see cmim score --list for what there is\n"
    )


def test_list_of_properties(stand_in):
    lines = run("score", "--list").stdout.splitlines()
    assert lines[0].split() == ["name", "title", "unit", "held-out", "score"]
    assert lines[1].endswith("characters   RMSE 0.500")
    assert lines[2].endswith("not defined")
    assert lines[3].endswith("ROC-AUC 0.750")


def test_model_and_probes_are_passed_on(stand_in, table, tmp_path: Path):
    run("score", table, "--model", tmp_path, "--probe", "a", "--probe", "b")
    assert stand_in == [(tmp_path, (Path("a"), Path("b")))]


def test_scored_output_can_be_scored_again(stand_in, table, tmp_path: Path):
    run("score", table, "-o", tmp_path / "one.csv")
    result = run("score", tmp_path / "one.csv", "-o", tmp_path / "two.csv")
    assert result.exit_code == 0
    assert "'length' is now called 'length_input'" in result.stderr
    one, two = pd.read_csv(tmp_path / "one.csv"), pd.read_csv(tmp_path / "two.csv")
    added = ["standardized_smiles", "problem", "length", "double", "toxic"]
    pd.testing.assert_frame_equal(one[added], two[added])
    pd.testing.assert_series_equal(one["length"], two["length_input"], check_names=False)


def test_form_problems_are_merged_into_the_problem_column(stand_in):
    text = "smiles,name\nCCO\nCC,a,b\nnope,x,y\n"
    problems = read_csv(run("score", "-", stdin=text).stdout)["problem"]
    assert problems[0].startswith("note: 1 cell where")
    assert problems[1].startswith("note: 3 cells where")
    assert problems[2].startswith("cannot parse")
    assert "; 3 cells where" in problems[2]


def test_header_only_gives_a_header(stand_in):
    result = run("score", "-", stdin="smiles,name\n")
    assert result.exit_code == 0
    assert result.stdout == "smiles,name,standardized_smiles,problem,length,double,toxic\n"


def test_truncated_gzip_keeps_what_was_read(stand_in, tmp_path: Path):
    text = "smiles,n\n" + "".join(f"CCO,{n}\n" for n in range(20_000))
    packed = gzip.compress(text.encode())
    (tmp_path / "in.csv.gz").write_bytes(packed[: len(packed) // 2])
    result = run("score", tmp_path / "in.csv.gz", "-o", tmp_path / "out.csv", "--quiet")
    assert result.exit_code == 2
    written = pd.read_csv(tmp_path / "out.csv")
    assert f"cut off; copy or download it again; {len(written)} rows were read" in result.stderr
    assert written["n"].tolist() == list(range(len(written)))


def hostile(name: str) -> bytes:
    return {
        "jpeg.csv": b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8,
        "empty.csv": b"",
        "noise.smi": bytes(range(256)) * 8,
        "no_smiles.csv": b"a,b\n1,2\n",
        "half.parquet": b"PAR1" + bytes(100),
        "table.sdf": b"smiles\nCCO\n",
        "table.xlsx": b"PK\x03\x04",
        "short.csv.gz": gzip.compress(THREE_ROWS.encode())[:15],
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("jpeg.csv", "empty.csv", "noise.smi", "no_smiles.csv", "half.parquet", "table.sdf"),
        *("table.xlsx", "short.csv.gz", "missing.csv", "folder.csv"),
    ],
)
def test_unreadable_input_is_one_line_and_code_2(stand_in, tmp_path: Path, name):
    path = tmp_path / name
    if name == "folder.csv":
        path.mkdir()
    elif name != "missing.csv":
        path.write_bytes(hostile(name))
    result = run("score", path, "-o", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"cmim: {path}: ")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*out.csv*"))


def test_wrong_usage_is_code_2(stand_in, table, tmp_path: Path):
    for arguments in (
        ["score"],
        ["score", table, "--nonsense"],
        ["score", table, "--batch-size", "0"],
        ["score", table, "-o", table],
        ["score", table, "-o", tmp_path / "none" / "out.csv"],
        ["score", table, "-o", tmp_path / "out.xlsx"],
        ["score", table, "--smiles-column", "nope"],
        ["embed", table],
        ["embed", table, "-o", tmp_path / "out.csv"],
        ["neighbors"],
        ["neighbors", table, "--smiles", "CCO"],
        ["nonsense"],
    ):
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert result.stderr
        assert "Traceback" not in result.stderr
    assert table.read_text() == THREE_ROWS


def test_trouble_with_weights_is_one_line(monkeypatch, table):
    def load(folder=None, extra_probes=(), known=True):
        raise ArtifactError("encoder/: damaged")

    monkeypatch.setattr(Predictor, "load", load)
    result = run("score", table)
    assert (result.exit_code, result.stderr) == (2, "cmim: encoder/: damaged\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError])
def test_interruption_leaves_no_trace(monkeypatch, table, tmp_path: Path, error):
    class Interrupted(StandIn):
        def score(self, raw, properties=None, workers=1, level=None):
            raise error

    monkeypatch.setattr(Predictor, "load", lambda *_, **__: Interrupted())
    monkeypatch.setattr(main_module, "_silence_output", lambda: None)
    result = run("score", table, "-o", tmp_path / "out.csv")
    assert result.exit_code == {KeyboardInterrupt: 130, BrokenPipeError: 141}[error]
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_problem_kinds():
    tally = Tally()
    tally.add(["", "note: x", "cannot parse: unclosed ring 1", "cannot parse: y", "312 tokens, z"])
    assert (tally.rows, tally.notes, tally.failed) == (5, 1, 3)
    assert tally.problems == {"cannot parse": 2, "N tokens, z": 1}
    assert name_kind("1,234 characters: too many") == "N characters"
