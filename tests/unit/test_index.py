"""The neighbor index against brute force, on hostile queries and with damaged files."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.index import NO_NEIGHBOR, NeighborIndex, build_index
from cmim_chem.index_files import COLUMNS

N, D = 600, 24
ENCODER = "a" * 64
CREDITS = {"approved drug": "ChEMBL, CC BY-SA 3.0", "ZINC": "ZINC, free to use"}


def make_table(n: int = N) -> pd.DataFrame:
    drug = np.arange(n) % 3 == 0
    return pd.DataFrame(
        {
            "name": [f"MOLECULE {i}" if d else None for i, d in enumerate(drug)],
            "smiles": ["C" * (i + 1) for i in range(n)],
            "chembl_id": [f"CHEMBL{i}" if d else None for i, d in enumerate(drug)],
            "year": [1950 + i % 70 if d else None for i, d in enumerate(drug)],
            "source": np.where(drug, "approved drug", "ZINC"),
        }
    )


@pytest.fixture(scope="module")
def h():
    """Embeddings with one large common direction, as real ones have."""
    rng = np.random.default_rng(7)
    return (rng.normal(size=(N, D)) + 20).astype(np.float32)


@pytest.fixture(scope="module")
def index(h, tmp_path_factory) -> NeighborIndex:
    return build_index(h, make_table(), ENCODER, tmp_path_factory.mktemp("index"), CREDITS)


@pytest.fixture
def folder(h, tmp_path):
    build_index(h, make_table(), ENCODER, tmp_path, CREDITS)
    return tmp_path


def brute_force(index: NeighborIndex, h: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort everything, in double precision, by cosine and then by row."""
    centered = h.astype(np.float64) - index.mean
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    cosine = np.round(centered @ index.vectors.T.astype(np.float64), 6)
    rows = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(cosine, rows, axis=1)


def test_finds_what_brute_force_finds(index):
    queries = np.random.default_rng(1).normal(20, 1, size=(300, D))
    found = index.query(queries, k=10)
    rows, cosine = brute_force(index, queries, 10)
    assert found.rows.dtype == np.int64
    assert found.cosine.dtype == np.float32
    np.testing.assert_allclose(found.cosine, cosine, atol=2e-6)
    # A rounded tie in one precision may be none in the other; it is rare.
    assert np.mean(found.rows == rows) > 0.999


def test_finds_what_scikit_learn_finds(index):
    queries = np.random.default_rng(2).normal(20, 1, size=(50, D))
    oracle = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute")
    distance, rows = oracle.fit(index.vectors).kneighbors(queries - index.mean)
    found = index.query(queries, k=5)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.cosine, 1 - distance, atol=2e-6)


def test_every_molecule_finds_itself_first_with_cosine_one(index, h):
    found = index.query(h, k=1)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(N))
    np.testing.assert_allclose(found.cosine[:, 0], 1, atol=1e-4)  # one byte per number


def test_a_byte_per_number_keeps_the_cosines(index, h):
    centered = h.astype(np.float64) - index.mean
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    found = index.query(h, k=N)
    exact = np.take_along_axis(centered @ centered.T, found.rows, axis=1)
    assert np.abs(found.cosine - exact).mean() < 1e-3


def test_the_file_holds_a_byte_per_number(folder):
    assert N * D < (folder / "vectors.safetensors").stat().st_size < N * D + 4 * D + 300


def test_centering_tells_apart_what_raw_cosine_does_not(index, h):
    raw = h / np.linalg.norm(h, axis=1, keepdims=True)
    assert np.min(raw @ raw.T) > 0.98
    assert np.std(index.query(h, k=N).cosine) > 0.1


def test_a_source_restricts_the_search(index, h):
    found = index.query(h, k=5, source="approved drug")
    assert set(index.table["source"].iloc[found.rows.ravel()]) == {"approved drug"}
    every_row, _ = brute_force(index, h[:1], N)
    assert found.rows[0].tolist() == [row for row in every_row[0] if row % 3 == 0][:5]


def test_unknown_source_names_the_known_ones(index, h):
    with pytest.raises(InputError, match=r'"approved drug", "ZINC"'):
        index.query(h, source="PubChem")


@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_refused(index, h, k):
    with pytest.raises(InputError, match="1 or more"):
        index.query(h, k=k)


def test_query_of_another_width_is_a_mistake_of_the_caller(index):
    with pytest.raises(ValueError, match="expected"):
        index.query(np.zeros((2, D + 1)))


def test_ties_come_in_the_order_of_the_table(tmp_path):
    rng = np.random.default_rng(3)
    distinct = rng.normal(size=(4, D)).astype(np.float32)
    h = np.repeat(distinct, 50, axis=0)[rng.permutation(200)]
    index = build_index(h, make_table(200), ENCODER, tmp_path, CREDITS)
    for query in distinct:
        same = np.flatnonzero((h == query).all(axis=1))
        # The cut falls among equals: the first in the table must win.
        assert index.query(query[None], k=7).rows[0].tolist() == same[:7].tolist()


