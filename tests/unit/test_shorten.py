"""A shortened encoder writes what the long one wrote, and has the blocks that were to stay."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import EOS, Tokenizer
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from data.shorten_encoder import shorten


@pytest.fixture(scope="module")
def model() -> CMIM:
    torch.manual_seed(1)
    return CMIM(preset("tiny", len(Tokenizer()), ["encoder_layers=3"])).eval()


def test_with_all_blocks_it_computes_the_same(model: CMIM) -> None:
    short = shorten(model, [0, 1, 2], 150).eval()
    tokenizer = Tokenizer()
    x = torch.tensor([[*tokenizer.encode("CC(=O)Nc1ccc(O)cc1"), EOS]])
    with torch.inference_mode():
        (z, h), (wanted, _) = short.embed(x), model.embed(x)
        states = short.decode(z, x), model.decode(z, x)
        logits = short.logits(states[0]), model.logits(states[1])
    assert torch.equal(z, wanted)
    assert h.shape == (1, 150)
    assert torch.allclose(*logits, atol=1e-5)


def test_only_the_blocks_named_stay(model: CMIM) -> None:
    short = shorten(model, [0, 2], 128)
    assert short.config.encoder_layers == len(short.encoder) == 2
    kept = dict(short.encoder[1].named_parameters())
    for name, weight in model.encoder[2].named_parameters():
        assert torch.equal(weight, kept[name])


@pytest.mark.parametrize(("keep", "readout"), [([], 128), ([3], 128), ([0], 127)])
def test_what_cannot_be_is_refused(model: CMIM, keep: list[int], readout: int) -> None:
    with pytest.raises(ValueError, match=r"blocks|readout"):
        shorten(model, keep, readout)
