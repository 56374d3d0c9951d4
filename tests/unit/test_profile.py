"""The profile against RDKit's own numbers, and rules against drugs whose standing is known."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from cmim_chem.chem.alerts import find_alerts
from cmim_chem.chem.profile import (
    QUANTITIES,
    RULES,
    check_rules,
    count_formula,
    profile,
)
from cmim_chem.errors import InputError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
ATORVASTATIN = "CC(C)c1c(C(=O)Nc2ccccc2)c(-c2ccccc2)c(-c2ccc(F)cc2)n1CC[C@@H](O)C[C@@H](O)CC(=O)O"
WAX = "C" * 36


def verdicts(smiles: str) -> dict[str, bool]:
    return {one.rule.name.split()[0]: one.is_kept for one in check_rules(profile([smiles])[0])}


def test_numbers_are_those_of_rdkit():
    table = profile([ASPIRIN, ATORVASTATIN])
    names = [one.name for one in QUANTITIES]
    for row, smiles in zip(table, (ASPIRIN, ATORVASTATIN), strict=True):
        molecule = Chem.MolFromSmiles(smiles)
        expected = {
            "mol_weight": Descriptors.MolWt(molecule),
            "logp": Descriptors.MolLogP(molecule),
            "tpsa": Descriptors.TPSA(molecule),
            "hbd": Descriptors.NHOHCount(molecule),
            "hba": Descriptors.NOCount(molecule),
            "rotatable": Descriptors.NumRotatableBonds(molecule),
            "atoms": Chem.AddHs(molecule).GetNumAtoms(),
            "qed": Descriptors.qed(molecule),
        }
        for name, value in expected.items():
            assert row[names.index(name)] == pytest.approx(value)


def test_rules_speak_of_quantities_that_there_are():
    names = {one.name for one in QUANTITIES}
    assert len(names) == len(QUANTITIES)
    assert {name for rule in RULES for name in rule.ranges} <= names


def test_aspirin_keeps_every_rule_and_wax_none():
    assert set(verdicts(ASPIRIN).values()) == {True}
    assert set(verdicts(WAX).values()) == {False}


def test_one_break_of_the_rule_of_five_is_forgiven():
    found = {one.rule.name.split()[0]: one for one in check_rules(profile([ATORVASTATIN])[0])}
    assert len(found["Lipinski"].broken) == 2  # weight and log P
    assert not found["Lipinski"].is_kept
    heavy = dict.fromkeys((one.name for one in QUANTITIES), 1.0) | {"mol_weight": 501.0}
    lipinski = check_rules(list(heavy.values()))[0]
    assert lipinski.broken == ("Molecular weight 501.0 g/mol, above 500",)
    assert lipinski.is_kept


def test_limits_themselves_are_allowed():
    limits = {"mol_weight": 500, "logp": 5, "hbd": 5, "hba": 10}
    values = dict.fromkeys((one.name for one in QUANTITIES), 1.0) | limits
    assert check_rules(list(values.values()))[0].broken == ()


def test_alerts_are_named_by_their_list():
    assert find_alerts("O=C1C=CC(=O)C=C1") == ("PAINS: quinone A", "Brenk: chinone 1")
    assert find_alerts("CCO") == ()


def test_formula():
    assert count_formula(ASPIRIN) == "C9H8O4"


def test_what_does_not_parse_is_refused():
    with pytest.raises(InputError, match="standardize it first"):
        profile(["not_a_smiles"])
    with pytest.raises(InputError, match="standardize it first"):
        find_alerts("not_a_smiles")


def test_no_molecules_give_no_rows():
    assert profile([]).shape == (0, len(QUANTITIES))
    assert np.isfinite(profile(["C"])).all()
