"""What each switch of a run does, and that none of them costs exactness."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cmim_chem.chem.facts import compute_facts
from cmim_chem.errors import InputError
from cmim_chem.model.checkpoint import digest_checkpoint
from cmim_chem.model.config import PRESETS
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.exclude import connectivity_key
from cmim_chem.pretrain.feed import Feed
from cmim_chem.pretrain.ranks import ALONE
from cmim_chem.pretrain.trainer import Trainer
from tests.integration.pretraining import EVERY_SWITCH, weights


@pytest.mark.parametrize("switches", [{}, {"objective": "infonce"}, EVERY_SWITCH])
def test_the_number_of_workers_changes_nothing(
    config: PretrainConfig, switches: dict[str, object]
) -> None:
    run = replace(config, **switches)
    corpus = Corpus(config.corpus)
    told = []
    for workers in (0, 2):
        portions = Feed(replace(run, workers=workers), corpus, ALONE).read_from(3)
        told.append([next(portions) for _ in range(20)])
    for a, b in zip(*told, strict=True):
        assert a.x.equal(b.x)
        assert (a.read is None) == (b.read is None) == (not switches)
        assert a.read is None or a.read.equal(b.read)
        assert a.facts.keys() == b.facts.keys()
        for name in a.facts:
            assert a.facts[name].equal(b.facts[name])


def test_a_share_of_the_molecules_is_read_in_another_spelling_and_keeps_its_facts(
    config: PretrainConfig,
) -> None:
    corpus = Corpus(config.corpus)
    portions = Feed(replace(config, **EVERY_SWITCH), corpus, ALONE).read_from(0)
    changed = total = 0
    for _ in range(20):
        _, _, x, read, facts = next(portions)
        assert read.shape == x.shape
        smiles = [corpus.tokenizer.decode(row) for row in x.tolist()]
        other = [corpus.tokenizer.decode(row) for row in read.tolist()]
        assert [connectivity_key(s) for s in other] == [connectivity_key(s) for s in smiles]
        assert np.array_equal(facts["ecfp"].numpy(), compute_facts(smiles, ["ecfp"])["ecfp"])
        changed += sum(a != b for a, b in zip(smiles, other, strict=True))
        total += len(smiles)
    # Half are drawn, and a small molecule often draws its own spelling.
    assert 0.2 < changed / total < 0.5


def test_the_average_of_the_weights_is_what_ships(config: PretrainConfig) -> None:
    run = replace(config, average=0.5, steps=3)
    trainer = Trainer(run)
    start = {name: p.clone() for name, p in trainer.model.named_parameters()}
    portions = trainer.feed.read_from(0)
    by_hand, name = start["posterior.weight"], "posterior.weight"
    for step in (1, 2, 3):
        trainer._train_step(next(portions))
        keep = min(0.5, step / (step + 10))
        by_hand = keep * by_hand + (1 - keep) * dict(trainer.model.named_parameters())[name]
    Trainer(run).run()
    assert torch.allclose(weights(run.out)[name], by_hand, atol=1e-6)
    state = load_file(run.out / "state" / "network.safetensors")
    assert not torch.equal(state[f"model.{name}"], weights(run.out)[name])


def test_blanks_reach_the_decoder_but_not_what_it_writes(config: PretrainConfig) -> None:
    trainer = Trainer(replace(config, blank_tokens=0.3, batch_size=64))
    portion = next(trainer.feed.read_from(0))
    batch, _ = trainer._draw(portion)
    assert 0.25 < batch.blank.float().mean() < 0.35
    assert batch.x is portion.x
    z = torch.zeros(len(batch.x), 64)
    told, untold = trainer.model.decode(z, batch.x), trainer.model.decode(z, batch.x, batch.blank)
    differs = (told - untold).abs().amax(-1) > 0
    assert not differs[:, 0].any()  # before the first token there is nothing to be left out
    assert differs[:, 1:][batch.blank[:, :-1]].all()


def test_a_run_can_start_from_an_encoder(config: PretrainConfig, tmp_path: Path) -> None:
    first = replace(config, steps=2)
    Trainer(first).run()
    encoder = first.out / "encoder"
    warm = replace(config, out=tmp_path / "warm", init=encoder, chemistry="ecfp", average=0.9)
    trainer = Trainer(warm)
    for name, value in weights(first.out).items():
        assert torch.equal(trainer.model.state_dict()[name], value)
        assert torch.equal(trainer.encoder.state_dict()[name], value)
    trainer.run()
    training = json.loads((warm.out / "encoder" / "config.json").read_text())["training"]
    assert training["init"] == digest_checkpoint(encoder)
    # The start is in the weights: to go on, the encoder is needed no more.
    resumed = Trainer(replace(warm, init=None, steps=14), resume=True)
    assert resumed.step == 12
    assert resumed.init_digest == digest_checkpoint(encoder)
    for wrong in ({"shape": ("d_z=32",)}, {"preset": "small"}):
        with pytest.raises(InputError, match=r"--init .*: its shape"):
            Trainer(replace(warm, out=tmp_path / "x", **wrong))


def test_a_run_can_start_from_an_encoder_with_the_other_gelu(
    config: PretrainConfig, tmp_path: Path
) -> None:
    first = replace(config, steps=2)
    Trainer(first).run()
    described = first.out / "encoder" / "config.json"
    settings = json.loads(described.read_text())
    assert settings["model"].pop("gelu") == "none"  # as in a checkpoint that does not say
    described.write_text(json.dumps(settings))
    warm = Trainer(replace(config, out=tmp_path / "warm", init=first.out / "encoder"))
    assert warm.model.config.gelu == "none"
    for name, value in weights(first.out).items():
        assert torch.equal(warm.model.state_dict()[name], value)


def test_a_resumed_run_keeps_its_switches(config: PretrainConfig) -> None:
    run = replace(config, **EVERY_SWITCH, steps=2)
    Trainer(run).run()
    Trainer(replace(run, workers=0), resume=True)
    for field in sorted(set(EVERY_SWITCH) - {"workers"}):
        with pytest.raises(InputError, match=f"the run has {field} = "):
            Trainer(replace(run, **{field: getattr(config, field)}), resume=True)


def test_a_run_keeps_the_shape_it_began_with(
    config: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = replace(config, steps=2)
    Trainer(run).run()
    monkeypatch.setitem(PRESETS["tiny"], "gelu", "tanh")
    assert Trainer(replace(run, steps=4), resume=True).model.config.gelu == "none"
    assert Trainer(replace(run, out=run.out.with_name("new"))).model.config.gelu == "tanh"
