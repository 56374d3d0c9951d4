"""The upload as a whole: filters, charts, map, and what is kept between pages."""

from __future__ import annotations

from tests.ui.visitor import TABLE, choose, go_to, results, texts, upload

# ---------------------------------------------------------------------------- filters


def test_words_and_values_narrow_the_rows_but_not_the_results(page, predictor):
    upload(page, TABLE)
    page.text_input[0].set_value("SALT").run()
    assert results(page)["ID"].tolist() == ["A-3"]
    page.text_input[0].set_value("").run()
    choose(page, "Predicted values", ["esol"])
    slider = page.slider[0]
    assert slider.label.replace("\\", "") == "Solubility in water (log S) (log10 mol/L)"
    esol = results(page)["esol"]
    assert results(page)["ID"].tolist() == ["A-1", "A-3"], "a row without a number passes no range"
    slider.set_range(slider.min, float(esol.min()) + 0.01).run()
    assert results(page)["esol"].tolist() == [esol.min()]
    assert "1 of 3 rows pass the filters" in texts(page)
    assert len(predictor.scored) == 3


def test_a_filter_that_nothing_passes_says_so(page):
    upload(page, TABLE)
    page.text_input[0].set_value("nowhere").run()
    assert "No molecule passes" in page.info[0].value
    assert not page.dataframe


# ---------------------------------------------------------------------------- charts, map, pages


def test_charts_compare_the_upload_with_the_drugs(page):
    upload(page, TABLE)
    choose(page, "View", "Charts")
    shown = texts(page)
    assert "Bars: your molecules. Line: 4 approved drugs." in shown
    assert shown.count("Median ") == 4
    assert "of approved drugs" in shown
    choose(page, "Properties", [])
    assert "Choose properties" in page.info[0].value


def test_charts_of_nothing_say_so(page):
    upload(page, b"smiles\nnot_a_smiles\n")
    choose(page, "View", "Charts")
    assert "No molecule was predicted" in page.info[0].value


def test_the_map_is_explained_and_colored_by_a_property(page):
    upload(page, TABLE)
    choose(page, "View", "Map")
    assert "4 approved drugs" in texts(page)
    assert next(one for one in page.selectbox if one.label == "Color by").value == "esol"
    choose(page, "Color by", "nothing")


def test_results_and_choices_are_kept_while_moving_between_pages(page, predictor):
    upload(page, TABLE)
    choose(page, "Properties", ["Tox21: nuclear receptor and stress response assays"])
    choose(page, "View", "Charts")
    go_to(page, "model")
    assert not page.exception
    go_to(page, "predict")
    assert "molecules\\.csv" in texts(page)
    assert texts(page).count("Median ") == 5
    assert len(predictor.scored) == 3
