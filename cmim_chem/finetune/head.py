"""p(y|h): the small head that labels go through while an encoder is fine-tuned on them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmim_chem.probes.model import Kind

# Steps and rate of fitting the head alone.
_STEPS, _RATE = 300, 0.02
_SMALLEST_SPREAD = 1e-3


class SupervisedHead(nn.Module):
    """p(y|h): linear in standardized h, with a prior that keeps its outputs of the size of one.

    Parameters
    ----------
    h : Tensor
        Shape (n, d), of the training rows: where to center and scale.
    tasks : int
        Targets.
    kind : "regression" or "classification"
        Gaussian with a standard deviation for each target, or Bernoulli.
    """

    def __init__(self, h: Tensor, tasks: int, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("center", h.mean(0))
        self.register_buffer("spread", h.std(0, correction=0).clamp(min=_SMALLEST_SPREAD))
        self.linear = nn.Linear(h.shape[1], tasks)
        self.log_sigma = nn.Parameter(torch.zeros(tasks))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor) -> Tensor:
        """Means of standardized numbers, or log-odds: (n, d) to (n, t)."""
        out: Tensor = self.linear((h - self.get_buffer("center")) / self.get_buffer("spread"))
        return out

    def log_likelihood(self, h: Tensor, y: Tensor) -> Tensor:
        """log p(y|h), summed over the labels that there are.

        Parameters
        ----------
        h : Tensor
            Shape (n, d).
        y : Tensor
            Shape (n, t), float32: standardized numbers, or classes 0 and 1; NaN where missing.

        Returns
        -------
        Tensor
            Shape (n,), nats; 0 for a molecule without a label.
        """
        known = ~y.isnan()
        label, said = y.nan_to_num(), self(h)
        if self.kind == "classification":
            found = -functional.binary_cross_entropy_with_logits(said, label, reduction="none")
        else:
            sigma = self.log_sigma.exp().clamp(min=_SMALLEST_SPREAD)
            found = -0.5 * ((label - said) / sigma) ** 2 - sigma.log()
        return found.masked_fill(~known, 0.0).sum(1)

    def log_prior(self) -> Tensor:
        """log N(w; 0, 1/d) of the weights, up to a constant; a number."""
        return -0.5 * self.linear.in_features * self.linear.weight.square().sum()

    def fit(self, h: Tensor, y: Tensor) -> None:
        """Fit the head to h as it is, (n, d), and its labels, (n, t); NaN where missing."""
        optimizer = torch.optim.Adam(self.parameters(), lr=_RATE)
        for _ in range(_STEPS):
            optimizer.zero_grad()
            loss = -self.log_likelihood(h, y).mean() - self.log_prior() / len(h)
            torch.autograd.backward(loss)
            optimizer.step()
