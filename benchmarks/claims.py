"""The papers' four claims, each with its experiment, effect, interval and verdict.

`benchmarks.claims_report` writes the page. Takes two kinds of lines, measured by others on the
encoders of `benchmarks.train_claims`: cells of `cmim benchmark` (representations ``RUN:z`` and
``RUN:h``) and, in ``decoding.jsonl``, what the decoders write (`benchmarks.decoding`). Nothing is
chosen here but the head of each representation, by its validation score.

An effect is a mean of paired differences over sets and seeds, larger is better for the first of the
two: in points of ROC-AUC for classification, in percent of RMSE for regression. Its 95 % interval
is a bootstrap that draws sets and, within them, encoder seeds. A claim holds if the interval lies
above zero (claim 4: above minus one point of token accuracy), does not if it lies below, and
otherwise these runs cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.journal import read_records

DRAWS = 10_000
# Claim 4 says "as well as": so much less, in points of token accuracy, still is.
MARGIN = 1.0
KINDS = {"roc_auc": "classification", "rmse": "regression"}
UNITS = {"classification": "points of ROC-AUC", "regression": "% of RMSE"}

# Score of a representation of a run on a set: (set and split, run, z or h) to its value.
Scores = Mapping[tuple[str, str, str], float]


@dataclass(frozen=True)
class Effect:
    """A mean difference with its interval.

    Attributes
    ----------
    mean, low, high : float
        In the unit of the comparison.
    sets, pairs : int
        What it is a mean over.
    """

    mean: float
    low: float
    high: float
    sets: int
    pairs: int

    def judge(self, margin: float = 0.0) -> str:
        """Holds, does not hold, or cannot tell."""
        if self.low > -margin:
            return "holds"
        return "does not hold" if self.high < -margin else "cannot tell"

    def __str__(self) -> str:
        """Mean and interval, with sign."""
        return f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def read_scores(folder: Path) -> tuple[dict[str, Scores], list[str]]:
    """Scores of the head that validated best, by kind of task.

    Parameters
    ----------
    folder : Path
        Holds the lines of `cmim benchmark`.

    Returns
    -------
    dict of kind to Scores, and the commits that measured them
    """
    best: dict[tuple[str, str, str], tuple[float, float, str]] = {}
    commits = set()
    for record in read_records(folder):
        if record["valid"] is None:
            continue
        run, _, part = record["representation"].rpartition(":")
        key = (f"{record['dataset']}/{record['split']}/{record['seed']}", run, part)
        commits.add(record["commit"])
        if key not in best or record["valid"] > best[key][0]:
            best[key] = (record["valid"], record["value"], KINDS[record["metric"]])
    scores: dict[str, Scores] = {kind: {} for kind in UNITS}
    for key, (_, value, kind) in best.items():
        scores[kind] = {**scores[kind], key: value}
    return scores, sorted(commits)


def difference(kind: str, better: float, worse: float) -> float:
    """How much better the first score is: points of ROC-AUC, or percent of the second RMSE."""
    return 100 * (better - worse) if kind == "classification" else 100 * (worse - better) / worse


def compare(
    kind: str, scores: Scores, pair: Callable[[str], Sequence[tuple[float, float]]]
) -> Effect | None:
    """Effect over all sets.

    Parameters
    ----------
    kind : str
        classification or regression.
    scores : Scores
        Where the sets are listed.
    pair : callable
        Set to its pairs of scores, one per encoder seed or batch: first and second.

    Returns
    -------
    Effect or None
        None where nothing was measured.
    """
    names = sorted({key[0] for key in scores})
    gaps = [[difference(kind, *scored) for scored in pair(name)] for name in names]
    return summarize([np.array(one) for one in gaps if one])


def summarize(gaps: Sequence[np.ndarray[Any, np.dtype[np.float64]]]) -> Effect | None:
    """Mean over sets of the means over seeds, and its bootstrap interval."""
    if not gaps:
        return None
    generator = np.random.default_rng(0)
    total = np.zeros(DRAWS)
    for chosen in generator.integers(0, len(gaps), (len(gaps), DRAWS)):
        within = [one[generator.integers(0, len(one), (DRAWS, len(one)))].mean(1) for one in gaps]
        total += np.array(within)[chosen, np.arange(DRAWS)]
    drawn = total / len(gaps)
    low, high = np.percentile(drawn, [2.5, 97.5])
    mean = float(np.mean([one.mean() for one in gaps]))
    return Effect(mean, float(low), float(high), len(gaps), sum(map(len, gaps)))


def match(
    scores: Scores, first: tuple[str, str], second: tuple[str, str], seeds: Sequence[int]
) -> Callable[[str], list[tuple[float, float]]]:
    """Pairs of two representations, such as ("cmim-b64", "h") and ("mim-b64", "h")."""

    def pair(name: str) -> list[tuple[float, float]]:
        found = []
        for seed in seeds:
            keys = [(name, f"{run}-s{seed}", part) for run, part in (first, second)]
            if all(key in scores for key in keys):
                found.append((scores[keys[0]], scores[keys[1]]))
        return found

    return pair


def compare_drops(
    kind: str, scores: Scores, settings: tuple[str, str], seeds: Sequence[int]
) -> Effect | None:
    """Claim 3: how much more InfoNCE loses than cMIM from the first setting to the second, on z."""
    first, second = settings
    names = sorted({key[0] for key in scores})
    gaps = []
    for name in names:
        rows = []
        for seed in seeds:
            drops = {
                objective: difference(kind, *values)
                for objective in ("cmim", "infonce")
                for values in match(
                    scores, (f"{objective}-{first}", "z"), (f"{objective}-{second}", "z"), [seed]
                )(name)
            }
            if len(drops) == 2:
                rows.append(drops["infonce"] - drops["cmim"])
        gaps.append(np.array(rows))
    return summarize([one for one in gaps if len(one)])


def compare_writing(lines: Mapping[str, Mapping[str, Any]], seeds: Sequence[int]) -> Effect | None:
    """Claim 4: token accuracy of cMIM minus that of MIM, in points, over batches and seeds."""
    gaps = []
    for batch in (16, 64):
        pairs = [(f"cmim-b{batch}-s{s}", f"mim-b{batch}-s{s}") for s in seeds]
        both = [(a, b) for a, b in pairs if a in lines and b in lines]
        accuracy = "token_accuracy"
        gaps.append(np.array([100 * (lines[a][accuracy] - lines[b][accuracy]) for a, b in both]))
    return summarize([one for one in gaps if len(one)])
