"""Training really learns, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint, save_checkpoint
from cmim_chem.pretrain.config import PretrainConfig, learning_rate_at
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.evaluate import reconstruction
from cmim_chem.pretrain.trainer import Trainer
from tests.integration.pretraining import EVERY_SWITCH, weights


@pytest.mark.parametrize(
    "switches", [{}, {"objective": "infonce"}, EVERY_SWITCH], ids=["cmim", "infonce", "all"]
)
def test_stop_and_resume_equals_the_straight_run_bit_for_bit(
    config: PretrainConfig, switches: dict[str, object]
) -> None:
    straight = replace(config, **switches)
    Trainer(straight).run()
    stopped = replace(straight, out=config.out.with_name("stopped"))
    trainer = Trainer(stopped)
    trainer.save = lambda: _die_after(trainer, step=6)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    Trainer(stopped, resume=True).run()
    a, b = weights(straight.out), weights(stopped.out)
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name
    lines = [(run / "log.jsonl").read_text().splitlines() for run in (straight.out, stopped.out)]
    told = [[_without_clock(json.loads(line)) for line in part] for part in lines]
    assert told[0] == told[1]


def _die_after(trainer: Trainer, step: int) -> None:
    Trainer.save(trainer)
    if trainer.step == step:
        raise KeyboardInterrupt


def _without_clock(line: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in line.items() if name != "seconds"}


def test_a_run_is_not_overwritten_and_not_resumed_with_other_settings(
    config: PretrainConfig,
) -> None:
    Trainer(config).run()
    with pytest.raises(InputError, match="--resume"):
        Trainer(config)
    with pytest.raises(InputError, match=r"learning_rate = 0\.0006, not 0\.1"):
        Trainer(replace(config, learning_rate=0.1), resume=True)


def test_a_crash_in_the_middle_of_a_checkpoint_leaves_the_last_one(config: PretrainConfig) -> None:
    Trainer(config).run()
    state = config.out / "state"
    state.rename(config.out / "state-old")
    assert Trainer(config, resume=True).step == config.steps


def test_settings_that_do_not_exist_are_named(corpus: Path, tmp_path: Path) -> None:
    for field, value in (("preset", "x"), ("objective", "x"), ("precision", "x"), ("steps", 0)):
        with pytest.raises(InputError, match=f"--{field}"):
            PretrainConfig(corpus, tmp_path, **{field: value})
    for shape in ("x=1", "width", "width=x", "width=101", "readout=-1", "sigma_floor=2"):
        with pytest.raises(InputError, match="--shape"):
            PretrainConfig(corpus, tmp_path, shape=(shape,))
    for field in ("random_spelling", "blank_tokens", "average"):
        with pytest.raises(InputError, match=f"--{field.replace('_', '-')} must"):
            PretrainConfig(corpus, tmp_path, **{field: 1.5})


def test_the_rate_rises_stays_and_falls(config: PretrainConfig) -> None:
    long = replace(config, steps=100, warmup_steps=10, decay_fraction=0.4)
    rates = [learning_rate_at(step, long) / long.learning_rate for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:60] == pytest.approx([1.0] * 50)
    assert rates[80] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.03


def test_bfloat16_takes_the_same_road_for_a_while(config: PretrainConfig) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        run = replace(config, out=config.out.with_name(precision), precision=precision)
        Trainer(run).run()
        lines = map(json.loads, (run.out / "log.jsonl").read_text().splitlines())
        losses[precision] = [line["loss"] for line in lines if "loss" in line]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["cmim", "mim"])
def test_a_tiny_model_memorizes_64_molecules(config: PretrainConfig, objective: str) -> None:
    run = replace(
        config,
        objective=objective,
        steps=1100,
        batch_size=32,
        learning_rate=2e-3,
        warmup_steps=300,
        log_every=100,
        eval_every=1000,
        checkpoint_every=1000,
    )
    trainer = Trainer(run)
    trainer.run()
    trainer.model.eval()
    corpus = Corpus(config.corpus)
    smiles = [corpus.tokenizer.decode(corpus[i].tolist()) for i in range(len(corpus))]
    assert len(smiles) == 64
    assert reconstruction(trainer.model, corpus.tokenizer, smiles) == (1.0, 1.0)
    others = [*smiles[1:], smiles[0]]  # it writes what it has read, not what is compared with
    assert reconstruction(trainer.model, corpus.tokenizer, smiles, spellings=others)[1] == 0.0


def test_a_checkpoint_survives_its_folder_and_damage_is_named(
    config: PretrainConfig, tmp_path: Path
) -> None:
    Trainer(config).run()
    folder = config.out / "encoder"
    model, tokenizer = load_checkpoint(folder)
    save_checkpoint(tmp_path / "copy", model, tokenizer, {})
    for name, value in load_checkpoint(tmp_path / "copy")[0].state_dict().items():
        assert torch.equal(value, model.state_dict()[name])
    assert digest_checkpoint(tmp_path / "copy") != digest_checkpoint(folder)  # other training facts
    damaged = folder / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    with pytest.raises(ArtifactError, match="not a readable checkpoint"):
        load_checkpoint(folder)
    damaged.unlink()
    with pytest.raises(ArtifactError, match=r"model\.safetensors is missing"):
        digest_checkpoint(folder)
