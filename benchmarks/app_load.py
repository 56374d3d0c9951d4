"""The app under load: many visitors at once, one large file, and what memory is left in use.

    python -m benchmarks.app_load [--sessions 20 --molecules 50 --upload 2000 --rounds 3]

Starts the app, lets visitors come all at once, checks that each got its own molecules in its own
order, waits until Streamlit has forgotten them, and repeats. Bounded: a few minutes. Writes
``results/app_load.json``. Times are those of the server: a browser has yet to draw what it gets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.app_visitor import Page, Visitor
from benchmarks.machine import describe_machine, find_commit
from cmim_chem.cli.app import build_command, build_environment, find_app
from cmim_chem.predictor import SHIPPED

OUT = Path(__file__).with_name("results") / "app_load.json"
PATIENCE = 600  # seconds for a round
_DROPS = 3  # of the large file; the first one starts the processes that score it
_SETTLING = 180  # seconds: Streamlit keeps a session for two minutes after its visitor has left
_START = 120


@contextmanager
def running_app() -> Iterator[tuple[str, int]]:
    """Start the app; yields its address and the id of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = find_app()
    command = build_command(script, port, "127.0.0.1", headless=True)
    process = subprocess.Popen(command, env=build_environment(script))
    try:
        end = time.monotonic() + _START
        while time.monotonic() < end and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        else:
            raise RuntimeError("the app did not start")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def read_memory(process: int) -> float:
    """Resident memory of a process in megabytes."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def list_children(process: int) -> list[int]:
    """Ids of the processes that a process has started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(one) for path in lists for one in path.read_text(encoding="utf-8").split()]


def read_molecules(n: int) -> list[str]:
    """SMILES of n molecules of the shipped index, mixed."""
    import pandas as pd

    smiles = pd.read_parquet(SHIPPED / "index" / "table.parquet", columns=["smiles"])["smiles"]
    return [str(one) for one in smiles.sample(n, random_state=0)]


def check_answer(page: Page, names: Sequence[str]) -> None:
    """Fail unless the table has these names in this order, each with a number."""
    table = page.table()
    assert table["name"].tolist() == list(names), "other rows than were asked for"
    assert table["esol"].notna().all(), "rows without a number"


async def visit(address: str, number: int, smiles: Sequence[str]) -> float:
    """Come, paste molecules, check the answer; returns the seconds from paste to answer."""
    names = [f"visitor {number} molecule {i}" for i in range(len(smiles))]
    text = "\n".join(f"{one}\t{name}" for one, name in zip(smiles, names, strict=True))
    async with Visitor(address) as visitor:
        page = await visitor.open()
        began = time.monotonic()
        page = await visitor.paste(page, text)
        seconds = time.monotonic() - began
        check_answer(page, names)
        return seconds


async def drop_file(address: str, smiles: Sequence[str]) -> tuple[float, float]:
    """Drop one large file; the seconds until the table is there, and until the whole page is."""
    names = [f"ID-{i:05d}" for i in range(len(smiles))]
    lines = [f"{name},{one}" for name, one in zip(names, smiles, strict=True)]
    data = "\n".join(["name,smiles", *lines]).encode()
    async with Visitor(address) as visitor:
        page = await visitor.open()
        began = time.monotonic()
        page = await visitor.drop(page, "large.csv", data)
        whole = time.monotonic() - began
        check_answer(page, names)
        return page.table_at - began, whole


async def come_together(address: str, sessions: int, smiles: Sequence[str]) -> list[float]:
    """All visitors at once, each with molecules of its own."""
    share = len(smiles) // sessions
    parts = [smiles[i * share : (i + 1) * share] for i in range(sessions)]
    visits = [visit(address, number, part) for number, part in enumerate(parts)]
    return await asyncio.wait_for(asyncio.gather(*visits), PATIENCE)


def settle(process: int, level: float) -> float:
    """Wait until memory is at a level again, or for as long as sessions are kept."""
    end = time.monotonic() + _SETTLING
    while (used := read_memory(process)) > level and time.monotonic() < end:
        time.sleep(2)
    return used


def run_load(options: argparse.Namespace) -> dict[str, object]:
    """Do everything; returns what was measured."""
    smiles = read_molecules(options.sessions * options.molecules + options.upload)
    many, large = smiles[: -options.upload], smiles[-options.upload :]
    rounds = []
    with running_app() as (address, process):
        asyncio.run(visit(address, 0, many[: options.molecules]))  # loads the model
        before = settle(process, 0) if options.settle else read_memory(process)
        for number in range(options.rounds):
            began = time.monotonic()
            seconds = asyncio.run(come_together(address, options.sessions, many))
            elapsed = time.monotonic() - began
            peak = read_memory(process)
            after = settle(process, before * 1.02) if options.settle else peak
            rounds.append(
                {
                    "all_done_seconds": round(elapsed, 1),
                    "visit_seconds_median": round(float(np.median(seconds)), 1),
                    "visit_seconds_longest": round(max(seconds), 1),
                    "memory_with_visitors_mb": round(peak),
                    "memory_after_mb": round(after),
                }
            )
            print(f"round {number + 1}: {rounds[-1]}", flush=True)
        drops = []
        for _ in range(_DROPS):
            drop = asyncio.wait_for(drop_file(address, large), PATIENCE)
            seconds, whole = (round(one, 1) for one in asyncio.run(drop))
            drops.append({"table_seconds": seconds, "page_seconds": whole})
            print(f"{options.upload} molecules dropped: {drops[-1]}", flush=True)
        helpers = [round(read_memory(one)) for one in list_children(process)]
    return {
        "commit": find_commit(),
        "machine": describe_machine(),
        "sessions": options.sessions,
        "molecules_per_session": options.molecules,
        "memory_before_mb": round(before),
        "rounds": rounds,
        "upload_rows": options.upload,
        "drops": drops,
        "memory_of_helpers_mb": sorted(helpers),
    }


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=20, help="visitors at once")
    parser.add_argument("--molecules", type=int, default=50, help="of each visitor")
    parser.add_argument("--upload", type=int, default=2_000, help="rows of the large file")
    parser.add_argument("--rounds", type=int, default=3, help="times that visitors come")
    parser.add_argument(
        "--no-settle", dest="settle", action="store_false", help="do not wait for memory"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    found = run_load(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
