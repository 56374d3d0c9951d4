"""What is in each set: `results/data.md`, and the same as `results/data.json`.

    python -m benchmarks.data_report --corpus data/processed

Counts rows that are not used, molecules that are one after standardization, and those of them with
contradictory labels; and which molecules of the sets are in the pretraining corpus, by connectivity
(first block of the InChIKey): none should be. Nothing is removed here: the sets are used as
published.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import DATASETS, Dataset, load_dataset
from benchmarks.splits import load_parts
from benchmarks.tables import markdown
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.exclude import connectivity_key, skeleton_key
from cmim_chem.sources.facts import get_source

log = logging.getLogger("cmim_chem.benchmarks")

Facts = dict[str, Any]
# Replicate measurements that differ by less are not called contradictory.
SAME_VALUE = 0.3

HEADER = (
    "set", "rows of the file", "not used", "used", "scaffold train / valid / test",
    "repeated rows", "contradictory", "tasks", "labeled", "labels", "in the corpus",
)  # fmt: skip
HEAD = f"""\
# The data

Written by `python -m benchmarks.data_report` from [data.json](data.json). *Repeated rows* are the
same molecule after standardization as an earlier row; *contradictory* are molecules whose rows
disagree in a class, or by more than {SAME_VALUE} units. Both stay in, as in the published scores.
Of several tasks, *labels* shows the median (and the range). *In the corpus*: molecules whose
connectivity (first block of the InChIKey) is among the pretraining molecules.
"""


def describe(dataset: Dataset) -> Facts:
    """Facts of one set.

    Parameters
    ----------
    dataset : Dataset
        The set as it is used.

    Returns
    -------
    dict
        Ready for JSON.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, smiles in enumerate(dataset.smiles):
        groups[smiles].append(row)
    repeated = [rows for rows in groups.values() if len(rows) > 1]
    parts = load_parts(dataset, "scaffold", 0)
    facts = {
        "rows": dataset.source.rows,
        "not_used": dict(Counter(map(name_reason, dataset.dropped.values())).most_common()),
        "used": len(dataset.rows),
        "parts": [len(parts.train), len(parts.valid), len(parts.test)],
        "molecules": len(groups),
        "repeated_rows": sum(len(rows) - 1 for rows in repeated),
        "contradictory": sum(
            has_conflict(dataset.y[rows], dataset.source.kind) for rows in repeated
        ),
        "tasks": len(dataset.tasks),
        "labeled": round(float((~np.isnan(dataset.y)).mean()), 4),
    }
    if dataset.source.kind == "classification":
        share = np.nanmean(dataset.y, axis=0)
        return facts | {"positive": [round(float(x), 4) for x in np.quantile(share, [0, 0.5, 1])]}
    mean, spread = float(np.nanmean(dataset.y)), float(np.nanstd(dataset.y))
    return facts | {"mean": round(mean, 3), "deviation": round(spread, 3)}


def name_reason(problem: str) -> str:
    """Reduce a problem to its kind: what stands before the colon."""
    return problem.partition(":")[0]


def has_conflict(y: NDArray[np.float64], kind: str) -> bool:
    """Whether rows of one molecule contradict each other in some task.

    Parameters
    ----------
    y : (m, t) float64
        Labels of its rows, NaN where missing.
    kind : str
        Classes must be equal; values of a regression may differ by 0.3 units.
    """
    known = y[:, (~np.isnan(y)).any(axis=0)]
    width = np.nanmax(known, axis=0) - np.nanmin(known, axis=0) if known.size else np.zeros(1)
    return bool((width > (SAME_VALUE if kind == "regression" else 0)).any())


def find_overlap(datasets: Sequence[Dataset], folder: Path) -> dict[str, int]:
    """Molecules of each set whose connectivity is in a training corpus.

    Parameters
    ----------
    datasets : sequence of Dataset
        The sets as they are used.
    folder : Path
        A corpus folder.

    Returns
    -------
    dict of str to int
        By set, distinct standardized molecules.
    """
    molecules = {smiles for dataset in datasets for smiles in dataset.smiles}
    # The bare element graph is a cheap necessary condition; the InChIKey decides.
    skeletons = {skeleton_key(smiles) for smiles in molecules}
    corpus = Corpus(folder)
    met: set[str] = set()
    for number in range(len(corpus)):
        smiles = corpus.tokenizer.decode(corpus[number].tolist())
        if skeleton_key(smiles) in skeletons:
            met.add(connectivity_key(smiles))
        if number % 100_000 == 0:
            log.info("%d of %d corpus molecules, %d near", number, len(corpus), len(met))
    return {
        dataset.name: sum(connectivity_key(smiles) in met for smiles in set(dataset.smiles))
        for dataset in datasets
    }


def write_markdown(facts: dict[str, Facts]) -> str:
    """The report of all sets.

    Parameters
    ----------
    facts : dict of str to dict
        By set, see `describe`.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for name, one in facts.items():
        if "positive" in one:
            low, middle, high = one["positive"]
            balance = f"{middle:.1%} positive" + (
                "" if low == high else f" ({low:.1%} to {high:.1%})"
            )
        else:
            balance = f"{one['mean']} ± {one['deviation']} {get_source(name).unit}"
        overlap = one.get("in_corpus")
        rows.append(
            [name, f"{one['rows']:,}", f"{one['rows'] - one['used']:,}", f"{one['used']:,}",
             " / ".join(f"{n:,}" for n in one["parts"]), f"{one['repeated_rows']:,}",
             f"{one['contradictory']:,}", str(one["tasks"]), f"{one['labeled']:.0%}", balance,
             "not looked up" if overlap is None else f"{overlap:,}"]
        )  # fmt: skip
    reasons = [
        f"* {name}: "
        + ", ".join(f"{count:,} {reason}" for reason, count in one["not_used"].items())
        for name, one in facts.items()
        if one["not_used"]
    ]
    return "\n".join([HEAD, markdown(HEADER, rows), "", "Why rows are not used:", "", *reasons, ""])


def main() -> None:
    """Read the arguments and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="corpus folder; without it, no overlap")
    parser.add_argument("--cache", type=Path, help="folder for standardized SMILES")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("deepchem").setLevel(logging.WARNING)
    datasets = [load_dataset(name, cache=args.cache) for name in DATASETS]
    facts = {dataset.name: describe(dataset) for dataset in datasets}
    if args.corpus:
        for name, count in find_overlap(datasets, args.corpus).items():
            facts[name]["in_corpus"] = count
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1) + "\n"
    (args.out / "data.json").write_text(text, encoding="utf-8")
    (args.out / "data.md").write_text(write_markdown(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
