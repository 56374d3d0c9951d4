"""Saved splits: stated, complete, and refused when they or the data were changed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.datasets import DATASETS, Dataset, digest_rows
from benchmarks.splits import (
    FOLDER,
    UNUSED,
    digest_assignment,
    list_splits,
    load_parts,
    read_digests,
    save_splits,
    split_key,
)
from cmim_chem.chem.split import scaffold_split
from cmim_chem.errors import DataError
from cmim_chem.sources.facts import get_source

RAW = ("c1ccccc1C", "CCO", "C1CCCCC1", "CC", "c1ccccc1O", "c1ccncc1", "CCN", "c1ccccc1Cl", "CCCC")


@pytest.fixture
def dataset():
    source = replace(get_source("esol"), rows=len(RAW) + 2)
    rows = np.array([0, 1, 2, 4, 5, 6, 7, 9, 10])  # rows 3 and 8 of the file are not used
    y = np.arange(len(RAW), dtype=float)[:, None]
    dropped = {3: "cannot parse", 8: "empty"}
    digest = digest_rows(rows, RAW, y)
    return Dataset(source, ("esol",), rows, RAW, RAW, y, dropped, digest)


def test_a_saved_split_is_read_back_and_adds_up(dataset, tmp_path):
    save_splits([dataset], tmp_path)
    for split, seed in list_splits("regression"):
        parts = load_parts(dataset, split, seed, tmp_path)
        every = np.concatenate([parts.train, parts.valid, parts.test])
        assert np.array_equal(np.sort(every), np.arange(len(RAW)))
    parts = load_parts(dataset, "scaffold", 0, tmp_path)
    expected = [np.sort(part).tolist() for part in scaffold_split(RAW)]
    assert [parts.train.tolist(), parts.valid.tolist(), parts.test.tolist()] == expected


def test_a_changed_split_is_refused(dataset, tmp_path):
    save_splits([dataset], tmp_path)
    path = tmp_path / "esol.npz"
    with np.load(path) as saved:
        arrays = dict(saved)
    arrays["scaffold"][0] = 2 - arrays["scaffold"][0]
    np.savez_compressed(path, **arrays)
    with pytest.raises(DataError, match="not the split that was saved"):
        load_parts(dataset, "scaffold", 0, tmp_path)


def test_a_split_of_other_data_is_refused(dataset, tmp_path):
    save_splits([dataset], tmp_path)
    with pytest.raises(DataError, match="differ from those that were split"):
        load_parts(replace(dataset, digest="other"), "scaffold", 0, tmp_path)


def test_a_split_that_loses_a_row_is_refused(dataset, tmp_path):
    save_splits([dataset], tmp_path)
    with np.load(tmp_path / "esol.npz") as saved:
        arrays = dict(saved)
    arrays["scaffold"][0] = UNUSED
    np.savez_compressed(tmp_path / "esol.npz", **arrays)
    listing = tmp_path / "digests.json"
    stated = json.loads(listing.read_text())
    stated["esol"]["scaffold"] = digest_assignment(arrays["scaffold"])
    listing.write_text(json.dumps(stated))
    with pytest.raises(DataError, match="do not add up"):
        load_parts(dataset, "scaffold", 0, tmp_path)


def test_a_split_that_was_never_saved_says_what_to_do(dataset, tmp_path):
    with pytest.raises(DataError, match=r"python -m benchmarks\.splits"):
        load_parts(dataset, "scaffold", 0, tmp_path)


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_committed_is_whole(name):
    source = get_source(name)
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as saved:
        for split, seed in list_splits(source.kind):
            assignment = saved[split_key(split, seed)]
            assert digest_assignment(assignment) == read_digests(name, split, seed)[1]
            assert assignment.shape == (source.rows,)
            sizes = np.bincount(assignment, minlength=UNUSED + 1)
            assert sizes[:3].sum() + sizes[UNUSED] == source.rows
            used = sizes[:3].sum()
            np.testing.assert_allclose(sizes[:3] / used, [0.8, 0.1, 0.1], atol=0.01)