def test_rows_without_numbers_have_no_neighbors_and_keep_their_place(index, h):
    queries = h[:5].copy()
    queries[1] = np.nan
    queries[3, 4] = np.inf
    found = index.query(queries, k=3)
    assert (found.rows[[1, 3]] == NO_NEIGHBOR).all()
    assert np.isnan(found.cosine[[1, 3]]).all()
    assert found.rows[[0, 2, 4], 0].tolist() == [0, 2, 4]


def test_no_queries_give_no_neighbors(index):
    assert index.query(np.empty((0, D)), k=4).rows.shape == (0, 4)


def test_more_neighbors_than_molecules_are_padded(index, h):
    found = index.query(h[:2], k=N + 5)
    assert found.rows.shape == (2, N + 5)
    assert sorted(found.rows[0, :N]) == list(range(N))
    assert (found.rows[:, N:] == NO_NEIGHBOR).all()
    assert np.isnan(found.cosine[:, N:]).all()


def test_a_query_at_the_mean_is_like_nothing(index):
    found = index.query(index.mean[None], k=3)
    assert found.cosine[0].tolist() == [0, 0, 0]
    assert found.rows[0].tolist() == [0, 1, 2]


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(40)), size=st.integers(1, 40))
def test_neighbors_do_not_depend_on_the_company_of_a_query(index, h, order, size):
    together = index.query(h[:40], k=6)
    apart = [index.query(h[order[i : i + size]], k=6) for i in range(0, 40, size)]
    np.testing.assert_array_equal(np.concatenate([a.rows for a in apart]), together.rows[order])
    cosine = np.concatenate([a.cosine for a in apart])
    np.testing.assert_allclose(cosine, together.cosine[order], atol=2e-6)


def test_round_trip(folder, h):
    index = NeighborIndex.load(folder, ENCODER)
    again = NeighborIndex.load(folder, ENCODER)
    np.testing.assert_array_equal(index.query(h, k=4).rows, again.query(h, k=4).rows)
    assert len(index) == N
    assert index.sources == ("approved drug", "ZINC")
    assert dict(index.credits) == CREDITS
    assert index.digest == again.digest
    assert tuple(index.table.columns) == COLUMNS
    assert index.table["name"].iloc[:2].tolist() == ["MOLECULE 0", ""]
    assert index.table["year"].dtype == "Int64"
    assert index.table["year"].iloc[0] == 1950
    assert index.table["year"].isna().iloc[1]


def test_building_twice_gives_the_same_digest(h, tmp_path):
    digests = {
        build_index(h, make_table(), ENCODER, tmp_path / name, CREDITS).digest for name in "ab"
    }
    assert len(digests) == 1


def test_a_loaded_index_cannot_be_changed(index):
    with pytest.raises(dataclasses.FrozenInstanceError):
        index.encoder_digest = "b"
    with pytest.raises(ValueError, match="read-only"):
        index.vectors[0] = 0
    with pytest.raises(TypeError):
        index.credits["ZINC"] = ""
    table = index.table
    table.loc[0, "name"] = "changed"
    assert index.table.loc[0, "name"] == "MOLECULE 0"


def test_another_encoder_is_refused_and_both_are_named(folder):
    with pytest.raises(ArtifactError, match=r"aaaaaaaaaaaa.*bbbbbbbbbbbb"):
        NeighborIndex.load(folder, "b" * 64)


@pytest.mark.parametrize("name", ["vectors.safetensors", "table.parquet"])
def test_a_changed_or_missing_file_is_named(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=name):
        NeighborIndex.load(folder, ENCODER)
    path.unlink()
    with pytest.raises(ArtifactError, match=f"{name}: missing"):
        NeighborIndex.load(folder, ENCODER)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": "x"}', '{"format": 1, "files": 3}']
)
def test_a_damaged_manifest_is_named(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        NeighborIndex.load(folder, ENCODER)


def test_an_index_of_a_later_format_is_refused(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"format": "cmim-chem neighbor index, version 2"}))
    with pytest.raises(ArtifactError, match="version 1"):
        NeighborIndex.load(folder, ENCODER)


def test_a_folder_without_an_index_is_said_to_be_one(tmp_path):
    with pytest.raises(ArtifactError, match="no neighbor index here"):
        NeighborIndex.load(tmp_path / "nowhere", ENCODER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t, c: (h[:-1], t, c), "rows"),
        (lambda h, t, c: (h, t.drop(columns="year"), c), "year"),
        (lambda h, t, c: (h, t, {"ZINC": "x"}), "approved drug"),
        (lambda h, t, c: (np.where(np.arange(N)[:, None] == 5, np.nan, h), t, c), "row 5"),
    ],
)
def test_parts_that_do_not_fit_are_not_built(h, tmp_path, change, message):
    vectors, table, credits = change(h, make_table(), CREDITS)
    with pytest.raises(ValueError, match=message):
        build_index(vectors, table, ENCODER, tmp_path, credits)
    assert not list(tmp_path.iterdir())
