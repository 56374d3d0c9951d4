"""Columns of predictions and the words for how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.chem.standardize import Standardized
from cmim_chem.predictions import Certainty, Predictions, Property
from cmim_chem.probes.words import (
    ACTIVE,
    BORDERLINE,
    INSIDE,
    NO_CALL,
    OUTSIDE,
    UNDECIDED,
    UNKNOWN,
)
from cmim_chem.report import (
    describe_domain,
    describe_domains,
    describe_interval,
    describe_range,
    format_level,
    list_columns,
    prediction_columns,
    shorten_domain,
)

NAN = float("nan")
SOLUBILITY = Property("esol", "Solubility", "log", "regression", "esol", "rmse", 0.9, sure=True)
ACTIVITY = Property("bace", "BACE-1", "probability", "classification", "bace", "roc_auc", 0.8,
                    sure=True)  # fmt: skip
OLD = Property("old", "Old", "log", "regression", "old", "rmse", 0.9)
PROPERTIES = (SOLUBILITY, ACTIVITY, OLD)


def make_certainty(domain) -> Certainty:
    n = len(domain)
    return Certainty(
        level=0.9,
        lower=np.array([[-1.0, NAN, NAN]] * n),
        upper=np.array([[1.0, NAN, NAN]] * n),
        calls=np.array([[NO_CALL, ACTIVE, NO_CALL], [NO_CALL, UNDECIDED, NO_CALL]] * n)[:n],
        probes=("esol", "bace", "old"),
        similarity=np.array([[0.5, 0.25, NAN]] * (n - 1) + [[NAN] * 3]),
        distance=np.zeros((n, 3)),
        domain=np.array(domain, dtype=np.int8),
    )


DOMAINS = [
    [INSIDE, INSIDE, UNKNOWN],
    [INSIDE, BORDERLINE, UNKNOWN],
    [OUTSIDE, OUTSIDE, UNKNOWN],
    [UNKNOWN, UNKNOWN, UNKNOWN],
]


def test_columns_stand_in_the_order_of_the_properties():
    assert list_columns(PROPERTIES) == [
        "esol", "esol_lower", "esol_upper", "bace", "old", "domain", "nearest_similarity",
    ]  # fmt: skip
    assert list_columns(PROPERTIES, certainty=False, details=True) == ["esol", "bace", "old"]
    assert list_columns((OLD,)) == ["old"]
    assert list_columns((SOLUBILITY, ACTIVITY), details=True) == [
        "esol", "esol_lower", "esol_upper", "bace", "bace_call", "domain", "nearest_similarity",
        "esol_domain", "esol_similarity", "bace_domain", "bace_similarity",
    ]  # fmt: skip


@pytest.mark.parametrize("details", [False, True])
def test_the_table_has_what_was_announced(details):
    rows = tuple(Standardized("C") for _ in range(4))
    found = Predictions(("C",) * 4, rows, PROPERTIES, np.zeros((4, 3)), make_certainty(DOMAINS))
    frame = prediction_columns(found, details)
    assert list(frame.columns[2:]) == list_columns(PROPERTIES, details=details)
    assert frame["nearest_similarity"].tolist()[:3] == [0.25] * 3
    assert np.isnan(frame["nearest_similarity"][3])
    if details:
        assert frame["bace_call"].tolist() == ["active", "undecided"] * 2
        assert frame["bace_domain"].tolist() == ["in", "borderline", "outside", ""]


def test_the_worst_domain_counts_and_is_named():
    words = describe_domains(make_certainty(DOMAINS))
    assert words == ["in", "borderline: bace", "outside: esol, bace", ""]


def test_domain_in_words():
    assert describe_domain("outside", 0.18) == "outside: nearest training compound Tanimoto 0.18"
    assert describe_domain("in", 1.0) == "in domain: nearest training compound Tanimoto 1.00"
    assert describe_domain("", NAN) == ""
    assert shorten_domain("in") == "in domain"
    assert shorten_domain("outside: a, b, c") == "outside (a, b, c)"
    assert shorten_domain("borderline: a, b, c, d, e") == "borderline (a, b, c and 2 more)"


def test_intervals_and_calls_come_before_what_is_the_same_for_all():
    assert describe_range(SOLUBILITY, -2.0, 1.5) == "\u22122.00 to 1.50"
    assert describe_range(SOLUBILITY) == "± 0.90"
    assert describe_range(SOLUBILITY, NAN, 1.0) == "± 0.90"
    assert describe_range(ACTIVITY, call="undecided") == "undecided"
    assert describe_range(ACTIVITY) == "ROC-AUC 0.80"
    assert describe_interval(NAN, 1.0) == ""
    assert format_level(0.9) == "90 %"
    assert format_level(0.995) == "99.5 %"


def test_numbers_in_a_table_have_six_digits():
    values = np.array([[-2.407522506006365, 1 / 3e9, 0.0], [np.inf, NAN, 1234567.8]])
    rows = (Standardized("C"), Standardized("C"))
    frame = prediction_columns(Predictions(("C", "C"), rows, PROPERTIES, values))
    assert frame[["esol", "bace", "old"]].to_csv(index=False).splitlines()[1:] == [
        "-2.40752,3.33333e-10,0.0",
        "inf,,1234570.0",
    ]
