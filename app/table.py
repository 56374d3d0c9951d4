"""The results as a table on the page: which columns it shows, how they are headed and formatted.

A view of `app.results.Results`, never the download: long texts are cut here, and only the chosen
properties are in it. Headings have two lines: the property above, its unit and percentile below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app import glossary
from app.pictures import CELL
from app.results import PROBLEM, Results
from app.sureness import (
    configure_domain,
    configure_sureness,
    domain_cells,
    has_domain,
    sure_cells,
)
from app.widgets import plain
from cmim_chem.chem.columns import IDENTIFIER_NAMES, normalize_name
from cmim_chem.report import DOMAIN, NEAREST, describe_score, format_number

if TYPE_CHECKING:
    from cmim_chem.predictions import Property

ROW_HEIGHT = CELL[1] + 8  # pixels
#: A probe of more properties than this is shown on demand only.
SMALL_GROUP = 4

_PICTURE = "Structure"
_PERCENTILE_WIDTH = 104  # pixels
_LONG_CELL, _LONGEST_CELL = 24, 200  # characters: kept to a medium width, cut
_NARROWEST, _WIDEST = 96, 300  # pixels
_MOST_INPUT_COLUMNS = 30
_REMARK = re.compile(r"\s*\([^()]*\)")
# No leading zero and nothing but digits: "007" is a name, "1e5" may be one.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")


def short_title(one: Property) -> str:
    """Title of a property without its remarks."""
    return _REMARK.sub("", one.title)


def heading(one: Property) -> str:
    """Title and unit in one line, without remarks; p is a probability."""
    is_chance = one.kind == "classification"
    return (
        f"{short_title(one)} ({_unit(one)})" if is_chance else f"{short_title(one)}, {_unit(one)}"
    )


def write_value(one: Property, value: float) -> str:
    """Number with its unit, without remarks."""
    number = format_number(value)
    return f"p = {number}" if one.kind == "classification" else f"{number} {_unit(one)}"


def shorten_titles(titles: Sequence[str]) -> dict[str, str]:
    """Shorten the titles of data sets to what tells them apart.

    Parameters
    ----------
    titles : sequence of str
        Such as ``ESOL: solubility in water``.

    Returns
    -------
    dict of str to str
        What stands before the colon; with the last parenthesis where that is not unique.
    """
    short = {title: title.split(":")[0] for title in titles}
    twice = {name for name in short.values() if list(short.values()).count(name) > 1}
    for title, name in short.items():
        last = re.search(r"\([^()]*\)$", title)
        if name in twice:
            short[title] = f"{name} {last[0]}" if last else title
    return short


def build_frame(
    results: Results,
    pictures: Sequence[str | None],
    rows: Sequence[int],
    properties: Collection[str],
    percentiles: bool,
) -> pd.DataFrame:
    """Build what the table shows.

    What names a molecule comes first, then predictions, then the rest of the upload: predictions
    should be in sight however many columns a file has.

    Parameters
    ----------
    results : Results
        n rows.
    pictures : sequence of str or None
        n addresses.
    rows : sequence of int
        Rows to show, m of them.
    properties : collection of str
        Names of the wanted properties.
    percentiles : bool
        Whether to put percentiles beside the values.

    Returns
    -------
    pandas.DataFrame
        m rows; columns have two levels, the title of a property ("" elsewhere) and a unique name.
    """
    given = results.upload.batch.frame
    first, rest = _split_columns(results)
    columns: dict[tuple[str, str], Any] = {("", free_name(results, _PICTURE)): list(pictures)}
    columns |= {("", name): show_cells(given[name]) for name in first}
    if results.failed or results.noted:
        columns["", PROBLEM] = results.added[PROBLEM]
    if has_domain(results):
        columns["", DOMAIN] = domain_cells(results)
        columns["", NEAREST] = results.added[NEAREST]
    for one in results.properties:
        if one.name in properties:
            group = short_title(one)
            columns[group, one.name] = results.added[one.name]
            if (cells := sure_cells(results, one)) is not None:
                columns[group, sure_name(results, one.name)] = cells
            if percentiles and one.name in results.percentiles:
                columns[group, percentile_name(results, one.name)] = results.percentiles[one.name]
    columns |= {("", name): show_cells(given[name]) for name in rest}
    frame = pd.DataFrame(columns).iloc[list(rows)].reset_index(drop=True)
    frame.columns = pd.MultiIndex.from_tuples(columns)
    return frame


def free_name(results: Results, wanted: str) -> str:
    """Name for a column of the table that no column of the download has."""
    taken = {*results.upload.columns, *results.added.columns}
    while wanted in taken:
        wanted += " "
    return wanted


def percentile_name(results: Results, name: str) -> str:
    """Name of the column with the percentiles of a property."""
    return free_name(results, f"{name} percentile")


def sure_name(results: Results, name: str) -> str:
    """Name of the column that says how sure a property is."""
    return free_name(results, f"{name} sure")


def show_cells(column: pd.Series[Any]) -> pd.Series[Any]:
    """Turn the cells of a file into what a table can show and sort.

    Parameters
    ----------
    column : pandas.Series
        n cells of any type.

    Returns
    -------
    pandas.Series
        n numbers if every cell that is not empty is one, else texts of bounded length.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    texts = column.astype(object).where(column.notna(), "").map(str)
    filled = texts[texts.str.strip() != ""]
    if len(filled) and filled.map(lambda text: bool(_NUMBER.fullmatch(text.strip()))).all():
        return pd.to_numeric(texts.where(texts.str.strip() != "", None))
    return texts.str.slice(0, _LONGEST_CELL)


