"""The report of the suite, `summary.md` and its figures, from the result lines alone.

    cmim benchmark --report --out benchmarks/results

Nothing is measured here and nothing is typed in: every number is from a line of ``*.jsonl`` in the
folder or, where it says so, from `published.toml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.board import Board, Entry, build_boards, keep_current
from benchmarks.bootstrap import REPLICATES
from benchmarks.compare import compare_all, rank_representations
from benchmarks.datasets import DATASETS
from benchmarks.heads.table import HEADS
from benchmarks.journal import Record, read_records
from benchmarks.provenance import write_provenance, write_skipped, write_times
from benchmarks.representations import DEFAULT
from benchmarks.tables import markdown
from benchmarks.verdicts import write_comparisons, write_published
from cmim_chem.errors import InputError
from cmim_chem.sources.facts import get_source

SEVEN = ("bace", "bbbp", "clintox", "hiv", "muv", "sider", "tox21")
REGRESSION = tuple(name for name in DATASETS if get_source(name).kind == "regression")

PROTOCOL = f"""\
* **Rows.** What RDKit, the standardization or the tokenizer cannot take is removed before
  splitting, the same rows for every method ([data.md](data.md)). Missing labels are masked in
  train, validation and test. A task with one class in train or test is left out by name.
* **Splits.** `scaffold`: DeepChem's deterministic Bemis-Murcko split 80/10/10. `random`: 80/10/10,
  five seeds, regression sets only. Both are saved row by row with a digest, and verified.
* **Choice.** Every representation has the same heads and grids. Fitted on train, chosen on
  validation (mean over tasks), no refit, one look at test. "Best head" is the best *on
  validation*, so it is not always the best on test. What ships (`shipped`) is the mean of three
  heads, `mean`, whatever validates best. ToxCast chooses grid points on 20 of its 617
  tasks.
* **Metric.** ROC-AUC, mean over tasks (also MUV); RMSE in the unit of the set.
* **Intervals**, 95 %: on the scaffold split percentiles of {REPLICATES} bootstrap resamples of the
  test molecules, the same for all; on random splits Student's t over seeds. Neither says how the
  score would change with other training molecules.
