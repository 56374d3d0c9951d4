"""A thinned encoder has narrower perceptrons and does as much of the old one's work as they can."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.pretrain.batches import collate
from data.thin_encoder import thin


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    texts = ("CC(=O)Nc1ccc(O)cc1", "c1ccccc1", "OCC1OC(O)C(O)C(O)C1O", "C[C@H](N)C(=O)O")
    return torch.from_numpy(collate([Tokenizer().encode(text) for text in texts], 40))


@pytest.fixture
def model() -> CMIM:
    torch.manual_seed(1)
    return CMIM(preset("tiny", len(Tokenizer()))).eval()


def double(model: CMIM) -> CMIM:
    """Give each hidden unit of the perceptrons a twin that does half of the work."""
    wide = CMIM(preset("tiny", len(Tokenizer()), ["mlp=512"])).eval()
    state = model.state_dict()
    for name, weight in state.items():
        if name.endswith(".mlp.0.weight"):
            state[name] = weight.repeat(2, 1)
        elif name.endswith(".mlp.2.weight"):
            state[name] = weight.repeat(1, 2) / 2
    wide.load_state_dict(state)
    return wide


def test_units_that_others_can_replace_go_and_nothing_changes(model: CMIM, x: torch.Tensor) -> None:
    thinned = thin(double(model), 256, [x])
    assert thinned.config.mlp_width == 256
    with torch.inference_mode():
        for ours, wanted in zip(thinned.embed(x), model.embed(x), strict=True):
            assert torch.allclose(ours, wanted, atol=1e-3)


def test_the_others_take_over_what_a_unit_did(model: CMIM, x: torch.Tensor) -> None:
    thinned = thin(model, 64, [x])
    cut = CMIM(thinned.config)
    # The same units without the taking over: the weights they had.
    state = thinned.state_dict()
    for name, weight in model.state_dict().items():
        if name.endswith(".mlp.2.weight"):
            up = name.replace("mlp.2", "mlp.0")
            units = [int((model.state_dict()[up] == row).all(1).nonzero()) for row in state[up]]
            state[name] = weight[:, units]
    cut.load_state_dict(state)
    with torch.inference_mode():
        wanted = model.embed(x)[1]
        errors = [(one.eval().embed(x)[1] - wanted).norm() for one in (thinned, cut)]
    assert errors[0] < 0.7 * errors[1]


@pytest.mark.parametrize("width", [0, 256])
def test_what_is_not_thinner_is_refused(model: CMIM, x: torch.Tensor, width: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 255"):
        thin(model, width, [x])
