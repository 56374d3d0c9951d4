"""How sure, why and like what on the page, with probes that say so and with probes that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources
from app.download import write_csv
from app.results import added_names
from app.state import Molecules
from cmim_chem.report import prediction_columns
from tests.ui.fake_predictor import TITLES, FakePredictor
from tests.ui.visitor import choose, headings, open_page, press, results, texts, upload

DRUGS = (
    "smiles,name\nCC(=O)Oc1ccccc1C(=O)O,aspirin\nC,methane\nbad,wrong\n"
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21,diazepam\n"
)
LOG_S = "measured log solubility in mols per litre"


@pytest.fixture
def sure(monkeypatch) -> FakePredictor:
    fake = FakePredictor(is_sure=True)
    monkeypatch.setattr(resources, "load_predictor", lambda: fake)
    st.cache_resource.clear()
    yield fake
    st.cache_resource.clear()


@pytest.fixture
def page(sure, monkeypatch, tmp_path) -> AppTest:
    monkeypatch.setenv("CMIM_DATA", str(tmp_path))
    return upload(open_page(), DRUGS.encode())


def molecules(page: AppTest) -> Molecules:
    return page.session_state["cmim_session"].molecules


def explain(page: AppTest, name: str = "esol") -> AppTest:
    return choose(page, "Explain a property", name)


def put_table(folder, cliff: bool = True) -> None:
    """A public table of a few molecules, in the data folder."""
    rows = [("CC(=O)Oc1ccccc1C(=O)O", -1.0), ("CC(=O)Oc1ccccc1C(=O)OC", -9.0 if cliff else -1.1)]
    rows += [("C" * n, -n / 10) for n in range(2, 14)]
    (folder / "moleculenet").mkdir()
    frame = pd.DataFrame(rows, columns=["smiles", LOG_S])
    frame.to_csv(folder / "moleculenet" / "delaney-processed.csv", index=False)


# ---------------------------------------------------------------------------- the table


def test_the_table_says_how_sure_in_words(page):
    table = results(page)
    ends = molecules(page).results.added
    low, high = ends["esol_lower"][0], ends["esol_upper"][0]
    assert table["esol sure"][0] == f"{low:.2f} to {high:.2f}".replace("-", "\u2212")
    assert table["esol sure"][2] == "", "a row without a molecule"
    assert set(table["bbbp sure"]) <= {"active", "inactive", "undecided", ""}
    assert table["bbbp sure"][0] != ""
    domain = table["domain"].tolist()
    assert domain[3] == "in domain"
    assert domain[1].startswith("outside (")
    assert domain[1].endswith(": nearest training compound Tanimoto 0.03")
    assert domain[2] == ""
    assert table["nearest_similarity"].notna().tolist() == [True, True, False, True]


def test_the_download_has_the_columns_of_the_command(page, sure):
    frame = molecules(page).results.table
    expected = prediction_columns(sure.score(["C"]))
    assert frame.columns.tolist() == ["smiles", "name", *expected.columns]
    assert frame["domain"].tolist()[2:] == ["", "in"]
    assert frame["esol_upper"].iloc[0] - frame["esol_lower"].iloc[0] == pytest.approx(4.0)


def test_a_download_can_be_uploaded_again_with_all_its_columns(page, sure):
    first = molecules(page).results
    again = molecules(upload(page, write_csv(first.table), "again.csv")).results
    assert list(again.added.columns) == list(added_names(sure))
    for name in ("esol_lower", "nearest_similarity"):
        assert f"{name}_input" in again.table.columns
        assert again.table[name].tolist() == pytest.approx(first.table[name].tolist(), nan_ok=True)
    assert again.table["domain"].tolist() == first.table["domain"].tolist()
    assert "domain_input" not in results(page)


def test_another_level_scores_again_and_keeps_the_rest(page, sure):
    before = results(page)["esol"].tolist()
    explain(page)
    sure.scored.clear()
    choose(page, "Intervals", 0.8)
    frame = molecules(page).results.added
    assert frame["esol_upper"][0] - frame["esol_lower"][0] == pytest.approx(2.0)
    assert results(page)["esol"].tolist() == pytest.approx(before, nan_ok=True)
    assert len(sure.scored) == 4
    assert list(molecules(page).insights) == [(0, "esol")], "atoms do not depend on the level"
    assert "80 % interval" in page.dataframe[0].proto.columns
    press(page, "Try an example")
    assert molecules(page).level == 0.8, "it is the visitor's"


def test_probes_that_do_not_say_so_look_as_before(predictor):
    page = upload(open_page(), DRUGS.encode())
    assert not {"domain", "nearest_similarity", "esol sure"} & set(results(page))
    assert "Intervals" not in [one.label for one in page.selectbox]
    assert list(page.dataframe[1].value) == ["Property", "Value", "How sure", "Percentile"]
    assert list(molecules(page).results.details) == []
    assert "Unlike anything" not in "".join(one.value for one in page.warning)


# ---------------------------------------------------------------------------- one molecule


def test_every_property_of_a_molecule_has_interval_domain_and_call(page):
    readings = page.dataframe[1].value
    assert " to " in readings["How sure"][0]
    assert set(readings["How sure"][2:]) <= {"active", "inactive", "undecided"}
    assert readings["Domain"].isin(["in domain", "borderline", "outside"]).all()
    assert readings["Nearest"].between(0, 1).all()
    assert not page.warning


def test_a_molecule_unlike_all_others_is_warned_of(sure):
    page = upload(open_page(), b"smiles,name\nC,methane\n")
    warning = page.warning[0].value.replace("\\", "")
    assert "ESOL (outside: nearest training compound Tanimoto 0.03)" in warning
    assert "BBBP" not in warning, "its domain holds everything"
    assert "Trust neither" in warning


def test_atoms_are_shown_when_asked_for_and_only_then(page):
    assert "Which atoms, and like what" in headings(page)
    assert not molecules(page).insights
    explain(page)
    (insight,) = molecules(page).insights.values()
    words = texts(page).replace("\\", "")
    assert "The prediction is " in words
    assert "in log10 mol/L." in words
    assert "Orange atoms raise the prediction" in words
    assert "not at hand here" in words
    assert np.ptp(insight.attribution.atoms) > 0


def test_what_was_explained_is_not_computed_again(page, monkeypatch):
    explain(page)
    monkeypatch.setattr("cmim_chem.insight.explain_property", None)
    explain(page, "esol")
    page.run()
    assert not page.exception
    assert not page.error
    assert len(molecules(page).insights) == 1


def test_a_molecule_too_large_to_be_explained_is_answered(sure):
    page = upload(open_page(), b"smiles\n" + b"C" * 151 + b"\n")
    explain(page)
    assert "has 151 atoms" in page.error[0].value
    assert "Nearest approved drugs" in headings(page), "the rest of the page is there"


def test_measured_molecules_and_cliffs_where_the_table_is_at_hand(page, tmp_path):
    put_table(tmp_path)
    explain(page)
    shown = texts(page).replace("\\", "")
    assert "**Nearest measured molecules** · ESOL: solubility in water" in shown
    assert "**measured \u22121.00 log10 mol/L**" in shown
    assert shown.count("Tanimoto 1.00  \nthis molecule  \nactivity cliff") == 1
    assert "Activity cliff: two similar molecules" in shown


def test_a_broken_table_is_as_good_as_none(page, tmp_path):
    (tmp_path / "moleculenet").mkdir()
    (tmp_path / "moleculenet" / "delaney-processed.csv").write_text("smiles,other\nCC,1\n")
    explain(page)
    shown = texts(page)
    assert "not at hand here" in shown
    assert str(tmp_path) not in shown
    assert not page.error


def test_the_report_has_what_was_explained(page, tmp_path):
    put_table(tmp_path)
    explain(page)
    from app.closeup import _write_report

    closeup, found = molecules(page).closeups[0], molecules(page).insights_of(0)
    html = _write_report(closeup, found).decode()
    assert "Which atoms, and like what" in html
    assert "Nearest measured molecules: ESOL: solubility in water" in html
    assert "activity cliff" in html
    assert not molecules(page).insights_of(1)


def test_a_hostile_title_of_a_probe_stays_text(monkeypatch):
    monkeypatch.setitem(TITLES, "esol", "<script>alert(1)</script> [x](http://y.z): ours")
    fake = FakePredictor(is_sure=True)
    monkeypatch.setattr(resources, "load_predictor", lambda: fake)
    page = upload(open_page(), b"smiles\nC\n")
    assert "\\<script\\>alert\\(1\\)" in page.warning[0].value
    assert "<script>" not in texts(page)
    assert "](http" not in texts(page)


def test_insights_are_bounded():
    from app import state

    kept = Molecules()

    class One:
        def __init__(self, name: str) -> None:
            self.property = type("P", (), {"name": name})

    for at in range(state._MOST_INSIGHTS + 5):
        kept.remember_insight(at, One("esol"))
    assert len(kept.insights) == state._MOST_INSIGHTS
    assert (0, "esol") not in kept.insights
    kept.forget()
    assert not kept.insights
