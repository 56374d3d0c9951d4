"""Predictions as tables and words: columns, units, how far a number can be trusted.

The one place where a value becomes text, so that the app, the report of a molecule and the command
line say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.probes.words import CALLS, INSIDE, OUTSIDE, UNKNOWN, WORDS

if TYPE_CHECKING:  # so that words can be had without loading the model
    from cmim_chem.chem.standardize import Standardized
    from cmim_chem.predictions import Certainty, Predictions, Property

NOTE = "note: "
#: What is appended to the name of a property to name the ends of its interval.
LOWER, UPPER = "_lower", "_upper"
#: Whether a molecule is of a kind that the probes know, and the similarity to what they know best.
DOMAIN, NEAREST = "domain", "nearest_similarity"
#: How people are told that a molecule is of a kind that the probes know.
IN_DOMAIN = "in domain"
_MOST_NAMED = 3  # probes, in a sentence
_DIGITS = 6  # significant, in a table: more than is known of anything here, and half of the bytes
#: What is appended, in detail, to a classified property and to the name of a probe.
CALL, PROBE_DOMAIN, PROBE_SIMILARITY = "_call", "_domain", "_similarity"


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


def list_columns(
    properties: Sequence[Property], certainty: bool = True, details: bool = False
) -> list[str]:
    """Names of the columns of predictions, in order; what is unknown of a property has none.

    Parameters
    ----------
    properties : sequence of Property
        Predicted properties.
    certainty : bool
        Whether it was asked how sure they are.
    details : bool
        Whether calls, and domain and similarity probe by probe, are wanted too.

    Returns
    -------
    list of str
        Each property, followed by the ends of its interval (a number) or its call (a class, in
        detail); then `DOMAIN` and `NEAREST`; then, in detail, those of each probe.
    """
    names = []
    for one in properties:
        names.append(one.name)
        if certainty and one.sure and one.kind == "regression":
            names += [one.name + LOWER, one.name + UPPER]
        elif certainty and one.sure and details:
            names.append(one.name + CALL)
    probes = dict.fromkeys(one.probe for one in properties if certainty and one.sure)
    names += [DOMAIN, NEAREST] if probes else []
    for probe in probes if details else ():
        names += [probe + PROBE_DOMAIN, probe + PROBE_SIMILARITY]
    return names


def prediction_columns(predictions: Predictions, details: bool = False) -> pd.DataFrame:
    """The columns that are added to a table of molecules.

    Parameters
    ----------
    predictions : Predictions
        n rows.
    details : bool
        As of `list_columns`.

    Returns
    -------
    DataFrame
        n rows: ``standardized_smiles`` (empty where there is none), ``problem``, then those of
        `list_columns`: numbers as float64 with six significant digits, words as text, empty where
        nothing is known.
    """
    columns: dict[str, object] = {
        "standardized_smiles": [s.smiles or "" for s in predictions.standardized],
        "problem": [describe_problem(s) for s in predictions.standardized],
    }
    known: dict[str, object] = {}
    for i, one in enumerate(predictions.properties):
        known[one.name] = _shorten(predictions.values[:, i])
    found = predictions.certainty
    if found is not None:
        known |= _certainty_columns(predictions.properties, found)
    names = list_columns(predictions.properties, found is not None, details)
    return pd.DataFrame(columns | {name: known[name] for name in names})


def _certainty_columns(properties: Sequence[Property], found: Certainty) -> dict[str, object]:
    columns: dict[str, object] = {}
    for i, one in enumerate(properties):
        columns[one.name + LOWER] = _shorten(found.lower[:, i])
        columns[one.name + UPPER] = _shorten(found.upper[:, i])
        columns[one.name + CALL] = [CALLS[int(code)] for code in found.calls[:, i]]
    for i, probe in enumerate(found.probes):
        columns[probe + PROBE_DOMAIN] = [WORDS[int(code)] for code in found.domain[:, i]]
        columns[probe + PROBE_SIMILARITY] = _shorten(found.similarity[:, i])
    columns[DOMAIN] = describe_domains(found)
    columns[NEAREST] = _shorten(_least(found.similarity))
    return columns


def _shorten(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to `_DIGITS` significant digits."""
    plain = np.isfinite(values) & (values != 0.0)
    exponent = np.floor(np.log10(np.abs(values), where=plain, out=np.zeros(values.shape)))
    scale = 10.0 ** (_DIGITS - 1 - exponent)
    rounded: NDArray[np.float64] = np.round(values * scale) / scale
    return rounded


