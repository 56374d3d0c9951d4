"""The verdicts of `benchmarks.claims` as a page: a table, a sentence for each claim, every run.

python -m benchmarks.claims_report --results benchmarks/results/claims
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import (
    MARGIN,
    UNITS,
    Effect,
    Scores,
    compare,
    compare_drops,
    compare_writing,
    match,
    read_scores,
)
from benchmarks.train_claims import list_runs

Lines = Mapping[str, Mapping[str, Any]]
BATCHES = (16, 64)
PARTS = ("z", "h", "z+h")
# Settings between which claim 3 is judged. The last two take the same steps on the same batches.
DROPS = (
    ("b256", "b16", "batch 256 to 16"),
    ("b256", "b64", "batch 256 to 64"),
    ("b64", "b64-n16", "63 to 15 negatives in batches of 64"),
    ("b64", "b64-n4", "63 to 3 negatives in batches of 64"),
)


@dataclass(frozen=True)
class Row:
    """One comparison of the table.

    Attributes
    ----------
    claim : int
        Number of the claim.
    words : str
        What is compared, the first minus the second.
    effect : Effect
        Mean difference.
    unit : str
        Its unit.
    margin : float
        How much worse still counts as holding.
    """

    claim: int
    words: str
    effect: Effect
    unit: str
    margin: float = 0.0

    @property
    def verdict(self) -> str:
        """Holds, does not hold, or cannot tell."""
        return self.effect.judge(self.margin)


def list_rows(scores: Mapping[str, Scores], lines: Lines, seeds: Sequence[int]) -> list[Row]:
    """Every comparison that can be made from what was measured, in the order of the claims."""
    rows = [row for kind in scores for row in _compare_kind(kind, scores[kind], seeds)]
    writing = compare_writing(lines, seeds)
    if writing:
        words = "reconstruction by cMIM, by MIM; batches 16 and 64"
        rows.append(Row(4, words, writing, "points of token accuracy", MARGIN))
    return sorted(rows, key=lambda row: row.claim)


def _compare_kind(kind: str, scores: Scores, seeds: Sequence[int]) -> Iterator[Row]:
    names = {"cmim": "cMIM", "mim": "MIM", "vae": "VAE"}
    pairs = [(1, f"{p} of cMIM, {p} of MIM", ("cmim", p), ("mim", p)) for p in ("h", "z")]
    pairs += [(2, f"h, z of {names[o]}", (o, "h"), (o, "z")) for o in names]
    for batch in BATCHES:
        for claim, words, first, second in pairs:
            sides = [(f"{objective}-b{batch}", part) for objective, part in (first, second)]
            effect = compare(kind, scores, match(scores, sides[0], sides[1], seeds))
            if effect:
                yield Row(claim, f"{words}; batch {batch}", effect, UNITS[kind])
    for first, second, words in DROPS:
        effect = compare_drops(kind, scores, (first, second), seeds)
        if effect:
            yield Row(3, f"loss of InfoNCE, loss of cMIM; z, {words}", effect, UNITS[kind])


CLAIMS = {
    1: "cMIM's embeddings beat MIM's on classification and regression probes",
    2: "h beats z, for cMIM and also for MIM and VAE, with no further training",
    3: "cMIM degrades less than InfoNCE when the batch shrinks",
    4: "cMIM reconstructs as well as MIM",
}


def tell(claim: int, rows: Sequence[Row]) -> str:
    """A sentence that can be quoted: the verdict, and the effects at the best trained batch."""
    mine = [row for row in rows if row.claim == claim]
    if not mine:
        return f"{claim}. *{CLAIMS[claim]}*: not measured."
    counts = Counter(row.verdict for row in mine)
    overall = mine[0].verdict if len(counts) == 1 else _blend(counts)
    told = ", ".join(f"{n} {name}" for name, n in counts.items())
    shown = [row for row in mine if "64" not in row.words] or mine
    details = "; ".join(f"{row.words}: {row.effect} {row.unit}" for row in shown)
    return f"{claim}. *{CLAIMS[claim]}*: **{overall}** ({told}). {details}."


def _blend(counts: Mapping[str, int]) -> str:
    if counts["holds"] and counts["does not hold"]:
        return "holds in part"
    return "cannot tell in all" if counts["holds"] == 0 else "holds where these runs can tell"


def write_page(folder: Path) -> str:
    """The whole page as Markdown."""
    _, budget = list_runs()
    scores, commits = read_scores(folder / "probes")
    path = folder / "decoding.jsonl"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = {line["run"]: line for line in map(json.loads, text.splitlines())}
    rows = list(list_rows(scores, lines, budget["seeds"]))
    runs = {run for of_kind in scores.values() for _, run, _ in of_kind}
    parts = [
        "# The papers' claims, measured",
        f"One network (`{budget['preset']}`), one corpus, {budget['molecules']:,} molecules seen by"
        f" every run, {len(budget['seeds'])} seeds; {len(runs)} runs of `benchmarks/claims.toml`."
        " A small budget: it can contradict a claim here, not in general. Every batch sees the"
        " same molecules, so a small batch takes more steps. Probes: the head of each"
        " representation that validates best. Measured by `cmim benchmark` at "
        + ", ".join(commits)
        + ".",
        "\n".join(tell(claim, rows) for claim in CLAIMS),
        _explain_drops(any("negatives" in row.words for row in rows)),
        "\n".join(_tabulate_rows(rows)),
        "## Every run",
        "Means over seeds. ROC-AUC is the mean over the classification sets, RMSE the geometric"
        " mean over the regression sets and their splits. Validity: share of valid SMILES among"
        " molecules decoded from mu plus noise, by the radius of the noise"
        " (`benchmarks.decoding`).",
        "\n".join(_tabulate_runs(scores, lines)),
    ]
    return "\n\n".join(parts) + "\n"


def _explain_drops(has_parts: bool) -> str:
    """What claim 3 compares: batches of another size, and where measured, parts of one batch."""
    text = (
        "Claim 3 has a catch: with the same molecules a batch of 16 takes sixteen times the steps"
        " of one of 256, which the decoder's objectives need and InfoNCE does not. So the loss of"
        " cMIM is negative here, and the difference is that of the two objectives in use, not of"
        " the number of negatives alone."
    )
    if has_parts:
        text += (
            " That number is told apart by looking for the negatives of a batch of 64 in parts of"
            " it: steps and batches stay the same."
        )
    return text


def _tabulate_rows(rows: Sequence[Row]) -> Iterator[str]:
    yield "| claim | first, second | first better by (95 %) | unit | sets | pairs | verdict |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        effect = row.effect
        cells = (row.claim, row.words, effect, row.unit, effect.sets, effect.pairs, row.verdict)
        yield "| " + " | ".join(map(str, cells)) + " |"


def _tabulate_runs(scores: Mapping[str, Scores], lines: Lines) -> Iterator[str]:
    """One line per setting: what its embeddings score, and what it writes."""
    radii = list(next(iter(lines.values()))["validity"]) if lines else []
    head = ["setting", "seeds", *(f"{metric} {p}" for metric in ("AUC", "RMSE") for p in PARTS)]
    head += ["token accuracy", "exact"]
    head += [f"valid at {radius}" for radius in radii]
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    runs = {run for of_kind in scores.values() for _, run, _ in of_kind} | set(lines)
    settings = {re.sub(r"-s\d+$", "", run) for run in runs}
    for setting in sorted(settings):
        mine = [run for run in sorted(runs) if re.fullmatch(re.escape(setting) + r"-s\d+", run)]
        written = [lines[run] for run in mine if run in lines]
        cells = [f"`{setting}`", str(len(mine))]
        for kind in UNITS:
            cells += [_average(kind, scores[kind], mine, part) for part in PARTS]
        for key in ("token_accuracy", "exact"):
            cells.append(_mean([line[key] for line in written]))
        cells += [_mean([line["validity"][radius] for line in written]) for radius in radii]
        yield "| " + " | ".join(cells) + " |"


def _average(kind: str, scores: Scores, runs: Sequence[str], part: str) -> str:
    values = [value for (_, run, of), value in scores.items() if run in runs and of == part]
    if kind == "regression" and values:
        return f"{np.exp(np.mean(np.log(values))):.3f}"
    return _mean(values)


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" if values else ""


def main() -> None:
    """Write the page beside the lines it is made of."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/claims"))
    args = parser.parse_args()
    (args.results / "claims.md").write_text(write_page(args.results), encoding="utf-8")


if __name__ == "__main__":
    main()
