"""Molecules per second and peak memory of `cmim score` and its stages, and of a peer.

    python -m benchmarks.score_throughput all --molecules MOSES.csv --peer PATH/bin/admet_predict

does everything below, on two cores in some six hours; it can be stopped and given again, for what
``throughput.jsonl`` in ``--out`` already holds is not measured again. In pieces:

    ... sizes  --molecules FILE [--peer PATH] [--sizes 1000 10000] [--stages "score all" parse]
    ... memory --molecules FILE --rows 1000000    # does memory grow with the file?
    ... kills  --molecules FILE --rows 50000      # killed 20 times: the same bytes?
    ... index  --molecules FILE --rows 1000000    # neighbors in a library: recall, time of a query
    ... report                                    # page and picture again, from the lines alone

FILE has SMILES in its first column; a shorter one is read again from its start. Everything is run
as a whole process, start-up included, on a machine that should do nothing else. What the machine
can do at that time, products of matrices and RDKit's parsing in one thread, is beside every figure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks import gemm
from benchmarks.journal import Journal, read_records
from benchmarks.machine import describe_machine, find_commit
from benchmarks.stages import parse_all, read_smiles, write_table
from benchmarks.throughput_report import PEER, write_report
from benchmarks.watched import run_watched
from cmim_chem.cli.options import count_processors
from cmim_chem.predictor import SHIPPED

RESULTS = Path(__file__).parent / "results" / "throughput"
SIZES = (1_000, 10_000, 100_000)
_CMIM = (sys.executable, "-m", "cmim_chem.cli.main")
_STAGE = (sys.executable, "-m", "benchmarks.stages")
_PARSED = 5_000  # molecules for the rate of parsing
_ROWS = {"memory": 1_000_000, "kills": 50_000, "index": 1_000_000}


def list_quick_properties() -> list[str]:
    """Names of the shipped properties that need no pass through the network."""
    paths = sorted(SHIPPED.glob("probes/*/card.json"))
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    quick = [card for card in cards if not {"z", "h"} & set(card["features"].split("+"))]
    return [name for card in quick for name in card["tasks"]]


def list_commands(table: str, folder: str, peer: str | None) -> dict[str, list[str]]:
    """List the whole processes that are measured on a table.

    Parameters
    ----------
    table : str
        The molecules.
    folder : str
        Where results may be written.
    peer : str or None
        The program `admet_predict` in its own environment.

    Returns
    -------
    dict of str to list of str
        Commands by name.
    """
    scored, quick = [*_CMIM, "score", table, "--quiet", "-o"], ",".join(list_quick_properties())
    commands = {
        "parse": [*_STAGE, "parse", table],
        "standardize": [*_STAGE, "standardize", table],
        "embed z": [*_CMIM, "embed", table, "--kind", "z", "-o", f"{folder}/z.npy", "--quiet"],
        "embed h": [*_CMIM, "embed", table, "--kind", "h", "-o", f"{folder}/h.npy", "--quiet"],
        "score all": [*scored, f"{folder}/scores.csv"],
        "score all, one worker": [*scored, f"{folder}/one.csv", "--workers", "1"],
        "score, no network": [*scored, f"{folder}/some.csv", "--plain", "--properties", quick],
        "neighbors": [*_CMIM, "neighbors", table, "-o", f"{folder}/near.csv", "--quiet"],
    }
    if peer:
        paths = ["--data_path", table, "--save_path", f"{folder}/peer.csv"]
        commands[PEER] = [peer, *paths, "--smiles_column", "smiles"]
    return commands


def measure_sizes(args: argparse.Namespace) -> None:
    """Measure all stages at all sizes."""
    for rows in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(read_smiles(args.molecules, rows), Path(folder) / "in.csv")
            for name, command in list_commands(str(table), folder, args.peer).items():
                is_wanted = not args.stages or name in args.stages
                if is_wanted and not (name == PEER and rows > args.peer_rows):
                    run_cell(args, ("size", name, rows), partial(measure, command, rows))


def measure(command: Sequence[str], rows: int) -> dict[str, object]:
    """Run a command: its rate and its cost."""
    cost = run_watched(command)
    return {"per_second": round(rows / cost.wall, 2), **asdict(cost)}


def measure_memory(args: argparse.Namespace) -> None:
    """Score a large table by the properties that are quick: memory should not grow with it."""
    rows = args.rows or _ROWS["memory"]
    with tempfile.TemporaryDirectory() as folder:
        for size in (rows // 100, rows):
            table = write_table(read_smiles(args.molecules, size), Path(folder) / "in.csv")
            command = list_commands(str(table), folder, None)["score, no network"]
            key = ("memory", "score, no network", size)
            run_cell(args, key, partial(measure, command, size))


def measure_kills(args: argparse.Namespace) -> None:
    """Kill a job again and again at random moments, and compare its output byte by byte."""
    rows = args.rows or _ROWS["kills"]

    def kill() -> dict[str, object]:
        moments = random.Random(args.seed)
        with tempfile.TemporaryDirectory() as folder:
            smiles = read_smiles(args.molecules, rows)
            table = write_table(smiles, Path(folder) / "in.csv", with_bad=True)
            command = [*_CMIM, "score", str(table), "--shard-rows", "1024", "--quiet", "-o"]
            whole = run_watched([*command, f"{folder}/whole.csv"])
            out = Path(folder) / "out.csv"
            kills = 0
            while kills < args.kills and not out.exists():
                share = moments.uniform(0.2, 2.0) / args.kills
                run_watched([*command, str(out)], kill_after=5.0 + share * whole.wall)
                kills += not out.exists()
            run_watched([*command, str(out)])
            same = out.read_bytes() == (Path(folder) / "whole.csv").read_bytes()
            return {"kills": kills, "same_bytes": same, "undisturbed_wall": whole.wall}

    run_cell(args, ("kills", "score all", rows), kill)


def measure_index(args: argparse.Namespace) -> None:
    """Build an index of a library, open it and query it."""
    from cmim_chem.library_index.search import LibraryIndex

    rows = args.rows or _ROWS["index"]

    def build() -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(read_smiles(args.molecules, rows), Path(folder) / "in.csv")
            place = Path(folder) / "library.index"
            command = [*_CMIM, "neighbors", "--build", str(table), "-o", str(place), "--quiet"]
            cost = measure([*command, "--workers", str(count_processors())], rows)
            facts = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
            began = time.perf_counter()
            index = LibraryIndex.open(place, facts["encoder_digest"])
            opened = time.perf_counter() - began
            drawn = np.random.default_rng(args.seed)
            seconds = []
            for row in drawn.choice(len(index), min(200, len(index)), replace=False):
                began = time.perf_counter()
                index.search(index.vectors[row].astype(np.float32)[None], 10)
                seconds.append(time.perf_counter() - began)
            return cost | {
                "recall_at_10": facts["recall_at_10"],
                "open_ms": round(1e3 * opened, 1),
                "median_query_ms": round(1e3 * float(np.median(seconds)), 3),
            }

    run_cell(args, ("index", "build", rows), build)


def run_cell(
    args: argparse.Namespace, key: tuple[str, str, int], work: Callable[[], Mapping[str, object]]
) -> None:
    """Measure something that has not been measured yet, and keep it.

    Parameters
    ----------
    args : Namespace
        With `out` and `molecules`.
    key : tuple of str, str and int
        Kind, name and rows.
    work : callable
        Measures.
    """
    names = ("kind", "name", "rows")
    if args.out.is_dir() and key in {tuple(r[n] for n in names) for r in read_records(args.out)}:
        print(*key, "is there already")
        return
    line = dict(zip(names, key, strict=True)) | dict(work()) | measure_limits(args.molecules)
    print(json.dumps(line), flush=True)
    machine = describe_machine()
    where = {"commit": find_commit(), "processors": count_processors()}
    where |= {"cpu_model" if name == "cpu" else name: fact for name, fact in machine.items()}
    with Journal(args.out / "throughput.jsonl") as journal:
        journal.append(line | where)


def measure_limits(molecules: Path) -> dict[str, float]:
    """Measure what the machine can do: products of matrices, and parsing in one thread."""
    smiles = read_smiles(molecules, _PARSED)
    began = time.process_time()
    parse_all(smiles)
    seconds = time.process_time() - began
    return {
        "parsed_per_second": round(len(smiles) / seconds, 1),
        "float32_gflops": round(gemm.measure(torch.float32)[0], 1),
        "bfloat16_gflops": round(gemm.measure(torch.bfloat16)[0], 1),
    }


MEASURES = {
    "sizes": measure_sizes,
    "memory": measure_memory,
    "kills": measure_kills,
    "index": measure_index,
}


def main() -> None:
    """Measure what the first argument names, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["all", *MEASURES, "report"])
    parser.add_argument("--molecules", type=Path, help="SMILES in the first column")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stages", nargs="+", help="only these, by name")
    parser.add_argument("--peer", help="admet_predict of an environment of its own")
    parser.add_argument("--peer-rows", type=int, default=100_000, help="not on larger files")
    parser.add_argument("--rows", type=int, help="of memory, kills and index")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.what != "report" and args.molecules is None:
        parser.error("--molecules: name a file with SMILES in its first column")
    if args.what != "report" and not Path("/proc").is_dir():
        parser.error("memory is read from /proc: measure on Linux")
    for name, run in MEASURES.items():
        if args.what in ("all", name):
            run(args)
    write_report(args.out)


if __name__ == "__main__":
    main()
