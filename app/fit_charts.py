"""Charts of how a fitted model did on held-out molecules: parity plot and ROC curve.

Free of Streamlit, as `app.charts` is, which has the colors.
"""

from __future__ import annotations

import altair as alt
import pandas as pd

from app.charts import Colors

_HEIGHT = 360  # pixels


def draw_parity(points: pd.DataFrame, unit: str, colors: Colors) -> alt.Chart:
    """Measured against predicted values of held-out molecules.

    Parameters
    ----------
    points : pandas.DataFrame
        ``measured`` and ``predicted``, one row per molecule, and its ``smiles``.
    unit : str
        Of both; may be empty.
    colors : Colors
        Of the page.

    Returns
    -------
    altair.Chart
        Square, with the line on which a perfect model would be.
    """
    values = points[["measured", "predicted"]]
    ends = [float(values.min().min()), float(values.max().max())]
    scale = alt.Scale(domain=ends, nice=True, zero=False)
    line = pd.DataFrame({"measured": ends, "predicted": ends})
    x = alt.X("measured:Q", title=", ".join(filter(None, ["measured", unit])), scale=scale)
    y = alt.Y("predicted:Q", title=", ".join(filter(None, ["predicted", unit])), scale=scale)
    perfect = alt.Chart(line).mark_line(color=colors.muted, strokeDash=[5, 4]).encode(x, y)
    dots = (
        alt.Chart(points)
        .mark_circle(size=55, color=colors.accent, opacity=0.7)
        .encode(
            x,
            y,
            tooltip=[
                alt.Tooltip("smiles:N", title="SMILES"),
                alt.Tooltip("measured:Q", format=".2f"),
                alt.Tooltip("predicted:Q", format=".2f"),
            ],
        )
    )
    return (perfect + dots).properties(height=_HEIGHT)


def draw_roc(points: pd.DataFrame, colors: Colors) -> alt.Chart:
    """Share of the positives found against the share of the negatives taken for positive.

    Parameters
    ----------
    points : pandas.DataFrame
        ``false`` and ``true``, shares from 0 to 1, along the curve.
    colors : Colors
        Of the page.

    Returns
    -------
    altair.Chart
        With the diagonal of guessing.
    """
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("false:Q", title="false positive rate", scale=scale)
    y = alt.Y("true:Q", title="true positive rate", scale=scale)
    guess = pd.DataFrame({"false": [0.0, 1.0], "true": [0.0, 1.0]})
    diagonal = alt.Chart(guess).mark_line(color=colors.muted, strokeDash=[5, 4]).encode(x, y)
    curve = alt.Chart(points).mark_line(color=colors.accent, strokeWidth=2.5).encode(x, y)
    return (diagonal + curve).properties(height=_HEIGHT)
