"""A widened encoder writes what the narrow one wrote; the h it had is the first part of the new."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import EOS, Tokenizer
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from data.widen_encoder import widen


def make(*changes: str) -> CMIM:
    torch.manual_seed(1)
    return CMIM(preset("tiny", len(Tokenizer()), changes)).eval()


def test_it_writes_the_same_and_says_more() -> None:
    model = make("readout=80")
    wide = widen(model, 200)
    tokenizer = Tokenizer()
    x = torch.tensor([[*tokenizer.encode("CC(=O)Nc1ccc(O)cc1"), EOS]])
    with torch.inference_mode():
        (z, h), (known, narrow) = wide.embed(x), model.embed(x)
        logits = wide.logits(wide.decode(z, x)), model.logits(model.decode(known, x))
    assert torch.equal(z, known)
    assert h.shape == (1, 200)
    assert torch.allclose(h[:, :80], narrow, atol=1e-6)
    assert torch.allclose(*logits, atol=1e-5)
    added = h[0, 80:]
    assert len(added.unique()) == 120
    assert 0.5 < float(added.std() / narrow.std()) < 2.0


@pytest.mark.parametrize(("changes", "readout"), [(["readout=80"], 80), ([], 200)])
def test_what_cannot_be_is_refused(changes: list[str], readout: int) -> None:
    with pytest.raises(ValueError, match="readout"):
        widen(make(*changes), readout)
