"""Result files: whole lines only, whatever moment a run is killed at."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.journal import Journal, read_records
from cmim_chem.errors import DataError, InputError

ROOT = Path(__file__).parents[2]

# A run in small: cells are lines of 20,000 characters, so that a kill often falls into a write.
RUN = """
import sys
from pathlib import Path
from benchmarks.journal import Journal, read_records
out = Path(sys.argv[1])
with Journal(out / "a.jsonl") as journal:
    done = {record["cell"] for record in read_records(out)}
    for cell in range(200):
        if cell not in done:
            journal.append({"cell": cell, "filler": "x" * 20_000})
"""


def test_what_is_appended_is_read(tmp_path: Path):
    with Journal(tmp_path / "a.jsonl") as journal:
        journal.append({"cell": 1})
    with Journal(tmp_path / "b.jsonl") as journal:
        journal.append({"cell": 2})
    assert [record["cell"] for record in read_records(tmp_path)] == [1, 2]


def test_a_torn_last_line_is_dropped_and_the_next_line_is_whole(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"cell":1}\n{"cell":2,"va')
    assert [record["cell"] for record in read_records(tmp_path)] == [1]
    with Journal(path) as journal:
        journal.append({"cell": 3})
    assert path.read_text() == '{"cell":1}\n{"cell":3}\n'


def test_a_damaged_line_in_between_is_named(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"cell":1}\n{"cel\n{"cell":3}\n')
    with pytest.raises(DataError, match=r"a\.jsonl, line 2"):
        list(read_records(tmp_path))


def test_two_runs_do_not_write_to_one_file(tmp_path: Path):
    with Journal(tmp_path / "a.jsonl"), pytest.raises(InputError, match="another run"):
        Journal(tmp_path / "a.jsonl")
    with Journal(tmp_path / "a.jsonl"):
        pass  # free again


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path):
    with Journal(tmp_path / "a.jsonl") as journal, pytest.raises(ValueError, match="JSON"):
        journal.append({"value": float("nan")})
    assert not (tmp_path / "a.jsonl").read_text()


def test_killing_a_run_at_random_moments_loses_and_repeats_nothing(tmp_path: Path):
    moments = random.Random(0)
    for _ in range(12):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT)
        time.sleep(moments.uniform(0.1, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = {record["cell"] for record in read_records(tmp_path)}
        assert before == set(range(len(before)))
    subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT, check=True)
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["cell"] for line in lines] == list(range(200))
