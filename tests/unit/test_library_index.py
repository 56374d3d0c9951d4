"""The index of a library: exact below a size, a graph above, mapped from files that are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmim_chem.errors import ArtifactError, InputError, OutputError
from cmim_chem.library_index.build import Builder
from cmim_chem.library_index.search import LibraryIndex

ROWS, D = 3_000, 24


@pytest.fixture(scope="module")
def h() -> np.ndarray:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(6, D))
    return (rng.normal(size=(ROWS, 6)) @ directions + 0.2 * rng.normal(size=(ROWS, D)) + 3).astype(
        np.float32
    )


def build(folder: Path, h: np.ndarray, exact_below: int) -> Builder:
    frame = pd.DataFrame({
        "name": [f"mol {at}" for at in range(len(h))],
        "smiles": ["C" * (1 + at % 9) for at in range(len(h))],
        "row": np.arange(1, len(h) + 1),
    })  # fmt: skip
    with Builder(folder, "encoder", exact_below) as builder:
        for start in range(0, len(h), 700):
            builder.write((h[start : start + 700], frame[start : start + 700]))
    return builder


def find_by_hand(h: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    mean = h.mean(axis=0)
    units = (h - mean) / np.linalg.norm(h - mean, axis=1, keepdims=True)
    asked = (queries - mean) / np.linalg.norm(queries - mean, axis=1, keepdims=True)
    cosine = asked @ units.T
    rows = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(cosine, rows, axis=1)


def test_a_small_library_is_searched_exactly(tmp_path, h):
    builder = build(tmp_path / "index", h, exact_below=ROWS + 1)
    assert builder.facts["recall_at_10"] is None
    index = LibraryIndex.open(tmp_path / "index", "encoder")
    queries = h[:20] + 0.05
    rows, cosine = find_by_hand(h, queries, 5)
    found = index.query(queries, 5)
    np.testing.assert_allclose(found.cosine, cosine, atol=2e-3)  # half precision
    assert (found.rows == rows).mean() > 0.95  # as near as half precision can tell
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


def test_a_large_library_is_searched_by_a_graph_that_finds_nearly_all(tmp_path, h):
    builder = build(tmp_path / "index", h, exact_below=ROWS)
    assert builder.facts["recall_at_10"] >= 0.95
    index = LibraryIndex.open(tmp_path / "index", "encoder")
    assert (index.folder / "graph.usearch").is_file()
    queries = h[:200] + 0.05
    exact = find_by_hand(h, queries, 10)[0]
    found = index.query(queries, 10).rows
    hits = [len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
    assert np.mean(hits) / 10 >= 0.95
    assert index.take(found[0, :2])["row"].tolist() == (found[0, :2] + 1).tolist()


def test_equal_molecules_come_in_the_order_of_the_library(tmp_path, h):
    build(tmp_path / "index", np.repeat(h[:50], 3, axis=0), exact_below=1_000)
    found = LibraryIndex.open(tmp_path / "index", "encoder").query(h[7:8], 3)
    assert found.rows.tolist() == [[21, 22, 23]]


def test_rows_without_numbers_and_too_few_molecules(tmp_path, h):
    build(tmp_path / "index", h[:4], exact_below=10)
    index = LibraryIndex.open(tmp_path / "index", "encoder")
    queries = h[:2].copy()
    queries[1] = np.nan
    found = index.query(queries, 6)
    assert (found.rows[0, 4:] == -1).all()
    assert sorted(found.rows[0, :4].tolist()) == [0, 1, 2, 3]
    assert (found.rows[1] == -1).all()
    with pytest.raises(InputError):
        index.query(queries, 0)


def test_an_index_that_is_not_whole_or_not_ours_is_refused(tmp_path, h):
    folder = tmp_path / "index"
    with pytest.raises(ArtifactError, match="no library index"):
        LibraryIndex.open(folder, "encoder")
    build(folder, h, exact_below=ROWS)
    with pytest.raises(ArtifactError, match="was built with encoder encoder"):
        LibraryIndex.open(folder, "other")
    content = (folder / "graph.usearch").read_bytes()
    (folder / "graph.usearch").write_bytes(content[:-1])
    with pytest.raises(ArtifactError, match=r"graph\.usearch: missing or cut off"):
        LibraryIndex.open(folder, "encoder")


def test_a_build_that_fails_leaves_what_was_there(tmp_path, h):
    build(tmp_path / "index", h[:10], exact_below=100)
    with pytest.raises(RuntimeError), Builder(tmp_path / "index", "encoder"):
        raise RuntimeError
    assert len(LibraryIndex.open(tmp_path / "index", "encoder")) == 10
    with pytest.raises(InputError, match="no molecule"), Builder(tmp_path / "index", "encoder"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    (tmp_path / "other").mkdir()
    with pytest.raises(OutputError, match="is no index"):
        Builder(tmp_path / "other", "encoder")
