"""Is the mean of several heads better than the one that validates best? A judge that chose nothing.

    CMIM_DATA=... python -m benchmarks.averaging --sets esol bace --partitions 4

The test rows of the scaffold split are left out. The other rows are split again by whole scaffolds
at random: heads are fitted on four fifths, their settings chosen on a tenth, and the last tenth is
the judge. One JSON line per set and partition, with the scores on that tenth: `chosen`, the best of
all heads and feature sets by validation; every part (h, descriptors, ECFP counts) with its best
head by validation; and on all features joined each head alone and every mean of heads.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.sureness import load_set
from cmim_chem.chem.split import Split, scaffold_split
from cmim_chem.metrics import score_tasks
from cmim_chem.predictor import Predictor
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.select import METRIC, Trial, choose, find_best, offer_heads, predict_part

SETS = "freesolv esol bace bace_pic50 clintox bbbp".split()
PARTS = ("h", "descriptors", "ecfp")
JOINED = ("descriptors+ecfp", "h+descriptors+ecfp")
HELD = 0.1
#: Probabilities this near to 0 or 1 are moved to it before their log-odds are averaged.
EDGE = 1e-6

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
# By feature set and head: what was fitted, and margins of the judge's rows.
Candidates = Mapping[tuple[str, str], tuple[Trial, FloatArray]]


def split_again(rows: IndexArray, groups: IndexArray, seed: int) -> Split:
    """Split rows by whole scaffolds at random, a tenth to choose and a tenth to judge.

    Parameters
    ----------
    rows : (m,) int64
        Rows to split.
    groups : (n,) int64
        Scaffold of every row of the table.
    seed : int
        Fixes the order of the scaffolds. Those with more than a third of a tenth of the rows are
        for training, as they would be half of the judge.

    Returns
    -------
    tuple of three (k,) int64
        Training, choosing and judging rows.
    """
    tenth = HELD * len(rows)
    own = groups[rows]
    part = np.zeros(len(rows), dtype=np.int64)
    for group in np.random.default_rng(seed).permutation(np.unique(own)):
        members = own == group
        if members.sum() <= tenth / 3:
            judge_is_full, chooser_is_full = ((part == k).sum() >= tenth for k in (2, 1))
            part[members] = 0 if judge_is_full and chooser_is_full else 1 if judge_is_full else 2
    return rows[part == 0], rows[part == 1], rows[part == 2]


def fit_candidates(data: TrainingData) -> Candidates:
    """The best setting of every head on every feature set."""
    found = {}
    for head in offer_heads(data, tuple(HEADS)):
        choice = choose(data, PARTS + JOINED, (head,), baseline=False)
        for features, (trial, model) in choice.winners.items():
            said = predict_part(data, model, 2)
            if data.kind == "classification":
                said = np.asarray(logit(np.clip(said, EDGE, 1 - EDGE)))
            found[features, head] = trial, said
    return found


def compare(data: TrainingData) -> dict[str, float]:
    """Scores of what was chosen, of every part, and of every mean, on the judge's rows."""
    candidates, metric = fit_candidates(data), METRIC[data.kind]

    def pick(*features: str) -> FloatArray:
        among = [trial for trial, _ in candidates.values() if trial.features in features]
        best = find_best(data.kind, among)
        return candidates[best.features, best.head][1]

    said = {"chosen": pick("h", *JOINED)} | {part: pick(part) for part in PARTS}
    heads = [head for features, head in candidates if features == JOINED[-1]]
    for size in range(1, len(heads) + 1):
        for some in combinations(heads, size):
            margins = [candidates[JOINED[-1], head][1] for head in some]
            said["+".join(some)] = np.mean(margins, axis=0)
    y = data.y[data.split[2]]
    return {
        what: round(score_tasks(metric, y, one, data.tasks).mean, 4) for what, one in said.items()
    }


def main() -> None:
    """Print one line per set and partition."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--partitions", type=int, default=4)
    args = parser.parse_args()
    predictor = Predictor.load()
    for name in args.sets:
        data, smiles = load_set(name, predictor)
        rows = np.sort(np.concatenate(scaffold_split(smiles)[:2]))
        for seed in range(args.partitions):
            split = split_again(rows, np.asarray(data.groups), seed)
            line = {"set": name, "partition": seed, "metric": METRIC[data.kind]}
            line |= {"rows": [len(part) for part in split]}
            line |= {"scores": compare(replace(data, split=split))}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