def _split_columns(results: Results) -> tuple[list[str], list[str]]:
    """Columns of the upload that stand before the predictions, and those behind.

    Those of an earlier download, which came back renamed, are left out.
    """
    earlier = set(results.upload.renamed.values())
    given = [name for name in results.upload.columns if name not in earlier]
    smiles_column = results.upload.batch.smiles_column
    first = [name for name in given if is_identifier(name) and name != smiles_column]
    return first, [name for name in given[:_MOST_INPUT_COLUMNS] if name not in first]


def is_identifier(name: str) -> bool:
    """Whether a column name says that the column names the molecules."""
    return normalize_name(name) in IDENTIFIER_NAMES


def configure_columns(results: Results, percentiles: bool) -> dict[str, Any]:
    """Configure heading, width and format of each column.

    Parameters
    ----------
    results : Results
        Upload and properties.
    percentiles : bool
        Whether percentiles stand beside the values.

    Returns
    -------
    dict
        For `st.dataframe`.
    """
    config: dict[str, Any] = {
        free_name(results, _PICTURE): st.column_config.ImageColumn(
            _PICTURE, width=CELL[0] + 8, pinned=True
        ),
        PROBLEM: st.column_config.TextColumn("Problem", width="medium"),
    }
    for name in {name for part in _split_columns(results) for name in part}:
        shown = show_cells(results.upload.batch.frame[name])
        if pd.api.types.is_numeric_dtype(shown.dtype):
            config[name] = st.column_config.NumberColumn(format="plain")
        elif shown.str.len().max() > _LONG_CELL:
            config[name] = st.column_config.TextColumn(width="medium")
    config |= configure_domain() if has_domain(results) else {}
    for one in results.properties:
        has_percentile = percentiles and one.name in results.percentiles
        config[one.name] = _configure_value(one, has_percentile)
        config[sure_name(results, one.name)] = configure_sureness(results, one)
        config[percentile_name(results, one.name)] = st.column_config.ProgressColumn(
            "Percentile",
            help=f"{plain(one.title)}: {glossary.PERCENTILE}",
            format="%.0f",
            min_value=0,
            max_value=100,
            width=_PERCENTILE_WIDTH,
        )
    return config


def _configure_value(one: Property, has_percentile: bool) -> Any:  # noqa: ANN401 - Streamlit's own type is private
    score = describe_score(one)
    words = f"{one.title}. {score}. " if score else f"{one.title}. "
    about = plain(f"{words}Column {one.name} of the download.", 600)
    # The columns of a property are together as wide as its title.
    title = 7 * len(short_title(one)) + 20 - _PERCENTILE_WIDTH * has_percentile
    width = min(_WIDEST, max(_NARROWEST, title, 7 * len(_unit(one)) + 20))
    if one.kind == "classification":
        return st.column_config.ProgressColumn(
            _unit(one),
            help=f"{glossary.PROBABILITY} {about}",
            format="%.2f",
            min_value=0.0,
            max_value=1.0,
            width=width,
        )
    return st.column_config.NumberColumn(_unit(one), help=about, format="%.2f", width=width)


def _unit(one: Property) -> str:
    return "p" if one.kind == "classification" else _REMARK.sub("", one.unit)
