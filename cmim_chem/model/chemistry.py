"""Chemistry factors log p(c|z): facts c of a molecule, predicted from what the network made of it.

Each factor is a log-probability in nats, float32, at unit weight beside the terms of
`cmim_chem.model.loss`. The heads exist while training only: they shape z and h and are no part of
the encoder that ships. What the facts are is decided by `cmim_chem.chem.facts`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmim_chem.chem.facts import BINARY, REAL

_LOG_TWO_PI = math.log(2.0 * math.pi)
# Smallest standard deviation of a descriptor, in standard deviations of the corpus. Facts follow
# from the molecule: without a floor, the density of a well predicted one would grow without end and
# drown log p(x|z). At 0.3 the gradient of the descriptors was still the larger of the two.
SIGMA_FLOOR = 0.6
# Most bits are off; starting there spares the first steps a loss of hundreds of nats.
_BIT_BIAS = -3.0


def log_gaussian(c: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    """log N(c; mean, sigma^2), summed over the facts that have a value.

    Parameters
    ----------
    c : Tensor
        Facts, shape (B, F); NaN where there is no value.
    mean : Tensor
        Shape (B, F).
    sigma : Tensor
        Shape (F,).

    Returns
    -------
    Tensor
        Shape (B,).
    """
    known = ~c.isnan()
    score = (c.nan_to_num(0.0) - mean) / sigma
    terms = -(0.5 * score.square() + sigma.log() + 0.5 * _LOG_TWO_PI)
    return (terms * known).sum(-1)


def log_bernoulli(c: Tensor, logits: Tensor) -> Tensor:
    """log-probability of independent bits, summed over them.

    Parameters
    ----------
    c : Tensor
        Facts, shape (B, F), 0 or 1.
    logits : Tensor
        Shape (B, F).

    Returns
    -------
    Tensor
        Shape (B,).
    """
    return -functional.binary_cross_entropy_with_logits(logits, c, reduction="none").sum(-1)


class ChemistryHead(nn.Module):
    """Predicts facts from one vector per molecule.

    Parameters
    ----------
    width : int
        D, width of the vector.
    hidden : int
        Width of one hidden layer; 0 predicts linearly.
    facts : tuple of str
        Kinds of facts: ``descriptors``, ``ecfp``, ``groups``.
    """

    def __init__(self, width: int, hidden: int, facts: tuple[str, ...]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(width, hidden), nn.GELU()) if hidden else nn.Identity()
        self.out = nn.ModuleDict()
        self.raw_sigma = nn.ParameterDict()
        for name in facts:
            linear = nn.Linear(hidden or width, (REAL | BINARY)[name])
            nn.init.normal_(linear.weight, std=0.02)
            nn.init.constant_(linear.bias, _BIT_BIAS if name in BINARY else 0.0)
            self.out[name] = linear
            if name in REAL:  # starts at a standard deviation of 1
                raw = torch.full((REAL[name],), math.log(math.expm1(1.0 - SIGMA_FLOOR)))
                self.raw_sigma[name] = nn.Parameter(raw)

    def forward(self, vector: Tensor, facts: dict[str, Tensor]) -> dict[str, Tensor]:
        """One term per kind of fact.

        Parameters
        ----------
        vector : Tensor
            Shape (B, D).
        facts : dict of str to Tensor
            Shape (B, F), float32, of at least the kinds that the head predicts.

        Returns
        -------
        dict of str to Tensor
            log p(c | vector) by kind, each of shape (B,), float32.
        """
        hidden = self.trunk(vector)
        terms = {}
        for name, linear in self.out.items():
            predicted = linear(hidden).float()
            if name in REAL:
                sigma = SIGMA_FLOOR + functional.softplus(self.raw_sigma[name])
                terms[name] = log_gaussian(facts[name], predicted, sigma)
            else:
                terms[name] = log_bernoulli(facts[name], predicted)
        return terms