"""


def write_report(folder: Path) -> list[Path]:
    """Write the report of a folder of results.

    Parameters
    ----------
    folder : Path
        Holds ``*.jsonl``; gets ``summary.md`` and the figures.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        When there are no results.
    DataError
        When a line is damaged.
    """
    records = keep_current(read_records(folder))
    if not records:
        raise InputError(f"{folder} has no results: run `cmim benchmark --out {folder}` first")
    try:
        from benchmarks import figures
    except ImportError as error:  # a tool of developers, needed for the report only
        raise InputError("the report needs matplotlib: pip install matplotlib") from error

    boards = build_boards(records)
    drawn = figures.draw_all(boards, folder)
    path = folder / "summary.md"
    path.write_text(write_summary(records, boards, drawn), encoding="utf-8")
    return [path, *drawn]


def write_summary(
    records: Sequence[Record], boards: Sequence[Board], pictures: Sequence[Path] = ()
) -> str:
    """The text of the report.

    Parameters
    ----------
    records : sequence of dict
        Current lines.
    boards : sequence of Board
        Made from them.
    pictures : sequence of Path
        Figures beside the report.

    Returns
    -------
    str
        Markdown.
    """
    sections = [
        "# The MoleculeNet suite\n\nWritten by `cmim benchmark --report` from the lines in this"
        " folder.\n\n" + PROTOCOL,
        write_provenance(records),
        *(_write_split(boards, split) for split in ("scaffold", "random")),
        _write_seven(boards),
        _write_heads(boards),
        *write_comparisons(compare_all(boards), rank_representations(boards)),
        *write_published(boards),
        _write_precision(boards),
        write_skipped(boards),
        write_times(records),
        "\n".join(f"![{path.stem.replace('_', ' ')}]({path.name})" for path in pictures),
    ]
    return "\n\n".join(filter(None, map(str.strip, sections))) + "\n"


def order_names(boards: Sequence[Board]) -> list[str]:
    """All representations, those of the default suite first."""
    found = {name for board in boards for name in board.entries}
    return [n for n in DEFAULT if n in found] + sorted(found - set(DEFAULT))


def show(entry: Entry | None, best: bool) -> str:
    """A score with its interval and head; bold if best."""
    if entry is None:
        return ""
    low, high = entry.interval()
    value = f"**{entry.value:.3f}**" if best else f"{entry.value:.3f}"
    limits = "" if np.isnan(low) else f" [{low:.3f}, {high:.3f}]"
    return f"{value}{limits} {entry.head}"


def _write_split(boards: Sequence[Board], split: str) -> str:
    chosen = [board for board in boards if board.split == split]
    if not chosen:
        return ""
    parts = []
    for metric, words in (
        ("rmse", "RMSE, lower is better"),
        ("roc_auc", "ROC-AUC, higher is better"),
    ):
        table = [board for board in chosen if board.metric == metric]
        if table:
            names = order_names(table)
            parts += [f"### {words}", _split_table(table, names)]
    seeds = sorted({seed for b in chosen for e in b.best.values() for seed in e.seeds})
    note = "" if split == "scaffold" else f"Seeds {', '.join(map(str, seeds))}.\n\n"
    return f"## {split.capitalize()} split: every representation with its best head\n\n{note}" + (
        "\n\n".join(parts)
    )


def _split_table(boards: Sequence[Board], names: Sequence[str]) -> str:
    rows = []
    for board in boards:
        scores = {name: entry.value for name, entry in board.best.items()}
        best = (min if board.lower_is_better else max)(scores, key=lambda name: scores[name])
        cells = [show(board.best.get(name), name == best) for name in names]
        tested = next(iter(board.best.values())).records[0]
        rows.append([f"{board.dataset}", f"{tested['n_test']:,}", *cells])
    return markdown(["set", "test molecules", *names], rows)


def mean_score(boards: Sequence[Board], sets: Sequence[str], name: str, head: str = "") -> float:
    """Mean ROC-AUC of a representation over sets on the scaffold split; NaN if one is missing.

    Parameters
    ----------
    boards : sequence of Board
        All of them.
    sets : sequence of str
        Names of datasets.
    name : str
        Representation.
    head : str
        Head; the best on validation of each set if empty.
    """
    values = []
    for board in boards:
        if board.dataset in sets and board.split == "scaffold":
            heads = board.entries.get(name, {})
            entry = heads.get(head) if head else board.best.get(name)
            values += [] if entry is None else [entry.value]
    return float(np.mean(values)) if len(values) == len(sets) else float("nan")


def _write_seven(boards: Sequence[Board]) -> str:
    names = order_names(boards)
    means = {name: mean_score(boards, SEVEN, name) for name in names}
    rows = [[name, f"{100 * value:.1f}"] for name, value in
            sorted(means.items(), key=lambda item: -item[1]) if not np.isnan(value)]  # fmt: skip
    if not rows:
        return ""
    listing = ", ".join(SEVEN)
    return (
        f"## Mean ROC-AUC over seven sets, scaffold split, percent\n\n{listing}; best head by"
        + (" validation on each set.\n\n" + markdown(["representation", "mean"], rows))
    )


def _write_heads(boards: Sequence[Board]) -> str:
    names = order_names(boards)
    parts = ["## Heads and representations"]
    table = [
        [head, *(_percent(mean_score(boards, SEVEN, name, head)) for name in names)]
        for head in HEADS
    ]
    if any(any(row[1:]) for row in table):
        parts += ["Mean ROC-AUC over the seven sets, scaffold split, percent.",
                  markdown(["head", *names], table)]  # fmt: skip
    for split in ("scaffold", "random"):
        table = [
            [head, *(_mean_error(boards, split, name, head) for name in names)] for head in HEADS
        ]
        if any(any(row[1:]) for row in table):
            parts += [
                f"Geometric mean of the RMSE on {', '.join(REGRESSION)}, {split} split.",
                markdown(["head", *names], table),
            ]
    return "\n\n".join(parts) if len(parts) > 1 else ""


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:.1f}"


def _mean_error(boards: Sequence[Board], split: str, name: str, head: str) -> str:
    values = [
        board.entries[name][head].value
        for board in boards
        if board.split == split and board.metric == "rmse" and head in board.entries.get(name, {})
    ]
    return f"{np.exp(np.mean(np.log(values))):.3f}" if len(values) == len(REGRESSION) else ""


def _write_precision(boards: Sequence[Board]) -> str:
    names = order_names(boards)
    rows = []
    for board in boards:
        if board.metric == "roc_auc":
            entries = [board.best.get(name) for name in names]
            cells = ["" if e is None else f"{e.records[0]['pr_auc']:.3f}" for e in entries]
            rows.append([board.dataset, *cells])
    head = (
        "## Average precision of the same models\n\nThe better measure where hits are rare (MUV)."
    )
    return f"{head}\n\n{markdown(['set', *names], rows)}" if rows else ""
