"""Fixtures of the command-line tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmim_chem.predictor import Predictor
from tests.integration.stand_in import THREE_ROWS, StandIn


@pytest.fixture
def stand_in(monkeypatch):
    loads = []

    def load(folder=None, extra_probes=()):
        loads.append((folder, extra_probes))
        return StandIn()

    monkeypatch.setattr(Predictor, "load", load)
    return loads


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(THREE_ROWS)
    return path
