"""Each term of the objectives against a case that is worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from cmim_chem.chem.tokenizer import EOS, PAD
from cmim_chem.model.cmim import CMIM, Posterior
from cmim_chem.model.config import preset
from cmim_chem.model.loss import (
    OBJECTIVES,
    Batch,
    info_nce,
    kl_to_prior,
    log_match,
    log_posterior,
    log_prior,
    objective,
)
from cmim_chem.pretrain import config


def gaussian(x: float, mean: float, sigma: float) -> float:
    return -((x - mean) ** 2) / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))


def test_log_posterior_is_the_sum_of_gaussians() -> None:
    posterior = Posterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 2.0]]))
    z = torch.tensor([[1.5, 0.0]])
    by_hand = gaussian(1.5, 1.0, 0.5) + gaussian(0.0, -2.0, 2.0)
    assert log_posterior(z, posterior).item() == pytest.approx(by_hand, abs=1e-6)


def test_log_prior_is_the_standard_normal() -> None:
    z = torch.tensor([[0.3, -1.0, 2.0]])
    by_hand = sum(gaussian(x, 0.0, 1.0) for x in (0.3, -1.0, 2.0))
    assert log_prior(z).item() == pytest.approx(by_hand, abs=1e-5)


def test_kl_by_hand_and_zero_for_the_prior_itself() -> None:
    posterior = Posterior(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 1.0]]))
    by_hand = 0.5 * (1.0 + 0.25 - math.log(0.25) - 1.0)
    assert kl_to_prior(posterior).item() == pytest.approx(by_hand, abs=1e-6)


def test_kl_is_the_mean_of_log_q_minus_log_p() -> None:
    torch.manual_seed(0)
    posterior = Posterior(torch.tensor([[0.7, -0.3]]), torch.tensor([[0.4, 1.3]]))
    z = posterior.sample(torch.randn(200_000, 2))
    estimate = (log_posterior(z, posterior) - log_prior(z)).mean()
    assert estimate.item() == pytest.approx(kl_to_prior(posterior).item(), abs=0.02)


def test_log_match_by_hand() -> None:
    # Angles 0, 90 and 180 degrees; lengths must not matter.
    z = torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    tau = 0.5
    g = [[math.exp(s / tau) for s in row] for row in ([1, 0, -1], [0, 1, 0], [-1, 0, 1])]
    by_hand = [
        math.log(g[0][0] / (g[0][0] + (g[0][1] + g[0][2]) / 2)),
        math.log(g[1][1] / (g[1][1] + (g[1][0] + g[1][2]) / 2)),
        math.log(g[2][2] / (g[2][2] + (g[2][0] + g[2][1]) / 2)),
    ]
    assert log_match(z, tau).tolist() == pytest.approx(by_hand, abs=1e-6)


def test_log_match_has_a_mean_over_negatives_and_info_nce_a_sum() -> None:
    # One code, and the same negative once or eight times.
    def codes(negatives: int) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0]] + [[0.6, 0.8]] * negatives)

    few, many = codes(1), codes(8)
    assert log_match(few, 0.1)[0].item() == pytest.approx(log_match(many, 0.1)[0].item(), abs=1e-5)
    drop = info_nce(few, few, 0.1)[0] - info_nce(many, many, 0.1)[0]
    ratio = math.exp((0.6 - 1.0) / 0.1)
    assert drop.item() == pytest.approx(math.log1p(8 * ratio) - math.log1p(ratio), abs=1e-5)


def test_log_match_of_orthogonal_codes_does_not_depend_on_their_number() -> None:
    values = [log_match(torch.eye(batch), 0.1)[0].item() for batch in (2, 16, 256)]
    assert values == pytest.approx([-math.log1p(math.exp(-10.0))] * 3, abs=1e-7)


def test_log_match_of_equal_codes_is_a_coin_toss() -> None:
    assert log_match(torch.ones(5, 3), 0.1).exp().tolist() == pytest.approx([0.5] * 5, abs=1e-6)


def test_log_match_of_a_single_code_is_zero() -> None:
    assert log_match(torch.ones(1, 3), 0.1).tolist() == [0.0]


def test_log_likelihood_sums_over_tokens_and_end_mark_but_not_padding() -> None:
    torch.manual_seed(0)
    model = CMIM(preset("tiny", 40)).eval()
    x = torch.tensor([[5, 6, EOS, PAD, PAD], [7, 8, 9, 10, EOS]])
    z = torch.randn(2, model.config.d_z)
    with torch.no_grad():
        states = model.decode(z, x)
        logs = functional.log_softmax(model.logits(states), dim=-1)
        by_hand = [
            sum(logs[0, t, x[0, t]].item() for t in range(3)),
            sum(logs[1, t, x[1, t]].item() for t in range(5)),
        ]
        assert model.log_likelihood(states, x).tolist() == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("mim", ["log_px", "half_log_q", "half_log_prior"]),
        ("cmim", ["log_px", "half_log_q", "half_log_prior", "log_match"]),
        ("vae", ["log_px", "minus_kl"]),
        ("infonce", ["info_nce"]),
    ],
)
def test_objectives_are_minus_the_mean_of_their_terms_at_unit_weight(
    name: str, terms: list[str]
) -> None:
    torch.manual_seed(0)
    model = CMIM(preset("tiny", 40)).eval()
    x = torch.tensor([[5, 6, EOS, PAD], [7, 8, 9, EOS], [9, 9, EOS, PAD]])
    batch = Batch(x, torch.randn(3, model.config.d_z), read=x.clone())
    with torch.no_grad():
        found, z, states = OBJECTIVES[name](model, batch, 0.1)
        posterior = model.encode(x)
    assert list(found) == terms
    total = -sum(float(found[term].sum()) for term in terms) / 3
    assert objective(found, 3).item() == pytest.approx(total, rel=1e-5)
    if name == "infonce":
        assert states is None
    else:
        assert torch.allclose(z, posterior.sample(batch.noise))
        assert states.shape == (3, 4, model.config.d_h)
    expected = {
        "half_log_q": 0.5 * log_posterior(z, posterior),
        "half_log_prior": 0.5 * log_prior(z),
        "log_match": log_match(z, 0.1),
        "minus_kl": -kl_to_prior(posterior),
        "info_nce": info_nce(posterior.mu, posterior.mu, 0.1),
    }
    for term in set(terms) & set(expected):
        assert torch.allclose(found[term], expected[term], atol=1e-4)


def test_the_settings_offer_the_objectives_that_exist() -> None:
    assert set(config.OBJECTIVES) == set(OBJECTIVES)


def test_negatives_can_be_looked_for_in_parts_of_a_batch() -> None:
    torch.manual_seed(0)
    z, other = torch.randn(2, 10, 8)
    x = torch.zeros(10, 3, dtype=torch.long)
    whole = Batch(x, z).contrast(lambda one: log_match(one, 0.1), z)
    assert torch.equal(whole, log_match(z, 0.1))
    parts = Batch(x, z, among=4).contrast(lambda a, b: info_nce(a, b, 0.1), z, other)
    by_hand = [info_nce(z[i : i + 4], other[i : i + 4], 0.1) for i in (0, 4, 8)]
    assert torch.equal(parts, torch.cat(by_hand))
    assert not torch.allclose(parts, info_nce(z, other, 0.1))
