"""The network: encoder q(z|x), decoder p(x|z), and the informative embedding h(x).

x is a batch of token ids (B, T) that ends each molecule with the end mark and pads with `PAD`. What
is minimised over this network is `cmim_chem.model.loss`'s business.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmim_chem.chem.tokenizer import BOS, EOS, PAD
from cmim_chem.model.config import ModelConfig
from cmim_chem.model.layers import Attention, Block, causal_mask, padding_mask


class Posterior(NamedTuple):
    """q(z|x) = N(mu, diag sigma^2); both of shape (B, d_z), float32."""

    mu: Tensor
    sigma: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """z = mu + sigma * noise, shape (B, d_z)."""
        return self.mu + self.sigma * noise


class CMIM(nn.Module):
    """Encoder and decoder around a latent code of fixed size.

    Parameters
    ----------
    config : ModelConfig
        Shape of the network.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        positions = -(-(config.max_tokens + 1) // 8) * 8  # end mark included, padded to eights
        self.embedding = nn.Embedding(config.vocab_size, width)
        self.encoder_position = nn.Embedding(positions, width)
        self.decoder_position = nn.Embedding(positions, width)
        shape = width, config.heads, config.mlp_width, config.gelu
        self.encoder = nn.ModuleList(Block(*shape) for _ in range(config.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width, bias=False)
        self.pool_queries = nn.Parameter(torch.randn(config.pool_queries, width) * width**-0.5)
        self.pool = Attention(width, config.heads)
        self.posterior = nn.Linear(config.pool_queries * width, 2 * config.d_z)
        self.z_bias = nn.Linear(config.d_z, width, bias=False)
        self.z_memory = nn.Linear(config.d_z, config.memory_slots * width)
        self.memory_norm = nn.LayerNorm(width, bias=False)
        self.decoder = nn.ModuleList(Block(*shape) for _ in range(config.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width, bias=False)
        self.readout: nn.Module = nn.Identity()
        if config.readout:
            self.readout = nn.Sequential(nn.Linear(width, config.readout), nn.GELU(config.gelu))
        self.logits = nn.Linear(config.d_h, config.vocab_size)
        self._initialise()

    def _initialise(self) -> None:
        depth = self.config.encoder_layers + self.config.decoder_layers
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            std = 0.02
            if name.endswith(("attention.out.weight", "mlp.2.weight")):
                std *= (2 * depth) ** -0.5
            nn.init.normal_(parameter, std=std)
        nn.init.normal_(self.pool_queries, std=1.0)
        nn.init.normal_(self.posterior.weight, std=self.posterior.in_features**-0.5)
        nn.init.zeros_(self.posterior.bias)
        nn.init.zeros_(self.z_memory.bias)
        nn.init.zeros_(self.logits.bias)
        for linear in (self.z_bias, self.z_memory):
            nn.init.normal_(linear.weight, std=self.config.d_z**-0.5)
        for name, parameter in self.readout.named_parameters():
            if name == "0.weight":
                nn.init.normal_(parameter, std=self.config.width**-0.5)
            else:
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor) -> Posterior:
        """Read molecules: the posterior q(z|x).

        Parameters
        ----------
        x : Tensor
            Token ids, shape (B, T), int64, end mark included.

        Returns
        -------
        Posterior
            mu and sigma, each (B, d_z) float32.
        """
        mask = padding_mask(x, PAD)
        tokens = self.embedding(x) + self.encoder_position.weight[: x.shape[1]]
        for block in self.encoder:
            tokens = block(tokens, mask)
        queries = self.pool_queries.expand(x.shape[0], -1, -1)
        pooled = self.pool(queries, self.encoder_norm(tokens), mask)
        mu, raw = self.posterior(pooled.flatten(1)).float().chunk(2, dim=-1)
        return Posterior(mu, self.config.sigma_floor + functional.softplus(raw - 1.0))

    def decode(self, z: Tensor, x: Tensor, blank: Tensor | None = None) -> Tensor:
        """Run the decoder over given tokens (teacher forcing): its last hidden states.

        State t has read z and x_<t and is what predicts x_t.

        Parameters
        ----------
        z : Tensor
            Latent codes, shape (B, d_z).
        x : Tensor
            Token ids, shape (B, T), int64, end mark included.
        blank : Tensor, optional
            Shape (B, T), bool: past tokens that the decoder must do without. In training, so that
            it asks z for them.

        Returns
        -------
        Tensor
            Shape (B, T, d_h).
        """
        # The begin mark stands nowhere else, so it can also stand for "not told".
        seen = x if blank is None else x.masked_fill(blank, BOS)
        past = functional.pad(seen[:, :-1], (1, 0), value=BOS)
        hidden = self.embedding(past) + self.decoder_position.weight[: x.shape[1]]
        hidden = hidden + self.z_bias(z)[:, None]
        slots = self.config.memory_slots
        memory = self.memory_norm(self.z_memory(z).unflatten(-1, (slots, -1)))
        mask = causal_mask(x.shape[1], slots, x.device)
        for block in self.decoder:
            hidden = block(hidden, mask, memory)
        return self.finish(hidden)

    def finish(self, hidden: Tensor) -> Tensor:
        """What the last block made of the tokens, as the last hidden states before the logits.

        Parameters
        ----------
        hidden : Tensor
            Shape (..., width).

        Returns
        -------
        Tensor
            Shape (..., d_h).
        """
        states: Tensor = self.readout(self.decoder_norm(hidden))
        return states

    def log_likelihood(self, states: Tensor, x: Tensor) -> Tensor:
        """log p(x|z) = sum_t log p(x_t | x_<t, z), over tokens and end mark.

        Parameters
        ----------
        states : Tensor
            What `decode` made of z and x, shape (B, T, d_h).
        x : Tensor
            Shape (B, T), int64.

        Returns
        -------
        Tensor
            Shape (B,), float32, nats.
        """
        logits = self.logits(states).float()
        loss = functional.cross_entropy(
            logits.flatten(0, 1), x.flatten(), ignore_index=PAD, reduction="none"
        )
        return -loss.view(x.shape).sum(-1)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The two embeddings of molecules, always from mu, never from a sample.

        The informative embedding h (arXiv 2502.19642, section on informative embeddings) is the
        mean over tokens of the decoder's last hidden states under teacher forcing of x.

        Parameters
        ----------
        x : Tensor
            Shape (B, T), int64.

        Returns
        -------
        z : Tensor
            mu(x), shape (B, d_z), float32.
        h : Tensor
            Shape (B, d_h), float32.
        """
        z = self.encode(x).mu
        return z, mean_states(self.decode(z, x), x)

    @torch.no_grad()
    def greedy(self, z: Tensor, max_tokens: int | None = None) -> Tensor:
        """Write the most likely next token until every molecule has ended.

        Parameters
        ----------
        z : Tensor
            Shape (B, d_z).
        max_tokens : int, optional
            Where to stop a molecule that has not ended; the model's own limit if not given.

        Returns
        -------
        Tensor
            Token ids, shape (B, T), int64, end mark included, then padding.
        """
        x = torch.empty(len(z), 0, dtype=torch.long, device=z.device)
        ended = torch.zeros(len(z), dtype=torch.bool, device=z.device)
        limit = self.config.max_tokens if max_tokens is None else max_tokens
        while x.shape[1] <= limit and not bool(ended.all()):
            probe = functional.pad(x, (0, 1), value=EOS)
            step = self.logits(self.decode(z, probe)[:, -1]).argmax(-1)
            x = torch.cat([x, step.masked_fill(ended, PAD)[:, None]], dim=1)
            ended |= step == EOS
        return x


def mean_states(states: Tensor, x: Tensor) -> Tensor:
    """h: the mean of the decoder's states over tokens and end mark.

    Parameters
    ----------
    states : Tensor
        Shape (B, T, D).
    x : Tensor
        Shape (B, T), int64; padding does not count.

    Returns
    -------
    Tensor
        Shape (B, D), float32.
    """
    real = (x != PAD).float()[..., None]
    return (states.float() * real).sum(1) / real.sum(1).clamp(min=1.0)
