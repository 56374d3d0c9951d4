"""The small parts of scoring a library: counts, folders, libraries, the digest of rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from cmim_chem.cli.console import Progress
from cmim_chem.errors import InputError, OutputError
from cmim_chem.score.library import Library
from cmim_chem.score.store import Store
from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import Cut, InputChangedError, Reading


def test_counts_are_stored_and_added_up():
    one, two = Tally(), Tally()
    one.add(["", "note: x", "cannot parse: y"])
    two.add(["cannot parse: z", ""])
    both = Tally.from_json(one.to_json())
    both.include(two)
    assert (both.rows, both.notes, both.failed) == (5, 1, 2)
    assert "5 rows in 2.0 s (3 of them before), 1 per second" in both.describe(2.0, earlier=3)


@pytest.mark.parametrize("place", ["folder", "memory://folder"])
def test_a_file_appears_only_when_it_is_whole(tmp_path: Path, place):
    store = Store(place if "://" in place else str(tmp_path / place))
    store.make()
    store.write("a", [b"one"])

    def fail():
        yield b"two"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write("a", fail())
    assert store.names() == {"a"}
    with store.open("a") as stream:
        assert stream.read() == b"one"
    with pytest.raises(OutputError, match="no such file"):
        store.open("b")
    store.remove_all()
    assert store.names() == set()


def test_rests_of_a_killed_job_are_removed_those_of_others_stay(tmp_path: Path):
    for name in (".a.1.mine.part", ".a.2.theirs.part", "part-1.csv"):
        (tmp_path / name).touch()
    Store(str(tmp_path), ".mine").remove_rests()
    assert Store(str(tmp_path)).names() == {".a.2.theirs.part", "part-1.csv"}


def test_a_folder_without_tables_is_refused(tmp_path: Path):
    (tmp_path / "_manifest.csv").touch()
    (tmp_path / "notes.docx").touch()
    with pytest.raises(InputError, match="folder without a table"):
        Library.find(str(tmp_path))
    (tmp_path / "b.smi.gz").touch()
    (tmp_path / "a.csv").touch()
    assert [Path(one).name for one in Library.find(str(tmp_path)).files] == ["a.csv", "b.smi.gz"]


def read(path: Path, rows: int, done=None) -> dict:
    reading = Reading(Library.find(str(path)), Cut(rows, 40), None, ("x",), done or {})
    return {task.key: task.origin for task in reading.tasks()}


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_rows_have_the_same_digest_whatever_the_batch_and_another_when_they_change(tmp_path, kind):
    frame = pd.DataFrame({"smiles": ["C" * (1 + at % 9) for at in range(100)], "n": "x"})
    path = tmp_path / f"a.{kind}"

    def write() -> None:
        if kind == "parquet":
            frame.to_parquet(path)
        else:
            text = frame.to_csv(index=False).encode()
            path.write_bytes(gzip.compress(text) if kind == "csv.gz" else text)

    write()
    origins = read(path, 40)
    assert [(one.first_row, one.rows) for one in origins.values()] == [(0, 40), (40, 40), (80, 20)]
    assert read(path, 10) == origins
    assert read(path, 20, {(0, 1): origins[0, 1]}).keys() == {(0, 0), (0, 2)}
    frame.loc[50, "n"] = "y"
    write()
    with pytest.raises(InputChangedError, match="rows 41 to 80"):
        read(path, 20, {(0, 1): origins[0, 1]})
    frame = frame[:60]
    write()
    with pytest.raises(InputChangedError, match="shorter"):
        read(path, 20, {(0, 2): origins[0, 2]})


def test_tables_of_a_library_need_the_same_columns(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,n\nC,1\n")
    (tmp_path / "b.csv").write_text("smiles,m\nC,1\n")
    with pytest.raises(InputError, match="the same columns"):
        read(tmp_path, 10)


@pytest.mark.parametrize(("jobs", "files"), [(1, 1), (3, 1), (3, 2), (3, 7), (7, 7)])
def test_every_shard_belongs_to_one_job(jobs, files):
    for file in range(files):
        for number in range(10):
            takers = [Cut(10, 40, job, jobs).takes((file, number), files) for job in range(jobs)]
            assert sum(takers) == 1


def test_progress_tells_rate_and_time_left(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr("cmim_chem.cli.console.time.monotonic", lambda: now)
    with Progress("scored", quiet=False) as progress:
        now = 1.0
        progress.advance(100, 0.5)
        now = 20.0
        progress.advance(100, 0.6)
    told = capsys.readouterr().err
    assert told == "cmim: 200 rows scored (60% of the input), 10 per second, 1 min left\n"
