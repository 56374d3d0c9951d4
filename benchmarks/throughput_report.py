"""The page and the picture of `benchmarks.score_throughput`, from its lines alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.journal import read_records
from benchmarks.tables import markdown

Line = dict[str, Any]

PEER = "ADMET-AI"
PAGE, PICTURE = "throughput.md", "throughput.png"
#: What is held against the peer, and the share of its time that is aimed at for so many molecules.
OURS, AIM, AIM_ROWS = "score all", 0.1, 10_000
_HEAD = """# How many molecules per second

Written by `python -m benchmarks.score_throughput report` from the lines beside it. Each figure is
of a whole process, start-up included; memory is the largest of all its processes together. What
the machine could do at that moment is in the last columns: RDKit's parsing in one thread, and
products of float32 matrices.
"""


def write_report(folder: Path) -> None:
    """Write the page, and the picture if there is something to draw.

    Parameters
    ----------
    folder : Path
        With the lines; gets both.
    """
    lines = list(read_records(folder))
    sizes = [line for line in lines if line["kind"] == "size"]
    parts = [_HEAD, _describe_machine(lines)]
    if sizes:
        draw(sizes, folder / PICTURE)
        parts += [f"![Molecules per second against the size of the file]({PICTURE})", table(sizes)]
    parts += ["## Checks", "\n".join(f"* {one}" for one in list_checks(lines)) or "None yet."]
    (folder / PAGE).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def table(lines: Sequence[Line]) -> str:
    """Return rates and costs as a Markdown table, stage by stage."""
    names = dict.fromkeys(line["name"] for line in lines)
    rows = [
        [
            line["name"],
            f"{line['rows']:,}",
            f"{line['per_second']:,.0f}",
            f"{line['wall']:,.1f}",
            f"{line['cpu']:,.1f}",
            f"{line['peak_mb']:,.0f}",
            f"{line['parsed_per_second']:,.0f}",
            f"{line['float32_gflops']:,.0f}",
        ]
        for name in names
        for line in sorted(lines, key=lambda one: one["rows"])
        if line["name"] == name
    ]
    header = ["stage", "molecules", "per second", "wall s", "processor s", "peak MB"]
    return markdown([*header, "RDKit parses / s", "GFLOP/s"], rows)


def list_checks(lines: Sequence[Line]) -> list[str]:
    """Say in a sentence each what was asked of speed, memory, kills and index.

    Parameters
    ----------
    lines : sequence of dict
        All of the benchmark.

    Returns
    -------
    list of str
        Of what was measured only.
    """
    found = {(line["kind"], line["name"], line["rows"]): line for line in lines}
    said = []
    for name, rows in sorted((name, rows) for kind, name, rows in found if kind == "size"):
        line, less = found["size", name, rows], found.get(("size", name, rows // 10))
        if name == OURS and (peer := found.get(("size", PEER, rows))):
            share = line["wall"] / peer["wall"]
            verdict = "met" if share <= AIM else "missed"
            wanted = f"; at most {AIM} was wanted: **{verdict}**" if rows == AIM_ROWS else ""
            said.append(
                f"{rows:,} molecules take {share:.3f} of the time of {PEER} "
                f"({line['wall']:,.1f} and {peer['wall']:,.1f} s){wanted}."
            )
        if less:
            said.append(
                f"{name}: {rows:,} molecules instead of {rows // 10:,} take "
                f"{line['wall'] / less['wall']:.1f} times as long and "
                f"{line['peak_mb'] / less['peak_mb']:.2f} times the memory."
            )
    large = [found[key] for key in sorted(found) if key[0] == "memory"]
    for line in large:
        said.append(
            f"Memory of {line['name']}: {line['peak_mb']:,.0f} MB at {line['rows']:,} rows."
        )
    for line in (found[key] for key in sorted(found) if key[0] == "kills"):
        same = "the same bytes" if line["same_bytes"] else "**other bytes**"
        said.append(f"{line['rows']:,} rows, killed {line['kills']} times: {same} as undisturbed.")
    for line in (found[key] for key in sorted(found) if key[0] == "index"):
        said.append(
            f"Index of {line['rows']:,}: recall@10 {line['recall_at_10']:.3f}, a query "
            f"{line['median_query_ms']:.1f} ms, opened in {line['open_ms']:.0f} ms, built in "
            f"{line['wall']:,.0f} s with {line['peak_mb']:,.0f} MB."
        )
    return said


def draw(lines: Sequence[Line], path: Path) -> None:
    """Draw rates against sizes, both axes logarithmic, and RDKit's parsing as a limit."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name in dict.fromkeys(line["name"] for line in lines):
        points = sorted((one["rows"], one["per_second"]) for one in lines if one["name"] == name)
        axes.loglog(*zip(*points, strict=True), marker="o", label=name)
    limit = max(line["parsed_per_second"] for line in lines)
    axes.axhline(limit, color="gray", linestyle="--", label="RDKit parses, one thread")
    axes.set(xlabel="molecules in the file", ylabel="molecules per second, start-up included")
    axes.grid(alpha=0.3, which="both")
    figure.legend(fontsize="small", loc="outside right upper")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _describe_machine(lines: Sequence[Line]) -> str:
    machines = {
        f"{line['processors']} x {line['cpu_model']}, {line['commit'][:12]}, "
        f"torch {line['torch']}, RDKit {line['rdkit']}."
        for line in lines
    }
    return "\n".join(sorted(machines))
