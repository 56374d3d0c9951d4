"""Which atoms drive a prediction: what changes when an atom is hidden, for probes of any features.

Each atom is hidden in turn from all that a probe reads. In the token sequence its tokens are
replaced by those of other atoms, weighted by how common these are, and z and h are averaged; in the
fingerprint the environments around it are left out; in the descriptors it becomes a wildcard atom.
The prediction without the atom is subtracted from the prediction with it. Nothing of the model's
inside is used, so that linear heads, kernels, networks and trees are treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.chem.hiding import hide_in_descriptors, hide_in_ecfp, spell_atoms
from cmim_chem.chem.parse import parse_standardized
from cmim_chem.embed import Embedder
from cmim_chem.errors import InputError
from cmim_chem.predictions import Property
from cmim_chem.predictor import Predictor
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.calibration import to_margins

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]

#: Atoms that stand in for a hidden one, and how common they are in drug-like molecules.
STAND_INS = {"c": 0.48, "C": 0.28, "O": 0.10, "N": 0.08, "n": 0.06}


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What the atoms of a molecule contribute to one property.

    Attributes
    ----------
    property : Property
    smiles : str
        Standardized SMILES; atoms are numbered in its order.
    value : float
        The prediction.
    atoms : (n,) float64
        Prediction minus that without the atom: in the unit of a number, in log-odds of a class.
    """

    property: Property
    smiles: str
    value: float
    atoms: FloatArray


def attribute_atoms(
    predictor: Predictor, smiles: str, names: Sequence[str] | None = None
) -> list[Attribution]:
    """Find out which atoms drive the predictions of one molecule.

    Parameters
    ----------
    predictor : Predictor
        Encoder and probes.
    smiles : str
        Any SMILES; it is standardized.
    names : sequence of str, optional
        Properties wanted; all if not given.

    Returns
    -------
    list of Attribution
        In the order of the names.

    Raises
    ------
    InputError
        If the molecule cannot be read or a property is not known.
    """
    wanted = predictor.select(names)
    (standardized,), _ = predictor.embed([smiles])
    if standardized.smiles is None:
        raise InputError(f"{smiles[:80]!r}: {standardized.problem}")
    probes = {one.card.name: one for one in predictor.probes}
    used = [probes[name] for name in dict.fromkeys(one.probe for one in wanted)]
    found: dict[str, tuple[FloatArray, FloatArray]] = {}
    for embedder, group in predictor.encoders.group(used):
        blocks = {block for one in group for block in one.blocks}
        features = hide_atoms(embedder, standardized.smiles, blocks)
        found |= {one.card.name: _compare(one, features) for one in group}
    attributions = []
    for one in wanted:
        values, changes = found[one.probe]
        task = probes[one.probe].card.tasks.index(one.name)
        attributions.append(
            Attribution(one, standardized.smiles, float(values[task]), changes[:, task])
        )
    return attributions


def rank_atoms(found: Attribution, k: int = 5) -> pd.DataFrame:
    """The atoms that matter most.

    Parameters
    ----------
    found : Attribution
        Of n atoms.
    k : int
        Atoms wanted.

    Returns
    -------
    DataFrame
        At most k rows, the largest change first: ``atom`` (from 0), ``label`` (element and number
        from 1, as ``O4``) and ``change``. Atoms that change nothing are left out.
    """
    molecule = parse_standardized(found.smiles)
    order = np.argsort(-np.abs(found.atoms), kind="stable")[:k]
    order = order[found.atoms[order] != 0.0]
    labels = [f"{molecule.GetAtomWithIdx(int(i)).GetSymbol()}{i + 1}" for i in order]
    return pd.DataFrame({"atom": order, "label": labels, "change": found.atoms[order]})


def hide_atoms(embedder: Embedder, smiles: str, blocks: set[str]) -> list[dict[str, FloatMatrix]]:
    """Features of a molecule as it is, and with each atom hidden, once per stand-in.

    Parameters
    ----------
    embedder : Embedder
        Makes z and h.
    smiles : str
        Standardized SMILES with n atoms.
    blocks : set of str
        Blocks wanted.

    Returns
    -------
    list of dict of str to (n + 1, d) float32
        One per stand-in; the first row is the molecule as it is.
    """
    variants: list[dict[str, FloatMatrix]] = [{} for _ in STAND_INS]
    if blocks & {"z", "h"}:
        whole, hidden = spell_atoms(embedder.tokenizer, smiles, tuple(STAND_INS))
        for variant, sequences in zip(variants, hidden, strict=True):
            z, h = embedder.embed_tokens([whole, *sequences])
            variant["z"], variant["h"] = z, h
    fixed = {}
    if "ecfp" in blocks:
        fixed["ecfp"] = hide_in_ecfp(smiles)
    if "descriptors" in blocks:
        fixed["descriptors"] = hide_in_descriptors(smiles)
    return [variant | fixed for variant in variants]


def _compare(
    probe: Probe, variants: Sequence[dict[str, FloatMatrix]]
) -> tuple[FloatArray, FloatArray]:
    """Predictions (t,) of the molecule, and (n, t) changes, averaged over the stand-ins."""
    weights = list(STAND_INS.values())
    if not {"z", "h"} & set(probe.blocks):
        variants, weights = variants[:1], [1.0]
    changes, value = [], np.empty(0)
    for variant in variants:
        predicted = probe.predict({name: variant[name] for name in probe.blocks})
        value = predicted[0]
        scale = to_margins(predicted) if probe.card.kind == "classification" else predicted
        changes.append(scale[0] - scale[1:])
    return value, np.average(changes, axis=0, weights=weights)
