"""The charts of the page as Altair specifications: what is drawn, never what it is drawn from.

Free of Streamlit. Numbers come in as plain frames; texts that come from a visitor's file are only
ever data of a chart, never part of a specification.
"""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

PICK = "pick"  # the selection of the map
_BINS = 24
_HEIGHT = 190  # pixels
_ROW = 26  # pixels per line of the strip


@dataclass(frozen=True)
class Colors:
    """Colors of a chart.

    Attributes
    ----------
    accent : str
        Of the visitor's molecules.
    muted : str
        Of what they are compared with.
    faint : str
        Of what is only background.
    edge : str
        Around dots that lie on others.
    scheme : str
        Name of Vega's color scheme for numbers.
    """

    accent: str
    muted: str
    faint: str
    edge: str
    scheme: str


LIGHT = Colors("#0f6b5c", "#8a4b08", "#c3ccc9", "#17211f", "viridis")
DARK = Colors("#4fc3a8", "#f0a860", "#6b7a76", "#e6edeb", "plasma")


def choose_bins(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Edges of a histogram that holds both the values and a range to compare with.

    Parameters
    ----------
    values : (n,) float64
        Finite numbers, at least one.
    low, high : float
        The range.

    Returns
    -------
    ndarray
        Shape (25,), float64, ascending.
    """
    low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)


def draw_histogram(bins: pd.DataFrame, title: str, colors: Colors) -> alt.Chart:
    """Shares of the visitor's molecules as bars, those of the drugs as a line.

    Parameters
    ----------
    bins : pandas.DataFrame
        One row per bin: ``low``, ``high``, ``yours`` and ``drugs``, shares from 0 to 1; ``drugs``
        may be missing.
    title : str
        Of the axis, with the unit.
    colors : Colors
        Of the page.

    Returns
    -------
    altair.Chart
        As wide as its place.
    """
    x = alt.X(
        "low:Q",
        title=title,
        axis=alt.Axis(grid=False, labelFlush=False, tickCount=6),
        scale=alt.Scale(nice=False, zero=False),
    )
    percent = alt.Axis(format=".0%", tickCount=4, title="share")
    tooltip = [
        alt.Tooltip("low:Q", title="from", format=".2f"),
        alt.Tooltip("high:Q", title="to", format=".2f"),
        alt.Tooltip("yours:Q", title="your molecules", format=".1%"),
        alt.Tooltip("drugs:Q", title="approved drugs", format=".1%"),
    ]
    chart = alt.Chart(bins)
    bars = chart.mark_rect(color=colors.accent, opacity=0.75).encode(
        x, x2="high:Q", y=alt.Y("yours:Q", axis=percent), y2=alt.datum(0), tooltip=tooltip
    )
    # A step begins at its bin's low edge: the last one needs an end of its own.
    steps = pd.concat([bins, bins.tail(1).assign(low=bins["high"].iloc[-1])])
    line = (
        alt.Chart(steps)
        .mark_line(color=colors.muted, interpolate="step-after", strokeWidth=2)
        .encode(x, y=alt.Y("drugs:Q", axis=percent), tooltip=tooltip)
    )
    return (bars + line).properties(height=_HEIGHT)


def draw_strip(places: pd.DataFrame, colors: Colors) -> alt.Chart:
    """Percentiles of one molecule, a line for each property.

    Parameters
    ----------
    places : pandas.DataFrame
        One row per property: ``property``, ``percentile`` and ``value`` (text with unit).
    colors : Colors
        Of the page.

    Returns
    -------
    altair.Chart
        As wide as its place.
    """
    y = alt.Y(
        "property:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=210, ticks=False, domain=False),
    )
    scale = alt.Scale(domain=[0, 100])
    axis = alt.Axis(values=[0, 10, 50, 90, 100], title="percentile", grid=True)
    base = alt.Chart(places)
    usual = base.mark_bar(color=colors.faint, opacity=0.45, height=10).encode(
        y=y, x=alt.datum(10, scale=scale), x2=alt.datum(90)
    )
    points = base.mark_point(filled=True, size=110, color=colors.accent, opacity=1).encode(
        y=y,
        x=alt.X("percentile:Q", scale=scale, axis=axis),
        tooltip=[
            alt.Tooltip("property:N"),
            alt.Tooltip("value:N"),
            alt.Tooltip("percentile:Q", format=".0f"),
        ],
    )
    return (usual + points).properties(height=_ROW * max(1, len(places)))


def draw_map(
    landmarks: pd.DataFrame, molecules: pd.DataFrame, colored: str | None, colors: Colors
) -> alt.Chart:
    """Molecules over the known ones, in the plane in which the drugs spread most.

    Parameters
    ----------
    landmarks : pandas.DataFrame
        ``x``, ``y``, ``name`` and ``source`` of the known molecules.
    molecules : pandas.DataFrame
        ``x``, ``y``, ``row``, ``name``, ``picture`` and ``value`` (number or NaN) of the visitor's.
    colored : str or None
        What ``value`` is, with its unit; None if the molecules have one color.
    colors : Colors
        Of the page.

    Returns
    -------
    altair.Chart
        With the point selection `PICK` on the visitor's molecules.
    """
    hidden = alt.Axis(labels=False, ticks=False, title=None, grid=False, domain=False)
    scale = alt.Scale(zero=False, nice=False, padding=12)
    x = alt.X("x:Q", axis=hidden, scale=scale)
    y = alt.Y("y:Q", axis=hidden, scale=scale)
    kind = _color_sources(landmarks, colors)
    known = (
        alt.Chart(landmarks)
        .mark_circle(size=14, opacity=0.55)
        .encode(
            x,
            y,
            color=kind,
            tooltip=[alt.Tooltip("name:N", title="title"), alt.Tooltip("source:N")],
        )
    )
    if colored is None:
        color = alt.value(colors.accent)
        tooltip = []
    else:
        color = alt.Color(
            "value:Q",
            scale=alt.Scale(scheme=colors.scheme),
            legend=alt.Legend(title=colored, orient="bottom", gradientLength=240, titleLimit=400),
        )
        tooltip = [alt.Tooltip("value:Q", title=colored, format=".2f")]
    pick = alt.selection_point(name=PICK, fields=["row"], empty=False)
    # "title" and "image" are what Vega's tooltip shows as heading and picture.
    yours = (
        alt.Chart(molecules)
        .mark_circle(size=110, opacity=0.95, stroke=colors.edge, strokeWidth=0.8)
        .encode(
            x,
            y,
            color=color,
            size=alt.condition(pick, alt.value(300), alt.value(110)),
            tooltip=[
                alt.Tooltip("name:N", title="title"),
                alt.Tooltip("picture:N", title="image"),
                *tooltip,
            ],
        )
        .add_params(pick)
    )
    return alt.layer(known, yours).resolve_scale(color="independent").properties(height=520)


def _color_sources(landmarks: pd.DataFrame, colors: Colors) -> alt.Color:
    """Drugs stand out, other known molecules do not."""
    kinds = sorted(landmarks["source"].unique())
    return alt.Color(
        "source:N",
        scale=alt.Scale(domain=kinds, range=[colors.faint, colors.muted][-len(kinds) :]),
        legend=alt.Legend(title=None, orient="top", symbolSize=60, symbolOpacity=1),
    )
