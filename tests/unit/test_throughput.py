"""The benchmark of speed: what it measures once, what it says of it, and that it ends."""

from __future__ import annotations

import argparse
from itertools import count
from pathlib import Path

import pytest
import torch

from benchmarks import gemm, score_throughput
from benchmarks.stages import read_smiles, write_table
from benchmarks.throughput_report import list_checks, write_report

LIMITS = {"parsed_per_second": 9_000.0, "float32_gflops": 90.0, "bfloat16_gflops": 1.0}


def make_line(kind: str, name: str, rows: int, wall: float, **more: object) -> dict[str, object]:
    cost = {"wall": wall, "cpu": 2 * wall, "peak_mb": 500.0, "per_second": rows / wall}
    return {"kind": kind, "name": name, "rows": rows, **cost, **LIMITS, **more}


def test_a_table_is_read_again_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("SMILES,split\nC,a\nCC,a\n")
    assert read_smiles(path, 5) == ["C", "CC", "C", "CC", "C"]
    path.write_text("C name\nCC other\n".replace(" ", ","))
    assert read_smiles(path, 2) == ["C", "CC"]
    text = write_table(["C"] * 60, tmp_path / "out.csv", with_bad=True).read_text()
    assert text.count("broken(") == 2


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_throughput, "measure_limits", lambda _: LIMITS)
    args = argparse.Namespace(out=tmp_path / "results", molecules=tmp_path)
    done: list[int] = []
    for rows in (10, 20, 10):
        line = make_line("size", "parse", rows, 2.0)
        score_throughput.run_cell(args, ("size", "parse", rows), lambda r=line: done.append(1) or r)
    assert len(done) == 2
    write_report(args.out)
    page = (args.out / "throughput.md").read_text()
    assert "| parse | 20 | 10 | 2.0 | 4.0 | 500 | 9,000 | 90 |" in page
    assert (args.out / "throughput.png").stat().st_size > 0


def test_the_checks_are_said_in_numbers() -> None:
    lines = [
        make_line("size", "score all", 1_000, 5.0),
        make_line("size", "score all", 10_000, 30.0),
        make_line("size", "ADMET-AI", 10_000, 320.0),
        make_line("memory", "score, no network", 1_000_000, 900.0),
        make_line("kills", "score all", 50_000, 1.0, kills=20, same_bytes=True),
        make_line("index", "build", 10, 1.0, recall_at_10=1, median_query_ms=2.04, open_ms=9),
    ]
    said = "\n".join(list_checks(lines))
    assert (
        "0.094 of the time of ADMET-AI (30.0 and 320.0 s); at most 0.1 was wanted: **met**" in said
    )
    assert "10,000 molecules instead of 1,000 take 6.0 times as long and 1.00 times" in said
    assert "500 MB at 1,000,000 rows" in said
    assert "killed 20 times: the same bytes" in said
    assert "recall@10 1.000, a query 2.0 ms, opened in 9 ms" in said


def test_slow_products_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr(gemm.time, "perf_counter", lambda: float(next(ticks)))  # a second each
    rate, size = gemm.measure(torch.float32)
    assert size == 64
    assert 0 < rate < 1
