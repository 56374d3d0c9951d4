"""The columns of the table that say how sure the predictions are, in words.

The download has the ends of intervals as numbers; on the page they stand in one column, and the
class that is left in the same place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import glossary
from app.results import Results
from cmim_chem.report import (
    CALL,
    DOMAIN,
    LOWER,
    NEAREST,
    UPPER,
    describe_interval,
    format_level,
    summarize_domain,
)

if TYPE_CHECKING:
    from cmim_chem.predictions import Property

_INTERVAL_WIDTH, _CALL_WIDTH, _DOMAIN_WIDTH = 124, 96, 140  # pixels


def sure_cells(results: Results, one: Property) -> list[str] | None:
    """How sure a property is, in words.

    Parameters
    ----------
    results : Results
        n rows.
    one : Property
        One of them.

    Returns
    -------
    list of str or None
        Interval or class of n rows; None if the probe does not say how sure it is.
    """
    added, details = results.added, results.details
    if one.name + LOWER in added and one.name + UPPER in added:
        ends = zip(added[one.name + LOWER], added[one.name + UPPER], strict=True)
        return [describe_interval(float(low), float(high)) for low, high in ends]
    if one.name + CALL in details:
        return [str(cell) for cell in details[one.name + CALL]]
    return None


def domain_cells(results: Results) -> list[str]:
    """Whether the probes know the kind of each molecule, in words; n of them."""
    pairs = zip(results.added[DOMAIN], results.added[NEAREST], strict=True)
    return [summarize_domain(str(domain), float(nearest)) for domain, nearest in pairs]


def has_domain(results: Results) -> bool:
    """Whether a probe says how sure it is."""
    return DOMAIN in results.added


def configure_sureness(results: Results, one: Property) -> Any:  # noqa: ANN401 - Streamlit's own type is private
    """Configure the column of `sure_cells`."""
    level = format_level(results.level)
    if one.kind == "regression":
        return st.column_config.TextColumn(
            f"{level} interval", help=f"It {glossary.INTERVAL}", width=_INTERVAL_WIDTH
        )
    return st.column_config.TextColumn(f"At {level}", help=glossary.CALL, width=_CALL_WIDTH)


def configure_domain() -> dict[str, Any]:
    """Configure the columns that belong to the molecule."""
    return {
        DOMAIN: st.column_config.TextColumn("Domain", help=glossary.DOMAIN, width=_DOMAIN_WIDTH),
        NEAREST: st.column_config.NumberColumn(
            "Nearest", help=glossary.NEAREST, format="%.2f", width=70
        ),
    }
