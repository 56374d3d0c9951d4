"""Hidden atoms: numbering, and what is left of tokens, fingerprint and descriptors."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from rdkit import Chem

from cmim_chem.chem.depict_weights import weighted_svg
from cmim_chem.chem.descriptors import DESCRIPTOR_NAMES, descriptors, ecfp_counts
from cmim_chem.chem.hiding import find_atoms, hide_in_descriptors, hide_in_ecfp, spell_atoms
from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.errors import InputError

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "C[N+](C)(C)CCBr",
    "Clc1ccc2c(c1)[nH]c1ccccc12",
    "C%10CCCCC%10S(=O)(=O)[Se]C",
]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_atoms_are_numbered_as_rdkit_does(smiles):
    tokens = find_atoms(smiles)
    assert "".join(token for token, _ in tokens) == smiles
    atoms = [token.strip("[]").lstrip("0123456789") for token, atom in tokens if atom >= 0]
    symbols = [atom.GetSymbol() for atom in Chem.MolFromSmiles(smiles).GetAtoms()]
    assert len(atoms) == len(symbols)
    for text, symbol in zip(atoms, symbols, strict=True):
        assert text.lower().startswith(symbol.lower())


def test_one_atom_at_a_time_is_replaced():
    tokenizer = Tokenizer()
    whole, (carbons, oxygens) = spell_atoms(tokenizer, "C[N+](C)(C)CBr", ("C", "O"))
    assert tokenizer.decode(whole) == "C[N+](C)(C)CBr"
    assert [tokenizer.decode(ids) for ids in carbons][1] == "CC(C)(C)CBr"
    assert [tokenizer.decode(ids) for ids in oxygens][5] == "C[N+](C)(C)CO"
    assert len(carbons) == len(oxygens) == 6


@pytest.mark.parametrize("smiles", MOLECULES)
def test_environments_of_an_atom_are_left_out_and_add_up(smiles):
    table = hide_in_ecfp(smiles)
    whole = ecfp_counts([smiles])[0]
    np.testing.assert_array_equal(table[0], whole)
    removed = whole - table[1:]
    assert (removed >= 0).all()
    assert (removed.sum(axis=1) >= 1).all()
    np.testing.assert_array_equal(removed.sum(axis=0), whole)


def test_a_wildcard_counts_for_nothing():
    table = hide_in_descriptors("CCO")
    np.testing.assert_array_equal(table[0], descriptors(["CCO"])[0])
    weight = table[:, DESCRIPTOR_NAMES.index("exactmw")]
    assert weight[0] - weight[3] == pytest.approx(17.0, abs=0.1)  # O and its hydrogen
    assert len(table) == 4


def test_a_picture_colors_by_sign():
    drawing = weighted_svg("CCO", [0.0, -1.0, 2.0])
    ElementTree.fromstring(drawing)
    assert "#F28C26" in drawing.upper()
    with pytest.raises(InputError, match="one weight for each atom"):
        weighted_svg("CCO", [1.0])
