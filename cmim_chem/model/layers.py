"""Transformer blocks for short sequences on a CPU.

Attention is plain ``bmm`` and softmax: at some forty tokens its backward pass is several times
faster than ``scaled_dot_product_attention``. Queries and keys are normalised, without which the
first hundred steps of MIM training diverge.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Finite, so that a row with nothing to attend to gives numbers and not NaN; fits bfloat16.
MASKED = -1e9


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    heads : int
        Number of heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.query_norm = nn.LayerNorm(width // heads, bias=False)
        self.key_norm = nn.LayerNorm(width // heads, bias=False)

    def forward(self, queries: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """Attend from `queries` to `context`.

        Parameters
        ----------
        queries : Tensor
            Shape (B, T, D).
        context : Tensor
            Shape (B, S, D).
        mask : Tensor
            Added to the scores; broadcasts to (B, 1, T, S); 0 or `MASKED`.

        Returns
        -------
        Tensor
            Shape (B, T, D).
        """
        keys, values = self.read(context)
        return self.mix(queries, keys, values, mask)

    def read(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a context.

        Parameters
        ----------
        context : Tensor
            Shape (B, S, D).

        Returns
        -------
        keys, values : Tensor
            Each of shape (B, H, S, D / H).
        """
        keys, values = self.key_value(context).chunk(2, dim=-1)
        return self.key_norm(self._split(keys)), self._split(values)

    def mix(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Attend to keys and values that are already there.

        Parameters
        ----------
        queries : Tensor
            Shape (B, T, D).
        keys, values : Tensor
            What `read` made of the context, shape (B, H, S, D / H).
        mask : Tensor or None
            As in `forward`; None hides nothing.

        Returns
        -------
        Tensor
            Shape (B, T, D).
        """
        q = self.query_norm(self._split(self.query(queries)))
        scores = (q * q.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask.to(q.dtype)
        mixed = scores.softmax(-1).to(values.dtype) @ values
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        # (B, T, D) -> (B, H, T, D / H)
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)


class Block(nn.Module):
    """Pre-norm transformer block; its self-attention can also see a memory.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    heads : int
        Number of heads.
    mlp : int
        Hidden width of the perceptron.
    gelu : str
        ``none`` or ``tanh``, as in `torch.nn.GELU`.
    """

    def __init__(self, width: int, heads: int, mlp: int, gelu: str) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, bias=False)
        self.attention = Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp, bias=False),
            nn.GELU(approximate=gelu),
            nn.Linear(mlp, width, bias=False),
        )

    def forward(self, x: Tensor, mask: Tensor, memory: Tensor | None = None) -> Tensor:
        """Transform a sequence.

        Parameters
        ----------
        x : Tensor
            Shape (B, T, D).
        mask : Tensor
            Broadcasts to (B, 1, T, S + T), S slots of memory first.
        memory : Tensor, optional
            Shape (B, S, D), already normalised.

        Returns
        -------
        Tensor
            Shape (B, T, D).
        """
        normed = self.attention_norm(x)
        context = normed if memory is None else torch.cat([memory.to(normed.dtype), normed], 1)
        x = x + self.attention(normed, context, mask)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


def padding_mask(tokens: Tensor, pad: int) -> Tensor:
    """Additive mask that hides padding.

    Parameters
    ----------
    tokens : Tensor
        Shape (B, T), int64.
    pad : int
        Id of the padding token.

    Returns
    -------
    Tensor
        Shape (B, 1, 1, T), float32: 0 where a token stands, `MASKED` on padding.
    """
    return (tokens == pad).float()[:, None, None, :] * MASKED


def causal_mask(n_tokens: int, n_memory: int, device: torch.device) -> Tensor:
    """Additive mask that hides the future but never the memory.

    Parameters
    ----------
    n_tokens : int
        T, length of the sequence.
    n_memory : int
        S, slots of memory in front of it.
    device : torch.device
        Where the mask is needed.

    Returns
    -------
    Tensor
        Shape (T, S + T), float32.
    """
    future = torch.ones(n_tokens, n_tokens, device=device).triu(1) * MASKED
    return functional.pad(future, (n_memory, 0))
