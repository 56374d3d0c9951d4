"""What a decoder writes: measured alike for codes of any scale, and on whole molecules."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from benchmarks.decoding import RADII, measure_validity
from cmim_chem.chem.tokenizer import Tokenizer, split_tokens
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset

SMILES = ["CCO", "c1ccccc1", "CC(=O)N", "CCN"]


class Writer(CMIM):
    """Writes a molecule that is whole as long as its code has not moved much."""

    def greedy(self, z: torch.Tensor, max_tokens: int | None = None) -> torch.Tensor:
        del max_tokens
        moved = (z - self.reference).norm(dim=-1) > self.reach
        return torch.where(moved[:, None], self.broken, self.whole)


@pytest.fixture
def tokenizer():
    return Tokenizer.build(Counter(t for s in SMILES for t in split_tokens(s)))


def test_validity_falls_with_the_noise_and_knows_no_scale(tokenizer):
    from benchmarks.decoding import _encode

    torch.manual_seed(0)
    model = Writer(preset("tiny", len(tokenizer))).eval()
    model.whole = _encode(tokenizer, ["CCO"])
    model.broken = _encode(tokenizer, ["CC("])[:, : model.whole.shape[1]]
    with torch.no_grad():
        mu = model.encode(_encode(tokenizer, sorted(SMILES, key=len))).mu
    model.reference = mu
    model.reach = 0.33 * float(mu.std(0).square().mean().sqrt()) * mu.shape[1] ** 0.5
    shares = measure_validity(model, tokenizer, SMILES)
    assert list(shares) == [f"{radius:g}" for radius in RADII]
    assert shares["0"] == shares["0.25"] == 1.0
    assert shares["0.5"] == shares["1"] == 0.0
