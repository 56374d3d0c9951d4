"""Why a published fingerprint score differs from the suite's: two causes, switched one at a time.

    python -m benchmarks.agreement bace bbbp    # a few sets, or all seven without a name

The published scores are of molecules as they are, not standardized, and with hyper-parameters by
cross-validation the validation part may have joined the training. Forests of one fixed setting are
fitted on ECFP counts of standardized or raw molecules, on train or on train and validation. One
JSON line per set, on standard output; this explains figures, it chooses nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from sklearn.ensemble import RandomForestClassifier

from benchmarks.datasets import load_dataset
from benchmarks.heads.score import mean_metric
from benchmarks.published import BASELINE, load_published
from cmim_chem.chem.descriptors import ecfp_counts
from cmim_chem.chem.split import scaffold_split
from cmim_chem.sources.moleculenet import load_moleculenet

SETTINGS = {"n_estimators": 300, "min_samples_split": 10, "criterion": "entropy"}

Table = tuple[Sequence[str], Sequence[str], NDArray[np.float64]]


def read_tables(name: str) -> dict[str, Table]:
    """SMILES to describe, SMILES to split by, and labels: standardized as in the suite, and raw."""
    table = load_moleculenet(name)
    with rdBase.BlockLogs():
        rows = [i for i, text in enumerate(table.smiles) if Chem.MolFromSmiles(text) is not None]
    raw = [table.smiles[i] for i in rows]
    dataset = load_dataset(name)
    return {
        "standardized": (dataset.smiles, dataset.raw, dataset.y),
        "raw": (raw, raw, table.y[rows]),
    }


def measure(table: Table) -> dict[str, float]:
    """Test ROC-AUC of forests fitted on train, and on train and validation."""
    smiles, split_by, y = table
    x = ecfp_counts(smiles)
    train, valid, test = scaffold_split(split_by)
    parts = {"train": train, "train+valid": np.concatenate([train, valid])}
    return {name: round(fit_and_score(x, y, rows, test), 4) for name, rows in parts.items()}


def fit_and_score(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    rows: NDArray[np.int64],
    test: NDArray[np.int64],
) -> float:
    """Mean ROC-AUC over tasks of forests, one per task."""
    believed = np.zeros((len(test), y.shape[1]))
    for task in range(y.shape[1]):
        known = rows[~np.isnan(y[rows, task])]
        forest = RandomForestClassifier(**SETTINGS, random_state=0, n_jobs=1)
        believed[:, task] = forest.fit(x[known], y[known, task]).predict_proba(x[test])[:, 1]
    return mean_metric("classification", y[test], believed)


def main() -> None:
    """Measure and print."""
    published = load_published()["frozen"].scores[BASELINE[0]]
    for name in sys.argv[1:] or published:
        scores = {kind: measure(table) for kind, table in read_tables(name).items()}
        sys.stdout.write(json.dumps({"set": name, "published": published[name], **scores}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
