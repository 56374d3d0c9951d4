"""What is said of a table before anything is fitted on it."""

from __future__ import annotations

import pandas as pd
import pytest

from cmim_chem.assay_check import check_table, list_targets
from cmim_chem.chem.read import Batch
from cmim_chem.errors import InputError

MOLECULES = ["C" * n + tail for n in range(1, 41) for tail in ("O", "N", "F")]


def make_table(n: int = 120, **columns) -> Batch:
    frame = pd.DataFrame({"smiles": MOLECULES[:n], **columns})
    return Batch(frame, ("",) * len(frame), "smiles")


def numbers(n: int = 120) -> list[str]:
    return [str(i / 10) for i in range(n)]


def test_columns_of_numbers_and_classes_are_offered_the_likeliest_first():
    table = make_table(
        name=["x"] * 120,
        id=numbers(),
        calculated=numbers(),
        Measured=numbers(),
        same=["1"] * 120,
        active=["yes", "no"] * 60,
        text=["abc"] * 120,
    )
    assert list_targets(table) == ["Measured", "calculated", "active"]
    assert list_targets(make_table()) == []


def test_a_good_table_has_nothing_to_be_warned_of():
    found = check_table(make_table(y=numbers()), "y")
    assert (found.kind, found.rows, found.labelled, found.molecules) == ("regression",) + (120,) * 3
    assert found.labels == (0.0, 11.9)
    assert found.warnings == ()


def test_classes_are_counted():
    found = check_table(make_table(y=["yes"] * 100 + ["no"] * 20), "y")
    assert (found.kind, found.labels) == ("classification", (20.0, 100.0))
    few = check_table(make_table(y=["yes"] * 117 + ["no"] * 3), "y")
    assert "only 3 molecules are of the rarer class" in few.warnings[0]


def test_few_rows_are_a_warning():
    warnings = " / ".join(check_table(make_table(20, y=numbers(20)), "y").warnings)
    assert "only 20 labels: expect little" in warnings
    assert "20 different molecules: a tenth of them is held out" in warnings


def test_rows_that_cannot_be_read_and_empty_cells_are_counted():
    table = make_table(y=["", *numbers(119)])
    table.frame.loc[1:3, "smiles"] = "not_a_smiles"
    found = check_table(table, "y")
    assert (found.labelled, found.molecules) == (119, 116)
    assert "3 rows with a label hold no molecule that can be read" in found.warnings


def test_duplicates_are_found_by_molecule_not_by_spelling():
    table = make_table(y=numbers())
    table.frame.loc[:1, "smiles"] = ["OCCCC", "CCCCO"]  # CCCCO is in the table too
    found = check_table(table, "y")
    assert found.warnings == ("1 molecules occur more than once",)


def test_conflicting_duplicates_are_named_with_their_values():
    table = make_table(y=numbers())
    table.frame.loc[118:, "smiles"] = ["OCC", "CCO"]  # measured as 0.3, 11.8 and 11.9
    warnings = check_table(table, "y").warnings
    assert warnings[1].startswith(
        "1 molecules have different values far apart, such as CCO: 0.3, 11.8"
    )
    classes = make_table(y=["yes", "no"] * 60)
    classes.frame.loc[1, "smiles"] = "OC"  # methanol is yes, and now no
    assert "different classes, such as CO: 0, 1" in check_table(classes, "y").warnings[1]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["abc"] * 120, "is not a number"),
        (["1"] * 120, "nothing to learn"),
        ([""] * 115 + ["1", "2", "3", "4", "5"], "only 5 of 120 rows have a label"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_words(column, words):
    with pytest.raises(InputError, match=words):
        check_table(make_table(y=column), "y")


def test_an_unknown_column_is_refused():
    with pytest.raises(InputError, match="no column 'z'"):
        check_table(make_table(), "z")


def test_classes_can_be_asked_for():
    with pytest.raises(InputError, match="two classes written 0 and 1"):
        check_table(make_table(y=numbers()), "y", "classification")
    zeros = make_table(y=["0", "1"] * 60)
    assert check_table(zeros, "y", "regression").kind == "regression"
