"""The page with a fake predictor: what is on it with and without molecules."""

from __future__ import annotations

import json

from app import inputs, resources
from tests.ui.fake_predictor import PROPERTIES, TITLES, FakePredictor
from tests.ui.visitor import (
    TABLE,
    choose,
    headings,
    open_page,
    press,
    results,
    texts,
    upload,
)


def test_an_empty_page_says_what_to_do_and_states_its_limits(page):
    assert not page.exception
    assert page.title[0].value == "cmim-chem"
    assert "2,000 molecules" in texts(page)
    assert "cmim score FILE -o predictions.csv" in texts(page)
    assert [button.label for button in page.button] == ["Predict", "Try an example"]
    assert len(page.dataframe) == 0


def test_an_upload_is_scored_row_by_row_and_keeps_its_columns(page, predictor):
    upload(page, TABLE)
    table = results(page)
    assert table["ID"].tolist() == ["A-1", "A-2", "A-3"]
    assert table["Note"].tolist() == ["first", "", "salt"]
    assert table["Structure"].notna().tolist() == [True, False, True]
    assert table["Structure"][0].startswith("data:image/svg+xml,")
    assert table["problem"][0] == ""
    assert table["problem"][1].startswith("cannot parse")
    assert table["problem"][2].startswith("note: salt removed")
    choose(page, "Properties", list(TITLES.values()))
    table = results(page)
    for one in PROPERTIES:
        assert table[one.name].notna().tolist() == [True, False, True]
        places = table[f"{one.name} percentile"]
        assert places.notna().tolist() == [True, False, True]
        assert places.dropna().between(0, 100).all()
    assert "**2 of 3** molecules predicted · 1 with a problem · 1 with a note" in texts(page)
    assert predictor.scored == ["[Na+].[O-]C(=O)c1ccccc1", "not_a_smiles", "CCO"]


def test_headings_have_units(page):
    upload(page, TABLE)
    config = json.loads(page.dataframe[0].proto.columns)
    for one in PROPERTIES:
        unit = one.unit.split(" (")[0] if one.kind == "regression" else "p"
        assert config[one.name]["label"] == unit
    groups = page.dataframe[0].value.columns.get_level_values(0)
    assert {"Solubility in water", "Crosses the blood-brain barrier"} <= set(groups)


def test_the_first_good_molecule_is_shown_in_depth(page):
    upload(page, b"smiles,name\nbad,wrong\nCCO,ethanol\n")
    assert headings(page)[1:2] == ["ethanol"]
    assert not page.title, "results have the page for themselves"
    assert "Row 2 of 2" in texts(page)
    readings = page.dataframe[1].value
    assert readings["Property"].tolist() == [
        one.title.split(" (")[0]
        for kind in ("regression", "classification")
        for one in PROPERTIES
        if one.kind == kind and one.probe != "tox21"
    ]
    assert readings["Value"].tolist()[0].endswith(" log10 mol/L")
    assert readings["Value"].tolist()[2].startswith("p = 0.")
    assert readings["How sure"].tolist() == ["± 0.70", "", "ROC-AUC 0.75", "ROC-AUC 0.75"]
    assert readings["Percentile"].between(0, 100).all()
    assert headings(page)[2:] == [
        "Profile",
        "Rules of thumb",
        "Among 4 approved drugs",
        "Which atoms, and like what",
        "Nearest approved drugs",
        "Nearest ZINC molecules",
    ]
    assert "**METFORMIN**" in texts(page)
    assert texts(page).count("Tanimoto 0.") == 5
    assert "ChEMBL\\, CC BY\\-SA 3\\.0" in texts(page)


def test_the_profile_says_which_rules_are_broken(page):
    upload(page, b"smiles,name\n" + b"C" * 36 + b",wax\n")
    shown = texts(page)
    assert ":orange-badge[:material/flag: Lipinski (rule of five): broken]" in shown
    assert "log P \\(Crippen\\) 14\\.29\\, above 5" in shown
    assert "Brenk\\: Aliphatic long chain" in shown


def test_without_a_reference_everything_but_percentiles_is_there(monkeypatch):
    fake = FakePredictor(has_reference=False)
    monkeypatch.setattr(resources, "load_predictor", lambda: fake)
    page = upload(open_page(), TABLE)
    assert results(page)["esol"].notna().tolist() == [True, False, True]
    assert not [name for name in results(page) if "percentile" in name]
    assert "Percentile" not in page.dataframe[1].value
    assert "Profile" in headings(page)
    choose(page, "View", "Map")
    assert "without a map" in page.info[0].value


