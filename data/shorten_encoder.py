"""Make a smaller encoder out of a trained one, to train it further: fewer blocks, a wider h.

    python -m data.shorten_encoder cmim_chem/weights/encoder runs/short --keep 0,3 --readout 384

Of the blocks that read molecules only those in ``--keep`` stay. The readout is added so that what
the decoder writes does not change at first: its rows are I and -I, and gelu(a) - gelu(-a) = a.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint, save_checkpoint
from cmim_chem.model.cmim import CMIM


def shorten(model: CMIM, keep: list[int], readout: int) -> CMIM:
    """Copy a network with some of its encoder's blocks, and with a readout.

    Parameters
    ----------
    model : CMIM
        A network without a readout.
    keep : list of int
        Numbers of the encoder's blocks that stay, from 0, in order.
    readout : int
        Width of the readout, at least twice that of the network; what is more is left as drawn.

    Returns
    -------
    CMIM
        With the exact GELU, which differs from that by tanh by less than 0.001.

    Raises
    ------
    ValueError
        If there is no such block, the network has a readout, or the new one is too narrow.
    """
    width, blocks = model.config.width, model.config.encoder_layers
    if not keep or not set(keep) <= set(range(blocks)):
        raise ValueError(f"blocks {keep}: the encoder has 0 to {blocks - 1}")
    if model.config.readout or readout < 2 * width:
        raise ValueError(f"a readout of {readout}: at least {2 * width}, in a network without one")
    config = replace(model.config, encoder_layers=len(keep), readout=readout, gelu="none")
    fresh = CMIM(config)
    state = {}
    for name, weight in model.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "encoder":
            block, _, rest = rest.partition(".")
            if int(block) in keep:
                state[f"encoder.{keep.index(int(block))}.{rest}"] = weight
        elif not name.startswith("logits."):
            state[name] = weight
    fresh.load_state_dict(state, strict=False)
    both = torch.cat([torch.eye(width), -torch.eye(width)])
    with torch.no_grad():
        fresh.readout.get_parameter("0.weight")[: 2 * width] = both
        fresh.logits.weight.zero_()
        fresh.logits.weight[:, : 2 * width] = model.logits.weight @ both.T
        fresh.logits.bias.copy_(model.logits.bias)
    return fresh


def main() -> None:
    """Read the arguments, shorten, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoder", type=Path, help="encoder folder")
    parser.add_argument("out", type=Path, help="folder for the smaller one")
    parser.add_argument("--keep", required=True, help="blocks that stay, from 0: 0,3")
    parser.add_argument("--readout", type=int, required=True, help="width of the new h")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.encoder)
    torch.manual_seed(0)
    short = shorten(model, [int(one) for one in args.keep.split(",")], args.readout)
    note = {"shortened": digest_checkpoint(args.encoder), "keep": args.keep}
    save_checkpoint(args.out, short, tokenizer, note)


if __name__ == "__main__":
    main()
