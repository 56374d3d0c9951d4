"""Make h of a trained encoder wider, to train it further; what it writes does not change at first.

    python -m data.widen_encoder cmim_chem/weights/encoder runs/wide --readout 768

h is a mean over tokens, so a linear probe of it knows how often each unit of the readout fires, and
more units are more questions asked of the same states: also drawn at random they add to what can
be read from h (benchmarks/LOG.md). Their weights to the logits begin at zero.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint, save_checkpoint
from cmim_chem.model.cmim import CMIM


def widen(model: CMIM, readout: int) -> CMIM:
    """Copy a network with more units in its readout.

    Parameters
    ----------
    model : CMIM
        A network with a readout.
    readout : int
        The new width of h.

    Returns
    -------
    CMIM
        The units there were come first. The others have weights and biases as large as theirs,
        drawn from a Gaussian by torch's generator.

    Raises
    ------
    ValueError
        If the network has no readout, or one that is not narrower.
    """
    old = model.config.readout
    if not 0 < old < readout:
        raise ValueError(f"a readout of {readout} in a network with one of {old}")
    wide = CMIM(replace(model.config, readout=readout))
    state = model.state_dict()
    changed = {name for name in state if name.startswith("readout.") or name == "logits.weight"}
    wide.load_state_dict({n: w for n, w in state.items() if n not in changed}, strict=False)
    with torch.no_grad():
        for name in ("0.weight", "0.bias"):
            parameter, known = wide.readout.get_parameter(name), model.readout.get_parameter(name)
            parameter.normal_(std=float(known.std()))
            parameter[:old] = known
        wide.logits.weight.zero_()
        wide.logits.weight[:, :old] = model.logits.weight
    return wide.eval()


def main() -> None:
    """Read the arguments, widen, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoder", type=Path, help="encoder folder")
    parser.add_argument("out", type=Path, help="folder for the one with a wider h")
    parser.add_argument("--readout", type=int, required=True, help="the new width of h")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.encoder)
    torch.manual_seed(0)
    note = {"widened": digest_checkpoint(args.encoder), "readout": str(args.readout)}
    save_checkpoint(args.out, widen(model, args.readout), tokenizer, note)


if __name__ == "__main__":
    main()
