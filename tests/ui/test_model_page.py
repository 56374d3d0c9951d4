"""The page about the model, from the cards of a fake one."""

from __future__ import annotations

import pytest

from tests.ui.fake_predictor import TITLES
from tests.ui.visitor import headings, open_page, texts


@pytest.fixture
def model(predictor):
    return open_page("model")


def test_every_data_set_has_its_scores(model):
    assert not model.exception
    scores = model.dataframe[0].value
    assert scores["Data set"].tolist() == ["ESOL", "BACE (pIC50)", "BBBP", "BACE (class)", "Tox21"]
    esol = scores[scores["Data set"] == "ESOL"].iloc[0]
    assert (esol["Score"], esol["What ships"], esol["Molecules"]) == ("RMSE, log10 mol/L", 0.7, 100)
    tox21 = scores[scores["Data set"] == "Tox21"].iloc[0]
    assert tox21["Score"] == "ROC-AUC, 5 properties"
    bbbp = scores[scores["Data set"] == "BBBP"].iloc[0]
    assert (bbbp["Score"], bbbp["Constant"]) == ("ROC-AUC", 0.5)


def test_every_property_data_source_and_limit_is_told(model):
    shown = texts(model)
    assert headings(model) == [
        "How good it is",
        "Each data set",
        "What the words mean",
        "What it cannot do",
        "Encoder and known molecules",
        "Citation",
    ]
    folded = [one.label.replace("\\", "") for one in model.expander]
    assert set(TITLES.values()) <= set(folded)
    assert "J\\. Imaginary Chem\\." in shown
    assert "Not for decisions about patients" in shown
    assert "CC BY\\-SA 3\\.0" in shown
    assert "arXiv 2502.19642" in model.code[-1].value
    assert "**Percentile.** The percentage of the approved drugs" in shown
