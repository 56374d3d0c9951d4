"""What intervals, probabilities and the domain promise, against the truth of test molecules.

    CMIM_DATA=... python -m benchmarks.sureness esol freesolv --out benchmarks/results/sureness
    python -m benchmarks.sureness --report --out benchmarks/results/sureness

For each set the scaffold split and five random splits: a model of the features, head and parameters
of the shipped probe is fitted on training and validation rows, its sureness learned from the same
rows out of fold, and both are asked about the test rows. One JSON line per set and split; a line
that is there is not computed again. (Features and head were chosen on the validation part of the
scaffold split; nothing here is chosen at all.)
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sureness_report import write_report
from cmim_chem.chem.split import Split, group_scaffolds, random_split, scaffold_split
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.features import gather_features
from cmim_chem.predictor import Predictor
from cmim_chem.probes.calibration import calibration_error
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.domain import BLOCKS
from cmim_chem.probes.select import Trial, fit_candidate
from cmim_chem.probes.trust import learn_from_rows
from cmim_chem.probes.words import NO_CALL, UNDECIDED, WORDS
from cmim_chem.sources.moleculenet import load_moleculenet

FloatArray = NDArray[np.float64]

SETS = "freesolv esol bace_pic50 lipophilicity bbbp bace clintox sider tox21".split()
SPLITS = ("scaffold", *(f"random {seed}" for seed in range(5)))
LEVELS = (0.8, 0.9, 0.95)
LINES = "lines.jsonl"
QUARTERS = 4


def load_set(name: str, predictor: Predictor) -> tuple[TrainingData, tuple[str, ...]]:
    """One set as arrays, with an empty split, and its standardized SMILES."""
    table = load_moleculenet(name)
    standardized = standardize_many(table.smiles)
    embedded = predictor.embedder.embed([one.smiles for one in standardized])
    kept = np.flatnonzero(~np.isnan(embedded.h).any(axis=1) & ~np.isnan(table.y).all(axis=1))
    smiles = tuple(str(standardized[i].smiles) for i in kept)
    features = gather_features(embedded, kept, smiles)
    none = np.empty(0, dtype=np.int64)
    split, groups = (none, none, none), group_scaffolds(smiles)
    kind = table.source.kind
    return TrainingData(features, table.y[kept], table.tasks, kind, split, groups), smiles


def make_split(name: str, smiles: tuple[str, ...]) -> Split:
    """The split of that name, one of `SPLITS`."""
    if name == "scaffold":
        return scaffold_split(smiles)
    return random_split(len(smiles), seed=int(name.split()[1]))


def measure(data: TrainingData, trial: Trial, split: Split) -> dict[str, Any]:
    """Learn from the first two parts, and compare with the truth of the third."""
    rows, test = np.sort(np.concatenate(split[:2])), split[2]
    learned = learn_from_rows(data, trial, rows)
    held = {name: data.features[name][test] for name in {*trial.features.split("+"), *BLOCKS}}
    raw = fit_candidate(data, trial, rows, 0).predict(held)
    predicted, y = learned.calibrate(raw), data.y[test]
    near = learned.assess(held, predicted)
    line: dict[str, Any] = {"rows": len(rows), "test": len(test), "kind": data.kind}
    if data.kind == "regression":
        line["coverage"], widths = {}, near.upper - near.lower
        for level in LEVELS:
            found = learned.assess(held, predicted, level)
            line["coverage"][str(level)] = float(np.mean((found.lower <= y) & (y <= found.upper)))
        line["width"] = float(np.median(widths))
        line["by_width"] = _by_quarter(y - predicted, widths[:, 0])
        line["spread_of_width"] = float(np.quantile(widths, 0.9) / np.quantile(widths, 0.1))
    else:
        line["tasks"] = {
            task: _describe_class(y[:, i], (raw[:, i], predicted[:, i]), near.calls[:, i])
            for i, task in enumerate(data.tasks)
        }
    line["by_dissimilarity"] = _by_quarter(y - predicted, 1 - near.near.similarity)
    line["by_distance"] = _by_quarter(y - predicted, near.near.distance)
    line["domain"] = {
        word: [float(np.mean(near.domain == code)), _rms((y - predicted)[near.domain == code])]
        for code, word in WORDS.items()
        if word
    }
    return line


def _describe_class(
    y: FloatArray, p: tuple[FloatArray, FloatArray], calls: NDArray[np.int8]
) -> dict[str, float | None]:
    known = ~np.isnan(y)
    decided = known & (calls != UNDECIDED) & (calls != NO_CALL)
    wrong = {
        f"excluded_{label}": float(np.mean(calls[y == label] == 1 - label))
        for label in (0, 1)
        if (y == label).any()
    }
    return {
        "n": int(known.sum()),
        "ece_before": calibration_error(y, p[0]) if known.any() else None,
        "ece_after": calibration_error(y, p[1]) if known.any() else None,
        "undecided": float(np.mean(calls[known] == UNDECIDED)) if known.any() else None,
        "right": float(np.mean(calls[decided] == y[decided])) if decided.any() else None,
    } | wrong


def _by_quarter(errors: FloatArray, order: FloatArray) -> list[float | None]:
    """RMSE of each quarter of the molecules, in ascending order of something."""
    return [
        _rms(errors[part]) for part in np.array_split(np.argsort(order, kind="stable"), QUARTERS)
    ]


def _rms(errors: FloatArray) -> float | None:
    known = errors[~np.isnan(errors)]
    return float(np.sqrt(np.mean(known**2))) if known.size else None


def main() -> None:
    """Read the arguments and measure what is not there yet, or write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET", help=" ".join(SETS))
    parser.add_argument("--splits", nargs="+", default=SPLITS, choices=SPLITS)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sureness"))
    parser.add_argument("--report", action="store_true", help="only write the page")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / LINES
    lines = [json.loads(one) for one in path.read_text().splitlines()] if path.is_file() else []
    done = {(one["set"], one["split"]) for one in lines}
    predictor = None if args.report else Predictor.load()
    for name in () if predictor is None else args.sets:
        wanted = [one for one in args.splits if (name, one) not in done]
        if not wanted:
            continue
        data, smiles = load_set(name, predictor)
        card = next(one.card for one in predictor.probes if one.card.name == name)
        trial = Trial(card.features, card.head, card.params, float("nan"))
        for split in wanted:
            start = time.process_time()
            line = {"set": name, "split": split, "features": card.features, "head": card.head}
            line |= measure(data, trial, make_split(split, smiles))
            line |= {"seconds": round(time.process_time() - start, 1)}
            line |= {"encoder": predictor.digests["encoder"]}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            lines.append(line)
            print(name, split, line["seconds"], "s", flush=True)
    write_report(lines, args.out)


if __name__ == "__main__":
    main()
