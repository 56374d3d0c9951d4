"""What the decoder remembers while it writes: keys and values of the memory and the past tokens.

One step costs one token instead of the whole past. `CMIM.decode` is the same computation for given
tokens, and what this is tested against.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from cmim_chem.model.cmim import CMIM
from cmim_chem.model.layers import Block

_FIRST_ROOM = 48  # tokens that there is room for at first; doubled when they are used up


class DecoderCache:
    """The state of n molecules that are being written, all at the same position.

    Parameters
    ----------
    model : CMIM
        The network.
    z : Tensor
        Latent codes, shape (n, d_z), float32.
    """

    def __init__(self, model: CMIM, z: Tensor) -> None:
        self._model = model
        self._bias = model.z_bias(z)[:, None]
        slots = model.config.memory_slots
        memory = model.memory_norm(model.z_memory(z).unflatten(-1, (slots, -1)))
        self._decoder = cast("list[Block]", list(model.decoder))
        self._past = [_Past(*block.attention.read(memory)) for block in self._decoder]
        self._position = 0

    def step(self, last: Tensor) -> Tensor:
        """Read one more token of each molecule.

        Parameters
        ----------
        last : Tensor
            The token that was written last, the begin mark at first, shape (n,), int64.

        Returns
        -------
        Tensor
            The decoder's last hidden state, which predicts the next token, shape (n, d_h).
        """
        model = self._model
        hidden = model.embedding(last)[:, None] + model.decoder_position.weight[self._position]
        hidden = hidden + self._bias
        for block, past in zip(self._decoder, self._past, strict=True):
            normed = block.attention_norm(hidden)
            keys, values = past.add(*block.attention.read(normed))
            hidden = hidden + block.attention.mix(normed, keys, values, None)
            hidden = hidden + block.mlp(block.mlp_norm(hidden))
        self._position += 1
        return model.finish(hidden)[:, 0]

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the molecules, in a new order; one may be kept more than once.

        Parameters
        ----------
        rows : Tensor
            Which of the n, shape (m,), int64.
        """
        self._bias = self._bias[rows]
        for past in self._past:
            past.keep(rows)


class _Past:
    """Keys and values of one block, (n, H, room, d) each, of which `length` are in use."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = _with_room(keys), _with_room(values)
        self.length = keys.shape[2]

    def add(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.length == self.keys.shape[2]:
            self.keys, self.values = _with_room(self.keys), _with_room(self.values)
        self.keys[:, :, self.length] = keys[:, :, 0]
        self.values[:, :, self.length] = values[:, :, 0]
        self.length += 1
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def keep(self, rows: Tensor) -> None:
        self.keys, self.values = self.keys[rows], self.values[rows]


def _with_room(tensor: Tensor) -> Tensor:
    n, heads, length, width = tensor.shape
    room = tensor.new_zeros(n, heads, max(_FIRST_ROOM, length), width)
    return torch.cat([tensor, room], dim=2)
