"""Is h better than knowing nothing? Cross-validated over whole scaffolds, with intervals.

    CMIM_DATA=... python -m benchmarks.constant

The test part of a single split is too small for this question on some sets (ClinTox: 146 molecules,
10 to 16 of the rare class). Here every molecule is predicted once, by a linear head fitted on four
fifths of the scaffolds; the head's one parameter is fixed beforehand, so nothing is chosen.
One JSON line per set: the score of h and of the constant, and 95 % of a bootstrap over molecules.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from cmim_chem.chem.split import murcko_scaffold
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.embed import Embedder
from cmim_chem.metrics import score_tasks
from cmim_chem.predictor import SHIPPED
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.select import METRIC, Trial, fit_candidate
from cmim_chem.sources.moleculenet import load_moleculenet

SETS = "esol freesolv lipophilicity bbbp bace bace_pic50 clintox tox21 sider hiv".split()
FOLDS = 5
RESAMPLES = 500
# The middle of the grid of `cmim_chem.probes.heads`.
PARAMS = {"regression": {"alpha": 100.0}, "classification": {"C": 1e-2}}

FloatArray = NDArray[np.float64]


def cross_validate(data: TrainingData, groups: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Out-of-fold predictions of a linear head on h, and of the training mean.

    Parameters
    ----------
    data : TrainingData
        n molecules, t tasks.
    groups : ndarray
        Scaffold of each molecule, shape (n,), int64.

    Returns
    -------
    tuple of two ndarrays
        Shape (n, t), float64.
    """
    learned, constant = np.empty_like(data.y), np.empty_like(data.y)
    trial = Trial("h", "linear", PARAMS[data.kind], float("nan"))
    for fit_rows, held_rows in GroupKFold(FOLDS).split(data.y, groups=groups):
        model = fit_candidate(data, trial, fit_rows, seed=0)
        learned[held_rows] = model.predict({"h": data.features["h"][held_rows]})
        constant[held_rows] = np.nanmean(data.y[fit_rows], axis=0)
    return learned, constant


def measure(name: str, embedder: Embedder, folder: Path | None) -> dict[str, object]:
    """Score one set."""
    table = load_moleculenet(name, folder)
    smiles = [one.smiles for one in standardize_many(table.smiles)]
    h = embedder.embed(smiles).h
    rows = np.flatnonzero(~np.isnan(h).any(axis=1))
    y, kind = table.y[rows], table.source.kind
    nothing = np.array([], dtype=np.int64)
    data = TrainingData({"h": h[rows]}, y, table.tasks, kind, (nothing, nothing, nothing))
    scaffolds = [murcko_scaffold(str(smiles[row])) for row in rows]
    learned, constant = cross_validate(data, np.unique(scaffolds, return_inverse=True)[1])
    metric = METRIC[kind]
    # A constant ranks nothing; that its value differs from fold to fold is no knowledge.
    floor = 0.5 if metric == "roc_auc" else score_tasks(metric, y, constant, table.tasks).mean
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, len(y), len(y)) for _ in range(RESAMPLES)]
    resampled = [score_tasks(metric, y[d], learned[d], table.tasks).mean for d in drawn]
    return {
        "set": name,
        "molecules": len(y),
        "metric": metric,
        "h": round(score_tasks(metric, y, learned, table.tasks).mean, 4),
        "interval": [round(float(q), 4) for q in np.percentile(resampled, [2.5, 97.5])],
        "constant": round(floor, 4),
    }


def main() -> None:
    """Print one line per set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with moleculenet/; else CMIM_DATA")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    args = parser.parse_args()
    embedder = Embedder.load(SHIPPED / "encoder")
    for name in args.sets:
        sys.stdout.write(json.dumps(measure(name, embedder, args.data)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
