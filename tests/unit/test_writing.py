"""Decoding from the cache: the same as decoding without one, and each method what it says."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import BOS, EOS, PAD
from cmim_chem.errors import InputError
from cmim_chem.model.cache import DecoderCache
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.model.decoding import Decoding, list_candidates, write_tokens

LIMIT = 14


@pytest.fixture(scope="module")
def model() -> CMIM:
    """A network whose molecules have all lengths, some without end."""
    torch.manual_seed(10)
    made = CMIM(preset("tiny", 12, ["max_tokens=60"])).eval().requires_grad_(False)
    for parameter in made.parameters():
        if parameter.dim() >= 2:
            parameter.mul_(3.0)
    made.logits.bias[EOS] = 0.5
    made.logits.bias[[PAD, BOS]] = -1e4  # as after training: plain greedy does not forbid them
    return made


@pytest.fixture(scope="module")
def z(model: CMIM) -> torch.Tensor:
    return torch.randn(40, model.config.d_z, generator=torch.Generator().manual_seed(1))


def logits_without_cache(model: CMIM, z: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    states = model.decode(z[None], torch.tensor([[*tokens, EOS]]))
    logits = model.logits(states)[0, -1]
    logits[[PAD, BOS]] = -torch.inf
    return logits


def greedy_without_cache(model: CMIM, z: torch.Tensor, limit: int) -> list[int] | None:
    tokens: list[int] = []
    while len(tokens) <= limit:
        token = int(logits_without_cache(model, z, tokens).argmax())
        if token == EOS:
            return tokens
        tokens.append(token)
    return None


def log_p(model: CMIM, z: torch.Tensor, tokens: list[int]) -> float:
    x = torch.tensor([[*tokens, EOS]])
    logits = model.logits(model.decode(z[None], x))
    logits[..., [PAD, BOS]] = -torch.inf
    return float(logits.log_softmax(-1).gather(-1, x[..., None]).sum())


@pytest.mark.parametrize("readout", [0, 96])
def test_states_from_the_cache_are_those_of_the_decoder(readout, z):
    torch.manual_seed(10)
    model = CMIM(preset("tiny", 12, ["max_tokens=60", f"readout={readout}"])).eval()
    x = torch.randint(3, 12, (len(z), 58), generator=torch.Generator().manual_seed(2))
    expected = model.decode(z, x)
    cache = DecoderCache(model, z)
    inputs = torch.nn.functional.pad(x[:, :-1], (1, 0), value=BOS)
    for position in range(x.shape[1]):
        state = cache.step(inputs[:, position])
        assert torch.allclose(state, expected[:, position], atol=1e-4), position


def test_kept_rows_of_the_cache_go_on_as_they_were(model, z):
    rows = torch.tensor([3, 1, 1, 30])
    whole, part = DecoderCache(model, z), DecoderCache(model, z)
    first = torch.full((len(z),), BOS)
    whole.step(first), part.step(first)
    part.keep(rows)
    assert torch.allclose(whole.step(first + 4)[rows], part.step(first[rows] + 4), atol=1e-5)


def test_greedy_decoding_is_that_without_a_cache(model, z):
    written = write_tokens(model, z, Decoding(max_tokens=LIMIT))
    assert written == [greedy_without_cache(model, row, LIMIT) for row in z]
    assert None in written
    assert len({len(one) for one in written if one is not None}) > 3


def test_plain_greedy_of_the_model_agrees(model, z):
    ids = model.greedy(z, LIMIT).tolist()
    for written, row in zip(write_tokens(model, z, Decoding(max_tokens=LIMIT)), ids, strict=True):
        assert written is None or row[: len(written) + 1] == [*written, EOS]


@pytest.mark.parametrize("how", [Decoding(), Decoding(temperature=1.0), Decoding(beams=3)])
def test_a_row_does_not_depend_on_its_batch(model, z, how, monkeypatch):
    together = write_tokens(model, z, how)
    monkeypatch.setattr("cmim_chem.model.decoding.BATCH_ROWS", 7)
    assert write_tokens(model, z, how) == together


def test_sampling_follows_the_seed_and_the_probabilities(model, z):
    one = z[:1].expand(4000, -1)
    how = Decoding(temperature=0.7, max_tokens=0)
    ended = [tokens is not None for tokens in write_tokens(model, one, how, seed=5)]
    assert ended == [tokens is not None for tokens in write_tokens(model, one, how, seed=5)]
    p = (logits_without_cache(model, z[0], []) / 0.7).softmax(-1)[EOS]
    assert sum(ended) / 4000 == pytest.approx(float(p), abs=0.04)
    assert write_tokens(model, z, Decoding(1.0), 1) != write_tokens(model, z, Decoding(1.0), 2)


def test_a_small_nucleus_or_temperature_is_greedy(model, z):
    greedy = write_tokens(model, z)
    assert write_tokens(model, z, Decoding(temperature=1.0, top_p=1e-6)) == greedy
    assert write_tokens(model, z, Decoding(temperature=1e-4)) == greedy


def test_the_nucleus_leaves_out_what_is_unlikely(model, z):
    how = Decoding(temperature=1.0, top_p=0.5, max_tokens=1)
    p = logits_without_cache(model, z[0], []).softmax(-1).sort(descending=True)
    size = int((p.values.cumsum(0) - p.values < 0.5).sum())
    allowed = set(p.indices[:size].tolist()) - {EOS}
    written = write_tokens(model, z[:1].expand(500, -1), how)
    assert {tokens[0] for tokens in written if tokens} <= allowed


def test_beams_find_what_is_at_least_as_likely(model, z):
    how = Decoding(max_tokens=LIMIT, beams=8)
    better = 0
    plain = write_tokens(model, z, Decoding(max_tokens=LIMIT))
    for row, greedy, beam in zip(z, plain, write_tokens(model, z, how), strict=True):
        if greedy is not None and beam is not None:
            gain = log_p(model, row, beam) - log_p(model, row, greedy)
            assert gain > -1e-3
            better += gain > 1e-3
    assert better


def test_candidates_are_the_beams_in_order(model, z):
    found = list_candidates(model, z, 6, LIMIT)
    best = write_tokens(model, z, Decoding(max_tokens=LIMIT, beams=6))
    assert any(len(row) > 2 for row in found)
    for code, row, first in zip(z, found, best, strict=True):
        assert len({tuple(one) for one in row}) == len(row) <= 6
        assert first is None or first in row
        likelihood = [log_p(model, code, one) for one in row]
        assert likelihood == pytest.approx(sorted(likelihood, reverse=True), abs=1e-3)


def test_beams_find_the_likeliest_of_all_short_molecules(model, z):
    """With as many beams as beginnings, the search is exhaustive."""
    everything = [[], *([a] for a in range(3, 12))]
    for row in z[:5]:
        [found] = write_tokens(model, row[None], Decoding(max_tokens=1, beams=16))
        assert found is not None
        assert log_p(model, row, found) == pytest.approx(
            max(log_p(model, row, tokens) for tokens in everything), abs=1e-4
        )


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"beams": 0}, {"beams": 2, "temperature": 1}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        Decoding(**wrong)
