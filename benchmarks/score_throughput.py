"""Molecules per second and peak memory of `cmim score` and its stages, and of a peer.

    python -m benchmarks.score_throughput sizes --molecules FILE [--peer PATH/admet_predict]
    python -m benchmarks.score_throughput kills --molecules FILE --rows 50000 --kills 20
    python -m benchmarks.score_throughput index --molecules FILE --rows 1000000

Everything that a user would wait for is run as a whole process, start-up included; standardizing
and RDKit's parsing are timed in this process, in one thread. Each measurement is one line of
``benchmarks/results/score_throughput.jsonl``; ``sizes`` draws the picture beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import gemm
from benchmarks.machine import describe_machine, find_commit
from benchmarks.watched import Cost, count_processors, run_watched

RESULTS = Path(__file__).parent / "results"
SIZES = (1_000, 10_000, 100_000)
_CMIM = (sys.executable, "-m", "cmim_chem.cli.main")
_PARSED = 20_000  # molecules, at most, for what is timed in this process
_BAD_EVERY = 50


def read_smiles(path: Path, rows: int) -> list[str]:
    """First cells of a table with a header, again from the start if there are too few."""
    with path.open(encoding="utf-8", newline="") as stream:
        smiles = [row[0] for row in islice(csv.reader(stream), 1, rows + 1)]
    return [smiles[at % len(smiles)] for at in range(rows)]


def write_table(smiles: Sequence[str], path: Path, with_bad: bool = False) -> Path:
    """Write a table of molecules.

    Parameters
    ----------
    smiles : sequence of str
        Molecules.
    path : Path
        CSV.
    with_bad : bool
        Put a bad row at every fiftieth place.
    """
    rows = [
        f"{'broken(' if with_bad and at % _BAD_EVERY == 7 else one},{at}\n"
        for at, one in enumerate(smiles)
    ]
    path.write_text("smiles,number\n" + "".join(rows), encoding="utf-8")
    return path


def list_commands(table: Path, folder: Path, peer: str | None) -> Iterator[tuple[str, list[str]]]:
    """Go through the whole processes that are measured on a table.

    Parameters
    ----------
    table : Path
        The molecules.
    folder : Path
        Where results may be written.
    peer : str or None
        The program `admet_predict` in its own environment.

    Yields
    ------
    tuple of str and list of str
        Name and command.
    """
    quiet = "--quiet"
    yield "embed z", [*_CMIM, "embed", str(table), "--kind", "z", "-o", f"{folder}/z.npy", quiet]
    yield "embed h", [*_CMIM, "embed", str(table), "--kind", "h", "-o", f"{folder}/h.npy", quiet]
    yield "score all", [*_CMIM, "score", str(table), "-o", f"{folder}/scores.csv", quiet]
    one = ["--workers", "1", "-o", f"{folder}/one.csv", quiet]
    yield "score all, one worker", [*_CMIM, "score", str(table), *one]
    yield "neighbors", [*_CMIM, "neighbors", str(table), "-o", f"{folder}/near.csv", quiet]
    if peer:
        paths = ["--data_path", str(table), "--save_path", f"{folder}/peer.csv"]
        yield "ADMET-AI", [peer, *paths, "--smiles_column", "smiles"]


def measure_sizes(args: argparse.Namespace) -> None:
    """Measure all stages at all sizes, and draw them."""
    lines = []
    for rows in args.sizes:
        smiles = read_smiles(args.molecules, rows)
        limits = {"gemm_bfloat16_gflops": round(gemm.measure(gemm.torch.bfloat16))}
        for name, seconds in time_chemistry(smiles[:_PARSED]).items():
            rate = min(rows, _PARSED) / seconds
            lines.append(
                report(args.out, "size", name, rows, {"per_second": round(rate, 1)} | limits)
            )
        with tempfile.TemporaryDirectory() as folder:
            table = write_table(smiles, Path(folder) / "in.csv")
            for name, command in list_commands(table, Path(folder), args.peer):
                if name == "ADMET-AI" and rows > args.peer_rows:
                    continue
                cost = run_watched(command)
                lines.append(report(args.out, "size", name, rows, describe(cost, rows)))
    draw(lines, args.out / "score_throughput.png")


def time_chemistry(smiles: Sequence[str]) -> dict[str, float]:
    """Seconds for parsing and for standardizing, in this process."""
    from rdkit import Chem

    from cmim_chem.chem.standardize import standardize_many

    seconds = {}
    began = time.perf_counter()
    for one in smiles:
        Chem.MolFromSmiles(one)
    seconds["parse only"] = time.perf_counter() - began
    began = time.perf_counter()
    standardize_many(smiles)
    seconds["standardize"] = time.perf_counter() - began
    return seconds


def measure_kills(args: argparse.Namespace) -> None:
    """Kill a job again and again at random moments, and compare its output byte by byte."""
    moments = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        smiles = read_smiles(args.molecules, args.rows)
        table = write_table(smiles, Path(folder) / "in.csv", with_bad=True)
        command = [*_CMIM, "score", str(table), "--shard-rows", "1024", "--quiet", "-o"]
        whole = run_watched([*command, f"{folder}/whole.csv"])
        out = Path(folder) / "out.csv"
        for _ in range(args.kills):
            share = moments.uniform(0.2, 2.0) / args.kills
            run_watched([*command, str(out)], kill_after=5.0 + share * whole.wall)
            if out.exists():
                break
        killed_late = out.exists()
        run_watched([*command, str(out)])
        same = out.read_bytes() == (Path(folder) / "whole.csv").read_bytes()
        facts = {"kills": args.kills, "same_bytes": same, "ended_before_last_kill": killed_late}
        report(args.out, "kills", "score all", args.rows, facts)


def measure_index(args: argparse.Namespace) -> None:
    """Build an index of a library, open it and query it."""
    from cmim_chem.library_index.search import LibraryIndex

    with tempfile.TemporaryDirectory() as folder:
        table = write_table(read_smiles(args.molecules, args.rows), Path(folder) / "in.csv")
        place = Path(folder) / "library.index"
        build = [*_CMIM, "neighbors", "--build", str(table), "-o", str(place), "--quiet"]
        cost = run_watched([*build, "--workers", str(count_processors())])
        facts = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        began = time.perf_counter()
        index = LibraryIndex.open(place, facts["encoder_digest"])
        opened = time.perf_counter() - began
        chosen = np.random.default_rng(args.seed).choice(len(index), 200, replace=False)
        seconds = []
        for unit in index.vectors[chosen].astype(np.float32):
            began = time.perf_counter()
            index.search(unit[None], 10)
            seconds.append(time.perf_counter() - began)
        found = {
            "recall_at_10": facts["recall_at_10"],
            "open_ms": round(1e3 * opened, 1),
            "median_query_ms": round(1e3 * float(np.median(seconds)), 3),
        }
        report(args.out, "index", "build", args.rows, describe(cost, args.rows) | found)


def describe(cost: Cost, rows: int) -> dict[str, float]:
    """Rate and cost of a whole process."""
    return {"per_second": round(rows / cost.wall, 1)} | asdict(cost)


def report(
    out: Path, kind: str, name: str, rows: int, facts: Mapping[str, object]
) -> dict[str, object]:
    """Print a measurement and keep it."""
    line = {"kind": kind, "name": name, "rows": rows, **facts}
    print(json.dumps(line))
    where = {"commit": find_commit(), "processors": count_processors(), **describe_machine()}
    path = out / "score_throughput.jsonl"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line | where) + "\n")
    return line


def draw(lines: Sequence[dict[str, object]], path: Path) -> None:
    """Draw rates against sizes, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name in dict.fromkeys(str(line["name"]) for line in lines):
        points = [(line["rows"], line["per_second"]) for line in lines if line["name"] == name]
        axes.loglog(*zip(*points, strict=True), marker="o", label=name)
    axes.set(xlabel="molecules in the file", ylabel="molecules per second, start-up included")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure what the first argument names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["sizes", "kills", "index"])
    parser.add_argument("--molecules", type=Path, required=True, help="SMILES in the first column")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--peer", help="admet_predict of an environment of its own")
    parser.add_argument("--peer-rows", type=int, default=10_000, help="not on larger files")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    {"sizes": measure_sizes, "kills": measure_kills, "index": measure_index}[args.what](args)


if __name__ == "__main__":
    main()
