"""The shipped decoder and bank, as a chemist meets them."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.chem.standardize import standardize
from cmim_chem.generate.bank import FILE
from cmim_chem.generate.generator import Generator
from cmim_chem.generate.labels import tabulate_samples
from cmim_chem.generate.optimize import Goal, Search, optimize
from cmim_chem.generate.oracles import measure_qed
from cmim_chem.model.decoding import Decoding
from cmim_chem.predictor import SHIPPED

# Drug-like molecules of MOSES' kind.
SEED, OTHER = "COc1ccc(CC(=O)Nc2ccccc2F)cc1", "Cc1ccc(C(=O)N2CCOCC2)cc1"


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load()


def test_the_bank_is_small_and_its_codes_decode(generator):
    assert (SHIPPED / FILE).stat().st_size < 2_000_000
    codes = generator.bank.draw(100, np.random.default_rng(0))
    valid = [one.smiles for one in generator.decode(codes)]
    assert sum(one is not None for one in valid) >= 90
    assert generator.bank.spread == pytest.approx(codes.std(0).mean(), rel=0.2)


def test_a_molecule_is_written_as_it_was_read(generator):
    _, written = generator.reconstruct([SEED, OTHER])
    assert [one.smiles for one in written] == [SEED, OTHER]
    _, by_beams = generator.reconstruct([SEED, OTHER], Decoding(beams=4))
    assert by_beams == written


def test_samples_are_molecules_like_the_seed_and_known_by_their_labels(generator):
    found = generator.sample(20, SEED, radius=1.0)
    assert len(found.smiles) == 20
    assert all(standardize(one).smiles == one for one in found.smiles)
    frame = tabulate_samples(generator, found, ["esol"])
    assert frame["esol"].between(-12, 3).all()
    assert frame["similarity"].mean() > 0.3
    assert (frame["nearest"] != "").all()
    far = generator.sample(20, SEED, radius=1.5)
    assert far.similarity.mean() < found.similarity.mean()
    assert generator.sample(20, SEED, radius=1.0).smiles == found.smiles


def test_samples_without_a_seed_differ_from_each_other(generator):
    found = generator.sample(30)
    assert len(found.smiles) == 30
    assert found.valid / found.tried > 0.5


def test_a_search_finds_better_molecules_within_the_limits(generator):
    found = optimize(generator, SEED, Goal("qed", "up", 0.3), Search(20, 8))
    assert found.smiles
    assert (found.similarity >= 0.3).all()
    assert (found.cosine >= generator.bank.domain).all()
    assert found.value == pytest.approx(measure_qed(found.smiles))
    down = optimize(generator, SEED, Goal("esol", "down", 0.3), Search(20, 5))
    assert (np.diff(down.value) >= 0).all()
