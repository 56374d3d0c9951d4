"""MOSES' metrics on molecules whose answer is known, and the paths between codes."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rdkit import Chem

from benchmarks import generation
from benchmarks.generation import slerp
from benchmarks.generation_report import METRICS, draw, write_page
from benchmarks.moses import Filters, MoleculeSet, cosine, measure
from cmim_chem.generate.optimize import Goal, Optimized
from cmim_chem.generate.writing import list_along

DRUGS = ["CC(=O)Nc1ccc(O)cc1", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
         "O=C(O)c1ccccc1O", "c1ccc(-c2ccccn2)cc1", "c1ccc2[nH]ccc2c1"]  # fmt: skip


@pytest.fixture
def filters(tmp_path: Path) -> Filters:
    with zipfile.ZipFile(tmp_path / "wheel.whl", "w") as archive:
        archive.writestr("moses/metrics/mcf.csv", "names,smarts\naldehyde,[CX3H1](=O)[#6]\n")
        archive.writestr("moses/metrics/wehi_pains.csv", '"N=N","azo"\n')
    return Filters(tmp_path / "wheel.whl")


@pytest.mark.parametrize(
    ("smiles", "good"),
    [
        ("CCO", True),
        ("CC=O", False),  # a medicinal chemistry filter
        ("CN=NC", False),  # PAINS
        ("C[N+](C)(C)C", False),
        ("C[Si](C)C", False),
        ("C1CCCCCC1", True),
        ("C1CCCCCCC1", False),
    ],
)
def test_filters(filters, smiles, good):
    assert filters.passes(Chem.MolFromSmiles(smiles)) is good


def test_the_reference_itself_is_as_good_as_can_be(filters):
    reference = MoleculeSet(DRUGS)
    scores = measure(DRUGS, reference, [True] * 6, filters)
    assert scores["validity"] == scores["uniqueness"] == 1.0
    assert scores["novelty"] == 0.0
    assert scores["fcd"] == pytest.approx(0.0, abs=1e-3)
    assert [scores["snn"], scores["frag"]] == pytest.approx([1.0, 1.0])
    assert scores["scaf"] == pytest.approx(1.0)


def test_what_is_bad_counts_as_bad(filters):
    written = [DRUGS[0], DRUGS[0], None, "CC=O"]
    scores = measure(written, MoleculeSet(DRUGS), [True, True, False, False], filters)
    assert scores["validity"] == 0.75
    assert scores["uniqueness"] == pytest.approx(2 / 3)
    assert scores["novelty"] == 0.5
    assert scores["filters"] == pytest.approx(2 / 3)
    assert scores["fcd"] > 1
    # Three molecules, two of them the same: of nine pairs five are alike, four share little.
    assert 0 < scores["int_div"] <= 4 / 9


def test_a_model_that_writes_nothing_is_measured_too(filters):
    assert measure([None, None, "CCO", None], MoleculeSet(DRUGS), [False] * 4, filters) == {
        "validity": 0.25
    }


def test_cosine_of_counts():
    assert cosine(Counter(a=1), Counter(a=3)) == pytest.approx(1.0)
    assert cosine(Counter(a=1), Counter(b=1)) == 0.0
    assert cosine(Counter(a=1, b=1), Counter(a=1)) == pytest.approx(0.5**0.5)
    assert np.isnan(cosine(Counter(), Counter(a=1)))


def test_paths_begin_and_end_at_their_ends_and_slerp_keeps_its_length():
    a, b = np.array([[3.0, 0.0]]), np.array([[0.0, 3.0]])
    share = np.array([0.0, 0.5, 1.0])
    for path in (list_along, slerp):
        found = path(a, b, share)[0]
        assert found[0] == pytest.approx(a[0])
        assert found[-1] == pytest.approx(b[0])
    assert np.linalg.norm(slerp(a, b, share)[0], axis=1) == pytest.approx(3.0)
    assert np.linalg.norm(list_along(a, b, share)[0][1]) < 2.2


def test_the_page_has_a_section_for_what_was_measured_and_no_other(tmp_path: Path):
    scores = dict.fromkeys(METRICS, 0.5)
    lines = [
        {"task": "unseeded", "name": "mine", "size": 10, "n": 10, "radius": 0.5, **scores},
        {"task": "unseeded", "name": "mine", "size": 1000, "n": 1000, "radius": 0.5, **scores},
        {"task": "around", "name": "mine", "size": 10, "seeds": 3, "by_radius": [
            {"radius": 0.5, "validity": 0.9, "uniqueness": 0.8, "not_the_seed": 0.7,
             "novelty": 0.6, "similarity": 0.123}]},
    ]  # fmt: skip
    page = write_page(lines, "picture.png")
    assert "mine, radius 0.5, n = 1,000 | 0.500" in page
    assert "n = 10 |" not in page
    assert "| CharRNN (published) | 0.975 |" in page
    assert "| 0.123 |" in page
    assert "![Similarity and validity by radius](picture.png)" in page
    assert "Optimization" not in page
    draw(lines, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_success_counts_by_how_long_a_search_took(monkeypatch):
    def search(_, smiles, goal, how):
        nothing = np.zeros(1)
        value, iterations = {"C": (0.95, 10), "CC": (0.91, 60), "CCC": (0.8, how.iterations)}[
            smiles
        ]
        found = np.array([value]), nothing, nothing
        return Optimized((smiles,), *found, start=0.7, calls=20, iterations=iterations)

    monkeypatch.setattr(generation, "optimize", search)
    bench = SimpleNamespace(test=["C", "CC", "CCC", "CCCC"], n=10, generator=None)
    goal = Goal("qed", "up", 0.4, target=0.9)
    line = generation._improve(
        bench, lambda pool: np.array([0.7, 0.8, 0.75, 0.2]), (0.7, 0.8), goal, 2_000
    )
    assert line["seeds"] == 3
    assert line["success"] == pytest.approx(2 / 3, abs=1e-4)
    assert line["decoded"] == pytest.approx((200 + 1_200 + 2_000) / 3, abs=0.1)
    within = line["success_within"]
    assert [within[n] for n in ("250", "500", "1000", "2000")] == pytest.approx(
        [1 / 3, 1 / 3, 1 / 3, 2 / 3], abs=1e-4
    )
    assert line["gain"] == pytest.approx((0.25 + 0.21 + 0.1) / 3, abs=1e-4)
