"""A chemist's own table to a probe, with a tiny untrained encoder: the way, not the quality."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from cmim_chem.assay import FitRequest, fit_assay, fit_table
from cmim_chem.assay_split import RANDOM, SCAFFOLD, split_rows
from cmim_chem.chem.read import read_table
from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.cli.main import app
from cmim_chem.errors import InputError
from cmim_chem.model.checkpoint import save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "C1CCOC1", "c1cnoc1"]
CHAINS = ["C" * length for length in range(1, 9)]
MOLECULES = [chain + ring for chain in CHAINS for ring in RINGS]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    tokenizer = Tokenizer()
    torch.manual_seed(0)
    save_checkpoint(folder / "encoder", CMIM(preset("tiny", len(tokenizer))), tokenizer, {})
    return folder


@pytest.fixture(scope="module")
def predictor(weights) -> Predictor:
    return Predictor.load(weights)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [(smiles, f"{len(smiles) / 10:.2f}", len(smiles) % 2) for smiles in MOLECULES]
    rows.insert(3, ("broken(", "1.5", 1))
    rows.insert(9, ("CCO", "", ""))
    frame = pd.DataFrame(rows, columns=["smiles", "size", "active"])
    frame.to_csv(tmp_path / "assay.csv", index=False)
    return tmp_path / "assay.csv"


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments], prog_name="cmim")


def test_fit_then_score_with_the_probe(weights, table, tmp_path: Path):
    probe = tmp_path / "probes" / "size"
    options = ["--head", "linear", "--features", "descriptors", "--unit", "tens of characters"]
    result = run("fit", table, "--target", "size", "-o", probe, "--model", weights, *options)
    assert result.exit_code == 0, result.output
    assert "size: regression, 64 molecules, features descriptors, head linear" in result.stdout
    assert "constant predictor" in result.stdout
    assert "note: 1 rows without a label were left out" in result.stdout
    assert "note: 1 rows whose molecule cannot be read were left out" in result.stdout

    scored = run("score", table, "--probe", probe, "--model", weights, "-o", tmp_path / "o.csv")
    assert scored.exit_code == 0, scored.output
    frame = pd.read_csv(tmp_path / "o.csv")
    assert len(frame) == 66
    known = frame.dropna(subset=["size", "size_input"])
    assert np.abs(known["size"] - known["size_input"]).mean() < 0.1
    assert frame["size"].isna().tolist() == [row == 3 for row in range(66)]
    listed = run("score", "--list", "--probe", probe, "--model", weights).stdout
    assert "tens of characters" in listed


def test_classification_is_told_by_the_labels(predictor, table):
    request = FitRequest("active", name="odd", head="linear", features="h")
    card = fit_table(predictor, read_table(table), request).card
    assert (card.kind, card.tasks, card.units) == ("classification", ("odd",), ("probability",))
    assert card.rows == 64
    assert card.encoder_digest == predictor.digests["encoder"]


def test_same_seed_same_probe(predictor, table):
    request = FitRequest("size", head="linear", features="z+h")
    one, two = (fit_table(predictor, read_table(table), request) for _ in range(2))
    assert one.card == two.card


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["x"] * 64, r"column 'y': row 1: the target 'x' is not a number"),
        (["1"] * 5 + [""] * 59, r"column 'y': only 5 of 64 rows have a label"),
        (["2"] * 64, r"column 'y': all 64 labels are 2"),
    ],
)
def test_labels_that_cannot_be_learned_from(predictor, tmp_path: Path, column, message):
    frame = pd.DataFrame({"smiles": MOLECULES, "y": column})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match=message):
        fit_table(predictor, read_table(tmp_path / "t.csv"), FitRequest("y"))


def test_molecules_that_cannot_be_read_do_not_count(predictor, tmp_path: Path):
    frame = pd.DataFrame({"smiles": ["CCO"] * 9 + ["broken("] * 9, "y": range(18)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="1 molecules have a label and can be read"):
        fit_table(predictor, read_table(tmp_path / "t.csv"), FitRequest("y"))


def test_wrong_requests(predictor, table):
    rows = read_table(table)
    for request, message in (
        (FitRequest("nope"), "no column 'nope'; the columns are 'smiles', 'size', 'active'"),
        (FitRequest("smiles"), "is the SMILES"),
        (FitRequest("size", name="problem"), "exists already"),
    ):
        with pytest.raises(InputError, match=message):
            fit_table(predictor, rows, request)
    with pytest.raises(InputError, match="--head forest: choose auto, "):
        FitRequest("y", head="forest")
    with pytest.raises(InputError, match=r"--features h\+h: choose auto"):
        FitRequest("y", features="h+h")


def test_split_falls_back_to_random_without_scaffolds():
    alkanes = ["C" * length for length in range(1, 41)]
    parts, how = split_rows(alkanes, np.arange(40.0), "regression", 0)
    assert how.startswith(RANDOM)
    assert sorted(np.concatenate(parts)) == list(range(40))
    assert split_rows(MOLECULES, np.arange(64.0), "regression", 0)[1] == SCAFFOLD


def test_split_of_classes_gives_every_part_both():
    y = np.zeros(64)
    y[:8] = 1
    parts, how = split_rows(MOLECULES, y, "classification", 0)
    assert all(len(np.unique(y[part])) == 2 for part in parts) or not how.startswith(SCAFFOLD)


def write(tmp_path: Path, **columns) -> Path:
    pd.DataFrame({"smiles": MOLECULES} | columns).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_repeated_measurements_count_once_and_conflicts_are_named(predictor, tmp_path: Path):
    frame = pd.DataFrame({"smiles": MOLECULES, "y": np.arange(64.0), "c": np.arange(64) % 2})
    again = pd.DataFrame({"smiles": ["OCC", "CCO", MOLECULES[0]], "y": [3.0, 5.0, 60.0], "c": 1})
    pd.concat([frame, again]).to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv")
    fitted = fit_assay(predictor, table, FitRequest("y", head="linear", features="descriptors"))
    value = dict(zip(fitted.all_smiles, fitted.data.y[:, 0], strict=True))
    assert len(value) == 65
    assert value["CCO"] == 4.0
    assert value[fitted.all_smiles[0]] == 30.0
    notes = " | ".join(fitted.probe.card.notes)
    assert "2 molecules were measured more than once; each counts once" in notes
    assert "1 of them have values further apart" in notes
    assert "the mean was taken: Cc1ccccc1" in notes
    classes = fit_assay(predictor, table, FitRequest("c", head="linear", features="descriptors"))
    assert "Cc1ccccc1" not in classes.all_smiles
    assert "were put into both classes; their labels were left out" in " ".join(
        classes.probe.card.notes
    )


def test_several_targets_with_gaps_are_one_probe(predictor, tmp_path: Path):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=64), rng.normal(size=64)
    a[:10], b[30:45] = np.nan, np.nan
    request = FitRequest("a", name="both", more_targets=("b",), head="linear", features="ecfp")
    probe = fit_table(predictor, read_table(write(tmp_path, a=a, b=b)), request)
    assert (probe.card.name, probe.card.tasks) == ("both", ("a", "b"))
    assert [one["n"] for one in probe.card.labels] == [54, 49]
    assert set(probe.card.sureness["tasks"]) == {"a", "b"}
    mixed = write(tmp_path, a=a, c=(b > 0).astype(int))
    with pytest.raises(InputError, match="of one kind, but there is 'a' regression, 'c' class"):
        fit_table(predictor, read_table(mixed), FitRequest("a", more_targets=("c",)))


def test_split_by_time_learns_from_the_past(predictor, tmp_path: Path):
    days = pd.Series(pd.date_range("2020-01-01", periods=64).astype(str))
    shuffled = days.sample(frac=1, random_state=0).tolist()
    table = read_table(write(tmp_path, y=np.arange(64.0), date=shuffled))
    request = FitRequest("y", split="time:date", head="linear", features="descriptors")
    fitted = fit_assay(predictor, table, request)
    assert fitted.probe.card.split == "by time of 'date', 80/10/10"
    train, valid, test = (np.array(shuffled)[part] for part in fitted.data.split)
    assert max(train) < min(valid) <= max(valid) < min(test)
    with pytest.raises(InputError, match="column 'date': row 3 has no date or number"):
        shuffled[2] = "soon"
        fit_assay(predictor, read_table(write(tmp_path, y=range(64), date=shuffled)), request)
    with pytest.raises(InputError, match="--split month: choose scaffold, random or time:COLUMN"):
        FitRequest("y", split="month")


@pytest.mark.parametrize("column", ["y", "c"])
def test_the_report_has_scores_figures_and_worst_errors(weights, tmp_path: Path, column):
    rng = np.random.default_rng(0)
    size = np.array([len(one) for one in MOLECULES]) + rng.normal(size=64)
    table = write(tmp_path, y=size, c=(size > np.median(size)).astype(int))
    options = ["--head", "linear", "--features", "descriptors", "--model", weights]
    result = run("fit", table, "--target", column, "-o", tmp_path / "probe", *options)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "probe" / "report"
    text = (folder / "report.md").read_text()
    for words in ("Nested cross-validation, 5 folds", "## Worst errors", "learning_curve.svg"):
        assert words in text
    assert ("90 % intervals" in result.stdout) == (column == "y")
    named = set(re.findall(r"\]\((\w+\.svg)\)", text))
    assert named == {path.name for path in folder.glob("*.svg")}
    for path in folder.glob("*.svg"):
        ElementTree.parse(path)
    scored = run(
        "score", table, "--probe", tmp_path / "probe", "--model", weights, "--level", "0.8"
    )
    lines = scored.stdout.splitlines()
    expected = [f"{column}_lower", f"{column}_upper"] if column == "y" else []
    assert lines[0].split(",")[5:] == [column, *expected, "domain", "nearest_similarity"]
    assert all(line.endswith(",1.0") for line in lines[1:])
    assert sum(",in,1.0" in line for line in lines) > 32


def test_twelve_rows_say_that_they_are_few(weights, tmp_path: Path):
    frame = pd.DataFrame({"smiles": MOLECULES[:12], "y": np.arange(12.0)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = ["--head", "linear", "--features", "descriptors", "--model", weights]
    result = run("fit", tmp_path / "t.csv", "--target", "y", "-o", tmp_path / "p", *options)
    assert result.exit_code == 0, result.output
    assert "only 12 labels: expect little; 30 or more are advised" in result.stdout
