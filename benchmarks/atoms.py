"""Do attributions find the atoms? Against Crippen's contributions to log P, which are known.

    CMIM_DATA=... python -m benchmarks.atoms --n 500 --out benchmarks/results/sureness/atoms.json

Linear probes of Crippen's log P (and of the same numbers shuffled, several times: one shuffling is
one probe, whose weights are the same for all molecules) are fitted on molecules of the
Lipophilicity table, its measured values left aside. For molecules that were kept out, the Spearman
correlation over the atoms between attribution and truth, an atom's contribution with that of its
hydrogens. The way of hiding atoms was settled on 24 and 16 other draws of this table.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors
from scipy.stats import spearmanr

from cmim_chem.attribution import attribute_atoms
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.features import gather_features
from cmim_chem.predictor import Predictor
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, describe_fit, select_and_fit
from cmim_chem.sources.moleculenet import load_moleculenet

FEATURES = ("h", "h+ecfp", "h+descriptors+ecfp")
SHUFFLED = "shuffled "
FEWEST_ATOMS = 5
SEED = 7


def contribute(smiles: str) -> NDArray[np.float64]:
    """Crippen's contribution of each heavy atom with its hydrogens, (n,) float64."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    parts = [one for one, _ in rdMolDescriptors._CalcCrippenContribs(molecule)]
    heavy = Chem.MolFromSmiles(smiles).GetNumAtoms()
    total = np.array(parts[:heavy])
    for atom in list(molecule.GetAtoms())[heavy:]:
        total[atom.GetNeighbors()[0].GetIdx()] += parts[atom.GetIdx()]
    return total


def fit_probes(predictor: Predictor, smiles: list[str], shuffles: int) -> list[Probe]:
    """One linear probe per feature set on the truth, and one on each shuffling of its numbers."""
    _, embedded = predictor.embed(smiles)
    rows = np.arange(len(smiles))
    features = gather_features(embedded, rows, smiles)
    truth = np.array([Crippen.MolLogP(Chem.MolFromSmiles(one)) for one in smiles])[:, None]
    labels = {"truth": truth}
    for k in range(shuffles):
        labels[f"{SHUFFLED}{k}"] = np.random.default_rng(SEED + k).permutation(truth)
    split = (rows[rows % 10 > 1], rows[rows % 10 == 1], rows[rows % 10 == 0])
    probes = []
    for kind, y in labels.items():
        for blocks in FEATURES:
            name = f"{kind}: {blocks}"
            data = TrainingData(features, y, (name,), "regression", split)
            about = About(name, name, (name,), ("",), predictor.digests["encoder"])
            model, selection = select_and_fit(data, (blocks,), ("linear",), SEED)
            probes.append(describe_fit(data, about, selection, model, seed=SEED))
    return probes


def summarize(found: dict[str, list[float]], shuffles: int) -> dict[str, dict[str, object]]:
    """Median and quartiles over molecules, and over all shufflings with the median of each."""
    summary: dict[str, dict[str, object]] = {}
    for blocks in FEATURES:
        drawn = [found[f"{SHUFFLED}{k}: {blocks}"] for k in range(shuffles)]
        for name, parts in (("truth", [found[f"truth: {blocks}"]]), ("shuffled", drawn)):
            if not parts:  # no shuffling was asked for
                continue
            low, median, high = np.nanquantile(np.concatenate(parts), (0.25, 0.5, 0.75))
            summary[f"{name}: {blocks}"] = {
                "median": round(float(median), 4),
                "quartiles": [round(float(low), 4), round(float(high), 4)],
                "medians": [round(float(np.nanmedian(one)), 4) for one in parts],
            }
    return summary


def main() -> None:
    """Read the arguments, fit, attribute and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--shuffles", type=int, default=10, help="probes on shuffled numbers")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sureness/atoms.json"))
    args = parser.parse_args()
    predictor = Predictor.load()
    standardized = standardize_many(load_moleculenet("lipophilicity").smiles)
    smiles = [one.smiles for one in standardized if one.smiles is not None]
    problems = predictor.embedder.check(smiles)
    readable = [one for one, problem in zip(smiles, problems, strict=True) if not problem]
    order = np.random.default_rng(SEED).permutation(len(readable))
    held, rest = ([readable[i] for i in part] for part in (order[: args.n], order[args.n :]))
    probes = fit_probes(predictor, rest, args.shuffles)
    own = Predictor(predictor.embedder, probes)
    found: dict[str, list[float]] = {one.card.name: [] for one in probes}
    start, count = time.process_time(), 0
    for one in held:
        truth = contribute(one)
        if len(truth) < FEWEST_ATOMS or np.ptp(truth) == 0:
            continue
        count += 1
        for result in attribute_atoms(own, one):
            found[result.property.name].append(float(spearmanr(result.atoms, truth)[0]))
        if count % 50 == 0:
            told = summarize(found, args.shuffles)
            print(count, {name: one["median"] for name, one in told.items()}, flush=True)
    seconds = (time.process_time() - start) / max(count, 1)
    report = {
        "molecules": count,
        "probes": len(probes),
        "seconds_per_molecule": round(seconds, 2),
        "encoder": predictor.digests["encoder"],
        "correlation": summarize(found, args.shuffles),
        "test_rmse": {one.card.name: round(one.card.scores["ships"]["value"], 3) for one in probes},
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
