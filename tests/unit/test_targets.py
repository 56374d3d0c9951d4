"""Target columns: the task inferred, labels read, and refusals with a remedy."""

from __future__ import annotations

import numpy as np
import pytest

from cmim_chem.errors import InputError
from cmim_chem.probes.targets import infer_task, parse_target

NAN = float("nan")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["active", "Inactive ", None] * 10, "classification"),
        (["1", "0", ""] * 10, "classification"),
        ([True, False] * 10, "classification"),
        ([-1, 1] * 10, "classification"),
        (["yes", "no", "N/A"] * 10, "classification"),
        (["1.5", 2, NAN] * 10, "regression"),
        ([1, 2] * 10, "regression"),
    ],
)
def test_the_task_is_inferred_from_the_cells(cells, kind):
    assert infer_task(cells) == kind
    y = parse_target(cells).y
    assert len(y) == len(cells)
    if kind == "classification":
        assert set(y[~np.isnan(y)]) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([*range(20), ">10"], "row 21: .*a limit is not a number"),
        ([*range(20), "3,5"], "row 21: .*decimals with a point"),
        (["red", "blue"] * 10, "row 1: the target 'red' is not a number; give numbers"),
        ([1.0, 2.0] * 4, "only 8 of 8 rows have a label; at least 10"),
        (["active"] * 20, "every label is 1: .*both classes"),
        ([3.3] * 20, "all 20 labels are 3.3: there is nothing to learn"),
        ([*range(20), float("inf")], "row 21: the target is infinite"),
        (["active", 5.0] * 10, "mixes class words with other numbers"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused_with_a_remedy(cells, message):
    with pytest.raises(InputError, match=message):
        infer_task(cells)


def test_few_labels_are_noted_and_a_kind_can_be_demanded():
    assert "only 12 labels" in parse_target([0, 1] * 6).notes[0]
    assert parse_target([0, 1] * 20).notes == ()
    assert parse_target([0, 1] * 20, "regression").kind == "regression"
    with pytest.raises(InputError, match="found 3 different"):
        parse_target([0, 1, 2] * 20, "classification")
