"""The results as a table on the page: which columns it shows, how they are headed and formatted.

A view of `app.results.Results`, never the download: long texts are cut here, and columns that would
only be in the way wait in the table's own menu.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app import glossary
from app.pictures import CELL
from app.results import ADDED_COLUMNS, PROBLEM, SMILES, Results
from cmim_chem.chem.columns import IDENTIFIER_NAMES, normalize_name
from cmim_chem.report import LOWER, UPPER, describe_score

if TYPE_CHECKING:
    from cmim_chem.predictions import Property

ROW_HEIGHT = CELL[1] + 8  # pixels
#: A probe of more properties than this is shown on demand only.
SMALL_GROUP = 4

_PICTURE = "Structure"
_PERCENTILE_WIDTH = 104  # pixels
_LONG_CELL, _LONGEST_CELL = 24, 200  # characters: kept to a medium width, cut
_NARROWEST, _WIDEST = 130, 300  # pixels
_MOST_INPUT_COLUMNS = 30
_REMARK = re.compile(r"\s*\([^()]*\)")
# No leading zero and nothing but digits: "007" is a name, "1e5" may be one.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")


def heading(one: Property) -> str:
    """Title and unit as they stand above a column, without remarks; p is a probability."""
    title, unit = _REMARK.sub("", one.title), _REMARK.sub("", one.unit)
    return f"{title} (p)" if one.kind == "classification" else f"{title}, {unit}"


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
    results: Results, pictures: Sequence[str | None], rows: Sequence[int], percentiles: bool
) -> pd.DataFrame:
    """Build what the table shows.

    Parameters
    ----------
    results : Results
        n rows.
    pictures : sequence of str or None
        n addresses.
    rows : sequence of int
        Rows to show, m of them.
    percentiles : bool
        Whether to put percentiles beside the values.

    Returns
    -------
    pandas.DataFrame
        m rows: picture, first columns of the upload, everything added but the SMILES, percentiles.
    """
    at = list(rows)
    given = results.upload.batch.frame.iloc[at, :_MOST_INPUT_COLUMNS]
    shown = pd.DataFrame({name: show_cells(column) for name, column in given.items()})
    shown.insert(0, free_name(results, _PICTURE), [pictures[row] for row in at])
    parts = [shown, results.added.iloc[at].drop(columns=SMILES)]
    if percentiles:
        names = {name: percentile_name(results, name) for name in results.percentiles}
        parts.append(results.percentiles.iloc[at].rename(columns=names))
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)


def free_name(results: Results, wanted: str) -> str:
    """Name for a column of the table that no column of the download has."""
    taken = {*results.upload.columns, *results.added.columns}
    while wanted in taken:
        wanted += " "
    return wanted


def percentile_name(results: Results, name: str) -> str:
    """Name of the column with the percentiles of a property."""
    return free_name(results, f"{name} percentile")


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


def order_columns(results: Results, properties: Collection[str]) -> list[str]:
    """List the columns that are shown at once; the table's menu has the others.

    What names a molecule comes first, then predictions, then the rest of the upload: predictions
    should be in sight however many columns a file has.

    Parameters
    ----------
    results : Results
        Upload and properties.
    properties : collection of str
        Names of the wanted properties.

    Returns
    -------
    list of str
        Without the columns of an earlier download, which came back renamed.
    """
    earlier = set(results.upload.renamed.values())
    given = [name for name in results.upload.columns if name not in earlier]
    smiles_column = results.upload.batch.smiles_column
    first = [name for name in given if is_identifier(name) and name != smiles_column]
    rest = [name for name in given[:_MOST_INPUT_COLUMNS] if name not in first]
    problem = [PROBLEM] if results.failed or results.noted else []
    wanted = [
        column
        for one in results.properties
        if one.name in properties
        for column in _columns_of(results, one.name)
    ]
    return [free_name(results, _PICTURE), *first, *problem, *_remarks(results), *wanted, *rest]


def _columns_of(results: Results, name: str) -> list[str]:
    """A property, the ends of its interval if it has one, and its percentile."""
    ends = [end for end in (name + LOWER, name + UPPER) if end in results.added]
    return [name, *ends, percentile_name(results, name)]


def _remarks(results: Results) -> list[str]:
    """Added columns that belong to the molecule, not to one property."""
    own = {column for one in results.properties for column in _columns_of(results, one.name)}
    return [name for name in results.added if name not in own and name not in ADDED_COLUMNS]


def is_identifier(name: str) -> bool:
    """Whether a column name says that the column names the molecules."""
    return normalize_name(name) in IDENTIFIER_NAMES


def configure_columns(results: Results) -> dict[str, Any]:
    """Configure heading, width and format of each column.

    Parameters
    ----------
    results : Results
        Upload and properties.

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
    for name, column in results.upload.batch.frame.iloc[:, :_MOST_INPUT_COLUMNS].items():
        shown = show_cells(column)
        if pd.api.types.is_numeric_dtype(shown.dtype):
            config[str(name)] = st.column_config.NumberColumn(format="plain")
        elif shown.str.len().max() > _LONG_CELL:
            config[str(name)] = st.column_config.TextColumn(width="medium")
    for one in results.properties:
        config[one.name] = _configure_value(one)
        for end, words in ((LOWER, "lower end"), (UPPER, "upper end")):
            config[one.name + end] = st.column_config.NumberColumn(
                f"{heading(one)}, {words}", format="%.2f"
            )
        config[percentile_name(results, one.name)] = st.column_config.ProgressColumn(
            "Percentile",
            help=f"{one.title}: {glossary.PERCENTILE}",
            format="%.0f",
            min_value=0,
            max_value=100,
            width=_PERCENTILE_WIDTH,
        )
    return config


def _configure_value(one: Property) -> Any:  # noqa: ANN401 - Streamlit's own type is private
    title = heading(one)
    score = describe_score(one)
    about = f"{one.title}. {score}. " if score else f"{one.title}. "
    about += f"Column `{one.name}` of the download."
    # Wide enough for the unit to be in sight, not so wide that the bars lose their rows.
    width = min(_WIDEST, max(_NARROWEST, 7 * len(title) + 20))
    if one.kind == "classification":
        return st.column_config.ProgressColumn(
            title,
            help=f"{glossary.PROBABILITY} {about}",
            format="%.2f",
            min_value=0.0,
            max_value=1.0,
            width=width,
        )
    return st.column_config.NumberColumn(title, help=about, format="%.2f", width=width)
