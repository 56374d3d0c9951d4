"""Masks, causality, and the promise that a molecule's embedding is its own."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import EOS, PAD
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import PRESETS, ModelConfig, preset


@pytest.fixture(scope="module", params=["readout=0", "readout=96"])
def model(request: pytest.FixtureRequest) -> CMIM:
    torch.manual_seed(0)
    made = CMIM(preset("tiny", 50, [request.param])).eval()
    with torch.no_grad():
        # At the start the residual branches hardly matter; here they must.
        for parameter in made.parameters():
            if parameter.dim() >= 2:
                parameter.mul_(3.0)
    return made


def test_padding_changes_neither_embedding_nor_likelihood(model: CMIM) -> None:
    short = torch.tensor([[5, 6, 7, EOS]])
    padded = torch.nn.functional.pad(short, (0, 9), value=PAD)
    for a, b in zip(model.embed(short), model.embed(padded), strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    z = model.encode(short).mu
    assert torch.allclose(
        model.log_likelihood(model.decode(z, short), short),
        model.log_likelihood(model.decode(z, padded), padded),
        atol=1e-4,
    )


def test_an_embedding_does_not_depend_on_its_batch(model: CMIM) -> None:
    torch.manual_seed(1)
    x = torch.randint(5, 50, (6, 12))
    x[:, -1] = EOS
    x[0, 4] = EOS
    x[0, 5:] = PAD
    for together, alone in zip(model.embed(x), model.embed(x[:1]), strict=True):
        assert torch.allclose(together[:1], alone, atol=1e-5)


def test_an_embedding_depends_on_every_token(model: CMIM) -> None:
    x = torch.tensor([[5, 6, 7, 8, 9, EOS]])
    z, h = model.embed(x)
    for position in range(5):
        other = x.clone()
        other[0, position] = 20
        other_z, other_h = model.embed(other)
        assert (z - other_z).abs().max() > 1e-3
        assert (h - other_h).abs().max() > 1e-3


def test_the_decoder_sees_z_and_the_past_but_not_the_future(model: CMIM) -> None:
    torch.manual_seed(2)
    z = torch.randn(1, model.config.d_z)
    x = torch.randint(5, 50, (1, 10))
    states = model.decode(z, x)
    for position in range(10):
        other = x.clone()
        other[0, position] = (x[0, position] - 4) % 45 + 5
        changed = (model.decode(z, other) - states).abs().amax(-1)[0]
        assert changed[: position + 1].max() < 1e-5, "state t must not know x_t or later"
        if position < 9:
            assert changed[position + 1] > 1e-4, "state t + 1 must know x_t"
    assert (model.decode(z + 1.0, x) - states).abs().amax(-1).min() > 1e-4


def test_greedy_decoding_ends_with_the_end_mark_then_pads(model: CMIM) -> None:
    torch.manual_seed(3)
    written = model.greedy(torch.randn(4, model.config.d_z), max_tokens=12)
    assert written.shape[0] == 4
    assert written.shape[1] <= 13
    for row in written.tolist():
        if EOS in row:
            assert set(row[row.index(EOS) + 1 :]) <= {PAD}


def test_sigma_never_falls_below_its_floor(model: CMIM) -> None:
    x = torch.randint(5, 50, (64, 8))
    assert model.encode(x).sigma.min() >= model.config.sigma_floor


def test_presets_have_the_stated_sizes() -> None:
    sizes = {
        name: sum(p.numel() for p in CMIM(preset(name, 200)).parameters()) / 1e6 for name in PRESETS
    }
    assert sizes["tiny"] < 0.5
    assert 2 < sizes["small"] < 8
    assert 45 < sizes["molmim"] < 75


def test_the_last_hidden_states_are_what_the_logits_are_made_of() -> None:
    model = CMIM(preset("tiny", 50, ["readout=96"]))
    x = torch.tensor([[5, 6, EOS]])
    z = model.encode(x).mu
    states = model.decode(z, x)
    assert states.shape == (1, 3, 96)
    assert model.logits.in_features == model.config.d_h == 96
    assert states.min() > -0.2  # what GELU leaves of negative numbers
    assert model.embed(x)[1].shape == (1, 96)


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of heads"):
        ModelConfig(50, width=100, heads=8)
    with pytest.raises(ValueError, match="readout"):
        ModelConfig(50, readout=-1)
    with pytest.raises(ValueError, match="sigma_floor"):
        ModelConfig(50, sigma_floor=0.0)
    with pytest.raises(ValueError, match="no preset"):
        preset("huge", 50)
