"""The data report and the smoke run: duplicates, contradictions, and scores that changed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from benchmarks import smoke
from benchmarks.data_report import describe, find_overlap, has_conflict, write_markdown
from benchmarks.datasets import Dataset, digest_rows
from benchmarks.machine import describe_machine, find_commit
from benchmarks.representations import CLASSICAL, Encoders, Features
from benchmarks.splits import load_parts, save_splits
from cmim_chem.errors import InputError
from cmim_chem.pretrain.corpus import Source, build_corpus
from cmim_chem.pretrain.exclude import Exclusion
from cmim_chem.sources.facts import get_source

SMILES = ("CCO", "CCO", "c1ccccc1", "CC", "CCC", "CCN", "CCN", "CCCC", "c1ccncc1", "CO")


@pytest.fixture
def dataset():
    source = replace(get_source("bbbp"), rows=len(SMILES) + 1)
    rows = np.arange(len(SMILES))
    y = np.array([0.0, 1, 0, 1, 0, 1, 1, 0, 1, 0])[:, None]
    digest = digest_rows(rows, SMILES, y)
    return Dataset(source, ("bbbp",), rows, SMILES, SMILES, y, {10: "cannot parse: x"}, digest)


def test_the_data_report_counts(dataset, tmp_path, monkeypatch):
    save_splits([dataset], tmp_path)
    monkeypatch.setattr("benchmarks.data_report.load_parts", partial(load_parts, folder=tmp_path))
    facts = describe(dataset)
    assert facts["rows"] == 11
    assert facts["used"] == sum(facts["parts"]) == 10
    assert facts["not_used"] == {"cannot parse": 1}
    assert facts["molecules"] == 8
    assert facts["repeated_rows"] == 2
    assert facts["contradictory"] == 1  # ethanol is 0 and 1, ethylamine twice 1
    assert facts["positive"] == [0.5, 0.5, 0.5]
    text = write_markdown({"bbbp": facts})
    assert "| bbbp | 11 | 1 | 10 |" in text
    assert "not looked up" in text


def test_conflicts_need_labels_in_both_rows():
    nan = np.nan
    assert not has_conflict(np.array([[0, nan], [nan, 1]]), "classification")
    assert has_conflict(np.array([[0, 1], [0, 0.0]]), "classification")
    assert not has_conflict(np.array([[1.0], [1.2]]), "regression")
    assert has_conflict(np.array([[1.0], [1.4]]), "regression")
    assert not has_conflict(np.full((2, 1), nan), "classification")


def test_overlap_is_by_connectivity(dataset, tmp_path):
    nothing = Exclusion(frozenset(), frozenset())
    corpus = [Source("some", ["OCC", "CCCCCC", "Cc1ccccc1", "[O-]C"])]
    build_corpus(corpus, tmp_path / "corpus", nothing)
    # Ethanol however it is spelled, and methanol, whose charge was neutralized.
    assert find_overlap([dataset], tmp_path / "corpus") == {"bbbp": 2}


def test_features_are_computed_once_and_kept_by_data(dataset, tmp_path, monkeypatch):
    calls = []
    make = lambda smiles: calls.append(1) or np.ones((len(smiles), 3), np.float32)  # noqa: E731
    monkeypatch.setitem(CLASSICAL, "descriptors", make)
    first = Features(dataset, Encoders(), tmp_path).get("descriptors")["descriptors"]
    again = Features(dataset, Encoders(), tmp_path).get("descriptors")["descriptors"]
    assert np.array_equal(first, again)
    assert len(calls) == 1
    other = replace(dataset, digest="other")
    Features(other, Encoders(), tmp_path).get("descriptors")
    assert len(calls) == 2


def test_the_smoke_run_compares_what_is_the_same_cell():
    line = {
        "dataset": "esol", "split": "scaffold", "seed": 0, "representation": "ecfp",
        "head": "linear", "model_digest": "", "data_digest": "d", "split_digest": "s",
        "protocol": 1, "value": 1.0,
    }  # fmt: skip
    other = {**line, "representation": "cmim:h", "model_digest": "old", "value": 5.0}
    newer = {**other, "model_digest": "new"}
    assert smoke.compare([{**line, "value": 1.1}, newer], [line, other]) == [
        ("esol ecfp linear", 1.1, 1.0)
    ]
    with pytest.raises(InputError, match="no result to compare"):
        smoke.compare([newer], [line, other])


@pytest.mark.parametrize(("now", "code"), [(1.01, 0), (1.05, 1)])
def test_the_smoke_run_fails_on_another_score(monkeypatch, capsys, now, code):
    monkeypatch.setattr(smoke, "run_cells", lambda *args: 0)
    monkeypatch.setattr(smoke, "compare", lambda *args: [("esol ecfp linear", now, 1.0)])
    assert smoke.main() == code
    assert ("DIFFERS" in capsys.readouterr().out) == bool(code)


def test_where_a_number_was_measured():
    assert find_commit()
    machine = describe_machine()
    assert machine["cpus"] >= 1
    assert {"numpy", "torch", "rdkit"} <= set(machine)
