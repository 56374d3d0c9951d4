"""The metrics of MOSES, as its paper and package define them, on today's RDKit.

Polykovskiy et al., Front. Pharmacol. 2020, 11, 565644. The package itself (molsets 0.3.1) does not
run with today's RDKit and pandas; its wheel is only read for the structural filters. FCD comes from
fcd_torch, the package that MOSES uses.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import BRICS, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.DataStructs import BulkTanimotoSimilarity

_ALLOWED = frozenset(("C", "N", "S", "O", "F", "Cl", "Br", "H"))
_LARGEST_RING = 7
_FINGERPRINT = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)


class Filters:
    """MOSES' filters: elements, charges, ring sizes, medicinal chemistry filters and PAINS.

    Parameters
    ----------
    wheel : Path
        The wheel of molsets 0.3.1.
    """

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            mcf = pd.read_csv(io.BytesIO(archive.read("moses/metrics/mcf.csv")))["smarts"]
            pains = pd.read_csv(
                io.BytesIO(archive.read("moses/metrics/wehi_pains.csv")), names=["smarts", "name"]
            )["smarts"]
        self._patterns = [Chem.MolFromSmarts(one) for one in [*mcf, *pains]]

    def passes(self, molecule: Chem.Mol) -> bool:
        """Tell whether a molecule would have been in MOSES."""
        if any(len(ring) > _LARGEST_RING for ring in molecule.GetRingInfo().AtomRings()):
            return False
        if any(a.GetFormalCharge() or a.GetSymbol() not in _ALLOWED for a in molecule.GetAtoms()):
            return False
        with_hydrogens = Chem.AddHs(molecule)
        return not any(with_hydrogens.HasSubstructMatch(one) for one in self._patterns)


class MoleculeSet:
    """Molecules, and what the metrics want to know of them, computed when asked for.

    Parameters
    ----------
    smiles : sequence of str
        Valid SMILES.
    """

    def __init__(self, smiles: Sequence[str]) -> None:
        self.smiles = list(smiles)
        with rdBase.BlockLogs():
            self.molecules = [Chem.MolFromSmiles(one) for one in self.smiles]

    @cached_property
    def fingerprints(self) -> list[object]:
        """Morgan bits, radius 2, 1,024 of them."""
        return [_FINGERPRINT.GetFingerprint(one) for one in self.molecules]

    @cached_property
    def fragments(self) -> Counter[str]:
        """BRICS fragments."""
        found: Counter[str] = Counter()
        for one in self.molecules:
            found.update(Chem.MolToSmiles(BRICS.BreakBRICSBonds(one)).split("."))
        return found

    @cached_property
    def scaffolds(self) -> Counter[str]:
        """Bemis-Murcko scaffolds of two rings or more."""
        cores = map(MurckoScaffold.GetScaffoldForMol, self.molecules)
        return Counter(Chem.MolToSmiles(c) for c in cores if c.GetRingInfo().NumRings() > 1)

    @cached_property
    def chemnet(self) -> dict[str, np.ndarray]:
        """Mean and covariance of ChemNet's activations."""
        from fcd_torch import FCD

        activations = np.concatenate(
            [FCD().get_predictions(self.smiles[i : i + 4096])
             for i in range(0, len(self.smiles), 4096)]
        )  # fmt: skip
        return {"mu": activations.mean(0), "sigma": np.cov(activations.T)}


def measure(
    written: Sequence[str | None],
    reference: MoleculeSet,
    known: Sequence[bool],
    filters: Filters,
) -> dict[str, float]:
    """All metrics of one set of samples.

    Parameters
    ----------
    written : sequence of str or None
        n canonical SMILES; None where the model wrote no molecule.
    reference : MoleculeSet
        Molecules of the test set.
    known : sequence of bool
        n, True for a molecule of the training set.
    filters : Filters
        MOSES' filters.

    Returns
    -------
    dict of str to float
        validity, uniqueness and novelty (of the valid ones), filters, FCD, SNN, Frag and Scaf
        against the reference, IntDiv. Validity alone where fewer than two molecules are valid.
    """
    valid = [one for one in written if one is not None]
    if len(valid) < 2:
        return {"validity": len(valid) / len(written)}
    unique = list(dict.fromkeys(valid))
    fresh = {one for one, seen in zip(written, known, strict=True) if one is not None and not seen}
    made = MoleculeSet(valid)
    return {
        "validity": len(valid) / len(written),
        "uniqueness": len(unique) / len(valid),
        "novelty": len(fresh) / len(unique),
        "filters": float(np.mean([filters.passes(one) for one in made.molecules])),
        "fcd": _frechet(made, reference),
        "snn": float(np.mean([max(BulkTanimotoSimilarity(one, reference.fingerprints))
                              for one in made.fingerprints])),
        "frag": cosine(made.fragments, reference.fragments),
        "scaf": cosine(made.scaffolds, reference.scaffolds),
        "int_div": 1.0 - _mean_similarity(made),
    }  # fmt: skip


def _frechet(made: MoleculeSet, reference: MoleculeSet) -> float:
    from fcd_torch.utils import calculate_frechet_distance

    one, other = reference.chemnet, made.chemnet
    return float(calculate_frechet_distance(one["mu"], one["sigma"], other["mu"], other["sigma"]))


def _mean_similarity(made: MoleculeSet) -> float:
    """Mean Tanimoto similarity of all pairs, a molecule with itself included, as in MOSES."""
    prints = made.fingerprints
    return float(np.mean([np.mean(BulkTanimotoSimilarity(one, prints)) for one in prints]))


def cosine(one: Counter[str], other: Counter[str]) -> float:
    """Cosine of two counts; NaN if one is empty."""
    names = sorted(set(one) | set(other))
    a = np.array([one[name] for name in names], dtype=float)
    b = np.array([other[name] for name in names], dtype=float)
    if not a.any() or not b.any():
        return float("nan")
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
