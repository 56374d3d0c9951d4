"""Conditions of `--where`, and the best rows of a stream, against plain pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cmim_chem.errors import InputError
from cmim_chem.score.best import Best
from cmim_chem.score.where import read_condition

COLUMNS = {
    "esol": np.array([-5.0, -4.0, -3.0, np.nan, 0.0]),
    "bbbp": np.array([0.1, 0.9, 0.6, 0.9, np.nan]),
    "NR-AR": np.array([0.0, 1.0, 0.0, 1.0, 0.0]),
}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("esol > -4", [2, 4]),
        ("esol >= -4 and bbbp > 0.5", [1, 2]),
        ("esol < -4 or bbbp > 0.8", [0, 1]),
        ("not bbbp > 0.5", [0]),
        ("-5 <= esol < -3", [0, 1]),
        ("esol + 4 * bbbp > -1", [1, 2]),
        ("`NR-AR` == 1", [1, 3]),
        ("not (`NR-AR` != 1)", [1, 3]),
        ("esol / 0 > 1", []),
    ],
)
def test_rows_that_meet_a_condition(text, rows):
    found = read_condition(text, COLUMNS).meet(COLUMNS)
    assert np.flatnonzero(found).tolist() == rows


@pytest.mark.parametrize(
    "text",
    [
        *("", "esol >", "esol", "esol and bbbp > 1", "3 > 2", "logp > 3", "esol > '4'"),
        *("esol > True", "__import__('os')", "esol.real > 3", "esol > [1]", "esol in (1, 2)"),
        *("(lambda: esol)() > 1", "esol ** 9 > 1", "esol > -4; bbbp > 1", "(" * 500 + "esol"),
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(InputError, match="--where"):
        read_condition(text, COLUMNS)


@pytest.mark.parametrize("smallest", [False, True])
def test_the_best_rows_of_a_stream_are_those_of_a_sorted_table(smallest):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 300, 250_000).astype(float)
    numbers[rng.random(len(numbers)) < 0.01] = np.nan
    table = pd.DataFrame({"row": np.arange(len(numbers)), "x": numbers})
    best = Best(1_000, "x", smallest)
    for start in range(0, len(table), 10_000):
        best.add(pa.Table.from_pandas(table[start : start + 10_000], preserve_index=False))
    ordered = table.dropna().sort_values("x", ascending=smallest, kind="stable")
    assert best.sorted()["row"].to_pylist() == ordered["row"][:1_000].tolist()
