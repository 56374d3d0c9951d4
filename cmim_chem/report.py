"""Predictions as tables and words: columns, units, how far a number can be trusted.

The one place where a value becomes text, so that the app, the report of a molecule and the command
line say the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:  # so that words can be had without loading the model
    from cmim_chem.chem.standardize import Standardized
    from cmim_chem.predictions import Predictions, Property

NOTE = "note: "
#: What is appended to the name of a property to name the ends of its interval.
LOWER, UPPER = "_lower", "_upper"


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


def format_number(value: float, digits: int = 2) -> str:
    """Write a number for people: with a true minus sign, ``none`` if it is missing."""
    return "none" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "\u2212")


def format_percentile(value: float) -> str:
    """Write a percentile, which is never more exact than a whole number."""
    return "unknown" if math.isnan(value) else f"{value:.0f}"


def describe_score(one: Property) -> str:
    """Say how good a property is predicted on molecules that its probe had not seen.

    Parameters
    ----------
    one : Property
        With the score of its card.

    Returns
    -------
    str
        One sentence without a full stop; empty if there is no score.
    """
    if one.score is None:
        return ""
    where = "held-out scaffolds" if one.split == "scaffold" else "held-out molecules"
    if one.metric == "rmse":
        return f"Typical error {one.score:.2f} {one.unit} (RMSE on {where})"
    return f"ROC-AUC {one.score:.2f} on {where}"


def describe_range(one: Property, lower: float = math.nan, upper: float = math.nan) -> str:
    """Say within which limits a value is to be read.

    Parameters
    ----------
    one : Property
        What was predicted.
    lower, upper : float
        Ends of its interval, NaN if there is none.

    Returns
    -------
    str
        The interval; without one, the typical error of a number, which is not an interval for this
        molecule, or how well a probability ranks; empty if nothing is known.
    """
    if not (math.isnan(lower) or math.isnan(upper)):
        return f"{format_number(lower)} to {format_number(upper)}"
    if one.score is None:
        return ""
    return f"± {one.score:.2f}" if one.metric == "rmse" else f"ROC-AUC {one.score:.2f}"
