"""A corpus and a run that are small enough for a test, and every switch of a run at once."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

GROUPS = ("O", "N", "F", "Cl", "C#N", "C(=O)O", "c1ccccc1", "S(N)(=O)=O")
CHAINS = ("CC", "CCC(C)", "C1CCC1", "COC", "CNCC", "C=CC", "c1ccncc1", "CSC")
SMILES = [f"{chain}{group}" for chain in CHAINS for group in GROUPS]

EVERY_SWITCH: dict[str, object] = {
    "chemistry": "descriptors+ecfp+groups",
    "chemistry_from": "z+h",
    "random_spelling": 0.5,
    "blank_tokens": 0.2,
    "average": 0.9,
    "shape": ("d_z=32", "sigma_floor=0.1", "readout=96"),
    "workers": 1,
}


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "encoder" / "model.safetensors")
