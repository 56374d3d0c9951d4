"""The sections of the report that judge: paired comparisons, ranks, and published figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.board import Board
from benchmarks.compare import ALPHA, Comparison, Ranks
from benchmarks.published import BASELINE, NEEDED, TOLERANCE, Publication, load_published
from benchmarks.tables import markdown

PAIRED = """\
## Paired comparisons

Each representation with its best head by validation, every pair on every set and split: on the
scaffold split the difference over bootstrap resamples of the test molecules that both share, on
random splits a t-test over seeds corrected for the overlap of the splits."""
AGREEMENT = """\
## Do fingerprints score here what they score elsewhere?

ECFP counts with a random forest, scaffold split."""


def write_comparisons(found: Sequence[Comparison], ranks: Ranks | None) -> list[str]:
    """Sections on differences between representations.

    Parameters
    ----------
    found : sequence of Comparison
        Corrected together.
    ranks : Ranks or None
        Average ranks, if there are enough sets.

    Returns
    -------
    list of str
    """
    sections = []
    tested = [one for one in found if not np.isnan(one.p)]
    if tested:
        told = [one for one in tested if one.verdict]
        sections.append(
            f"{PAIRED} {len(tested)} comparisons, corrected together (Holm); the {len(told)} below"
            f" {ALPHA} are listed. Wins, ties and losses of the row against the column:\n\n"
            f"{_write_matrix(tested)}\n\n{_write_told(told)}"
        )
    if ranks is not None:
        rows = [[name, f"{mean:.2f}"] for name, mean in ranks.mean.items()]
        sections.append(
            f"## Average rank over {len(ranks.sets)} sets, scaffold split\n\n1 is best. Friedman's"
            f" test that all are alike: p = {ranks.p:.2g}. Ranks closer than"
            f" {ranks.critical:.2f} are not told apart (Nemenyi, 5 %).\n\n"
            + markdown(["representation", "rank"], rows)
        )
    return sections


def _write_matrix(found: Sequence[Comparison]) -> str:
    names = list(dict.fromkeys(name for one in found for name in (one.first, one.second)))
    counts = {(a, b): [0, 0, 0] for a in names for b in names}
    for one in found:
        counts[one.first, one.second][1 - one.verdict] += 1
        counts[one.second, one.first][1 + one.verdict] += 1
    rows = [[a, *("" if a == b else "/".join(map(str, counts[a, b])) for b in names)]
            for a in names]  # fmt: skip
    return markdown(["", *names], rows)


def _write_told(told: Sequence[Comparison]) -> str:
    rows = []
    for one in told:
        better, worse = (one.first, one.second)[:: one.verdict]
        gain = f"{abs(one.gain):.3f} ± {1.96 * one.deviation:.3f}"
        rows.append([one.board.dataset, one.board.split, better, worse, gain, f"{one.p_holm:.2g}"])
    head = ["set", "split", "better", "than", "by", "p (Holm)"]
    return markdown(head, rows) if rows else "No difference is left after correction."


def write_published(boards: Sequence[Board]) -> list[str]:
    """Sections that put published figures beside ours.

    Parameters
    ----------
    boards : sequence of Board
        All of them.

    Returns
    -------
    list of str
    """
    published = load_published()
    sections = [
        _write_agreement(boards, published["frozen"]),
        _write_beside(boards, published["frozen"], "scaffold"),
        _write_beside(boards, published["moleculenet"], "random"),
    ]
    return [section for section in sections if section]


def _write_agreement(boards: Sequence[Board], table: Publication) -> str:
    theirs, representation, head = BASELINE
    rows, near = [], 0
    for board in boards:
        entry = board.entries.get(representation, {}).get(head)
        if board.split == "scaffold" and board.dataset in table.sets and entry is not None:
            difference = entry.value - table.scores[theirs][board.dataset]
            near += abs(difference) <= TOLERANCE
            low, high = entry.interval()
            rows.append(
                [board.dataset, f"{table.scores[theirs][board.dataset]:.3f}",
                 f"{entry.value:.3f} [{low:.3f}, {high:.3f}]", f"{100 * difference:+.1f}",
                 "yes" if abs(difference) <= TOLERANCE else "no"]
            )  # fmt: skip
    if not rows:
        return ""
    met = "met" if near >= NEEDED else "not met"
    verdict = f"{near} of {len(rows)}: {met}." if len(rows) == len(table.sets) else "not complete."
    return (
        f"{AGREEMENT} Rule: within {100 * TOLERANCE:.0f} points of the published figure on at"
        f" least {NEEDED} of {len(table.sets)} sets. {verdict}\n\n"
        + markdown(["set", "published", "here", "points", "within"], rows)
        + f"\n\nPublished: {table.source}."
    )


def _write_beside(boards: Sequence[Board], table: Publication, split: str) -> str:
    chosen = {b.dataset: b for b in boards if b.split == split and b.dataset in table.sets}
    if not chosen:
        return ""
    names = list(dict.fromkeys(name for board in chosen.values() for name in board.best))
    ours = {
        f"{name} (here, best head by validation)": {
            one: board.best[name].value for one, board in chosen.items() if name in board.best
        }
        for name in names
    }
    rows = [
        [method, *(_number(scores.get(one, np.nan)) for one in table.sets),
         _number(np.mean([scores.get(one, np.nan) for one in table.sets]))]
        for method, scores in (ours | table.scores).items()
    ]  # fmt: skip
    caveats = "\n".join(f"* {text}" for text in table.caveats)
    best = ""
    if split == "scaffold":
        listing = ", ".join(f"{name} {100 * v:.1f}" for name, v in table.best_heads().items())
        best = f"\n\nPublished means of the best head per set, percent: {listing}."
    return (
        f"## Beside published figures: {table.title}\n\nSource: {table.source}. Mind:\n\n{caveats}"
        f"{best}\n\n" + markdown(["method", *table.sets, "mean"], rows)
    )


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"
