"""How fast training is, as a share of what this machine can multiply. One JSON line.

How fast molecules are scored is measured by `benchmarks.score_throughput`.

    python -m benchmarks.throughput pretrain --corpus data/processed

Products of matrices are counted for real tokens only, so padding is waste; what a step costs beside
them (optimizer, data, logging) is in its time. The pure products are timed in turn with the
training steps, because a shared machine changes its speed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import gemm
from cmim_chem.model.loss import Batch
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.feed import Portion
from cmim_chem.pretrain.network import Network
from cmim_chem.pretrain.trainer import Trainer

_PRODUCTS, _ROUNDS = 2, 10
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Processor seconds are blind to other people's processes, wall seconds are what one waits.
_CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}

Seconds = dict[str, float]


def count_flops(network: Network, length: int) -> int:
    """Floating-point operations of products in training on one molecule.

    Parameters
    ----------
    network : Network
        What is trained.
    length : int
        Tokens of the molecule, end mark included.
    """
    tokens = torch.full((2, length), 3)
    facts = {
        name: torch.zeros(2, linear.out_features)
        for head in network.heads.values()
        for name, linear in head.out.items()
    }
    batch = Batch(tokens, torch.zeros(2, network.model.config.d_z), tokens)
    with FlopCounterMode(display=False) as counter:
        terms = network(batch, facts)
        torch.stack(list(terms.values())).sum().backward()
    network.zero_grad(set_to_none=True)
    return int(counter.get_total_flops()) // 2


def measure_lengths(portions: list[Portion]) -> list[int]:
    """Tokens of every molecule, end marks included."""
    return [int(n) for portion in portions for n in (portion.x != 0).sum(1)]


def spend(work: Callable[[], object], total: Seconds) -> None:
    """Do some work and add the seconds it took, by clock."""
    began = {name: clock() for name, clock in _CLOCKS.items()}
    work()
    for name, clock in _CLOCKS.items():
        total[name] = total.get(name, 0.0) + clock() - began[name]


def measure_pretraining(config: PretrainConfig, steps: int) -> dict[str, object]:
    """Train for some steps in turn with pure products.

    Parameters
    ----------
    config : PretrainConfig
        The run.
    steps : int
        Training steps that count.

    Returns
    -------
    dict
        Rates in GFLOP/s by clock, and the shares of training in them.
    """
    trainer = Trainer(config)
    stream = trainer.feed.read_from(0)
    portions: list[Portion] = []

    def train(n: int) -> None:
        for portion in islice(stream, n):
            trainer._train_step(portion)
            portions.append(portion)

    seen_shapes = _warm_up(trainer, stream)
    # Of a size that does not stop everything where a precision is emulated.
    sizes = {name: gemm.measure(t)[1] for name, t in _PRECISIONS.items()}
    squares = {name: torch.randn(sizes[name], sizes[name]).to(t) for name, t in _PRECISIONS.items()}
    seconds: dict[str, Seconds] = {name: {} for name in (*squares, "training")}
    for _ in range(_ROUNDS):
        for name, square in squares.items():
            spend(lambda square=square: [square @ square for _ in range(_PRODUCTS)], seconds[name])
        spend(lambda: train(max(1, steps // _ROUNDS)), seconds["training"])
    lengths = measure_lengths(portions)
    flops = {length: count_flops(trainer.network, length) for length in set(lengths)}
    work = {name: 2.0 * size**3 * _PRODUCTS * _ROUNDS for name, size in sizes.items()}
    work["training"] = sum(flops[length] for length in lengths)
    result: dict[str, object] = {
        "molecules": len(lengths),
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "padding": round(1 - sum(lengths) / sum(p.x.numel() for p in portions), 3),
        "warm_up_shapes": seen_shapes,
        "molecules_per_second": round(len(lengths) / seconds["training"]["wall"], 1),
    }
    for clock in _CLOCKS:
        rates = {name: work[name] / seconds[name][clock] / 1e9 for name in work}
        result[f"gflops_{clock}"] = {name: round(rate, 1) for name, rate in rates.items()}
        shares = {name: round(rates["training"] / rates[name], 3) for name in squares}
        result[f"share_{clock}"] = shares
    return result


def _warm_up(trainer: Trainer, stream: Iterator[Portion]) -> int:
    """Take steps until most shapes have been compiled or allocated; how many there were."""
    shapes = set()
    for portion in islice(stream, 40 if trainer.config.compile else 4):
        trainer._train_step(portion)
        shapes.add(tuple(portion.x.shape))
    return len(shapes)


def main() -> None:
    """Read the arguments and print the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["pretrain"])
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--preset", default="small")
    parser.add_argument("--shape", action="append", default=[], help="as width=256; repeatable")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--chemistry", default="none")
    parser.add_argument("--random-spelling", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=50)
    args = vars(parser.parse_args())
    del args["what"]
    steps = args.pop("steps")
    args["shape"] = tuple(args["shape"])
    with tempfile.TemporaryDirectory() as folder:
        config = PretrainConfig(out=Path(folder), chemistry_from="z+h", **args)
        found = measure_pretraining(config, steps)
    settings = {name: value for name, value in args.items() if name != "corpus"}
    facts = {"steps": steps, "threads": torch.get_num_threads(), "torch": torch.__version__}
    sys.stdout.write(json.dumps(settings | facts | found) + "\n")


if __name__ == "__main__":
    main()
