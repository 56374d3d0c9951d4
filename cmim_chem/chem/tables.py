"""The three ways a table is stored - text, SDF, Parquet - behind one small interface.

Third stage of reading: rows become frames. `read` chooses the SMILES column and gives the batches
to the rest of the house.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from cmim_chem.chem import sdf
from cmim_chem.chem.columns import make_unique
from cmim_chem.chem.delimited import Lookahead, Row, read_rows
from cmim_chem.chem.layout import detect_layout
from cmim_chem.chem.source import READ_ERRORS, Source
from cmim_chem.errors import InputError

#: Frame of n rows and n problems ("" if none).
Part = tuple[pd.DataFrame, tuple[str, ...]]

_SAMPLE_ROWS = 100


@dataclass(frozen=True)
class Table:
    """An opened table.

    Attributes
    ----------
    columns : tuple of str
        Unique names.
    sample : sequence of sequences
        Cells of its first rows, for finding the SMILES column.
    smiles_column : str or None
        Column of the SMILES where the kind of file settles it.
    batches : callable
        Gives an iterator of parts of at most so many rows, at least one; to be called once.
    close : callable
        Ends its work, before the source is closed.
    """

    columns: tuple[str, ...]
    sample: Sequence[Sequence[object]]
    smiles_column: str | None
    batches: Callable[[int], Iterator[Part]]
    close: Callable[[], None] = lambda: None


def open_kind(source: Source) -> Table:
    """Open a table of any kind.

    Parameters
    ----------
    source : Source
        Its `kind` is one of `cmim_chem.chem.source.ENDINGS` or "text".

    Returns
    -------
    Table
        Ready to be read once.

    Raises
    ------
    InputError
        If it is not what its kind says.
    """
    if source.kind == "parquet":
        return open_parquet(source)
    return open_sdf(source) if source.kind == "sdf" else open_text(source)


def open_text(source: Source) -> Table:
    """Open a table of delimited lines.

    Parameters
    ----------
    source : Source
        At its first line.

    Returns
    -------
    Table
        Its columns are those of the header, or `smiles`, `name`, `column_3` without one.
    """
    lines = Lookahead(source.lines())
    layout = detect_layout(lines, source.kind)
    ahead = Lookahead(lines.peek(2 * _SAMPLE_ROWS))
    sample = [cells for cells, _ in islice(read_rows(ahead, layout), _SAMPLE_ROWS)]
    rows = ((cells, f"note: {note}" if note else "") for cells, note in read_rows(lines, layout))
    return Table(
        layout.columns, sample, None, lambda size: _collect(iter(rows), layout.columns, size)
    )


def open_sdf(source: Source) -> Table:
    """Open an SDF: one pass for the names of its properties, a second for the records.

    Parameters
    ----------
    source : Source
        Standard input is copied to a temporary file, since it is read twice.

    Returns
    -------
    Table
        Its columns are `smiles`, `name` (the title line) and one for each property.

    Raises
    ------
    InputError
        If there is no record in it.
    """
    source.rewind()
    names, is_sdf = sdf.scan_properties(_until_damage(source.lines()))
    if not is_sdf:
        raise InputError(f"{source.label}: no SDF record in it ('M  END', '$$$$'); is it a CSV?")
    source.rewind()
    columns = (sdf.SMILES, sdf.TITLE, *sdf.name_columns(names).values())
    rows = (sdf.convert_record(record, names) for record in sdf.read_records(source.lines()))
    return Table(columns, (), sdf.SMILES, lambda size: _collect(rows, columns, size))


def open_parquet(source: Source) -> Table:
    """Open a Parquet file; its cells keep their Arrow types, so that no integer becomes a float.

    Parameters
    ----------
    source : Source
        Standard input or gzip is copied to a temporary file, since it is read from its end.

    Returns
    -------
    Table
        An index that pandas stored is an ordinary column.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        file = parquet.ParquetFile(source.spool())
        columns = make_unique(file.schema_arrow.names)
        first = next(file.iter_batches(batch_size=_SAMPLE_ROWS), None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.label}: damaged Parquet file ({_first_line(error)})") from None
    sample = [] if first is None else list(zip(*(c.to_pylist() for c in first), strict=True))

    def batches(size: int) -> Iterator[Part]:
        if not file.metadata.num_rows:
            yield _to_frame(file.schema_arrow.empty_table(), columns)
        try:
            for batch in file.iter_batches(batch_size=size):
                yield _to_frame(pa.Table.from_batches([batch]), columns)
        except pa.ArrowException as error:
            raise OSError(_first_line(error)) from None

    return Table(tuple(columns), sample, None, batches)


def _collect(rows: Iterator[Row], columns: Sequence[str], size: int) -> Iterator[Part]:
    """Gather rows into frames of text; what was read before a damaged place is still given."""
    damage: Exception | None = None
    is_first = True
    while damage is None:
        part: list[Row] = []
        try:
            for row in islice(rows, size):
                part.append(row)  # one by one: what came before the damage must stay
        except READ_ERRORS as error:
            damage = error
        if not part and not is_first:
            break
        is_first = False
        cells = pd.DataFrame([row for row, _ in part], columns=list(columns), dtype="str")
        yield cells, tuple(problem for _, problem in part)
    if damage is not None:
        raise damage


def _to_frame(table: pa.Table, columns: Sequence[str]) -> Part:
    frame = table.rename_columns(list(columns)).to_pandas(
        types_mapper=pd.ArrowDtype, ignore_metadata=True
    )
    return frame, ("",) * len(frame)


def _until_damage(lines: Iterator[str]) -> Iterator[str]:
    """Lines up to a damaged place, which the second pass will report."""
    try:
        yield from lines
    except READ_ERRORS:
        return


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
