"""Tables of molecules, read in batches from csv, tsv, smi, txt, sdf and parquet, plain or gzipped.

The entrance of every row: the command line, the app and fitting read through `open_table`. Rows
keep their order and their cells; one that is malformed stays, with a problem in words. Nothing is
standardized or predicted here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import BinaryIO

import pandas as pd

from cmim_chem.chem.columns import choose_smiles_column, rename_reserved
from cmim_chem.chem.source import READ_ERRORS, Source, explain_damage
from cmim_chem.chem.tables import Table, open_kind
from cmim_chem.errors import InputError

logger = logging.getLogger(__name__)

BATCH_ROWS = 8_192
NOTE = "note: "


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that follow each other in a table.

    Attributes
    ----------
    frame : pandas.DataFrame
        n rows. Cells are text as it stands ("NA" stays "NA"); those of Parquet keep their types.
    problems : tuple of str
        n texts: "" if the row was read well, a reason if it holds no molecule, and a text that
        begins with `NOTE` if it was mended. See `merge_problems`.
    smiles_column : str
        Column of the SMILES.
    first_row : int
        Number of the first row in the table, from 0.
    """

    frame: pd.DataFrame
    problems: tuple[str, ...]
    smiles_column: str
    first_row: int = 0

    @property
    def smiles(self) -> list[object]:
        """The n cells of the SMILES column, None where missing; what `Predictor.score` takes."""
        cells = self.frame[self.smiles_column]
        return list(cells.astype(object).where(cells.notna().to_numpy(), None))


class TableReader:
    """One pass over a table in batches; made by `open_table`, used in a `with` block.

    Attributes
    ----------
    label : str
        How messages call the input.
    columns : tuple of str
        Column names, unique.
    smiles_column : str
        Column of the SMILES.
    renamed : mapping of str to str
        Input columns that had the name of a column we add, and their new names.
    """

    def __init__(self, source: Source, table: Table, smiles_column: str, batch_rows: int) -> None:
        self._source = source
        self._table = table
        self._batch_rows = batch_rows
        self.label = source.label
        self.smiles_column = smiles_column
        self.columns: tuple[str, ...] = tuple(table.columns)
        self.renamed: Mapping[str, str] = MappingProxyType({})
        self.rows_read = 0
        # With SMILES from a property of an SDF, a bad mol block is no more than a remark.
        self._is_overruled = table.smiles_column not in {None, smiles_column}

    def __iter__(self) -> Iterator[Batch]:
        """Go through the batches; a table without rows gives one empty batch.

        Yields
        ------
        Batch
            At most `batch_rows` rows.

        Raises
        ------
        InputError
            If the file turns out damaged or cut off; all rows before that have been given.
        """
        parts = self._table.batches(self._batch_rows)
        while True:
            try:
                frame, problems = next(parts)
            except StopIteration:
                return
            except READ_ERRORS as error:
                raise InputError(
                    f"{self.label}: {explain_damage(error)}; {self.rows_read} rows were read before"
                ) from None
            frame.columns = pd.Index(self.columns)
            if self._is_overruled:
                problems = tuple(f"{NOTE}{text}" if text else "" for text in problems)
            yield Batch(frame, problems, self.smiles_column, self.rows_read)
            self.rows_read += len(frame)

    def fraction_read(self) -> float | None:
        """Share of the input that has been read, None if its size is unknown."""
        return self._source.fraction_read()

    def close(self) -> None:
        """Close the input; a file object given to `open_table` stays open."""
        self._table.close()
        self._source.close()

    def __enter__(self) -> TableReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_table(
    given: str | Path | BinaryIO,
    smiles_column: str | None = None,
    *,
    batch_rows: int = BATCH_ROWS,
    reserved: Collection[str] = (),
    name: str | None = None,
) -> TableReader:
    """Open a table of molecules for one pass over its rows.

    Parameters
    ----------
    given : str, Path or binary file object
        A path, "-" for standard input, or an upload. The ending (of the path or of `name`) tells
        the kind; without one the content does.
    smiles_column : str or None
        Column of the SMILES; None finds it by name, then by content.
    batch_rows : int
        Rows per batch.
    reserved : collection of str
        Names of columns to be added later: an input column of that name is renamed.
    name : str or None
        File name of a file object.

    Returns
    -------
    TableReader
        To be used in a `with` block.

    Raises
    ------
    InputError
        If the input cannot be read, is empty or no table, or has no such column or no SMILES.
    """
    source = Source(given, name)
    try:
        table = open_kind(source)
        column = smiles_column or table.smiles_column
        column = choose_smiles_column(table.columns, table.sample, column, source.label)
        reader = TableReader(source, table, column, batch_rows)
        renamed = rename_reserved(reader.columns, reserved)
        reader.columns = tuple(renamed.get(old, old) for old in reader.columns)
        reader.smiles_column = renamed.get(column, column)
        reader.renamed = MappingProxyType(renamed)
    except READ_ERRORS as error:
        source.close()
        raise InputError(f"{source.label}: {explain_damage(error)}; no row was read") from None
    except InputError:
        source.close()
        raise
    for old, new in renamed.items():
        logger.warning("%s: the input column %r is now called %r", source.label, old, new)
    return reader


def read_table(
    given: str | Path | BinaryIO,
    smiles_column: str | None = None,
    *,
    reserved: Collection[str] = (),
    name: str | None = None,
) -> Batch:
    """Read a whole table at once; for tables that fit into memory.

    Parameters
    ----------
    given, smiles_column, reserved, name
        As of `open_table`.

    Returns
    -------
    Batch
        All rows.

    Raises
    ------
    InputError
        As of `open_table`; also if the file is damaged or cut off anywhere.
    """
    with open_table(given, smiles_column, reserved=reserved, name=name) as reader:
        batches = list(reader)
        frame = pd.concat([batch.frame for batch in batches], ignore_index=True)
        problems = tuple(chain.from_iterable(batch.problems for batch in batches))
        return Batch(frame, problems, reader.smiles_column)


def merge_problems(predicted: Sequence[str], read: Sequence[str]) -> list[str]:
    """Put the reader's problems beside those of the predictor, row by row.

    Parameters
    ----------
    predicted : sequence of str
        n problems or notes on the molecules.
    read : sequence of str
        n problems or notes on the form of the rows, as in `Batch.problems`.

    Returns
    -------
    list of str
        n texts. A reason why the row holds no molecule replaces the predictor's, which can only
        say that the SMILES is empty; a note is appended.
    """
    merged = []
    for ours, theirs in zip(predicted, read, strict=True):
        if theirs.startswith(NOTE) and ours:
            merged.append(f"{ours}; {theirs.removeprefix(NOTE)}")
        else:
            merged.append(theirs or ours)
    return merged


def join_columns(frame: pd.DataFrame, *added: pd.DataFrame) -> pd.DataFrame:
    """Put columns to the right of a table, row by row, whatever the indices.

    Parameters
    ----------
    frame, *added : pandas.DataFrame
        n rows each, no column name in common.

    Returns
    -------
    pandas.DataFrame
        n rows with a plain index.

    Raises
    ------
    ValueError
        If the numbers of rows differ.
    """
    parts = [part.reset_index(drop=True) for part in (frame, *added)]
    if len({len(part) for part in parts}) > 1:
        raise ValueError(f"tables of {[len(part) for part in parts]} rows cannot be joined")
    return pd.concat(parts, axis=1)
