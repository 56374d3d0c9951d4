"""The result lines of `benchmarks.sureness` as tables and two figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import markdown

Lines = Sequence[dict[str, Any]]

PAGE = "sureness.md"
_ORDERS = {
    "by_dissimilarity": "1 - Tanimoto",
    "by_distance": "distance in h",
    "by_width": "interval width",
}


def write_report(lines: Lines, folder: Path) -> None:
    """Write the page and its figures.

    Parameters
    ----------
    lines : sequence of dict
        One per set and split.
    folder : Path
        Where to.
    """
    numbers = [one for one in lines if one["kind"] == "regression"]
    classes = [one for one in lines if one["kind"] == "classification"]
    parts = ["# How sure: what the intervals, probabilities and the domain came to"]
    if numbers:
        parts += [_coverage(numbers), _quarters(numbers), _domain(numbers)]
        _draw_quarters(numbers, folder / "quarters.png")
        parts.append("![RMSE by quarter of the test molecules](quarters.png)")
    if classes:
        parts += [_calibration(classes), _per_task(classes)]
        _draw_calibration(classes, folder / "calibration.png")
        parts.append("![calibration error before and after](calibration.png)")
    (folder / PAGE).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _sets(lines: Lines) -> list[str]:
    return list(dict.fromkeys(one["set"] for one in lines))


def _of(lines: Lines, name: str, scaffold: bool) -> list[dict[str, Any]]:
    return [o for o in lines if o["set"] == name and (o["split"] == "scaffold") == scaffold]


def _coverage(lines: Lines) -> str:
    rows = []
    for name in _sets(lines):
        random, scaffold = _of(lines, name, False), _of(lines, name, True)
        cells = [name]
        for level in ("0.8", "0.9", "0.95"):
            shares = [100 * one["coverage"][level] for one in random]
            cells.append(
                f"{np.mean(shares):.1f} ({min(shares):.0f} to {max(shares):.0f})" if shares else ""
            )
        cells.append(f"{np.mean([o['width'] for o in random]):.2f}" if random else "")
        cells.append(f"{np.mean([o['spread_of_width'] for o in random]):.1f}" if random else "")
        cells += [f"{100 * o['coverage']['0.9']:.1f}" for o in scaffold] or [""]
        cells += [f"{o['width']:.2f}" for o in scaffold] or [""]
        rows.append(cells)
    header = "set,80 %,90 %,95 %,median width,wide / narrow,scaffold: 90 %,its width".split(",")
    return (
        "## Share of test molecules inside their interval\n\nPercent; mean over random splits,"
        " lowest and highest in parentheses; the scaffold split as it is. Wide / narrow: 90 % over"
        " 10 % quantile of the widths.\n\n" + markdown(header, rows)
    )


def _mean_quarters(lines: Lines, key: str) -> np.ndarray:
    return np.mean([one[key] for one in lines], axis=0)


def _quarters(lines: Lines) -> str:
    rows = []
    for name in _sets(lines):
        for scaffold in (False, True):
            chosen = _of(lines, name, scaffold)
            for key, words in _ORDERS.items() if chosen else ():
                quarters = _mean_quarters(chosen, key)
                cells = [f"{value:.2f}" for value in quarters]
                split = "scaffold" if scaffold else f"{len(chosen)} random"
                rows.append([name, split, words, *cells, f"{quarters[-1] / quarters[0]:.2f}"])
    header = ["set", "splits", "sorted by", "nearest", "second", "third", "farthest", "ratio"]
    return (
        "## RMSE by quarter of the test molecules\n\nIn the unit of the set, mean over splits;"
        " nearest or narrowest quarter first.\n\n" + markdown(header, rows)
    )


def _domain(lines: Lines) -> str:
    rows = []
    for name in _sets(lines):
        for scaffold in (False, True):
            chosen = _of(lines, name, scaffold)
            cells = []
            for word in ("in", "borderline", "outside") if chosen else ():
                share = np.mean([one["domain"][word][0] for one in chosen])
                errors = [o["domain"][word][1] for o in chosen if o["domain"][word][1] is not None]
                cells.append(f"{100 * share:.0f} %: {np.mean(errors):.2f}" if errors else "0 %")
            if chosen:
                rows.append([name, "scaffold" if scaffold else "random", *cells])
    header = ["set", "split", "in", "borderline", "outside"]
    return "## Share of test molecules and RMSE by domain\n\n" + markdown(header, rows)


def _pairs(lines: Lines) -> dict[str, tuple[float, float]]:
    """Mean calibration error of each task before and after, over splits."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        for task, values in line["tasks"].items():
            if values["ece_before"] is not None:
                found.setdefault(task, []).append((values["ece_before"], values["ece_after"]))
    return {task: tuple(np.mean(pairs, axis=0)) for task, pairs in found.items()}


