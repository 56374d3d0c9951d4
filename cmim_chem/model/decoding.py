"""Writing molecules: greedy, by temperature, or by beams, one token at a time from a cache.

z goes in, token ids come out; `cmim_chem.embed` turns them into SMILES. Row i of the result depends
on row i of z, the settings and the seed, not on the rest of the batch (but for the last bits of a
sum, which matter where two tokens are equally likely).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cmim_chem.chem.tokenizer import BOS, EOS, PAD
from cmim_chem.errors import InputError
from cmim_chem.model.cache import DecoderCache
from cmim_chem.model.cmim import CMIM

# Rows decoded at a time: enough to keep a processor busy, few enough for its cache.
BATCH_ROWS = 256
MAX_BEAMS = 16
# The cache is copied without its ended rows when so few of them go on.
_COMPACT_BELOW = 0.75


@dataclass(frozen=True)
class Decoding:
    """How to write a molecule from its code.

    Attributes
    ----------
    temperature : float
        0 takes the likeliest token each time (greedy); 1 samples p(x|z); in between is bolder than
        greedy and safer than p(x|z).
    top_p : float
        When sampling, only the likeliest tokens that together reach this probability.
    beams : int
        1 is one molecule at a time; more keep that many beginnings and return the likeliest
        molecule found. Only with temperature 0.
    rescue : int
        Where what was written is no molecule, search with this many beams and take the likeliest
        that is one, or a code nearby; 0 does without. `cmim_chem.generate.writing` does it, as the
        decoder knows no chemistry.
    max_tokens : int or None
        Longest molecule; one that has not ended there is given up. None is the model's own limit.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    beams: int = 1
    rescue: int = 0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        """Reject settings that contradict each other."""
        if not 0.0 <= self.temperature <= 10.0:
            raise InputError(f"temperature {self.temperature}: give a number from 0 to 10")
        if not 0.0 < self.top_p <= 1.0:
            raise InputError(f"top_p {self.top_p}: give a number above 0, at most 1")
        if not 1 <= self.beams <= MAX_BEAMS:
            raise InputError(f"beams {self.beams}: give a number from 1 to {MAX_BEAMS}")
        if not 0 <= self.rescue <= MAX_BEAMS:
            raise InputError(f"rescue {self.rescue}: give a number of beams from 0 to {MAX_BEAMS}")
        if self.beams > 1 and self.temperature > 0:
            raise InputError("beams do not go with a temperature: leave one of them out")


GREEDY = Decoding()


