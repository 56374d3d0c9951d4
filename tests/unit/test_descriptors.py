"""Descriptors computed sooner than RDKit does are RDKit's own numbers."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import QED, Crippen, rdMolDescriptors

from cmim_chem.chem.crippen import crippen_values
from cmim_chem.chem.descriptors import DESCRIPTOR_NAMES, descriptors, ecfp_counts
from cmim_chem.chem.graph import AROMATIC, read_graph
from cmim_chem.chem.qed import _screen
from data.prepare_zinc import read_smi

ODD = [
    *("C", "[H][H]", "[Na+].[Cl-]", "CCO", "C1CC1", "CC1CC1C", "C1CCC1", "C1C2CC12"),
    *("C12C3C4C1C5C2C3C45", "C1CC2CC12", "CCC1CC1", "CC1CCC1C"),
    *("N12CC1C2", "c1ccc2ccccc2c1", "O=[N+]([O-])c1ccccc1", "C[Si](C)(C)C", "*CC", "[2H]C([2H])O"),
    *("O=C1c2ccccc2-c2ccccc21", "O=C1CCc2ccccc21", "C1c2ccccc2-c2ccccc21", "N->[Pt]1(Cl)<-NCCN->1"),
    *("CC(=O)Oc1ccccc1C(=O)O", "O=S(=O)(N)c1ccc(Br)cc1I", "[B-](F)(F)(F)F", "[NH4+]", "C#CC#N"),
]  # fmt: skip


def rdkits_own(molecules: list[Chem.Mol]) -> np.ndarray:
    properties = rdMolDescriptors.Properties()
    rows = [
        [
            *properties.ComputeProperties(one),
            Crippen.MolLogP(one),
            Crippen.MolMR(one),
            QED.qed(one),
        ]
        for one in molecules
    ]
    with np.errstate(over="ignore"):
        table = np.array(rows).astype(np.float32)
    return np.where(np.isfinite(table), table, np.float32(np.nan))


def assert_equal(molecules: list[Chem.Mol]) -> None:
    fresh = [Chem.Mol(one.ToBinary()) for one in molecules]  # without what RDKit remembers
    found, expected = descriptors(molecules), rdkits_own(fresh)
    wrong = ~np.isclose(found, expected, rtol=2e-7, atol=0, equal_nan=True)
    rows, columns = np.nonzero(wrong)
    exact = [crippen_values([one], [read_graph(one)]) for one in molecules]
    own = [rdMolDescriptors.CalcCrippenDescriptors(one) for one in fresh]
    assert np.array_equal(np.array(exact)[..., 0], own)  # to the last bit
    assert not wrong.any(), [
        (Chem.MolToSmiles(molecules[r]), DESCRIPTOR_NAMES[c])
        for r, c in zip(rows, columns, strict=True)
    ][:5]


def test_small_and_odd_molecules() -> None:
    assert_equal([Chem.MolFromSmiles(one) for one in ODD])


def test_molecules_do_not_mix() -> None:
    together = descriptors(ODD)
    alone = np.vstack([descriptors([one]) for one in ODD])
    assert np.array_equal(together, alone, equal_nan=True)
    assert descriptors([]).shape == (0, len(DESCRIPTOR_NAMES))


def test_what_an_atom_adds_depends_on_what_is_around_it() -> None:
    learned = "CC(=O)OC", "CC(=O)O", "CC(O)=N", "OC(=O)c1ccccc1", "NC(=O)N", "O=C(C)c1ccccc1", "CON"
    first = [Chem.MolFromSmiles(one) for one in learned]
    assert_equal(first)
    assert_equal([Chem.MolFromSmiles(f"C{one}") for one in learned if one[0] == "C"] + first)


def test_parsed_molecules_and_smiles_give_the_same() -> None:
    parsed = [Chem.MolFromSmiles(one) for one in ODD]
    assert np.array_equal(descriptors(parsed), descriptors(ODD), equal_nan=True)
    assert np.array_equal(ecfp_counts(parsed), ecfp_counts(ODD))


@pytest.mark.needs_data
@pytest.mark.parametrize("corpus", ["pubchem_substances", "zinc_natural_products", "zinc_druglike"])
def test_corpora(data_dir: Path, corpus: str) -> None:
    path = data_dir / "corpora" / f"{corpus}.smi.gz"
    with rdBase.BlockLogs():
        parsed = map(Chem.MolFromSmiles, islice(read_smi(path), 0, None, 200))
        molecules = [one for one in parsed if one is not None and one.GetNumAtoms()]
    assert len(molecules) > 200
    assert_equal(molecules)


def test_a_graph_is_plain_numbers() -> None:
    graph = read_graph(Chem.MolFromSmiles("Oc1ccccc1"))
    assert graph.kinds == [8, *[6 + AROMATIC] * 6]
    assert graph.hydrogens == [1, 0, 1, 1, 1, 1, 1]
    assert graph.bonds[0] == (0, 1, 1.0)
    assert {order for *_, order in graph.bonds[1:]} == {1.5}


def test_most_alerts_are_ruled_out_without_looking() -> None:
    seen = _screen().see(read_graph(Chem.MolFromSmiles("CCCCCC")))
    assert len(seen.candidates("alerts")) < 20 < len(QED.StructuralAlerts)
