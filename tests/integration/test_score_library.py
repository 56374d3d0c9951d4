"""`cmim score` on libraries, in one process: shards, going on, arrays of jobs, filters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmim_chem.predictor import Predictor
from tests.integration.libraries import write_csv
from tests.integration.stand_in import StandIn, read_csv, run

SMALL = ("--batch-size", 10, "--shard-rows", 40, "--workers", 1, "--quiet")


@pytest.fixture
def library(stand_in, tmp_path: Path) -> Path:
    return write_csv(tmp_path / "in.csv", 205)


@pytest.fixture
def expected(library: Path) -> str:
    result = run("score", library, *SMALL)
    assert result.exit_code == 0
    return result.stdout


def test_a_file_and_a_merged_folder_are_what_goes_to_standard_output(library, expected, tmp_path):
    assert len(read_csv(expected)) == 205
    assert run("score", library, "-o", tmp_path / "out.csv", *SMALL).exit_code == 0
    assert (tmp_path / "out.csv").read_text() == expected
    assert run("score", library, "-o", f"{tmp_path}/folder/", *SMALL).exit_code == 0
    assert run("score", "--merge", tmp_path / "folder", "-o", tmp_path / "two.csv").exit_code == 0
    assert (tmp_path / "two.csv").read_text() == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("folder", "in.csv", "out.csv", "two.csv")
    ]


def test_each_shard_is_a_table_and_the_manifest_says_what_is_in_it(library, expected, tmp_path):
    run("score", library, "-o", f"{tmp_path}/folder/", *SMALL)
    names = sorted(path.name for path in (tmp_path / "folder").iterdir())
    assert names == ["_manifest.json", *(f"part-00000-00000{at}.csv" for at in range(6))]
    manifest = json.loads((tmp_path / "folder" / "_manifest.json").read_text())
    assert manifest["is_done"]
    assert manifest["begun_with"]["model"] == {"encoder": "stand-in"}
    assert manifest["columns"] == read_csv(expected).columns.tolist()
    for at, shard in enumerate(manifest["shards"]):
        table = read_csv((tmp_path / "folder" / shard["name"]).read_text())
        first, rows = shard["origin"]["first_row"], shard["origin"]["rows"]
        assert (first, rows, shard["kept"]) == (40 * at, len(table), len(table))
        assert table["name"].tolist() == [f"mol {n}" for n in range(first, first + rows)]
    again = run("score", library, "-o", f"{tmp_path}/folder/", *SMALL[:-1])
    assert "was finished before" in again.stderr
    assert "205 rows" in again.stderr


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.sdf", "out.top.csv"])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(
    library, monkeypatch, tmp_path, name
):
    class Stopped(StandIn):
        calls = 0

        def score(self, raw, properties=None, workers=1, level=None):
            Stopped.calls += 1
            if Stopped.calls == 14:
                raise KeyboardInterrupt
            return super().score(raw, properties)

    options = [*SMALL, *(("--top", 9, "--by", "length") if ".top." in name else ())]
    undisturbed = tmp_path / f"whole.{name}"
    assert run("score", library, "-o", undisturbed, *options).exit_code == 0
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: Stopped())
    command = ("score", library, "-o", tmp_path / name, *options)
    assert run(*command).exit_code == 130
    assert not (tmp_path / name).exists()
    assert len(list((tmp_path / f"{name}.parts").glob("part-*"))) == 3
    assert run(*command).exit_code == 0
    assert (tmp_path / name).read_bytes() == undisturbed.read_bytes()
    assert not (tmp_path / f"{name}.parts").exists()
    # 13 batches, one in vain, then the shards that were not finished: 4 of 13 again, 8 new ones.
    assert Stopped.calls == 14 + 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("input", "the input changed"),
        ("model", "the model (encoder) changed"),
        ("options", "the options (float32) changed"),
    ],
)
def test_a_run_that_was_begun_with_something_else_is_refused(
    library, monkeypatch, tmp_path, change, words
):
    class Stopped(StandIn):
        def score(self, raw, properties=None, workers=1, level=None):
            if "CO" in raw and len(list((tmp_path / "out.csv.parts").glob("part-*"))) == 2:
                raise KeyboardInterrupt
            return super().score(raw, properties)

    monkeypatch.setattr(Predictor, "load", lambda *_, **__: Stopped())
    command = ["score", library, "-o", tmp_path / "out.csv", *SMALL]
    assert run(*command).exit_code == 130
    fresh = StandIn()
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: fresh)
    if change == "input":
        write_csv(library, 206)
    elif change == "model":
        fresh.digests = {"encoder": "another"}
    else:
        command.append("--float32")
    refused = run(*command)
    assert refused.exit_code == 2
    assert words in refused.stderr
    assert "--restart" in refused.stderr
    assert run(*command, "--restart").exit_code == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 205 + (change == "input")


def test_a_damaged_shard_is_made_again(library, expected, monkeypatch, tmp_path):
    folder = tmp_path / "folder"
    run("score", library, "-o", f"{folder}/", "--shard", "1/2", *SMALL)
    (folder / "part-00000-000002.csv").write_text("rubbish")
    for part in ("1/2", "2/2"):
        assert run("score", library, "-o", f"{folder}/", "--shard", part, *SMALL).exit_code == 0
    assert run("score", "--merge", folder, "-o", tmp_path / "out.csv").exit_code == 0
    assert (tmp_path / "out.csv").read_text() == expected


@pytest.mark.parametrize("jobs", [2, 3, 9])
def test_an_array_of_jobs_makes_what_one_makes(stand_in, tmp_path, jobs):
    (tmp_path / "library").mkdir()
    for number, rows in enumerate([50, 1, 90, 40]):
        write_csv(tmp_path / "library" / f"{number}.csv", rows, 100 * number)
    whole, folder = tmp_path / "whole.csv", tmp_path / "folder"
    assert run("score", tmp_path / "library", "-o", whole, *SMALL).exit_code == 0
    assert len(pd.read_csv(whole)) == 181
    for job in range(jobs, 0, -1):
        unfinished = run("score", "--merge", folder, "-o", tmp_path / "early.csv")
        assert unfinished.exit_code == 2
        done = run("score", tmp_path / "library", "-o", folder, "--shard", f"{job}/{jobs}", *SMALL)
        assert done.exit_code == 0, done.stderr
    assert "of" in unfinished.stderr
    assert "jobs are done" in unfinished.stderr
    assert run("score", "--merge", folder, "-o", tmp_path / "out.csv").exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == whole.read_bytes()


def test_where_keeps_rows_and_says_which_they_are(library, expected, tmp_path):
    everything = read_csv(expected).assign(row=range(1, 206))
    numbers = pd.to_numeric(everything["length"])
    result = run("score", library, "--where", "10 < length and not double >= 30", *SMALL[:-1])
    chosen = read_csv(result.stdout)
    wanted = everything[(numbers > 10) & (numbers < 15)]
    assert chosen["row"].tolist() == wanted["row"].tolist()
    assert chosen["length"].astype(float).tolist() == wanted["length"].astype(float).tolist()
    assert f"{len(wanted)} rows were written" in result.stderr
    assert "205 rows" in result.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet", "stdout"])
def test_top_gives_the_best_rows_best_first(library, expected, tmp_path, ending):
    numbers = pd.to_numeric(read_csv(expected)["length"])
    best = numbers.sort_values(ascending=False, kind="stable").index[:12]
    out = tmp_path / f"out.{ending}"
    to = () if ending == "stdout" else ("-o", out)
    result = run("score", library, "--top", 12, "--by", "length", *to, *SMALL)
    assert result.exit_code == 0
    found = pd.read_parquet(out) if ending == "parquet" else None
    if found is None:
        found = read_csv(result.stdout if ending == "stdout" else out.read_text())
    assert found["row"].tolist() == (best + 1).tolist()
    assert found["length"].astype(float).tolist() == numbers[best].tolist()
    least = run("score", library, "--top", 1, "--by", "length", "--smallest", *SMALL).stdout
    assert float(read_csv(least)["length"][0]) == numbers.min()


def test_float32_is_written_short(library, tmp_path):
    run("score", library, "-o", tmp_path / "out.parquet", "--float32", *SMALL)
    assert pd.read_parquet(tmp_path / "out.parquet")["length"].dtype == np.float32


def test_options_that_do_not_go_together_are_refused(library, tmp_path):
    for arguments in (
        ["--shard", "1/2"],
        ["--shard", "3/2", "-o", f"{tmp_path}/f/"],
        ["--shard", "x", "-o", f"{tmp_path}/f/"],
        ["--top", "3"],
        ["--by", "length"],
        ["--top", "3", "--by", "nonsense"],
        ["--top", "3", "--by", "length", "-o", f"{tmp_path}/f/"],
        ["--where", "nonsense > 3"],
        ["--where", "length >"],
        ["--scheduler", "tcp://localhost:1"],
        ["-o", tmp_path],
    ):
        if arguments[0] == "-o":
            arguments = [tmp_path.parent / "nothing", *arguments]
        result = run("score", library, *arguments)
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "f").exists()
    assert run("score", "--merge", tmp_path / "none").exit_code == 2


def test_a_library_behind_a_url_is_scored_into_one(stand_in, library, expected):
    import fsspec

    memory = fsspec.filesystem("memory")
    with memory.open("/library/a.csv", "wb") as stream:
        stream.write(library.read_bytes())
    result = run("score", "memory://library/", "-o", "memory://scored/", *SMALL)
    assert result.exit_code == 0, result.stderr
    parts = sorted(name for name in memory.ls("/scored", detail=False) if "/part-" in name)
    with memory.open(parts[1]) as stream:
        assert read_csv(stream.read().decode())["name"][0] == "mol 40"
    assert run("score", "--merge", "memory://scored", "-o", library.parent / "o.csv").exit_code == 0
    assert (library.parent / "o.csv").read_text() == expected
