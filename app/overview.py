"""The upload as a whole: each property beside the approved drugs, and a map of chemical space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from app import charts
from app.results import Results, place_molecules
from app.state import Molecules
from app.table import heading, write_value
from app.widgets import is_page_dark, page_colors, plain
from cmim_chem.report import format_percentile

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

_CHART_WIDTH = 320  # pixels, at least
_ONE_COLOR = "nothing"


def show_charts(results: Results, properties: Iterable[Property]) -> None:
    """Draw a histogram for each property.

    Parameters
    ----------
    results : Results
        n rows.
    properties : iterable of Property
        Those wanted.
    """
    wanted = list(properties)
    if not wanted:
        st.info("Choose properties above to see how your molecules are distributed.")
        return
    if len(results.failed) == results.upload.rows:
        st.info("No molecule was predicted, so there is nothing to draw.")
        return
    compared = f" Line: {results.drugs:,} approved drugs." if results.drugs else ""
    st.caption(f"Bars: your molecules.{compared} Shares of all molecules of each.")
    with st.grid(min_column_width=_CHART_WIDTH, gap="medium"):
        for one in wanted:
            with st.container(gap="xxsmall"):
                _show_histogram(results, one)


def show_map(molecules: Molecules, predictor: Predictor, results: Results) -> int | None:
    """Draw the map of chemical space.

    Parameters
    ----------
    molecules : Molecules
        Remembers where the molecules are.
    predictor : Predictor
        Holds the map.
    results : Results
        n rows.

    Returns
    -------
    int or None
        The row that is selected on the map.
    """
    reference = predictor.reference
    if reference is None:
        st.info("These weights came without a map of chemical space.")
        return None
    if molecules.places is None:
        with st.spinner("Placing the molecules on the map…"):
            molecules.places = place_molecules(predictor, results)
    landmarks, places = molecules.places
    titles = {one.name: heading(one) for one in results.properties}
    colored = st.selectbox(
        "Color by",
        [_ONE_COLOR, *titles],
        format_func=lambda name: titles.get(name, "Nothing"),
        index=min(1, len(titles)),
        key="map_color",
        persist_state="session",
        width=320,
    )
    title = titles.get(colored)
    yours = _describe_places(molecules, results, places, colored if title else None)
    event = st.altair_chart(
        charts.draw_map(landmarks, yours, title, page_colors()),
        key=f"map_{molecules.generation}",
        on_select="rerun",
        selection_mode=charts.PICK,
        alt=f"Map of {len(yours)} molecules among {len(landmarks)} known ones",
    )
    share = float(reference.map.explained.sum())
    st.caption(
        f"Large dots: your molecules; point at one to see it, click to look closer. Small dots: "
        f"{results.drugs:,} approved drugs and a sample of ZINC. Near means alike to the model. "
        "The plane shows the two directions in which the drugs differ most, "
        f"{share:.0%} of their variance: what lies together here may still be apart in others."
    )
    picked = event.selection.get(charts.PICK, [])
    return int(picked[0]["row"]) if picked else None


def _show_histogram(results: Results, one: Property) -> None:
    values = results.added[one.name].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    known = results.distributions.get(one.name)
    low, high = (0.0, 1.0) if one.kind == "classification" else (np.inf, -np.inf)
    if known is not None and one.kind == "regression":
        # The outermost drugs would squeeze all others into a few bins.
        low, high = float(known.quantiles[1]), float(known.quantiles[-2])
    edges = charts.choose_bins(values, low, high)
    bins = pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "yours": np.histogram(values, edges)[0] / len(values),
            "drugs": np.nan if known is None else known.shares(edges),
        }
    )
    st.markdown(f"**{plain(one.title)}**")
    words = f"Median {write_value(one, float(np.median(values)))}"
    if known is not None:
        at = known.percentiles(np.median(values[:, None], axis=0))[0]
        words += f", percentile {format_percentile(float(at))} of approved drugs"
    st.altair_chart(
        charts.draw_histogram(bins, heading(one), page_colors()),
        alt=f"Distribution of {one.title}. {words}",
    )
    st.caption(f"{plain(words)}.")


def _describe_places(
    molecules: Molecules, results: Results, places: np.ndarray, colored: str | None
) -> pd.DataFrame:
    """One line per molecule that has a place on the map."""
    rows = np.flatnonzero(np.isfinite(places).all(axis=1))
    pictures = molecules.pictures[is_page_dark()]
    return pd.DataFrame(
        {
            "row": rows,
            "x": places[rows, 0],
            "y": places[rows, 1],
            "name": [results.name(row) for row in rows],
            "picture": [pictures[row] or "" for row in rows],
            "value": np.nan if colored is None else results.added[colored].to_numpy()[rows],
        }
    )
