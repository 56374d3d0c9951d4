"""Percentiles against counting, the map against scikit-learn, files that are damaged or foreign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from cmim_chem.errors import ArtifactError
from cmim_chem.reference import LEVELS, Distribution, Reference, measure_map
from cmim_chem.reference_files import ReferenceContent, save_reference_content

RNG = np.random.default_rng(3)
SAMPLE = RNG.normal(size=1_700) * 2 - 3
COUNTS = RNG.poisson(2.0, size=1_700).astype(float)


def count(sample: np.ndarray, value: float) -> float:
    """Percentile by definition: what is below, and half of what is equal."""
    return 100 * ((sample < value).mean() + (sample <= value).mean()) / 2


@pytest.mark.parametrize("sample", [SAMPLE, COUNTS], ids=["numbers", "counts"])
def test_percentiles_are_those_of_the_sample_to_one_percent(sample):
    values = np.concatenate([sample[:200], [sample.min() - 1, sample.max() + 1]])
    found = Distribution.measure(sample).percentiles(values)
    assert np.abs(found - [count(sample, value) for value in values]).max() <= 1.0


def test_percentiles_reach_from_0_to_100_and_keep_what_is_missing():
    found = Distribution.measure(SAMPLE).percentiles([-1e9, 1e9, np.nan, -np.inf, np.inf])
    assert found[[0, 1, 3, 4]].tolist() == [0, 100, 0, 100]
    assert np.isnan(found[2])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.lists(st.floats(-6, 6), min_size=2))
def test_percentiles_never_fall_as_values_rise(sample, values):
    found = Distribution.measure(sample).percentiles(np.sort(values))
    assert (np.diff(found) >= -1e-9).all()
    assert 0 <= found.min() <= found.max() <= 100


@pytest.mark.parametrize("sample", [SAMPLE, COUNTS], ids=["numbers", "counts"])
def test_shares_are_a_histogram(sample):
    edges = np.linspace(sample.min(), sample.max(), 9)
    expected = np.histogram(sample, edges)[0] / len(sample)
    found = Distribution.measure(sample).shares(edges)
    assert np.abs(found - expected).max() < 0.02
    assert found.sum() == pytest.approx(1.0)


def test_missing_values_are_left_out_and_none_at_all_is_refused():
    assert Distribution.measure([1.0, np.nan, 3.0]).quantiles[[0, 50, 100]].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="at least one number"):
        Distribution.measure([np.nan])


# ---------------------------------------------------------------------------- map

H = RNG.normal(size=(300, 12)).astype(np.float32) * np.linspace(3, 0.2, 12, dtype=np.float32) + 5
OFFSET = H.mean(axis=0)
UNITS = (H - OFFSET) / np.linalg.norm(H - OFFSET, axis=1, keepdims=True)
DRUGS = np.arange(100)


def test_the_map_is_the_plane_of_the_principal_axes():
    chart = measure_map(H, OFFSET, DRUGS)
    pca = PCA(2).fit(UNITS[DRUGS])
    assert np.abs(chart.points) == pytest.approx(np.abs(pca.transform(UNITS)), abs=1e-4)
    assert chart.explained == pytest.approx(pca.explained_variance_ratio_, abs=1e-4)


def test_a_landmark_is_found_where_it_is_drawn():
    chart = measure_map(H, OFFSET, DRUGS)
    assert chart.locate(H) == pytest.approx(chart.points, abs=1e-5)
    assert np.isnan(chart.locate(np.full((1, 12), np.nan))).all()


# ---------------------------------------------------------------------------- files


def make_content() -> ReferenceContent:
    chart = measure_map(H, OFFSET, DRUGS)
    names = ("offset", "center", "axes", "explained", "rows", "points")
    return ReferenceContent(
        encoder_digest="e" * 64,
        index_digest="i" * 64,
        probe_digests={"esol": "p" * 64},
        size=1_700,
        properties={"esol": np.quantile(SAMPLE, LEVELS), "bbbp": LEVELS},
        profile={"hbd": np.quantile(COUNTS, LEVELS)},
        map={name: getattr(chart, name) for name in names},
    )


@pytest.fixture
def folder(tmp_path):
    save_reference_content(make_content(), tmp_path)
    return tmp_path


def load(folder) -> Reference:
    return Reference.load(folder, "e" * 64, "i" * 64)


def test_what_is_written_is_read_back(folder):
    found = load(folder)
    assert found.size == 1_700
    assert list(found.properties) == ["esol", "bbbp"]
    assert dict(found.probe_digests) == {"esol": "p" * 64}
    assert found.properties["esol"].quantiles == pytest.approx(np.quantile(SAMPLE, LEVELS), 1e-6)
    assert found.map.points.shape == (300, 2)
    assert found.digest == load(folder).digest


def test_a_loaded_reference_cannot_be_changed(folder):
    found = load(folder)
    with pytest.raises(TypeError):
        found.properties["esol"] = None
    with pytest.raises(ValueError, match="read-only"):
        found.map.points[0] = 0


@pytest.mark.parametrize(("encoder", "index"), [("x" * 64, "i" * 64), ("e" * 64, "x" * 64)])
def test_a_reference_of_another_model_is_refused(folder, encoder, index):
    with pytest.raises(ArtifactError, match="another encoder or index"):
        Reference.load(folder, encoder, index)


def flip_a_byte(path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "no reference here"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "damaged"),
        (lambda folder: (folder / "manifest.json").write_text("[1"), "damaged"),
        (lambda folder: (folder / "arrays.safetensors").unlink(), "missing"),
        (lambda folder: flip_a_byte(folder / "arrays.safetensors"), "not the file that was built"),
    ],
)
def test_a_damaged_reference_is_refused(folder, damage, words):
    damage(folder)
    with pytest.raises(ArtifactError, match=words):
        load(folder)
