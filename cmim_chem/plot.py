"""Two plain charts as SVG text, for a report that needs no plotting library: points, and a line.

What is drawn and what it means is the caller's; charts of the app are `app`'s own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 420, 340, 62, 48, 14, 14
_INK, _GRID, _BLUE, _PALE = "#22262b", "#d9dce1", "#2457d6", "#9db7ee"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of a chart.

    Attributes
    ----------
    x, y : (n,) float64
    lower, upper : (n,) float64 or None
        Ends of a vertical bar through each point; NaN for none.
    joined : bool
        Whether a line joins them.
    """

    x: FloatArray
    y: FloatArray
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    joined: bool = False


def draw_chart(points: Points, x_title: str, y_title: str, diagonal: bool = False) -> str:
    """Draw points in a frame.

    Parameters
    ----------
    points : Points
        At least one.
    x_title, y_title : str
        What the axes show, with units.
    diagonal : bool
        Give both axes one range and draw the line of equality.

    Returns
    -------
    str
        An SVG document.
    """
    known = [p for p in (points.lower, points.upper) if p is not None]
    x_range = _find_range([points.x])
    y_range = _find_range([points.y, *known])
    if diagonal:
        x_range = y_range = _find_range([points.x, points.y, *known])
    across = _Axis(x_range, _LEFT, _WIDTH - _RIGHT)
    up = _Axis(y_range, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_draw_frame(across, up, (x_title, y_title))]
    if diagonal:
        (x0, x1), (y0, y1) = across.ends, up.ends
        parts.append(f'<path d="M{x0} {y0}L{x1} {y1}" stroke="{_INK}" stroke-dasharray="4 4"/>')
    px, py = across.place(points.x), up.place(points.y)
    if points.lower is not None and points.upper is not None:
        ends = zip(px, up.place(points.lower), up.place(points.upper), strict=True)
        path = "".join(f"M{x:.1f} {a:.1f}V{b:.1f}" for x, a, b in ends if a == a and b == b)
        parts.append(f'<path d="{path}" stroke="{_PALE}"/>')
    if points.joined:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(px, py, strict=True))
        parts.append(f'<path d="M{path}" stroke="{_BLUE}" stroke-width="2" fill="none"/>')
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in zip(px, py, strict=True))
    parts.append(f'<g fill="{_BLUE}" fill-opacity="0.75">{"".join(dots)}</g>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        f' width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    )
    return head + "".join(parts) + "</svg>\n"


@dataclass(frozen=True, slots=True)
class _Axis:
    """Numbers to pixels."""

    range: tuple[float, float]
    start: float
    end: float

    def place(self, values: ArrayLike) -> FloatArray:
        low, high = self.range
        share = (np.asarray(values, dtype=np.float64) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    @property
    def ends(self) -> tuple[float, float]:
        return self.start, self.end

    @property
    def ticks(self) -> list[float]:
        low, high = self.range
        rough = (high - low) / 5
        power = 10.0 ** np.floor(np.log10(rough))
        step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough)
        return [float(t) for t in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _find_range(arrays: Sequence[FloatArray]) -> tuple[float, float]:
    values = np.concatenate(arrays)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _draw_frame(across: _Axis, up: _Axis, titles: tuple[str, str]) -> list[str]:
    (x0, x1), (y0, y1) = across.ends, up.ends
    parts = []
    for tick, x in zip(across.ticks, across.place(across.ticks), strict=True):
        parts.append(f'<path d="M{x:.1f} {y0}V{y1}" stroke="{_GRID}"/>')
        parts.append(f'<text x="{x:.1f}" y="{y0 + 16}" text-anchor="middle">{tick:g}</text>')
    for tick, y in zip(up.ticks, up.place(up.ticks), strict=True):
        parts.append(f'<path d="M{x0} {y:.1f}H{x1}" stroke="{_GRID}"/>')
        parts.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = (y0 + y1) / 2
    parts.append(
        f'<text x="{(x0 + x1) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(titles[0])}'
        f'</text><text x="14" y="{middle}" text-anchor="middle"'
        f' transform="rotate(-90 14 {middle})">{escape(titles[1])}</text>'
    )
    return parts
