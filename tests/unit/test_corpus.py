"""The corpus: what is kept, what is left out and why, and in which order it is shown."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from cmim_chem.chem.tokenizer import EOS, PAD
from cmim_chem.errors import DataError
from cmim_chem.pretrain.batches import BatchPlan, collate, pad_length, respell
from cmim_chem.pretrain.corpus import Corpus, Source, build_corpus
from cmim_chem.pretrain.exclude import Exclusion, connectivity_key, skeleton_key

NOBODY = Exclusion(frozenset(), frozenset())


def test_every_molecule_has_one_fate(tmp_path: Path) -> None:
    sources = [
        Source("test", ["CCO", "CCN"], hold_out=1.0),
        Source("train", ["OCC", "c1ccccc1", "C1CC", "CCCl.[Na+]", "C" * 30, "CCF"], repeat=2),
    ]
    excluded = Exclusion.of(["FC([2H])C", "not"])
    build_corpus(sources, tmp_path, excluded, max_tokens=20)
    corpus = Corpus(tmp_path)
    counts = corpus.manifest["sources"]
    assert counts["test"] == {"read": 2, "repeat": 1, "held_out": 2}
    assert counts["train"] == {
        "read": 6,
        "repeat": 2,
        "duplicate": 1,
        "kept": 2,
        "invalid": 1,
        "too_long": 1,
        "benchmark": 1,
    }
    kept = [corpus.tokenizer.decode(corpus[i].tolist()) for i in range(len(corpus))]
    assert kept == ["c1ccccc1", "CCCl"]
    assert corpus.held_out("test") == ["CCO", "CCN"]
    assert corpus.manifest["per_epoch"] == 4


def test_exclusion_is_by_connectivity_and_not_by_spelling() -> None:
    excluded = Exclusion.of(["C[C@H](N)C(=O)O"])
    other_stereo, other_bonds = "C[C@@H](N)C(=O)O", "NCCC(=O)O"
    assert (other_stereo, skeleton_key(other_stereo)) in excluded
    assert (other_bonds, skeleton_key(other_bonds)) not in excluded
    charged = "C[C@H]([NH3+])C(=O)[O-]"
    assert (charged, skeleton_key(charged)) in excluded
    assert connectivity_key(other_stereo) == connectivity_key("CC(N)C(=O)O")


def test_hold_out_is_decided_by_the_molecule_alone(tmp_path: Path) -> None:
    smiles = [f"{'C' * n}O{'C' * m}" for n in range(1, 30) for m in range(1, n + 1)]
    for folder, order in (("a", smiles), ("b", smiles[::-1])):
        build_corpus([Source("s", order, hold_out=0.2)], tmp_path / folder, NOBODY)
    held = [set(Corpus(tmp_path / folder).held_out("s")) for folder in ("a", "b")]
    assert held[0] == held[1]
    assert 0.1 < len(held[0]) / len(set(smiles)) < 0.3


def test_a_damaged_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a corpus folder"):
        Corpus(tmp_path / "nowhere")
    build_corpus([Source("s", ["CCO", "CCN"])], tmp_path, NOBODY)
    with pytest.raises(DataError, match="no hold-out 'x'"):
        Corpus(tmp_path).held_out("x")
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError):
        Corpus(tmp_path)


def test_an_epoch_shows_each_molecule_as_often_as_it_should(tmp_path: Path) -> None:
    twice = [f"{'C' * n}N" for n in range(1, 33)]
    once = [f"{'C' * n}O" for n in range(1, 65)]
    build_corpus([Source("a", twice, repeat=2), Source("b", once)], tmp_path, NOBODY)
    plan = BatchPlan(Corpus(tmp_path), batch_size=2, seed=0)
    shown = np.bincount(np.concatenate(plan.epoch(0)), minlength=96)
    assert shown[:32].max() == 2
    assert shown[32:].max() == 1
    assert shown.sum() >= 127  # one may be left without company


def test_batches_are_a_function_of_seed_and_step(tmp_path: Path) -> None:
    build_corpus([Source("a", [f"{'C' * n}N" for n in range(1, 65)])], tmp_path, NOBODY)
    corpus = Corpus(tmp_path)
    straight = BatchPlan(corpus, 4, seed=3).from_step(0)
    later = [next(straight) for _ in range(40)][25:]
    resumed = BatchPlan(corpus, 4, seed=3).from_step(25)
    for batch in later:
        assert np.array_equal(batch, next(resumed))
    assert not np.array_equal(
        BatchPlan(corpus, 4, 4).epoch(0)[0], BatchPlan(corpus, 4, 3).epoch(0)[0]
    )


def test_collate_marks_the_end_and_pads() -> None:
    x = collate([[5, 6], [7]], pad_length(2))
    assert x.shape == (2, 16)
    assert x[0, :4].tolist() == [5, 6, EOS, PAD]
    assert x[1, :3].tolist() == [7, EOS, PAD]


def test_a_random_spelling_is_the_same_molecule_and_no_longer_than_allowed(tmp_path: Path) -> None:
    smiles = ["CC(C)Cc1ccc(C(C)C(=O)O)cc1", "Cn1cnc2c1c(=O)n(C)c(=O)n2C"]
    build_corpus([Source("a", smiles)], tmp_path, NOBODY)
    corpus = Corpus(tmp_path)
    for i, own in enumerate(smiles):
        found = [respell(corpus[i], corpus.tokenizer, seed, 40) for seed in range(1, 9)]
        written = [corpus.tokenizer.decode(ids) for ids in found]
        assert len(set(written)) > 4
        assert {connectivity_key(s) for s in written} == {connectivity_key(own)}
        assert list(found[0]) == list(respell(corpus[i], corpus.tokenizer, 1, 40))
        assert list(respell(corpus[i], corpus.tokenizer, 1, 3)) == list(corpus[i])


def test_checksums_in_the_manifest_are_those_of_the_files(tmp_path: Path) -> None:
    build_corpus([Source("s", ["CCO", "CCN"])], tmp_path, NOBODY)
    sums = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["sha256"]
    assert set(sums) == {"tokens.npy", "offsets.npy", "repeats.npy"}
    for name, expected in sums.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == expected
