"""Atoms and their part in a prediction, on an additive truth; measured molecules and cliffs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors
from scipy.stats import spearmanr
from typer.testing import CliRunner

from cmim_chem.attribution import attribute_atoms, hide_atoms
from cmim_chem.chem.read import read_table
from cmim_chem.cli.main import app
from cmim_chem.errors import InputError
from cmim_chem.features import gather_features
from cmim_chem.measured import find_cliffs, find_measured, read_measured
from cmim_chem.predictor import Predictor
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, fit_probe
from tests.integration.test_fit import MOLECULES, weights  # noqa: F401 - a fixture

POLAR = ["O", "N", "C(=O)O", "Cl", "C#N", "C(N)=O", "S", "Br"]
SOME = [one + end for one in MOLECULES for end in POLAR]


def fit_logp(predictor: Predictor, features: str, shuffled: bool = False) -> Predictor:
    smiles = [one.smiles for one in predictor.embed(SOME)[0] if one.smiles]
    _, embedded = predictor.embed(smiles)
    y = np.array([Crippen.MolLogP(Chem.MolFromSmiles(one)) for one in smiles])[:, None]
    rows = np.arange(len(smiles))
    if shuffled:
        y = np.random.default_rng(0).permutation(y)
    blocks = gather_features(embedded, rows, smiles)
    split = (rows[rows % 10 > 1], rows[rows % 10 == 1], rows[rows % 10 == 0])
    data = TrainingData(blocks, y, ("logp",), "regression", split)
    about = About("logp", "log P", ("log P",), ("",), predictor.digests["encoder"])
    return Predictor(predictor.embedder, [fit_probe(data, about, (features,), ("linear",))])


def contribute(smiles: str) -> np.ndarray:
    """Crippen's contribution of each atom with its hydrogens."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    parts = [one for one, _ in rdMolDescriptors._CalcCrippenContribs(molecule)]
    heavy = Chem.MolFromSmiles(smiles).GetNumAtoms()
    total = np.array(parts[:heavy])
    for atom in list(molecule.GetAtoms())[heavy:]:
        total[atom.GetNeighbors()[0].GetIdx()] += parts[atom.GetIdx()]
    return total


@pytest.fixture(scope="module")
def predictor(weights) -> Predictor:  # noqa: F811
    return Predictor.load(weights)


def test_atoms_of_an_additive_property_get_their_part(predictor):
    """Through the fingerprint: the encoder of this test has learned nothing."""
    found, random = (fit_logp(predictor, "ecfp", shuffled) for shuffled in (False, True))
    right, wrong = [], []
    for smiles in SOME[::8]:
        (one,) = attribute_atoms(found, smiles)
        truth = contribute(one.smiles)
        right.append(spearmanr(one.atoms, truth)[0])
        wrong.append(spearmanr(attribute_atoms(random, smiles)[0].atoms, truth)[0])
    assert np.median(right) > 0.4
    assert abs(np.median(wrong)) < 0.25


@pytest.mark.parametrize("features", ["h", "h+descriptors+ecfp"])
def test_every_block_can_be_hidden_from(predictor, features):
    found = fit_logp(predictor, features)
    (one,) = attribute_atoms(found, "OCCCc1ccccc1", ["logp"])
    assert one.smiles == "OCCCc1ccccc1"
    assert one.atoms.shape == (10,)
    assert np.ptp(one.atoms) > 0
    assert one.value == pytest.approx(found.score(["OCCCc1ccccc1"]).values[0, 0], abs=1e-3)


def test_hiding_starts_from_the_molecule_as_it_is(predictor):
    variants = hide_atoms(predictor.embedder, "CCO", {"h", "z", "ecfp", "descriptors"})
    expected = predictor.embedder.embed(["CCO"])
    for variant in variants:
        assert {name: block.shape[0] for name, block in variant.items()} == dict.fromkeys(
            ("z", "h", "ecfp", "descriptors"), 4
        )
        np.testing.assert_allclose(variant["h"][0], expected.h[0], atol=1e-5)
    # The first carbon replaced by a carbon is the molecule itself.
    carbon = variants[1]["h"]
    np.testing.assert_allclose(carbon[1], carbon[0], atol=1e-5)
    assert np.abs(carbon[3] - carbon[0]).max() > 1e-3


def test_a_molecule_that_cannot_be_read_is_said(predictor):
    with pytest.raises(InputError, match="broken"):
        attribute_atoms(predictor, "broken(")


def test_measured_neighbors_and_cliffs(tmp_path: Path):
    rows = [("CCCCCCO", 1.0), ("CCCCCCN", 1.1), ("CCCCCCCO", 9.0), ("c1ccccc1", 2.0)]
    rows += [("C" * n, 1.0 + n / 50) for n in range(1, 12)] + [("OCCCCCC", 3.0)]
    pd.DataFrame(rows, columns=["smiles", "y"]).to_csv(tmp_path / "t.csv", index=False)
    known = read_measured(read_table(tmp_path / "t.csv"), "y")
    found = find_measured("CCCCCCO", known, k=3)
    assert found["smiles"].iloc[0] == "CCCCCCO"
    assert found["value"].iloc[0] == 2.0
    assert found["tanimoto"].iloc[0] == 1.0
    assert found["tanimoto"].is_monotonic_decreasing
    assert dict(zip(found["smiles"], found["cliff"], strict=True))["CCCCCCCO"]
    assert find_cliffs(["CCCCCCO", "CCCCCCCO", "c1ccccc1"], np.array([1.0, 9.0, 50.0]), 5.0) == [
        (0, 1)
    ]
    with pytest.raises(InputError, match="no column 'z'"):
        read_measured(read_table(tmp_path / "t.csv"), "z")


def test_the_command_says_how_sure_why_and_like_what(weights, tmp_path: Path):  # noqa: F811
    def run(*arguments):
        return CliRunner().invoke(app, [str(one) for one in arguments], prog_name="cmim")

    rng = np.random.default_rng(0)
    size = [len(one) + rng.normal() for one in MOLECULES]
    table = tmp_path / "t.csv"
    pd.DataFrame({"smiles": MOLECULES, "y": size}).to_csv(table, index=False)
    options = ["--head", "linear", "--features", "h+ecfp", "--model", weights, "--no-report"]
    fitted = run("fit", table, "--target", "y", "-o", tmp_path / "p", *options)
    assert fitted.exit_code == 0, fitted.output
    found = run("explain", "CCCc1ccccc1", "--probe", tmp_path / "p", "--model", weights,
                "--svg", tmp_path / "svg", "--measured", table, "--target", "y")  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "nearest training compound Tanimoto 1.00" in found.stdout
    assert " to " in found.stdout
    assert "measured y" in found.stdout
    assert (tmp_path / "svg" / "y.svg").read_text().startswith("<svg")
    bad = run("explain", "broken(", "--probe", tmp_path / "p", "--model", weights)
    assert bad.exit_code == 2
    alone = run("explain", "CCO", "--measured", table)
    assert "--measured needs --target" in alone.stderr
