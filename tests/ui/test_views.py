"""The page with a fake predictor: what is on it with and without molecules."""

from __future__ import annotations

from tests.ui.fake_predictor import PROPERTIES
from tests.ui.visitor import TABLE, headings, open_page, results, texts, upload


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
    for one in PROPERTIES:
        assert table[one.name].notna().tolist() == [True, False, True]
    assert "**2 of 3** molecules predicted · 1 with a problem · 1 with a note" in texts(page)
    assert predictor.scored == ["CCO", "not_a_smiles", "[Na+].[O-]C(=O)c1ccccc1"]


def test_headings_have_units(page):
    upload(page, TABLE)
    config = page.dataframe[0].proto.columns
    for one in PROPERTIES:
        assert (one.unit.split(" (")[0] if one.kind == "regression" else "(p)") in config


def test_the_first_good_molecule_is_shown_with_its_neighbors(page):
    upload(page, b"smiles,name\nbad,wrong\nCCO,ethanol\n")
    assert headings(page)[1:2] == ["ethanol"]
    assert "Row 2 of 2" in texts(page)
    assert [metric.label for metric in page.metric] == [
        one.title for one in PROPERTIES if one.kind == "regression"
    ]
    assert page.metric[0].value.endswith(" log10 mol/L")
    assert headings(page)[2:] == ["Nearest approved drugs", "Nearest ZINC molecules"]
    assert "**METFORMIN**" in texts(page)
    assert "cosine 0.97  \nTanimoto 0.90" in texts(page)
    assert "ChEMBL\\, CC BY\\-SA 3\\.0" in texts(page)


def test_a_table_of_bad_rows_shows_why(page):
    upload(page, b"smiles\nnot_a_smiles\n\nC1CC\n")
    assert "**0 of 3** molecules predicted" in texts(page)
    assert len(page.error) == 1
    assert page.error[0].value.startswith("cannot parse")
    assert page.code[-1].value == "not_a_smiles"


def test_rows_with_a_problem_can_be_seen_alone(page):
    upload(page, TABLE)
    page.segmented_control[0].set_value("Problems and notes").run()
    assert results(page)["ID"].tolist() == ["A-2", "A-3"]
    assert headings(page)[1] == "A\\-3"


def test_properties_of_large_panels_are_shown_on_demand(page):
    upload(page, TABLE)
    order = page.dataframe[0].proto.column_order
    assert "esol" in order
    assert "tox21_nr_ar" not in order
    page.pills[0].set_value([]).run()
    assert "esol" not in page.dataframe[0].proto.column_order
    assert not page.exception


def test_results_stay_while_the_visitor_looks_around(page, predictor):
    upload(page, TABLE)
    page.segmented_control[0].set_value("Problems and notes").run()
    page.pills[0].set_value([]).run()
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
    assert predictor.scored[2:] == ["CCCCN", "c1ccccc1"]
    assert results(page)["smiles"].tolist() == ["CCO", "CCC"]
    assert page.selectbox[0].value == "other"


def test_pasted_smiles_are_scored_with_their_names(page):
    page.text_area[0].set_value("CCO ethanol\nCC(=O)O\tacetic acid\nnonsense x")
    page.button[0].click().run()
    assert not page.exception
    assert results(page)["name"].tolist() == ["ethanol", "acetic acid", "x"]
    assert "the pasted text" in texts(page)


def test_pasting_nothing_is_answered(page):
    page.button[0].click().run()
    assert page.error[0].value.startswith("Nothing was pasted")


def test_the_example_is_one_click_and_replaces_an_upload(page):
    upload(page, TABLE)
    page.button[1].click().run()
    assert len(results(page)) == 12
    assert "**12 of 12** molecules predicted · 1 with a note" in texts(page)
    assert page.file_uploader[0].value is None


def test_a_download_can_be_uploaded_again(page):
    upload(page, b"ID,smiles,problem,esol\nA,CCO,mine,1.5\n", "predictions.csv")
    table = results(page)
    assert table["problem_input"].tolist() == ["mine"]
    assert table["esol_input"].tolist() == [1.5]
    assert table["esol"].tolist() != [1.5]
    order = list(page.dataframe[0].proto.column_order)
    assert "esol_input" not in order, "hidden in the table, kept in the download"


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
