"""One molecule or one problem in words for every cell; short cut and full road agree."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from cmim_chem.chem.standardize import (
    Standardized,
    _steps,
    is_plain,
    standardize,
    standardize_fully,
    standardize_many,
    standardize_molecule,
)
from data.prepare_zinc import read_smi


@pytest.mark.parametrize(
    ("raw", "smiles", "note"),
    [
        ("OCC", "CCO", ""),
        ("  CCO  ", "CCO", ""),
        ("[Na+].[O-]C(=O)c1ccccc1", "O=C(O)c1ccccc1", "salt removed: Na; charges neutralized"),
        ("CN.Cl", "CN", "salt removed: Cl"),
        ("[13CH3]C([2H])O", "CCO", "isotope labels removed"),
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O", ""),
        ("C/C=C\\C", "C/C=C\\C", ""),
        ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]", ""),
        ("C[NH+](C)C", "CN(C)C", "charges neutralized"),
        ("CCO.CCO", "CCO", "kept one of 2 identical parts"),
        ("CCCCO.CCN", "CCCCO", "mixture: kept the largest organic part, removed CCN"),
    ],
)
def test_molecules(raw: str, smiles: str, note: str) -> None:
    assert standardize(raw) == Standardized(smiles, "", note)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("C1CC", "cannot parse: unclosed ring 1"),
        ("C%12CC", "cannot parse: unclosed ring 12"),
        ("CC(C", "cannot parse: unbalanced parenthesis"),
        ("C[NH", "cannot parse: unbalanced square bracket"),
        ("not_a_smiles", "cannot parse: character '_' is not SMILES"),
        ("CX", "cannot parse: 'X' is no atom that can stand outside brackets"),
        ("CC(C)(C)(C)C", "impossible molecule: atom 2 (C) has 5 bonds, more than it can"),
        ("c1cccc1", "impossible molecule: aromatic ring without a possible Kekule structure"),
        ("[Na+].[Cl-]", "no organic fragment: nothing in this row contains carbon"),
        ("", "empty: no SMILES in this row"),
        ("   ", "empty: no SMILES in this row"),
        (None, "empty: no SMILES in this row"),
        (float("nan"), "empty: no SMILES in this row"),
        ("C" * 1_000_000, "1,000,000 characters: a SMILES of at most 2,000 is read"),
    ],
)
def test_problems_are_words(raw: object, problem: str) -> None:
    assert standardize(raw) == Standardized(None, problem)


@pytest.mark.parametrize("raw", [3.5, 7, b"CCO", ["CCO"], "\x00", "C\nC", "C" * 2_000, "[" * 99])
def test_no_cell_raises(raw: object) -> None:
    found = standardize(raw)
    assert (found.smiles is None) == bool(found.problem)


def test_processes_change_nothing() -> None:
    cells: list[object] = ["OCC", None, "C1CC", "[Na+].[O-]C(=O)C"] * 600
    assert standardize_many(cells, workers=2) == standardize_many(cells)


@pytest.mark.parametrize(
    "smiles",
    [
        "CS(C)=O",
        "C[NH+](C)C",
        "CP(C)C",
        "CC.O",
        "[CH3]",
        "[13CH4]",
        "C[Hg]C",
        "NN",
        "C[N+](=O)[S-]",
    ],
)
def test_the_short_cut_is_not_taken_where_a_step_could_act(smiles: str) -> None:
    assert not is_plain(Chem.MolFromSmiles(smiles))


@pytest.mark.needs_data
def test_the_short_cut_equals_the_full_road(data_dir: Path) -> None:
    taken = charged = 0
    with rdBase.BlockLogs():
        corpus = data_dir / "corpora" / "pubchem_substances.smi.gz"
        for raw in islice(read_smi(corpus), 0, None, 20):
            molecule = Chem.MolFromSmiles(raw)
            if molecule is None or not is_plain(molecule):
                continue
            taken += 1
            assert standardize(raw) == standardize_fully(molecule)[0], raw
            charged += "+" in raw
    assert taken > 2_000
    assert charged > 200, "nitro groups are left as they are"


@pytest.mark.needs_data
def test_the_steps_equal_those_of_rdkit(data_dir: Path) -> None:
    changed = 0
    corpus = data_dir / "corpora" / "pubchem_substances.smi.gz"
    with rdBase.BlockLogs():
        for raw in islice(read_smi(corpus), 0, None, 40):
            molecule = Chem.MolFromSmiles(raw)
            if molecule is None or is_plain(molecule):
                continue
            clean = rdMolStandardize.Cleanup(molecule)
            assert Chem.MolToSmiles(_steps().clean(molecule)) == Chem.MolToSmiles(clean), raw
            parent = rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose(clean)
            neutral = rdMolStandardize.Uncharger(True).uncharge(parent)
            changed += Chem.MolToSmiles(neutral) != Chem.MolToSmiles(molecule)
            found = standardize(raw)
            if found.smiles is not None and not any(a.GetIsotope() for a in neutral.GetAtoms()):
                again = Chem.MolFromSmiles(Chem.MolToSmiles(neutral))
                assert found.smiles == Chem.MolToSmiles(again), raw
    assert changed > 100


@pytest.mark.parametrize("raw", ["OCC", "CCO", "[Na+].[O-]C(=O)C", "C1CC", None, "[Na+]"])
def test_the_molecule_is_what_its_smiles_parses_to(raw: str | None) -> None:
    found, molecule = standardize_molecule(raw)
    assert found == standardize(raw)
    if found.smiles is None:
        assert molecule is None
    else:
        expected = Chem.MolFromSmiles(found.smiles)
        assert [a.GetSymbol() for a in molecule.GetAtoms()] == [
            a.GetSymbol() for a in expected.GetAtoms()
        ]
        assert Chem.MolToSmiles(molecule) == found.smiles


@pytest.mark.needs_data
def test_standardized_molecules_stay_as_they_are(data_dir: Path) -> None:
    corpus = data_dir / "corpora" / "zinc_druglike.smi.gz"
    for raw in islice(read_smi(corpus), 0, None, 100):
        smiles = standardize(raw).smiles
        assert standardize(smiles).smiles == smiles
