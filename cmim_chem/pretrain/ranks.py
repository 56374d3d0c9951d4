"""One process among those that train a network together, as ``torchrun`` starts them.

Every process takes its rows of the same global batch; gradients are averaged by
`DistributedDataParallel`, and the contrastive terms see the codes of all processes. A process that
was not started by ``torchrun`` is alone, and nothing here does anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranks:
    """Place of this process.

    Attributes
    ----------
    rank : int
        Number of this process.
    world : int
        How many there are.
    device : torch.device
        Where its network lives.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = _CPU

    @classmethod
    def join(cls) -> Ranks:
        """Meet the other processes, if ``torchrun`` has started any.

        The network lives on a GPU of its own where there is one (nccl), else on the processor
        (gloo).
        """
        rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        device = _CPU
        if torch.cuda.is_available():
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
        if world > 1 and not dist.is_initialized():
            dist.init_process_group("gloo" if device.type == "cpu" else "nccl")
        return cls(rank, world, device)

    def leave(self) -> None:
        """Part from the others."""
        if self.world > 1:
            dist.destroy_process_group()

    def rows(self, n: int) -> slice:
        """Which of the n rows of a global batch are this process' own."""
        return slice(self.rank * n // self.world, (self.rank + 1) * n // self.world)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.world > 1:
            dist.barrier()

    def sum(self, values: Tensor) -> Tensor:
        """Sum over all processes, the same everywhere."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def gather(self, mine: Tensor, n: int) -> Tensor:
        """The rows of all processes, with gradient.

        Parameters
        ----------
        mine : Tensor
            The own `rows` of a global batch, shape (b, D).
        n : int
            Rows of the global batch.

        Returns
        -------
        Tensor
            Shape (n, D).
        """
        if self.world == 1:
            return mine
        gathered: Tensor = _Gather.apply(mine, self, n)  # type: ignore[no-untyped-call]
        return gathered


class _Gather(torch.autograd.Function):
    """Sum of the own rows of all, put in place; so is its gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, mine: Tensor, ranks: Ranks, n: int) -> Tensor:
        """Put the own rows among zeros and add up."""
        ctx.rows, ctx.ranks = ranks.rows(n), ranks  # type: ignore[attr-defined]
        everyone = mine.new_zeros(n, mine.shape[1])
        everyone[ctx.rows] = mine  # type: ignore[attr-defined]
        return ranks.sum(everyone)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Every process' loss depends on the own rows: add up, and take them."""
        total = ctx.ranks.sum(gradient.contiguous().clone())  # type: ignore[attr-defined]
        return total[ctx.rows], None, None  # type: ignore[attr-defined]


ALONE = Ranks()
