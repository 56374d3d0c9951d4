"""`cmim score` when something really fails: kills, full disks, cut files, lost workers."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.libraries import write_csv
from tests.integration.slow_cmim import DEADLY, ROOT, call, command

pytestmark = pytest.mark.slow
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SMALL = ("--batch-size", 20, "--shard-rows", 40, "--workers", 2)
KILLS = 6


def list_shards(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("_part-*.json")} if folder.is_dir() else set()


def wait_for_shards(process: subprocess.Popen, folder: Path, count: int) -> None:
    while process.poll() is None and len(list_shards(folder)) < count:
        time.sleep(0.01)


def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv", 1_200)
    assert call(library, "-o", "whole.csv", *SMALL, folder=tmp_path).returncode == 0
    moments = random.Random(5)
    finished = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            command(library, "-o", "out.csv", *SMALL, seconds=0.05),
            cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_shards(process, tmp_path / "out.csv.parts", finished + moments.randint(1, 4))
        time.sleep(moments.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before, finished = finished, len(list_shards(tmp_path / "out.csv.parts"))
        assert finished > before
        assert not (tmp_path / "out.csv").exists()
    done = call(library, "-o", "out.csv", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of them before" in done.stderr
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv", "whole.csv"]


FULL = """
mount -t tmpfs -o size=256k none disk || exit 77
{score} > first.log 2>&1 && exit 78
ls -A disk/out.csv.parts > kept.txt
mount -o remount,size=50m disk || exit 77
{score} > second.log 2>&1 || exit 79
cp disk/out.csv out.csv
ls -A disk > left.txt
"""


def test_a_full_disk_is_told_and_the_work_goes_on_when_there_is_room(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv", 6_000)
    rows = ("--batch-size", 500, "--shard-rows", 500, "--workers", 1)
    assert call(library, "-o", "whole.csv", *rows, folder=tmp_path).returncode == 0
    (tmp_path / "disk").mkdir()
    script = FULL.format(score=" ".join(command(library, "-o", "disk/out.csv", *rows)))
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here, so no small disk")
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode in {1, 77} and not (tmp_path / "first.log").exists():
        pytest.skip(f"no small disk can be mounted here ({done.stderr.strip()})")
    assert done.returncode == 0, (tmp_path / "second.log").read_text()
    told = (tmp_path / "first.log").read_text().splitlines()[-1]
    assert told.endswith("the disk is full; make room and run the same command again")
    kept = (tmp_path / "kept.txt").read_text().split()
    assert len([name for name in kept if name.startswith("part-")]) >= 2
    assert not [name for name in kept if name.endswith(".part")]
    assert "of them before" in (tmp_path / "second.log").read_text()
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "left.txt").read_text().split() == ["out.csv"]


def test_a_cut_off_gzip_goes_on_with_the_whole_file(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv.gz", 30_000)
    rows = ("--batch-size", 500, "--shard-rows", 1000, "--workers", 2)
    assert call(library, "-o", "whole.csv", *rows, folder=tmp_path).returncode == 0
    packed = library.read_bytes()
    library.write_bytes(packed[: len(packed) // 2])
    cut = call(library, "-o", "out.csv", *rows, folder=tmp_path)
    assert cut.returncode == 2
    assert "cut off; copy or download it again" in cut.stderr
    whole = (tmp_path / "whole.csv").read_text()
    read = (tmp_path / "out.csv").read_text()
    assert whole.startswith(read)
    assert 1_000 < read.count("\n") < 30_000
    library.write_bytes(packed)
    mended = call(library, "-o", "out.csv", *rows, folder=tmp_path)
    assert mended.returncode == 0, mended.stderr
    assert f"({read.count(chr(10)) // 1000},000 of them before)" in mended.stderr
    assert (tmp_path / "out.csv").read_text() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv.gz", "out.csv", "whole.csv"]


def test_a_cut_off_gzip_that_is_replaced_by_another_file_is_refused(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv.gz", 3_000)
    packed = library.read_bytes()
    library.write_bytes(packed[: len(packed) // 2])
    rows = ("--batch-size", 50, "--shard-rows", 50, "--workers", 1)
    assert call(library, "-o", "out.csv", *rows, folder=tmp_path).returncode == 2
    text = gzip.decompress(packed).decode().replace("mol 7\n", "mol seven\n")
    library.write_bytes(gzip.compress(text.encode()))
    other = call(library, "-o", "out.csv", *rows, folder=tmp_path)
    assert other.returncode == 2
    assert "the input changed since rows 1 to 50 were scored" in other.stderr


def test_a_worker_that_dies_is_told_and_what_was_finished_is_kept(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv", 600)
    text = library.read_text().splitlines()
    text[500] = f"{DEADLY},deadly"
    library.write_text("\n".join(text) + "\n")
    assert call(library, "-o", "whole.csv", *SMALL[:-1], 1, folder=tmp_path).returncode == 0
    dead = call(library, "-o", "out.csv", *SMALL, folder=tmp_path, seconds=0.02)
    assert dead.returncode == 2
    assert dead.stderr.splitlines()[-1].startswith("cmim: a worker process died")
    assert "Traceback" not in dead.stderr
    assert len(list_shards(tmp_path / "out.csv.parts")) >= 4
    (tmp_path / "mended").touch()
    done = call(library, "-o", "out.csv", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of them before" in done.stderr
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_workers_end_when_their_reader_is_killed(tmp_path: Path):
    library = write_csv(tmp_path / "in.csv", 2_000)
    process = subprocess.Popen(
        command(library, "-o", "out.csv", *SMALL, seconds=0.1),
        cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_shards(process, tmp_path / "out.csv.parts", 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        process.wait()
        pytest.skip("no /proc here")
    workers = children.read_text().split()
    assert len(workers) == 2
    process.kill()
    process.wait()
    for _ in range(200):
        alive = [w for w in workers if "slow_cmim" in read_command_line(w)]
        if not alive:
            return
        time.sleep(0.1)
    pytest.fail(f"still running: {alive}")


def read_command_line(process: str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


if sys.platform != "linux":  # the models of the tests reach workers by a fork
    pytest.skip("needs Linux", allow_module_level=True)
