"""Splits: equal to DeepChem's row by row, complete, and never silent about unreadable rows."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from cmim_chem.chem.split import random_split, scaffold_split
from cmim_chem.errors import InputError

# Five scaffolds: benzene (4), none (3), cyclohexane (1), pyridine (1), naphthalene (1).
SMILES = [
    "CCO", "c1ccccc1C", "C1CCCCC1", "CC", "c1ccccc1O", "c1ccncc1", "CCN", "c1ccccc1Cl",
    "c1ccc2ccccc2c1", "Nc1ccccc1",
]  # fmt: skip


def test_groups_are_placed_largest_first_ties_by_last_first_row():
    train, valid, test = scaffold_split(SMILES)
    # 4 + 3 rows, then of the singles the one that begins last: naphthalene (8), pyridine (5).
    assert train.tolist() == [1, 4, 7, 9, 0, 3, 6, 8]
    assert valid.tolist() == [5]
    assert test.tolist() == [2]


def test_no_scaffold_is_in_two_parts_and_stereo_does_not_make_a_scaffold():
    smiles = ["C[C@H]1CCCC[C@H]1O", "C[C@@H]1CCCC[C@H]1O", *SMILES]
    scaffolds = [
        {MurckoScaffold.MurckoScaffoldSmiles(smiles[row]) for row in part}
        for part in scaffold_split(smiles)
    ]
    assert not scaffolds[0] & scaffolds[1]
    assert not (scaffolds[0] | scaffolds[1]) & scaffolds[2]


@pytest.mark.needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["esol", "bbbp", "bace"])
def test_equals_deepchem_row_by_row(name, data_dir):
    from cmim_chem.sources.moleculenet import import_deepchem, load_moleculenet

    deepchem = import_deepchem()
    with rdBase.BlockLogs():
        raw = load_moleculenet(name, data_dir).smiles
        smiles = [one for one in raw if Chem.MolFromSmiles(one) is not None]
        dataset = deepchem.data.NumpyDataset(X=np.zeros(len(smiles)), ids=smiles)
        expected = deepchem.splits.ScaffoldSplitter().split(dataset)
        found = scaffold_split(smiles)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tolist() == [int(row) for row in theirs]
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(len(smiles)))


def test_an_unreadable_row_is_an_error_that_names_it():
    with pytest.raises(InputError, match=r"row 1 .*'not_a_smiles' cannot be read; standardize"):
        scaffold_split(["CCO", "not_a_smiles", "CC"])


@pytest.mark.parametrize("n", [0, 1, 7, 100])
def test_random_split_has_every_row_once(n):
    parts = random_split(n, seed=3)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert all(part.dtype == np.int64 for part in parts)


def test_random_split_is_fixed_by_its_seed():
    first, again, other = (random_split(100, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert [len(part) for part in random_split(100)] == [80, 10, 10]


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (1.1, -0.1, 0.0)])
def test_fractions_must_be_a_partition(fractions):
    with pytest.raises(InputError, match="add up to 1"):
        scaffold_split(SMILES, fractions)
    with pytest.raises(InputError, match="add up to 1"):
        random_split(10, fractions)
