"""The table that a visitor downloads, as CSV, SDF or Parquet: everything in it, in order.

Free of Streamlit. Only a CSV is opened by spreadsheets, and nothing in it must run there: a cell
that begins like a formula is harmless in a file and dangerous in a spreadsheet, so the text cells
of the visitor's own file are guarded; numbers and SMILES are not touched. Which columns there are
is `app.results`'s decision.
"""

from __future__ import annotations

import re

import pandas as pd

from cmim_chem.chem.sdf_write import write_records

GUARD = "'"
# A formula begins with one of these, perhaps after blanks; tab and carriage return can hide one.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
# What chemists write that begins alike: numbers in any notation, and flags such as "-" or "+++".
_HARMLESS = re.compile(r"\s*([+-]?[.,]?\d[\d.,]*([eE][+-]?\d+)?\s?%?|[+-]?inf|[-+/ ]+)\s*")
_LONGEST_NUMBER = 40


def guard_cell(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Parameters
    ----------
    cell : object
        Any cell; only text is changed.

    Returns
    -------
    object
        The cell itself, or the guarded text.
    """
    if not isinstance(cell, str) or not _FORMULA.match(cell):
        return cell
    is_harmless = len(cell) <= _LONGEST_NUMBER and _HARMLESS.fullmatch(cell)
    return cell if is_harmless else GUARD + cell


def guard_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Guard the column names and the text cells of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows.

    Returns
    -------
    pandas.DataFrame
        n rows in the same order; columns of numbers keep their type.
    """
    guarded = {
        position: column
        if pd.api.types.is_numeric_dtype(column.dtype)
        else column.astype(object).map(guard_cell)
        for position, (_, column) in enumerate(frame.items())
    }
    result = pd.DataFrame(guarded, index=frame.index)
    result.columns = pd.Index([guard_cell(str(name)) for name in frame.columns])
    return result


def write_csv(frame: pd.DataFrame) -> bytes:
    """Write a table as CSV that is safe to open in a spreadsheet.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows.

    Returns
    -------
    bytes
        UTF-8. With a byte-order mark only if it is not plain ASCII: without the mark, spreadsheets
        would garble such text; readers of plain files are spared it.
    """
    text = guard_frame(frame).to_csv(index=False, lineterminator="\n")
    return text.encode("ascii" if text.isascii() else "utf-8-sig", "replace")


def write_sdf(frame: pd.DataFrame) -> bytes:
    """Write a table as SDF: the scored molecule of each row, every column a property.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows.

    Returns
    -------
    bytes
        n records in UTF-8; a row without a molecule is a record without atoms.
    """
    return write_records(frame).encode("utf-8", "replace")


def write_parquet(frame: pd.DataFrame) -> bytes:
    """Write a table as Parquet, cells as they are.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows.

    Returns
    -------
    bytes
        The file.
    """
    return frame.to_parquet(index=False)
