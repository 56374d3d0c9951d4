"""Predictions as tables and words."""

from __future__ import annotations

import pandas as pd

from cmim_chem.chem.standardize import Standardized
from cmim_chem.predictions import Predictions

NOTE = "note: "


def describe_problem(standardized: Standardized) -> str:
    """Text of the ``problem`` column.

    Parameters
    ----------
    standardized : Standardized
        One row.

    Returns
    -------
    str
        The problem of a row that failed; ``note: ...`` for a row that was predicted after a
        change, such as a salt removed; empty for all others.
    """
    if standardized.smiles is None:
        return standardized.problem
    return f"{NOTE}{standardized.note}" if standardized.note else ""


def prediction_columns(predictions: Predictions) -> pd.DataFrame:
    """The columns that are added to a table of molecules.

    Parameters
    ----------
    predictions : Predictions
        n rows.

    Returns
    -------
    DataFrame
        n rows: ``standardized_smiles`` (empty where there is none), ``problem``, then one float64
        column per property.
    """
    columns: dict[str, object] = {
        "standardized_smiles": [s.smiles or "" for s in predictions.standardized],
        "problem": [describe_problem(s) for s in predictions.standardized],
    }
    for i, one in enumerate(predictions.properties):
        columns[one.name] = predictions.values[:, i]
    return pd.DataFrame(columns)
