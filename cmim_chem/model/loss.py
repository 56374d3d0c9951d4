"""The objectives, term by term, in the notation of the papers; all in nats, all float32.

MIM: arXiv 1910.03175. cMIM: arXiv 2502.19642 and 2509.21511. VAE: arXiv 1312.6114. InfoNCE: arXiv
1807.03748. Every term is a vector over the batch; an objective is minus their mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from cmim_chem.model.cmim import CMIM, Posterior

_LOG_TWO_PI = math.log(2.0 * math.pi)


def log_posterior(z: Tensor, posterior: Posterior) -> Tensor:
    """log q(z|x) of a diagonal Gaussian, shape (B,)."""
    score = (z - posterior.mu) / posterior.sigma
    return -(0.5 * score.square() + posterior.sigma.log() + 0.5 * _LOG_TWO_PI).sum(-1)


def log_prior(z: Tensor) -> Tensor:
    """log P(z) of the standard normal, shape (B,)."""
    return -0.5 * (z.square() + _LOG_TWO_PI).sum(-1)


def kl_to_prior(posterior: Posterior) -> Tensor:
    """KL(q(z|x) || N(0, I)) in closed form, shape (B,)."""
    variance = posterior.sigma.square()
    return 0.5 * (posterior.mu.square() + variance - variance.log() - 1.0).sum(-1)


def log_match(z: Tensor, tau: float) -> Tensor:
    """log p(k=1 | x_i, z_i): code i and molecule i belong together (cMIM).

    p = g_ii / (g_ii + E_{j != i} g_ij) with g_ij = exp(cos(z_i, z_j) / tau). The *mean* over
    negatives, where InfoNCE has a sum, makes the term insensitive to the batch size.

    Parameters
    ----------
    z : Tensor
        Codes, shape (B, d_z).
    tau : float
        Temperature.

    Returns
    -------
    Tensor
        Shape (B,); zero for a batch of one, which has no negatives.
    """
    batch = len(z)
    if batch < 2:
        return z.sum(-1) * 0.0
    direction = functional.normalize(z, dim=-1)
    similarity = direction @ direction.T / tau
    itself = torch.eye(batch, dtype=torch.bool, device=z.device)
    negatives = similarity.masked_fill(itself, -torch.inf).logsumexp(-1) - math.log(batch - 1)
    # s_ii = 1 whatever z is, so the positive is the constant 1 / tau.
    return -functional.softplus(negatives - 1.0 / tau)


def info_nce(z: Tensor, other: Tensor, tau: float) -> Tensor:
    """log of the softmax that finds each code's other view among all, averaged over directions.

    Parameters
    ----------
    z, other : Tensor
        Codes of two views of the same molecules, shape (B, d_z).
    tau : float
        Temperature.

    Returns
    -------
    Tensor
        Shape (B,).
    """
    similarity = functional.normalize(z, dim=-1) @ functional.normalize(other, dim=-1).T / tau
    forward = similarity.log_softmax(1).diagonal()
    backward = similarity.log_softmax(0).diagonal()
    return 0.5 * (forward + backward)


def _stay_alone(z: Tensor) -> Tensor:
    return z


@dataclass(frozen=True)
class Batch:
    """What an objective needs of a batch.

    Attributes
    ----------
    x : Tensor
        Token ids, shape (B, T), int64, end mark included, padded: what the decoder writes.
    noise : Tensor
        Standard normal, shape (B, d_z).
    read : Tensor or None
        Token ids of what the encoder reads, shape (B, S); `x` itself if None.
    blank : Tensor or None
        Shape (B, T), bool: past tokens that the decoder does without.
    gather : callable
        From codes of these molecules, shape (B, d_z), to those of every process that takes part in
        the step: negatives come from all of them. The identity where there is one process.
    rows : slice
        Where these molecules stand among those that `gather` returns.
    among : int
        Negatives of a molecule are looked for among so many neighbors in the batch, itself
        included; 0 for the whole batch.
    """

    x: Tensor
    noise: Tensor
    read: Tensor | None = None
    blank: Tensor | None = None
    gather: Callable[[Tensor], Tensor] = _stay_alone
    rows: slice = field(default_factory=lambda: slice(None))
    among: int = 0

    def contrast(self, term: Callable[..., Tensor], *codes: Tensor) -> Tensor:
        """A contrastive term of these molecules, part by part of the batch of all processes.

        Parameters
        ----------
        term : callable
            From codes of shape (n, d_z) to a vector of shape (n,).
        *codes : Tensor
            Its arguments, of these molecules, shape (B, d_z) each.

        Returns
        -------
        Tensor
            Shape (B,).
        """
        everything = [self.gather(one) for one in codes]
        size = self.among or len(everything[0])
        parts = zip(*(torch.split(one, size) for one in everything), strict=True)
        return torch.cat([term(*part) for part in parts])[self.rows]


Terms = dict[str, Tensor]


class Outcome(NamedTuple):
    """What an objective found: its terms, and what the network made of the molecules.

    Attributes
    ----------
    terms : dict of str to Tensor
        Vectors of shape (B,).
    z : Tensor
        The codes the terms were computed with, shape (B, d_z).
    states : Tensor or None
        The decoder's states, shape (B, T, d_h), where it has run.
    """

    terms: Terms
    z: Tensor
    states: Tensor | None


def mim_terms(model: CMIM, batch: Batch, tau: float) -> Outcome:
    """L_MIM = -E[log p(x|z) + 1/2 (log q(z|x) + log P(z))], z ~ q(z|x)."""
    del tau
    posterior, z, states, log_px = _autoencode(model, batch)
    terms = {
        "log_px": log_px,
        "half_log_q": 0.5 * log_posterior(z, posterior),
        "half_log_prior": 0.5 * log_prior(z),
    }
    return Outcome(terms, z, states)


def cmim_terms(model: CMIM, batch: Batch, tau: float) -> Outcome:
    """L_cMIM = L_MIM - E log p(k=1 | x, z), at unit weight."""
    terms, z, states = mim_terms(model, batch, tau)
    match = batch.contrast(partial(log_match, tau=tau), z)
    return Outcome(terms | {"log_match": match}, z, states)


def vae_terms(model: CMIM, batch: Batch, tau: float) -> Outcome:
    """Negative ELBO: -E log p(x|z) + KL(q(z|x) || P(z))."""
    del tau
    posterior, z, states, log_px = _autoencode(model, batch)
    return Outcome({"log_px": log_px, "minus_kl": -kl_to_prior(posterior)}, z, states)


def info_nce_terms(model: CMIM, batch: Batch, tau: float) -> Outcome:
    """InfoNCE between a molecule and another spelling of it; the decoder is not trained."""
    if batch.read is None:
        raise ValueError("InfoNCE needs a second view of the molecules")
    z, other = model.encode(batch.x).mu, model.encode(batch.read).mu
    found = batch.contrast(partial(info_nce, tau=tau), z, other)
    return Outcome({"info_nce": found}, z, None)


def _autoencode(model: CMIM, batch: Batch) -> tuple[Posterior, Tensor, Tensor, Tensor]:
    """Posterior, a sample z of it, the decoder's states and log p(x|z)."""
    posterior = model.encode(batch.x if batch.read is None else batch.read)
    z = posterior.sample(batch.noise)
    states = model.decode(z, batch.x, batch.blank)
    return posterior, z, states, model.log_likelihood(states, batch.x)


OBJECTIVES: dict[str, Callable[[CMIM, Batch, float], Outcome]] = {
    "cmim": cmim_terms,
    "mim": mim_terms,
    "vae": vae_terms,
    "infonce": info_nce_terms,
}


def objective(terms: Terms, count: float) -> Tensor:
    """Minus the sum over the batch of all terms, divided by `count`: a scalar to minimise.

    Parameters
    ----------
    terms : dict of str to Tensor
        Vectors of shape (B,).
    count : float
        B; the mean size of the batches where several processes average their gradients.
    """
    return -torch.stack(list(terms.values())).sum() / count
