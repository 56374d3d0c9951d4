"""Distances to training molecules, against RDKit, and the limits of the domain."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.chem.descriptors import ecfp_counts, tanimoto
from cmim_chem.probes.domain import Domain, Nearness, fit_domain, measure_together
from cmim_chem.probes.similarity import Fingerprints
from cmim_chem.probes.words import BORDERLINE, INSIDE, OUTSIDE

CHAINS = ["C" * n + end for n in range(1, 12) for end in ("", "O", "N", "C(=O)O", "Cl", "c1ccccc1")]
NEW = ["CCCCS", "c1ccc2ccccc2c1", "O=S(=O)(N)c1ccccc1", "CCO", "[Na]"]


def make_features(smiles, seed=0):
    rng = np.random.default_rng(seed)
    base = ecfp_counts(smiles)
    return {"ecfp": base, "h": (base[:, :200].astype(np.float32) + 0.01 * rng.normal(
        size=(len(smiles), 200))).astype(np.float32)}  # fmt: skip


@pytest.fixture(scope="module")
def domain() -> Domain:
    return fit_domain(make_features(CHAINS), np.arange(len(CHAINS)))


def test_similarity_is_the_largest_tanimoto_of_rdkit(domain):
    expected = [tanimoto(one, CHAINS).max() for one in NEW]
    found = domain.measure(make_features(NEW)).similarity
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found[3] == 1.0


def test_a_row_does_not_depend_on_its_company(domain):
    features = make_features(CHAINS + NEW, seed=1)
    together = domain.measure(features)
    for row in (0, 5, 17, len(CHAINS)):
        alone = domain.measure({name: block[row : row + 1] for name, block in features.items()})
        assert alone.similarity[0] == together.similarity[row]
        assert alone.distance[0] == together.distance[row]


def test_several_domains_together_are_each_by_itself(domain):
    halves = [fit_domain(make_features(CHAINS), np.arange(len(CHAINS))[part::2]) for part in (0, 1)]
    features = make_features(NEW)
    for one, near in zip(
        (domain, *halves), measure_together([domain, *halves], features), strict=True
    ):
        np.testing.assert_array_equal(near, one.measure(features))


def test_molecules_of_many_bits_are_counted_in_full():
    rng = np.random.default_rng(0)
    bits = rng.random((9, 2_048)) < 0.4  # some 800 of them set: more than a byte can count
    found = Fingerprints([np.packbits(bits[:5], axis=1), np.packbits(bits[5:], axis=1)])
    shared = bits.astype(int) @ bits.T
    tanimoto = shared / (bits.sum(1)[:, None] + bits.sum(1)[None] - shared)
    expected = np.column_stack([tanimoto[:, :5].max(1), tanimoto[:, 5:].max(1)])
    np.testing.assert_allclose(found.find_largest(bits.astype(np.float32)), expected, rtol=1e-6)


def test_limits_are_quantiles_of_the_training_molecules(domain):
    training = domain.measure(make_features(CHAINS))
    assert (training.similarity == 1.0).all()
    similar, dissimilar, far, farther = domain.limits
    assert 0 < dissimilar <= similar < 1
    assert 0 < far <= farther
    assert np.mean(training.distance > far) == pytest.approx(0.1, abs=0.03)


def test_verdicts_follow_the_limits(domain):
    similar, dissimilar, far, farther = domain.limits
    near = Nearness(
        np.array([similar, similar - 1e-6, dissimilar - 1e-6, 1.0, 1.0]),
        np.array([far, 0.0, 0.0, far + 1e-6, farther + 1e-6]),
    )
    assert domain.judge(near).tolist() == [INSIDE, BORDERLINE, OUTSIDE, BORDERLINE, OUTSIDE]


def test_what_is_stored_holds_no_structure_and_comes_back(domain):
    back = Domain.from_arrays(domain.arrays())
    features = make_features(NEW)
    for ours, theirs in zip(domain.measure(features), back.measure(features), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert domain.bits.shape == (len(CHAINS), 256)
    assert all(array.dtype.kind in "uif" for array in domain.arrays().values())


def test_a_large_table_keeps_a_sample(monkeypatch):
    monkeypatch.setattr("cmim_chem.probes.domain.MOST_KEPT", 20)
    sampled = fit_domain(make_features(CHAINS), np.arange(len(CHAINS)))
    assert len(sampled.bits) == 20
    assert sampled.rows == len(CHAINS)
