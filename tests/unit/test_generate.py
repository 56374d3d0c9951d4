"""Reconstructing, sampling, interpolating, optimizing: promises that hold whatever is decoded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, Descriptors

from cmim_chem.chem.standardize import standardize
from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.generate.bank import load_bank, make_bank, save_bank
from cmim_chem.generate.generator import Generator
from cmim_chem.generate.labels import (
    compare_molecules,
    describe_molecules,
    tabulate_optimized,
    tabulate_samples,
    tabulate_way,
)
from cmim_chem.generate.optimize import Goal, Search, optimize
from cmim_chem.generate.oracles import find_oracle, measure_plogp, measure_qed
from cmim_chem.generate.writing import list_along, list_nearer, write_first
from cmim_chem.model.decoding import Decoding
from tests.unit.generating import Speller, make_generator

POSSIBLE = {"CCO", "CCN", "CCOC", "CCCN", "CCCC(=O)O", "Oc1ccccc1"}


@pytest.fixture(scope="module")
def generator(tmp_path_factory) -> Generator:
    return make_generator(tmp_path_factory.mktemp("index"), Speller)


# ------------------------------------------------------------------------------------- bank


def test_a_bank_survives_the_disk(tmp_path: Path):
    codes = np.random.default_rng(0).normal(0, 0.1, (50, 8)).astype(np.float32)
    bank = make_bank(codes, 0.5, "abc")
    save_bank(bank, tmp_path / "bank")
    again = load_bank(tmp_path / "bank", "abc")
    assert np.abs(again.codes - codes).max() < 0.01 * bank.spread * 2
    assert again.spread == bank.spread == pytest.approx(0.1, rel=0.1)
    assert again.domain == 0.5


def test_a_bank_of_another_encoder_or_a_damaged_one_is_refused(tmp_path: Path):
    save_bank(make_bank(np.ones((3, 2), np.float32), 0.5, "abc"), tmp_path / "bank")
    with pytest.raises(ArtifactError, match="another encoder"):
        load_bank(tmp_path / "bank", "xyz")
    (tmp_path / "bank").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match="make weights"):
        load_bank(tmp_path / "bank", "abc")
    with pytest.raises(ArtifactError):
        load_bank(tmp_path / "nothing", "abc")


def test_no_code_is_drawn_twice_before_all_were(generator):
    bank = make_bank(np.arange(10, dtype=np.float32)[:, None], 0.0, "")
    drawn = bank.draw(25, np.random.default_rng(0))[:, 0]
    assert sorted(drawn[:10]) == sorted(drawn[10:20]) == list(range(10))
    assert len(set(drawn[20:])) == 5
    assert bank.draw(0, np.random.default_rng(0)).shape == (0, 1)


# -------------------------------------------------------------------------------- molecules


def test_every_sample_is_standardized_unique_and_not_the_seed(generator):
    for around in (None, "OCC"):
        found = generator.sample(4, around, radius=3.0)
        assert 0 < len(found.smiles) <= 4
        assert len(set(found.smiles)) == len(found.smiles)
        assert set(found.smiles) <= POSSIBLE - ({"CCO"} if around else set())
        assert all(standardize(one).smiles == one for one in found.smiles)
        assert found.valid < found.tried
        assert np.isnan(found.similarity).all() == (around is None)


def test_tries_run_out_and_the_seed_decides(generator):
    found = generator.sample(50, radius=3.0, seed=1)
    assert set(found.smiles) == POSSIBLE
    assert found.tried <= 20 * 50
    assert generator.sample(50, radius=3.0, seed=1).smiles == found.smiles
    orders = {generator.sample(50, radius=3.0, seed=seed).smiles for seed in range(5)}
    assert len(orders) > 1


def test_a_radius_of_zero_writes_the_seed_alone(tmp_path):
    real = make_generator(tmp_path)
    assert len({real.predictor.embedder.decode(real.encode("CCO")[1])[0] for _ in range(3)}) == 1
    assert len(real.sample(2, "CCO", radius=0.0).smiles) <= 1


@pytest.mark.parametrize("wrong", [{"n": 0}, {"n": 1, "radius": -1}, {"n": 1, "around": "C("}])
def test_requests_that_make_no_sense_are_refused(generator, wrong):
    with pytest.raises(InputError):
        generator.sample(**wrong)


def test_reconstruction_keeps_rows(generator):
    raw = ["CCO", "nonsense", None, "[Na+].CC[O-]"]
    read, written = generator.reconstruct(raw)
    frame = compare_molecules(read, written)
    assert len(frame) == 4
    assert frame["problem"][1].startswith("cannot parse")
    assert frame["problem"][2].startswith("empty")
    assert not frame["exact"][1:3].any()
    assert frame["standardized_smiles"].tolist() == ["CCO", "", "", "CCO"]


def test_what_is_no_molecule_or_no_code_is_a_problem(generator):
    z = np.zeros((10, generator.bank.codes.shape[1]))
    z[:9, 0] = np.arange(9) / 10 + 0.05
    z[9] = np.nan
    found = generator.decode(z)
    assert [one.smiles for one in found] == [
        *("CCO", "CCN", "CCO", None, "CCOC", None, "CCCN", "CCCC(=O)O", "Oc1ccccc1", None)
    ]
    assert "C(" in found[3].problem
    assert "no end" in found[5].problem
    assert "not finite" in found[9].problem


def test_what_is_no_molecule_can_be_rescued(generator):
    z = np.zeros((3, generator.bank.codes.shape[1]))
    z[:, 0] = [0.05, 0.35, np.nan]
    assert [one.smiles for one in generator.decode(z, Decoding(rescue=8))] == ["CCO", "CCCO", None]
    assert [one.smiles for one in generator.decode(z, Decoding(rescue=1))] == ["CCO", None, None]


def test_what_no_beam_can_rescue_is_tried_nearby(generator):
    embedder, width = generator.predictor.embedder, generator.bank.codes.shape[1]
    bad, good, late = (np.full((2, width), number) for number in (0.35, 0.15, 0.05))
    first = np.stack([bad[0], good[0]])

    def write(*choices, beams=1):  # of one beam, none is a molecule
        found = write_first(embedder, choices, Decoding(rescue=beams))
        return [one.smiles for one in found]

    assert write(first, bad, late) == ["CCO", "CCN"]
    assert write(first, good, late) == ["CCN", "CCN"]
    assert write(first, good, beams=8) == ["CCCO", "CCN"]
    assert write(first, good, beams=0) == write(first, bad) == [None, "CCN"]
    assert "C(" in write_first(embedder, [first, np.full_like(first, 0.55)])[0].problem


def test_codes_to_try_instead_are_nearby():
    mu, noise = np.ones((1, 3)), np.full((2, 3), 4.0)
    wanted, *others = list_nearer(mu, noise)
    assert (wanted == 5.0).all()
    assert [one[0, 0] for one in others] == [4.0, 3.0]
    wanted, before, behind = list_along(
        np.zeros((1, 3)), np.ones((1, 3)), np.array([0.25, 0.5, 0.75])
    )
    assert wanted[:, 0].tolist() == [0.25, 0.5, 0.75]
    assert before[:, 0] == pytest.approx([0.25 - 1 / 12, 0.5 - 1 / 12, 0.75 - 1 / 12])
    assert behind[:, 0] == pytest.approx([0.25 + 1 / 12, 0.5 + 1 / 12, 0.75 + 1 / 12])


def test_a_way_begins_and_ends_where_it_should(generator):
    way = generator.interpolate("OCC", "CCOC", steps=7)
    assert way.molecules[0].smiles == "CCO"
    assert way.molecules[-1].smiles == "CCOC"
    assert way.similarity[0, 0] == way.similarity[-1, 1] == 1.0
    frame = tabulate_way(generator, way)
    assert len(frame) == 7
    assert frame["qed"].isna().tolist() == [one.smiles is None for one in way.molecules]
    with pytest.raises(InputError, match="steps"):
        generator.interpolate("C", "CC", steps=1)


def test_labels_name_what_is_known(generator):
    frame = describe_molecules(generator.predictor, ["CCO", "CCCCCC"])
    assert frame["nearest"][0] == "ethanol"
    assert frame["known"].tolist() == [True, False]
    assert frame["nearest_tanimoto"][0] == 1.0
    assert frame["qed"][1] == pytest.approx(QED.qed(Chem.MolFromSmiles("CCCCCC")))
    assert len(describe_molecules(generator.predictor, [])) == 0
    samples = generator.sample(3, "CCO", radius=3.0)
    assert tabulate_samples(generator, samples)["smiles"].tolist() == list(samples.smiles)


# ------------------------------------------------------------------------------------- search


def test_oracles():
    assert measure_qed(["CC(=O)Oc1ccccc1C(=O)O"])[0] == pytest.approx(0.550, abs=0.001)
    # A larger ring than six costs its excess; logP and SA as RDKit has them.
    ring = "C1CCCCCCC1"
    without = measure_plogp([ring])[0] + 2
    from rdkit.Contrib.SA_Score import sascorer

    molecule = Chem.MolFromSmiles(ring)
    assert without == pytest.approx(
        Descriptors.MolLogP(molecule) - sascorer.calculateScore(molecule)
    )


def test_unknown_properties_are_refused(generator):
    assert find_oracle(generator.predictor, "QED")[0] == "qed"
    with pytest.raises(InputError, match="no property"):
        find_oracle(generator.predictor, "beauty")


def test_the_search_finds_the_best_within_the_limits(generator):
    goal, search = Goal("qed", "up", 0.2), Search(12, 8, radius=3.0)
    found = optimize(generator, "CCO", goal, search)
    assert set(found.smiles) <= POSSIBLE - {"CCO"}
    assert (np.diff(found.value) <= 0).all()
    assert (found.similarity >= 0.2).all()
    assert found.value == pytest.approx(measure_qed(found.smiles))
    assert found.start == pytest.approx(measure_qed(["CCO"])[0])
    assert len(found.smiles) < found.calls <= len(POSSIBLE) + 1
    assert found.iterations == 8
    again = optimize(generator, "CCO", goal, search)
    assert again.smiles == found.smiles
    frame = tabulate_optimized(generator, found, 2)
    assert frame["score"].tolist() == found.value[:2].tolist()


def test_down_is_down_and_a_target_ends_the_search(generator):
    down = optimize(generator, "CCO", Goal("qed", "down", 0.0), Search(12, 8, 3.0))
    assert (np.diff(down.value) >= 0).all()
    early = optimize(generator, "CCO", Goal("qed", "up", 0.0, target=0.1), Search(12, 50, 3.0))
    assert early.iterations < 50
    stopped = optimize(generator, "CCO", Goal(min_similarity=0), Search(12, 50, 3.0), lambda: True)
    assert stopped.iterations == 1


def test_molecules_outside_the_domain_are_not_given(generator):
    nothing_is_near = dataclasses.replace(
        generator, bank=dataclasses.replace(generator.bank, domain=1.1)
    )
    found = optimize(nothing_is_near, "CCO", Goal(min_similarity=0.0), Search(12, 4, 3.0))
    assert found.smiles == ()
    assert found.calls == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Goal(direction="sideways"),
        lambda: Goal(min_similarity=2),
        lambda: Search(particles=1),
        lambda: Search(radius=0),
    ],
)
def test_goals_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()
