"""Figures of the report: scores with intervals, and average ranks (critical difference)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.board import Board
from benchmarks.compare import Ranks, rank_representations

DPI = 110


def draw_all(boards: Sequence[Board], folder: Path) -> list[Path]:
    """Draw what the results are enough for.

    Parameters
    ----------
    boards : sequence of Board
        What to draw.
    folder : Path
        Gets the pictures.

    Returns
    -------
    list of Path
    """
    drawn = [draw_scores(boards, split, folder / f"scores_{split}.png")
             for split in ("scaffold", "random")
             if any(board.split == split for board in boards)]  # fmt: skip
    ranks = rank_representations(boards)
    if ranks is not None:
        drawn.append(draw_ranks(ranks, folder / "ranks.png"))
    return drawn


def draw_scores(boards: Sequence[Board], split: str, path: Path) -> Path:
    """Every representation with its best head and 95 % interval, one panel a set."""
    chosen = [board for board in boards if board.split == split]
    names = list(dict.fromkeys(name for board in chosen for name in board.best))
    columns = min(4, len(chosen))
    lines = -(-len(chosen) // columns)
    size = (3.0 * columns, 0.5 + lines * (0.8 + 0.22 * len(names)))
    figure, axes = plt.subplots(lines, columns, figsize=size, dpi=DPI, layout="constrained",
                                squeeze=False)  # fmt: skip
    for axis in axes.flat[len(chosen) :]:
        axis.set_axis_off()
    for axis, board in zip(axes.flat, chosen, strict=False):
        _draw_board(axis, board, names)
    figure.suptitle(f"{split} split, best head by validation, 95 % interval", fontsize=10)
    figure.savefig(path)
    plt.close(figure)
    return path


def _draw_board(axis: Axes, board: Board, names: Sequence[str]) -> None:
    for place, name in enumerate(reversed(names)):
        if name in board.best:
            entry = board.best[name]
            low, high = entry.interval()
            if not np.isnan(low):
                axis.plot([low, high], [place, place], color="0.6", lw=1.5)
            axis.plot(entry.value, place, "o", ms=4, color="C0")
    axis.set_yticks(range(len(names)), list(reversed(names)), fontsize=7)
    words = "RMSE, lower is better" if board.lower_is_better else "ROC-AUC"
    axis.set_title(f"{board.dataset}: {words}", fontsize=8)
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(axis="x", alpha=0.3)


def draw_ranks(ranks: Ranks, path: Path) -> Path:
    """Critical difference diagram: a bar joins representations that are not told apart."""
    names, means = list(ranks.mean), np.array(list(ranks.mean.values()))
    n = len(names)
    bars = find_groups(means, ranks.critical)
    figure, axis = plt.subplots(
        figsize=(6.4, 1.1 + 0.22 * n + 0.12 * len(bars)), dpi=DPI, layout="constrained"
    )
    depth = len(bars) * 0.5 + 0.7
    for place, (name, mean) in enumerate(zip(names, means, strict=True)):
        left = place < (n + 1) // 2
        level = -depth - (place if left else n - 1 - place)
        end = 1 - 0.1 if left else n + 0.1
        axis.plot([mean, mean, end], [0, level, level], color="0.3", lw=1)
        axis.annotate(f"{name}  {mean:.2f}", (end, level), fontsize=8, va="center",
                      ha="right" if left else "left")  # fmt: skip
    for place, (first, last) in enumerate(bars):
        level = -0.5 * (place + 1)
        axis.plot([means[first] - 0.04, means[last] + 0.04], [level, level], color="C3", lw=3)
    axis.plot([1, n], [0, 0], color="black", lw=1)
    for tick in range(1, n + 1):
        axis.plot([tick, tick], [0, 0.15], color="black", lw=1)
        axis.annotate(str(tick), (tick, 0.25), ha="center", fontsize=8)
    axis.plot([1, 1 + ranks.critical], [1.5, 1.5], color="black", lw=2)
    axis.annotate(f"critical difference {ranks.critical:.2f}", (1, 1.7), fontsize=8)
    axis.set(xlim=(-1.2, n + 2.2), ylim=(-depth - (n + 1) // 2, 2.6))
    axis.set_axis_off()
    figure.savefig(path)
    plt.close(figure)
    return path


def find_groups(means: np.ndarray, critical: float) -> list[tuple[int, int]]:
    """Longest runs of ascending ranks that lie within the critical difference.

    Parameters
    ----------
    means : (k,) float64
        Ascending.
    critical : float
        Ranks closer than this are not told apart.

    Returns
    -------
    list of tuple of int
        First and last place of each run of two or more, none inside another.
    """
    runs: list[tuple[int, int]] = []
    for first in range(len(means)):
        last = int(np.flatnonzero(means - means[first] <= critical)[-1])
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
