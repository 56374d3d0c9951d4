"""`cmim pretrain`: train an encoder on a corpus; each option is a field of `PretrainConfig`."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import Quiet

HELP = """Train an encoder on a corpus of SMILES.

The run folder gets encoder/, the state to resume from, and log.jsonl. Under torchrun, the processes
share each batch.

\b
Example:
  cmim pretrain --corpus data/processed --out runs/first --preset tiny --steps 200
  cmim pretrain --corpus data/processed --out runs/first --preset tiny --steps 400 --resume
  torchrun --nproc-per-node 2 -m cmim_chem.cli.main pretrain --corpus data/processed --out runs/two
"""


def pretrain(
    corpus: Annotated[Path, typer.Option(help="Corpus folder, see data/README.md.")],
    out: Annotated[Path, typer.Option(help="Run folder, made if missing.")],
    preset: Annotated[str, typer.Option(help="Size: tiny, small or molmim.")] = "small",
    objective: Annotated[str, typer.Option(help="cmim, mim, vae or infonce.")] = "cmim",
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole run.")] = 20_000,
    batch_size: Annotated[int, typer.Option(help="Molecules per step.")] = 128,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 6e-4,
    warmup_steps: Annotated[int, typer.Option(help="Steps of linear rise.")] = 500,
    decay_fraction: Annotated[float, typer.Option(help="Last share of steps that decays.")] = 0.4,
    weight_decay: Annotated[float, typer.Option(help="AdamW decay of matrices.")] = 0.01,
    clip: Annotated[float, typer.Option(help="Largest norm of the gradient.")] = 1.0,
    tau: Annotated[float, typer.Option(help="Temperature of the contrastive term.")] = 0.1,
    contrast_among: Annotated[int, typer.Option(help="Negatives among so many; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Fixes weights, order and noise.")] = 0,
    precision: Annotated[str, typer.Option(help="bf16, fp32 or auto.")] = "auto",
    compile_network: Annotated[
        bool, typer.Option("--compile", help="Use torch.compile; needs a C++ compiler.")
    ] = False,
    log_every: Annotated[int, typer.Option(help="Steps between log lines.")] = 50,
    eval_every: Annotated[int, typer.Option(help="Steps between hold-out scores.")] = 1000,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 500,
    eval_molecules: Annotated[int, typer.Option(help="Hold-out molecules that are scored.")] = 512,
    chemistry: Annotated[str, typer.Option(help="none or descriptors+ecfp+groups.")] = "none",
    chemistry_from: Annotated[str, typer.Option(help="Read facts from z, h or z+h.")] = "z",
    random_spelling: Annotated[float, typer.Option(help="Share read in another spelling.")] = 0.0,
    blank_tokens: Annotated[float, typer.Option(help="Share hidden from the decoder.")] = 0.0,
    average: Annotated[float, typer.Option(help="Decay of averaged weights; 0: none.")] = 0.0,
    shape: Annotated[list[str], typer.Option(help="As width=256; repeatable.")] = (),  # type: ignore[assignment]
    init: Annotated[Path | None, typer.Option(help="Encoder folder to start from.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that prepare batches.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out exactly.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run the training loop."""
    # By name, so that an option that is no field, or a field without an option, cannot pass a test.
    given = locals() | {"compile": compile_network, "shape": tuple(shape)}
    set_up_logging(quiet, logging.INFO)

    from cmim_chem.pretrain.config import PretrainConfig
    from cmim_chem.pretrain.ranks import Ranks
    from cmim_chem.pretrain.trainer import Trainer

    config = PretrainConfig(**{field.name: given[field.name] for field in fields(PretrainConfig)})
    ranks = Ranks.join()
    try:
        Trainer(config, resume, ranks).run()
    finally:
        ranks.leave()
