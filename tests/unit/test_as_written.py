"""Molecules as written: charges and counterions stay, and the head is chosen by validation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import as_written
from benchmarks.heads.table import HEADS
from cmim_chem.errors import DataError


def test_charges_and_counterions_are_kept_in_one_reading_only():
    dataset = SimpleNamespace(raw=("[Cl-].C[NH3+]", "OCC"), smiles=("CN", "CCO"))
    both = as_written.read_both(dataset)
    assert both["standardized"] == ["CN", "CCO"]
    assert both["as written"] == ["C[NH3+].[Cl-]", "CCO"]


def test_a_molecule_that_the_encoder_cannot_read_is_named():
    embedder = SimpleNamespace(
        embed=lambda smiles: SimpleNamespace(h=None, problems=["", "too long"])
    )
    with pytest.raises(DataError, match="CCO: too long"):
        as_written.describe(["C", "CCO"], embedder)


def test_the_head_is_chosen_on_validation_rows_not_on_test_rows(monkeypatch):
    def fit(cell, table, x):
        valid = 0.9 if cell.head == "knn" else 0.8
        right = cell.head != "knn"  # every other head is perfect on the test rows
        y = np.array([[0.0], [1.0]])
        return SimpleNamespace(
            y=y, predicted=y if right else 1 - y, choice=SimpleNamespace(valid=valid)
        )

    monkeypatch.setattr(as_written, "fit_cell", fit)
    assert "knn" in HEADS
    dataset = SimpleNamespace(name="bbbp", metric="roc_auc", tasks=("one",))
    parts = SimpleNamespace(train=np.array([0, 1]))
    found = as_written.score_best((dataset, parts), "h", np.eye(2, dtype=np.float32))
    assert found == {"head": "knn", "valid": 0.9, "test": 0.0}