def _least(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowest known number of each row; NaN where none is known."""
    least = np.where(np.isnan(similarity), np.inf, similarity).min(axis=1, initial=np.inf)
    return np.where(np.isinf(least), np.nan, least)


def describe_domains(found: Certainty) -> list[str]:
    """Say for each molecule whether the probes know its kind.

    Parameters
    ----------
    found : Certainty
        n rows, q probes.

    Returns
    -------
    list of str
        ``in``, ``borderline`` or ``outside``, the worst of the probes; of several, those for which
        it is not ``in`` are named: ``outside: esol, bace``. Empty where nothing is known.
    """
    known = [i for i in range(len(found.probes)) if (found.domain[:, i] != UNKNOWN).any()]
    words = []
    for codes in found.domain[:, known]:
        worst = int(codes.max(initial=UNKNOWN))
        named = [found.probes[i] for i, code in zip(known, codes, strict=True) if code == worst]
        is_clear = len(known) == 1 or WORDS[worst] in ("", "in")
        words.append(WORDS[worst] if is_clear else f"{WORDS[worst]}: {', '.join(named)}")
    return words


def describe_domain(domain: str, similarity: float) -> str:
    """Say in a sentence how near a molecule is to what probes have learned from.

    Parameters
    ----------
    domain : str
        One of `cmim_chem.probes.words.WORDS`, or what `describe_domains` says of several probes.
    similarity : float
        Largest Tanimoto similarity to a training molecule.

    Returns
    -------
    str
        Such as ``outside: nearest training compound Tanimoto 0.18``; empty where it is unknown.
    """
    if not domain or math.isnan(similarity):
        return ""
    return f"{shorten_domain(domain)}: nearest training compound Tanimoto {similarity:.2f}"


def summarize_domain(domain: str, similarity: float) -> str:
    """As `describe_domain` for what is outside, as `shorten_domain` for the rest."""
    is_far = domain.startswith(WORDS[OUTSIDE])
    return describe_domain(domain, similarity) if is_far else shorten_domain(domain)


def shorten_domain(domain: str) -> str:
    """Write a domain for people: ``in domain``, ``borderline``, ``outside (esol, bace)``."""
    word, _, probes = domain.partition(": ")
    word = IN_DOMAIN if word == WORDS[INSIDE] else word
    named = probes.split(", ")
    if len(named) > _MOST_NAMED:
        probes = f"{', '.join(named[:_MOST_NAMED])} and {len(named) - _MOST_NAMED} more"
    return f"{word} ({probes})" if probes else word


def format_number(value: float, digits: int = 2) -> str:
    """Write a number for people: with a true minus sign, ``none`` if it is missing."""
    return "none" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "\u2212")


def format_level(level: float) -> str:
    """Write the level of an interval, such as ``90 %``."""
    return f"{100 * level:.4g} %"


def describe_interval(lower: float, upper: float) -> str:
    """Write an interval, such as ``1.20 to 3.40``; empty if there is none."""
    if math.isnan(lower) or math.isnan(upper):
        return ""
    return f"{format_number(lower)} to {format_number(upper)}"


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


def describe_range(
    one: Property, lower: float = math.nan, upper: float = math.nan, call: str = ""
) -> str:
    """Say within which limits a value is to be read.

    Parameters
    ----------
    one : Property
        What was predicted.
    lower, upper : float
        Ends of its interval, NaN if there is none.
    call : str
        Class that is left at the level, such as ``active``; empty if nothing is known.

    Returns
    -------
    str
        The interval, or the class that is left; without them, the typical error of a number, which
        is not an interval for this molecule, or how well a probability ranks; empty if nothing is
        known.
    """
    if sure := describe_interval(lower, upper) or call:
        return sure
    if one.score is None:
        return ""
    return f"± {one.score:.2f}" if one.metric == "rmse" else f"ROC-AUC {one.score:.2f}"
