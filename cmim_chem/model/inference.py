"""The embeddings z and h of a frozen network, in fewer passes over memory than training needs.

The equations are those of `cmim_chem.model.cmim.CMIM.embed`, and a test holds the two together.
Weights are stored transposed, residuals are added by the matrix product itself, queries and keys
are scaled once: half of the time of the plain network on a processor is not in its products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmim_chem.chem.tokenizer import BOS, PAD
from cmim_chem.model.cmim import CMIM, mean_states
from cmim_chem.model.layers import Attention, Block, causal_mask, padding_mask

# gelu(x) by tanh is x * sigmoid(x * (a + b * x^2)), which needs no tanh.
_A, _B = 1.5957691216057308, 0.07135481282553504


@dataclass(frozen=True, eq=False)
class _FrozenAttention:
    """An attention layer: weights (D, D), transposed; `gain` (H, D / H) joins both norms' gains.

    The columns of `query` and `key` are centered head by head, so that of their layer norms only
    the division by the length is left to do.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    out: Tensor
    gain: Tensor
    eps: float

    @classmethod
    def of(cls, layer: Attention) -> _FrozenAttention:
        key, value = _transpose(layer.key_value).chunk(2, dim=1)
        gain = layer.query_norm.weight * layer.key_norm.weight
        gain = (gain * len(gain) ** -0.5).expand(layer.heads, -1)
        query = _center(_transpose(layer.query), layer.heads)
        key = _center(key, layer.heads)
        return cls(query, key, value.contiguous(), _transpose(layer.out), gain, layer.key_norm.eps)

    def make_queries(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B * H, T, D / H)."""
        return _by_head(self._norm(x, self.query) * self.gain)

    def mix(self, queries: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """Attend from queries to a context (B, S, D): (B * T, D), before `out`."""
        keys = _by_head(self._norm(context, self.key))
        scores = torch.bmm(queries, keys.transpose(1, 2))
        scores.view(len(context), -1, *scores.shape[1:]).add_(mask)
        mixed = torch.bmm(scores.softmax(-1), _by_head(self._split(context, self.value)))
        joined = mixed.view(len(context), -1, *mixed.shape[1:]).transpose(1, 2)
        return joined.reshape(-1, len(self.out))

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        parts = self._split(x, weight)
        length = torch.linalg.vector_norm(parts, dim=-1, keepdim=True)
        return parts.mul_(length.square_().div_(parts.shape[-1]).add_(self.eps).rsqrt_())

    def _split(self, x: Tensor, weight: Tensor) -> Tensor:
        return (x.flatten(0, 1) @ weight).view(*x.shape[:2], *self.gain.shape)


@dataclass(frozen=True, eq=False)
class _FrozenBlock:
    """A transformer block; its weights transposed, the gain of a norm not yet in them."""

    attention: _FrozenAttention
    attention_norm: Tensor
    mlp_norm: Tensor
    up: Tensor
    down: Tensor
    gelu: str

    @classmethod
    def of(cls, block: Block, gelu: str) -> _FrozenBlock:
        up, down = _transpose(block.mlp[0]), _transpose(block.mlp[2])
        norms = block.attention_norm.weight, block.mlp_norm.weight
        return cls(_FrozenAttention.of(block.attention), *norms, up, down, gelu)

    def run(self, x: Tensor, mask: Tensor, memory: Tensor | None = None) -> None:
        """Transform (B, T, D) in place."""
        rows = x.view(-1, x.shape[-1])
        normed = functional.layer_norm(x, x.shape[-1:], self.attention_norm)
        context = normed if memory is None else torch.cat([memory, normed], 1)
        queries = self.attention.make_queries(normed)
        rows.addmm_(self.attention.mix(queries, context, mask), self.attention.out)
        normed = functional.layer_norm(rows, x.shape[-1:], self.mlp_norm)
        rows.addmm_(_activate(normed @ self.up, self.gelu), self.down)


class FrozenCMIM:
    """A network whose weights no longer change, laid out for embedding on a processor.

    Parameters
    ----------
    model : CMIM
        The network; its weights are copied where they are laid out anew.
    """

    def __init__(self, model: CMIM) -> None:
        self._model = model
        gelu = model.config.gelu
        with torch.inference_mode():
            self._encoder = [_FrozenBlock.of(block, gelu) for block in _blocks(model.encoder)]
            self._decoder = [_FrozenBlock.of(block, gelu) for block in _blocks(model.decoder)]
            self._pool = _FrozenAttention.of(model.pool)
            # What the pool asks is the same for every molecule.
            self._asked = self._pool.make_queries(model.pool_queries[None])

    @torch.inference_mode()
    def embed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the two embeddings of molecules, from mu.

        Parameters
        ----------
        x : Tensor
            Token ids, shape (B, T), int64, end mark included.

        Returns
        -------
        z : Tensor
            Shape (B, d_z), float32.
        h : Tensor
            Shape (B, d_h), float32.
        """
        z = self.encode(x)
        return z, mean_states(self._decode(z, x), x)

    @torch.inference_mode()
    def encode(self, x: Tensor) -> Tensor:
        """Compute z alone, which takes less than half of the time of both.

        Parameters
        ----------
        x : Tensor
            As for `embed`.

        Returns
        -------
        Tensor
            Shape (B, d_z), float32.
        """
        model, (rows, length) = self._model, x.shape
        mask = padding_mask(x, PAD)
        tokens = model.embedding(x) + model.encoder_position.weight[:length]
        for block in self._encoder:
            block.run(tokens, mask)
        asked = self._asked.repeat(rows, 1, 1)
        pooled = self._pool.mix(asked, model.encoder_norm(tokens), mask) @ self._pool.out
        posterior: Tensor = model.posterior(pooled.view(rows, -1))
        return posterior[:, : model.config.d_z].contiguous()

    def _decode(self, z: Tensor, x: Tensor) -> Tensor:
        model, slots = self._model, self._model.config.memory_slots
        past = functional.pad(x[:, :-1], (1, 0), value=BOS)
        hidden = model.embedding(past) + model.decoder_position.weight[: x.shape[1]]
        hidden += model.z_bias(z)[:, None]
        memory = model.memory_norm(model.z_memory(z).view(len(x), slots, -1))
        mask = causal_mask(x.shape[1], slots, x.device)
        for block in self._decoder:
            block.run(hidden, mask, memory)
        return model.finish(hidden)


def _blocks(blocks: nn.ModuleList) -> list[Block]:
    return [block for block in blocks if isinstance(block, Block)]


def _by_head(x: Tensor) -> Tensor:
    """(B, T, H, D / H) to (B * H, T, D / H)."""
    return x.transpose(1, 2).reshape(-1, x.shape[1], x.shape[3])


def _center(weight: Tensor, heads: int) -> Tensor:
    parts = weight.view(len(weight), heads, -1)
    centered: Tensor = parts - parts.mean(dim=-1, keepdim=True)
    return centered.flatten(1)


def _transpose(linear: nn.Module) -> Tensor:
    weight: Tensor = linear.get_parameter("weight")
    return weight.detach().t().contiguous()


def _activate(x: Tensor, gelu: str) -> Tensor:
    """Gelu of x, in the memory of x or a copy."""
    if gelu == "none":
        return torch.ops.aten.gelu_(x)  # type: ignore[no-any-return]
    inner = torch.addcmul(x.new_tensor(_A), x, x, value=_B)
    return inner.mul_(x).sigmoid_().mul_(x)