def _calibration(lines: Lines) -> str:
    rows = []
    for name in _sets(lines):
        for scaffold in (False, True):
            chosen = _of(lines, name, scaffold)
            if not chosen:
                continue
            pairs = np.array(list(_pairs(chosen).values()))
            tasks = [t for one in chosen for t in one["tasks"].values()]
            cells = [f"{np.mean(pairs[:, i]):.3f}" for i in (0, 1)]
            cells.append(f"{int((pairs[:, 1] < pairs[:, 0]).sum())} of {len(pairs)}")
            cells += [
                _mean(tasks, key) for key in ("undecided", "right", "excluded_0", "excluded_1")
            ]
            split = "scaffold" if scaffold else f"{len(chosen)} random"
            rows.append([name, split, *cells])
    header = (
        "set,splits,before,after,tasks better,undecided,decided right,"
        "0 called active,1 called inactive"
    ).split(",")
    return (
        "## Expected calibration error, and calls at 90 %\n\nMeans over tasks and splits. By"
        " design at most 10 % of either class are called the other.\n\n" + markdown(header, rows)
    )


def _mean(tasks: Sequence[dict[str, Any]], key: str) -> str:
    values = [one[key] for one in tasks if one.get(key) is not None]
    return f"{np.mean(values):.2f}" if values else ""


def _per_task(lines: Lines) -> str:
    splits = {"random": _pairs([o for o in lines if o["split"] != "scaffold"])}
    splits["scaffold"] = _pairs([o for o in lines if o["split"] == "scaffold"])
    tasks = dict.fromkeys(task for pairs in splits.values() for task in pairs)
    rows = [
        [task, *(f"{v:.3f}" for key in splits for v in splits[key].get(task, ()))]
        for task in tasks
        if all(task in pairs for pairs in splits.values() if pairs)
    ]
    header = ["task"]
    for key, pairs in splits.items():
        header += [f"{key}: before", "after"] if pairs else []
    return markdown(header, rows)


def _draw_quarters(lines: Lines, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = _sets(lines)
    figure, axes = plt.subplots(1, len(names), figsize=(3.1 * len(names), 3.0), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for key, words in _ORDERS.items():
            chosen = _of(lines, name, False) or _of(lines, name, True)
            axis.plot(range(1, 5), _mean_quarters(chosen, key), marker="o", label=words)
        axis.set(title=name, xlabel="quarter", xticks=range(1, 5))
        axis.set_ylim(bottom=0)
    axes[0][0].set_ylabel("RMSE, random splits")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_calibration(lines: Lines, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(4.2, 4.0))
    for name in _sets(lines):
        before, after = np.array(list(_pairs(_of(lines, name, False) or lines).values())).T
        axis.scatter(before, after, s=16, label=name)
    limit = axis.get_xlim()[1]
    axis.plot([0, limit], [0, limit], color="gray", linewidth=0.8)
    axis.set(xlabel="calibration error before", ylabel="after", title="each point is a task")
    axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
