"""Several processes train as one would, and the network is fit for other devices and sizes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import multiprocessing

from cmim_chem.model.config import preset
from cmim_chem.model.loss import Batch
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.network import Network
from cmim_chem.pretrain.ranks import ALONE, Ranks
from cmim_chem.pretrain.trainer import Trainer
from tests.integration.pretraining import EVERY_SWITCH

ROOT = Path(__file__).parents[2]


def read_log(run: Path) -> list[dict[str, float]]:
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [{name: v for name, v in line.items() if name != "seconds"} for line in lines]


def run_spread(config: PretrainConfig, *more: str) -> None:
    """Start a run in two processes, as a user would."""
    options: list[str] = []
    for field in fields(config):
        value = getattr(config, field.name)
        flag = "--" + field.name.replace("_", "-")
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and not isinstance(one, bool):
                options += [flag, str(one)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "cmim_chem.cli.main", "pretrain", *options, *more]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("switches", [{}, {"objective": "infonce"}, EVERY_SWITCH])
def test_two_processes_have_the_loss_curve_of_one(
    config: PretrainConfig, switches: dict[str, object]
) -> None:
    # Batches of 7 cannot be shared out evenly; a decay would depend on where the first part ends.
    changes = {"batch_size": 7, "log_every": 1, "decay_fraction": 0.0}
    alone = replace(config, **switches, **changes)
    spread = replace(alone, out=config.out.with_name("spread"))
    Trainer(alone).run()
    run_spread(replace(spread, steps=6))
    run_spread(spread, "--resume")
    one, two = read_log(alone.out), read_log(spread.out)
    # The stop at step 6 tells a hold-out score where the straight run does, too.
    assert [line["step"] for line in one] == [line["step"] for line in two]
    for a, b in zip(one, two, strict=True):
        # Sums in another order: float32 differs in the seventh digit and drifts in a dozen steps.
        assert b == pytest.approx(a, rel=2e-3, abs=2e-3)


def _gather(rank: int, world: int, port: int, queue: multiprocessing.Queue) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": str(port)}  # fmt: skip
    ranks = Ranks.join()
    rows = torch.arange(10.0).view(5, 2)[ranks.rows(5)].requires_grad_()
    everyone = ranks.gather(rows, 5)
    # Each process has a loss of its own that looks at the rows of all.
    (everyone.square().sum() * (rank + 1)).backward()
    queue.put((rank, everyone.tolist(), rows.grad.tolist()))
    ranks.leave()


def test_codes_of_all_processes_are_gathered_with_gradient() -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    port = 20_000 + os.getpid() % 20_000
    crew = [context.Process(target=_gather, args=(rank, 2, port, queue)) for rank in range(2)]
    for one in crew:
        one.start()
    found = sorted(queue.get(timeout=300) for _ in crew)
    for one in crew:
        one.join()
    everyone = torch.arange(10.0).view(5, 2)
    gradients = []
    for _, seen, gradient in found:
        assert seen == everyone.tolist()
        gradients += gradient
    assert gradients == (2 * everyone * (1 + 2)).tolist()


def test_a_process_alone_gathers_nothing() -> None:
    z = torch.randn(3, 2)
    assert ALONE.gather(z, 3) is z
    assert ALONE.rows(5) == slice(0, 5)


@pytest.mark.parametrize("objective", ["cmim", "mim", "vae", "infonce"])
def test_nothing_of_the_network_stays_behind_on_the_processor(objective: str) -> None:
    # The meta device stands for any other: a tensor made on the wrong one is an error there.
    config = PretrainConfig(
        Path("c"), Path("o"), preset="tiny", objective=objective, chemistry="descriptors+ecfp"
    )
    network = Network(config, preset("tiny", 40)).to("meta")
    tokens = torch.zeros(3, 16, dtype=torch.long, device="meta")
    blank = torch.zeros(3, 16, dtype=torch.bool, device="meta")
    noise = torch.zeros(3, 64, device="meta")
    facts = {"descriptors": torch.zeros(3, 121, device="meta"),
             "ecfp": torch.zeros(3, 1024, device="meta")}  # fmt: skip
    terms = network(Batch(tokens, noise, tokens, blank), facts)
    assert {term.shape for term in terms.values()} == {torch.Size([3])}
    sum(term.sum() for term in terms.values()).backward()


def test_the_molmim_preset_learns_on_a_processor(config: PretrainConfig) -> None:
    trainer = Trainer(replace(config, preset="molmim", batch_size=4))
    assert sum(p.numel() for p in trainer.model.parameters()) > 45e6
    portion = next(trainer.feed.read_from(0))
    losses = [trainer._train_step(portion)["loss"] for _ in range(4)]
    assert losses[-1] < losses[0]
