"""The sections of the report that say where numbers come from: commits, tasks left out, times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.board import Board
from benchmarks.datasets import DATASETS
from benchmarks.heads.table import HEADS
from benchmarks.journal import Record
from benchmarks.tables import markdown


def write_provenance(records: Sequence[Record]) -> str:
    """Commits, machines, encoders and versions behind the lines."""
    commits = Counter(record["commit"] for record in records)
    machines = Counter(f"{r['machine']['cpu']}, {r['machine']['cpus']} CPUs" for r in records)
    encoders = {
        r["representation"].partition(":")[0]: r["model_digest"][:12]
        for r in records
        if r["model_digest"]
    }
    versions = ", ".join(
        f"{name} {value}"
        for name, value in records[-1]["machine"].items()
        if name not in ("cpu", "cpus")
    )
    hours = sum(record["cpu_seconds"] for record in records) / 3600
    lines = [
        "## Where the numbers are from",
        "",
        f"{len(records):,} cells, {hours:.1f} processor hours, one thread each.",
        "",
        *(f"* commit `{commit}`: {count:,} cells" for commit, count in commits.most_common()),
        *(f"* {machine}: {count:,} cells" for machine, count in machines.most_common()),
        *(f"* encoder of `{name}`: `{digest}`" for name, digest in encoders.items()),
        f"* {versions}",
    ]
    return "\n".join(lines)


def write_skipped(boards: Sequence[Board]) -> str:
    """Tasks that have no score, by set and with the reason."""
    lines = []
    for board in boards:
        for entry in list(board.best.values())[:1]:
            record = entry.records[0]
            reasons = Counter(record["skipped"].values())
            named = sorted(record["skipped"])
            if named:
                more = (
                    "" if len(named) <= 12 else f" and {len(named) - 12} more, named in the lines"
                )
                words = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
                lines.append(
                    f"* {board.dataset}, {board.split}: {record['tasks']} tasks scored,"
                    f" {len(named)} left out ({words}): {', '.join(named[:12])}{more}"
                )
    return "## Tasks without a score\n\n" + ("\n".join(lines) if lines else "None.")


def write_times(records: Sequence[Record]) -> str:
    """Wall time of a cell by set and head."""
    heads = [head for head in HEADS if any(r["head"] == head for r in records)]
    rows = []
    for name in DATASETS:
        cells = [r for r in records if r["dataset"] == name]
        if cells:
            medians = []
            for head in heads:
                times = [r["seconds"] for r in cells if r["head"] == head]
                medians.append(f"{np.median(times):.1f} ({max(times):.0f})" if times else "")
            total = sum(record["seconds"] for record in cells) / 60
            rows.append([name, str(len(cells)), *medians, f"{total:.0f}"])
    table = markdown(["set", "cells", *heads, "all, minutes"], rows)
    return f"## Wall time of a cell, seconds: median (longest)\n\nFeatures not included.\n\n{table}"