@torch.inference_mode()
def write_tokens(
    model: CMIM, z: Tensor, how: Decoding = GREEDY, seed: int = 0
) -> list[list[int] | None]:
    """Decode latent codes.

    Parameters
    ----------
    model : CMIM
        The network.
    z : Tensor
        Shape (n, d_z), float32.
    how : Decoding
        Greedy if not given.
    seed : int
        Fixes what a temperature leaves to chance.

    Returns
    -------
    list of list of int or None
        n sequences of token ids without the end mark; None where no end came.
    """
    limit = model.config.max_tokens if how.max_tokens is None else how.max_tokens
    limit = min(limit, model.config.max_tokens)
    chance = torch.zeros(len(z), 0)
    if how.temperature > 0:
        # One number per row and token, so that batches do not share a stream.
        generator = torch.Generator().manual_seed(seed)
        chance = torch.rand(len(z), limit + 1, generator=generator).to(z.device)
    written: list[list[int] | None] = []
    for start in range(0, len(z), rows := max(1, BATCH_ROWS // how.beams)):
        part = z[start : start + rows]
        if how.beams > 1:
            tokens = _search(model, part, how.beams, limit, every=False)[:, 0]
        else:
            tokens = _walk(model, part, how, limit, chance[start : start + rows])
        written += [_cut(ids) for ids in tokens.tolist()]
    return written


@torch.inference_mode()
def list_candidates(model: CMIM, z: Tensor, beams: int, max_tokens: int) -> list[list[list[int]]]:
    """Everything that a beam search ends with, for those who can tell good from bad.

    Parameters
    ----------
    model : CMIM
        The network.
    z : Tensor
        Shape (n, d_z), float32.
    beams : int
        Beginnings kept.
    max_tokens : int
        Longest molecule.

    Returns
    -------
    list of list of list of int
        For each of the n codes at most `beams` sequences of token ids, the likeliest first, without
        the end mark; those that came to no end are left out.
    """
    limit = min(max_tokens, model.config.max_tokens)
    rows = max(1, BATCH_ROWS // beams)
    found: list[list[list[int]]] = []
    for start in range(0, len(z), rows):
        tokens = _search(model, z[start : start + rows], beams, limit, every=True)
        found += [[ids for one in row if (ids := _cut(one)) is not None] for row in tokens.tolist()]
    return found


def _cut(ids: list[int]) -> list[int] | None:
    return ids[: ids.index(EOS)] if EOS in ids else None


def _walk(model: CMIM, z: Tensor, how: Decoding, limit: int, chance: Tensor) -> Tensor:
    """Greedy or sampled: one token after the other, (B, T) int64."""
    tokens = torch.full((len(z), limit + 1), PAD, dtype=torch.long, device=z.device)
    alive = torch.arange(len(z), device=z.device)  # row of `tokens` that each cached row writes
    running = torch.ones(len(z), dtype=torch.bool, device=z.device)
    last = torch.full((len(z),), BOS, dtype=torch.long, device=z.device)
    cache = DecoderCache(model, z)
    for position in range(limit + 1):
        logits = _next_logits(model, cache, last)
        if how.temperature > 0:
            last = _draw(logits, how, chance[alive, position])
        else:
            last = logits.argmax(-1)
        tokens[alive[running], position] = last[running]
        running &= last != EOS
        if not bool(running.any()):
            break
        if running.float().mean() < _COMPACT_BELOW:
            cache.keep(running.nonzero()[:, 0])
            alive, last, running = alive[running], last[running], running[running]
    return tokens


def _next_logits(model: CMIM, cache: DecoderCache, last: Tensor) -> Tensor:
    logits: Tensor = model.logits(cache.step(last)).float()
    logits[:, [PAD, BOS]] = -torch.inf  # they have no place within a molecule
    return logits


def _draw(logits: Tensor, how: Decoding, chance: Tensor) -> Tensor:
    """Sample one token per row by inverting the cumulative distribution at `chance`."""
    p, order = (logits / how.temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    # A token stays if those before it have not yet reached top_p; the first always does.
    p = p.masked_fill(p.cumsum(-1) - p >= how.top_p, 0.0)
    reach = p.cumsum(-1)
    place = (reach <= chance[:, None] * reach[:, -1:]).sum(-1, keepdim=True)
    return order.gather(-1, place.clamp(max=int(p.shape[-1]) - 1))[:, 0]


def _search(model: CMIM, z: Tensor, beams: int, limit: int, every: bool) -> Tensor:
    """The beams of each row, the likeliest first, (B, beams, T) int64.

    Runs until the likeliest has ended, or `every` one of them.
    """
    n, device = len(z), z.device
    cache = DecoderCache(model, z.repeat_interleave(beams, 0))
    tokens = torch.full((n, beams, 0), PAD, dtype=torch.long, device=device)
    score = torch.full((n, beams), -torch.inf, device=device)
    score[:, 0] = 0.0  # all beams begin alike: only one of them may have children
    ended = torch.zeros(n, beams, dtype=torch.bool, device=device)
    last = torch.full((n * beams,), BOS, dtype=torch.long, device=device)
    first = torch.arange(n, device=device)[:, None] * beams
    for _ in range(limit + 1):
        gain = _next_logits(model, cache, last).log_softmax(-1).view(n, beams, -1)
        # One that has ended goes on as itself, at no cost.
        gain = gain.masked_fill(ended[..., None], -torch.inf)
        gain[..., PAD] = torch.where(ended, 0.0, gain[..., PAD])
        score, best = (score[..., None] + gain).flatten(1).topk(beams)
        parent, token = best // gain.shape[-1], best % gain.shape[-1]
        tokens = tokens.gather(1, parent[..., None].expand(-1, -1, tokens.shape[-1]))
        tokens = torch.cat([tokens, token[..., None]], -1)
        ended = ended.gather(1, parent) | (token == EOS)
        # Scores only fall, so a best beam that has ended stays the best.
        if bool((ended if every else ended[:, 0]).all()):
            break
        cache.keep((first + parent).flatten())
        last = token.flatten()
    return tokens
