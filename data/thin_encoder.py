"""Make a trained encoder quicker: narrower perceptrons, that compute nearly the same.

    python -m data.thin_encoder runs/next/encoder runs/thin --mlp 384 --corpus data/processed

Block by block, the hidden units go that can best be replaced by the others. A unit j of weights w_j
to the output costs |w_j|^2 / (H^-1)_jj, where H = A^T A of the hidden activations A of real
molecules; what it did is put into the weights of the others by least squares (optimal brain
surgeon: Hassibi and Stork, NIPS 1992; for whole layers: Frantar and Alistarh, NeurIPS 2022, arXiv
2208.11580).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from cmim_chem.chem.tokenizer import PAD
from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint, save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.pretrain.batches import collate
from cmim_chem.pretrain.corpus import Corpus

_MOLECULES = 1_000
_ROWS = 20_000  # activations that a block is judged on
_TOGETHER = 100
_DAMPING = 1e-4  # of the mean of H's diagonal


def thin(model: CMIM, width: int, x: Sequence[Tensor]) -> CMIM:
    """Copy a network with narrower perceptrons.

    Parameters
    ----------
    model : CMIM
        The network.
    width : int
        Hidden width of the new perceptrons.
    x : sequence of Tensor
        Batches of molecules that tell which units matter, each (B, T) int64.

    Returns
    -------
    CMIM
        All that is not a perceptron is as it was.

    Raises
    ------
    ValueError
        If the new width is not smaller than the old one, or less than 1.
    """
    old = model.config.mlp_width
    if not 0 < width < old:
        raise ValueError(f"a perceptron of {width}: between 1 and {old - 1}")
    thinned = CMIM(replace(model.config, mlp=width))
    state = model.state_dict()
    perceptrons = {n for n in state if n.endswith((".mlp.0.weight", ".mlp.2.weight"))}
    thinned.load_state_dict({n: w for n, w in state.items() if n not in perceptrons}, strict=False)
    # In the order of computing: a block is judged on what the thinned ones before it make.
    working = deepcopy(model)
    for part in ("encoder", "decoder"):
        blocks = zip(getattr(working, part), getattr(thinned, part), strict=True)
        for source, target in blocks:
            up, down = source.mlp[0].weight, source.mlp[2].weight
            kept, weights = _choose_units(_record(working, source.mlp[1], x), down, width)
            with torch.no_grad():
                target.mlp[0].weight.copy_(up[kept])
                target.mlp[2].weight.copy_(weights[:, kept])
                down.copy_(weights)
    return thinned.eval()


@torch.no_grad()
def _record(model: CMIM, layer: nn.Module, x: Sequence[Tensor]) -> Tensor:
    """What a layer of the network puts out where tokens stand, a random part of it: (n, width)."""
    found: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _, __, out: found.append(out[batch != PAD]))
    for batch in x:
        model.embed(batch)
    hook.remove()
    rows = torch.cat(found)
    chance = torch.Generator().manual_seed(0)
    return rows[torch.randperm(len(rows), generator=chance)[:_ROWS]]


def _choose_units(activations: Tensor, down: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Which units stay, (units,) bool, and all weights to the output, 0 for those that go."""
    a, weights = activations.double(), down.detach().double().clone()
    h = a.T @ a
    h += _DAMPING * h.diagonal().mean() * torch.eye(len(h), dtype=h.dtype)
    inverse = torch.linalg.inv(h)
    kept = torch.ones(len(h), dtype=torch.bool)
    for _ in range(len(h) - width):
        cost = weights.square().sum(0) / inverse.diagonal()
        j = int(cost.masked_fill(~kept, torch.inf).argmin())
        row = inverse[j] / inverse[j, j]
        weights -= torch.outer(weights[:, j], row)
        inverse -= torch.outer(inverse[:, j], row)
        inverse[j, j] = 1.0  # its row and column are zero: it plays no part any more
        kept[j] = False
        weights[:, j] = 0.0
    return kept, weights.to(down.dtype)


def main() -> None:
    """Read the arguments, thin, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoder", type=Path, help="encoder folder")
    parser.add_argument("out", type=Path, help="folder for the quicker one")
    parser.add_argument("--mlp", type=int, required=True, help="hidden width of the perceptrons")
    parser.add_argument("--corpus", type=Path, required=True, help="of the encoder's vocabulary")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.encoder)
    corpus = Corpus(args.corpus)
    if corpus.tokenizer.vocabulary != tokenizer.vocabulary:
        parser.error(f"{args.corpus} has another vocabulary than {args.encoder}")
    rows = np.random.default_rng(0).choice(len(corpus), _MOLECULES, replace=False)
    molecules = [corpus[int(row)] for row in rows]
    length = max(map(len, molecules)) + 1
    x = torch.from_numpy(collate(molecules, length))
    note = {"thinned": digest_checkpoint(args.encoder), "mlp": args.mlp}
    save_checkpoint(args.out, thin(model, args.mlp, x.split(_TOGETHER)), tokenizer, note)


if __name__ == "__main__":
    main()