def test_a_table_of_bad_rows_shows_why(page):
    upload(page, b"smiles\nnot_a_smiles\n\nC1CC\n")
    assert "**0 of 3** molecules predicted" in texts(page)
    assert len(page.error) == 1
    assert page.error[0].value.startswith("cannot parse")
    assert page.code[-1].value == "not_a_smiles"


def test_rows_with_a_problem_can_be_seen_alone(page):
    upload(page, TABLE)
    choose(page, "Rows", "Problems and notes")
    assert results(page)["ID"].tolist() == ["A-2", "A-3"]
    assert headings(page)[1] == "A\\-3"


def test_properties_of_large_panels_are_shown_on_demand(page):
    upload(page, TABLE)
    assert "esol" in results(page)
    assert "tox21_nr_ar" not in results(page)
    choose(page, "Properties", [])
    assert "esol" not in results(page)
    assert not page.exception


def test_results_stay_while_the_visitor_looks_around(page, predictor):
    upload(page, TABLE)
    choose(page, "Rows", "Problems and notes")
    choose(page, "Properties", [])
    assert len(predictor.scored) == 3


def test_a_second_upload_replaces_the_first(page):
    upload(page, TABLE)
    upload(page, b"smiles,key\nCCN,z\n", "second.csv")
    assert results(page)["key"].tolist() == ["z"]
    assert "second\\.csv" in texts(page)
    assert "molecules\\.csv" not in texts(page)


def test_the_column_of_the_smiles_can_be_corrected(page, predictor):
    upload(page, b"smiles,other\nCCO,CCCCN\nCCC,c1ccccc1\n")
    assert page.selectbox[0].value == "smiles"
    page.selectbox[0].set_value("other").run()
    assert predictor.scored[2:] == ["c1ccccc1", "CCCCN"]
    assert results(page)["smiles"].tolist() == ["CCO", "CCC"]
    assert page.selectbox[0].value == "other"


def test_pasted_smiles_are_scored_with_their_names(page):
    page.text_area[0].set_value("CCO ethanol\nCC(=O)O\tacetic acid\nnonsense x")
    press(page, "Predict")
    assert results(page)["name"].tolist() == ["ethanol", "acetic acid", "x"]
    assert "the pasted text" in texts(page)


def test_pasting_nothing_is_answered(page):
    press(page, "Predict")
    assert page.error[0].value.startswith("Nothing was pasted")


def test_a_drawing_is_predicted_where_the_editor_is_installed(predictor, monkeypatch):
    monkeypatch.setattr(inputs, "can_draw", lambda: True)
    monkeypatch.setattr(inputs, "draw_molecule", lambda key: "c1ccccc1O")
    page = open_page()
    assert [tab.label for tab in page.tabs] == ["Upload a file", "Paste", "Draw"]
    press(page, "Predict the drawing")
    assert predictor.scored == ["c1ccccc1O"]
    assert len(results(page)) == 1


def test_without_the_editor_there_is_no_such_way(page):
    assert [tab.label for tab in page.tabs] == ["Upload a file", "Paste"]


def test_the_example_is_one_click_and_replaces_an_upload(page):
    upload(page, TABLE)
    press(page, "Try an example")
    assert len(results(page)) == 12
    assert "**12 of 12** molecules predicted · 1 with a note" in texts(page)
    assert page.file_uploader[0].value is None


def test_a_download_can_be_uploaded_again(page):
    upload(page, b"ID,smiles,problem,esol\nA,CCO,mine,1.5\n", "predictions.csv")
    table = page.session_state["cmim_session"].molecules.results.table
    assert table["problem_input"].tolist() == ["mine"]
    assert table["esol_input"].tolist() == ["1.5"]
    assert table["esol"].tolist() != [1.5]
    assert "esol_input" not in results(page), "not in sight, but in the download"


def test_two_visitors_see_their_own_molecules_only(predictor):
    first = open_page()
    second = open_page()
    upload(first, b"smiles,name\nCCO,mine\n", "first.csv")
    upload(second, b"smiles,name\nCCN,yours\n", "second.csv")
    first.run()
    assert results(first)["name"].tolist() == ["mine"]
    assert results(second)["name"].tolist() == ["yours"]


def test_a_dark_page_has_pictures_for_dark_pages(page):
    upload(page, TABLE)
    light = results(page)["Structure"][0]
    page.context["theme"] = "dark"
    page.run()
    assert results(page)["Structure"][0] != light


def test_a_file_taken_out_of_its_box_leaves_the_table(page):
    upload(page, TABLE)
    page.file_uploader[0].set_value(None).run()
    assert not page.exception
    assert len(results(page)) == 3
    upload(page, b"smiles\nCCO\n", "other.csv")
    assert headings(page)[0] == "other\\.csv"
