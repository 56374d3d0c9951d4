"""The embeddings z and h of a frozen network, in fewer passes over memory than training needs.

The equations are those of `cmim_chem.model.cmim.CMIM.embed`, and a test holds the two together.
Weights are stored transposed, residuals are added by the matrix product itself, queries and keys
are scaled once, and what does not depend on the molecule is computed once: half of the time of the
plain network on a processor is not in its products.
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
# Places of which the first reading of a token is kept, and rows that are computed at a time.
_PLACES, _ROWS = 64, 480


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

    def ask(self, x: Tensor) -> Tensor:
        """Queries of (B, T, D): (B, T, H, D / H)."""
        return self._norm(x, self.query) * self.gain

    def read(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a context (B, S, D): (B, S, H, D / H) each."""
        return self._norm(context, self.key), self._split(context, self.value)

    def mix(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Attend from queries to what was read: (B * T, D), before `out`."""
        scores = torch.bmm(queries, _by_head(keys).transpose(1, 2))
        scores.view(len(keys), -1, *scores.shape[1:]).add_(mask)
        mixed = torch.bmm(scores.softmax(-1), _by_head(values))
        joined = mixed.view(len(keys), -1, *mixed.shape[1:]).transpose(1, 2)
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
        normed = self.norm(x)
        context = normed if memory is None else torch.cat([memory, normed], 1)
        self.add(x, self.attention.ask(normed), *self.attention.read(context), mask)

    def norm(self, x: Tensor) -> Tensor:
        """What attention sees of (B, T, D)."""
        return functional.layer_norm(x, x.shape[-1:], self.attention_norm)

    def add(self, x: Tensor, asked: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> None:
        """Add to (B, T, D) what attention and perceptron make of it."""
        rows = x.view(-1, x.shape[-1])
        mixed = self.attention.mix(_by_head(asked), keys, values, mask)
        rows.addmm_(mixed, self.attention.out)
        normed = functional.layer_norm(rows, x.shape[-1:], self.mlp_norm)
        rows.addmm_(_activate(normed @ self.up, self.gelu), self.down)


class _FirstReading:
    """The first block of the encoder, of which half is looked up.

    Before tokens have seen each other, queries, keys and values depend on a token and its place
    alone: they are computed once for all, as far as molecules usually reach.
    """

    def __init__(self, block: _FrozenBlock, embedding: Tensor, position: Tensor) -> None:
        self._block, self._embedding, self._position = block, embedding, position
        self._places = min(_PLACES, len(position))
        tokens = (embedding[:, None] + position[: self._places]).flatten(0, 1)
        attention = block.attention
        read = []
        for part in torch.split(tokens, _ROWS):  # as many at a time as a pass has, or about
            normed = block.norm(part[None])
            made = attention.ask(normed), *attention.read(normed)
            read.append([one[0].flatten(1) for one in made])
        self._known = (tokens, *(torch.cat(parts) for parts in zip(*read, strict=True)))

    def run(self, x: Tensor, mask: Tensor) -> Tensor:
        """Read token ids (B, T): states (B, T, D)."""
        length = x.shape[1]
        if length > self._places:
            tokens = self._embedding[x] + self._position[:length]
            self._block.run(tokens, mask)
            return tokens
        at = x * self._places + torch.arange(length)
        tokens, asked, keys, values = (functional.embedding(at, one) for one in self._known)
        shape = *x.shape, *self._block.attention.gain.shape
        self._block.add(tokens, asked.view(shape), keys.view(shape), values.view(shape), mask)
        return tokens


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
            first, *rest = [_FrozenBlock.of(block, gelu) for block in _blocks(model.encoder)]
            places = model.encoder_position.weight
            self._first, self._encoder = _FirstReading(first, model.embedding.weight, places), rest
            self._decoder = [_FrozenBlock.of(block, gelu) for block in _blocks(model.decoder)]
            self._pool = _FrozenAttention.of(model.pool)
            # The posterior's mean, without its spread.
            self._mean = [one[: model.config.d_z] for one in model.posterior.parameters()]
            # What the pool asks is the same for every molecule.
            self._asked = _by_head(self._pool.ask(model.pool_queries[None]))

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
        mask = padding_mask(x, PAD)
        tokens = self._first.run(x, mask)
        for block in self._encoder:
            block.run(tokens, mask)
        asked = self._asked.repeat(len(x), 1, 1)
        read = self._pool.read(self._model.encoder_norm(tokens))
        pooled = self._pool.mix(asked, *read, mask) @ self._pool.out
        return functional.linear(pooled.view(len(x), -1), *self._mean)

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
