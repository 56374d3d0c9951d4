"""Fixtures of the command-line and training tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmim_chem.predictor import Predictor
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.corpus import Source, build_corpus
from cmim_chem.pretrain.exclude import Exclusion
from tests.integration.pretraining import SMILES
from tests.integration.stand_in import THREE_ROWS, StandIn


@pytest.fixture
def stand_in(monkeypatch):
    loads = []

    def load(folder=None, extra_probes=(), known=True):
        loads.append((folder, extra_probes))
        return StandIn()

    monkeypatch.setattr(Predictor, "load", load)
    return loads


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(THREE_ROWS)
    return path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    test = Source("moses_test", ["CCCCO", "CCCCN"], hold_out=1.0)
    train = Source("train", SMILES)
    build_corpus([test, train], folder, Exclusion(frozenset(), frozenset()))
    return folder


@pytest.fixture
def config(corpus: Path, tmp_path: Path) -> PretrainConfig:
    return PretrainConfig(
        corpus,
        tmp_path / "run",
        preset="tiny",
        steps=12,
        batch_size=8,
        warmup_steps=4,
        precision="fp32",
        log_every=3,
        eval_every=6,
        checkpoint_every=6,
        eval_molecules=2,
        workers=0,
    )
