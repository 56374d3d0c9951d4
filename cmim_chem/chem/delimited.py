"""Rows of csv, tsv, smi and plain-text tables, from lines, with what is wrong about their form.

Second stage of reading. Cells are kept as they stand: no number, date or missing value is
interpreted. Where the columns are is `layout`'s decision, which of them is SMILES `columns`'s.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cmim_chem.chem.source import READ_ERRORS

#: One row: its cells and a note on its form ("" if there is none).
Row = tuple[list[str], str]
#: Delimiter of a table with one column: a control character that no text contains.
NO_DELIMITER = "\x1f"

_LONGEST_RECORD = 100  # lines that one quoted record may span
csv.field_size_limit(2**31 - 1)  # a cell of 10^6 characters is the standardizer's to judge


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    delimiter : str or None
        One character, or None for white space: SMILES, blank or tab, the rest of the line.
    columns : tuple of str
        Unique names.
    has_header : bool
        Whether the first line that is not blank is the names.
    """

    delimiter: str | None
    columns: tuple[str, ...]
    has_header: bool


class Lookahead:
    """Lines, the next of which can be looked at; an error waits until its place is reached."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[str] = deque()
        self._error: Exception | None = None

    def peek(self, count: int) -> list[str]:
        """Return up to `count` coming lines without taking them."""
        while len(self._ahead) < count and self._error is None:
            try:
                self._ahead.append(next(self._lines))
            except StopIteration:
                break
            except READ_ERRORS as error:
                self._error = error
        return [line for line, _ in zip(self._ahead, range(count), strict=False)]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._ahead:
            return self._ahead.popleft()
        if self._error is not None:
            raise self._error
        return next(self._lines)


def read_rows(lines: Lookahead, layout: Layout) -> Iterator[Row]:
    """Read the rows of a table; a row too short or too long is mended and noted, never dropped.

    Blank lines between rows are rows of empty cells; those at the end are none.

    Parameters
    ----------
    lines : Lookahead
        All lines, the header too.
    layout : Layout
        How they are written.

    Yields
    ------
    Row
        As many cells as the layout has columns, and a note.
    """
    width = len(layout.columns)
    header_due = layout.has_header
    blank = 0
    for line in lines:
        if not line.strip("\r\n "):
            blank += not header_due
            continue
        if header_due:
            read_record(line, lines, layout.delimiter, None)
            header_due = False
            continue
        for _ in range(blank):
            yield [""] * width, ""
        blank = 0
        cells, note = read_record(line, lines, layout.delimiter, width)
        yield _fit(cells, note, layout)


def read_record(line: str, lines: Lookahead, delimiter: str | None, width: int | None) -> Row:
    """Split one record, which may go on over more lines inside quotes.

    Parameters
    ----------
    line : str
        Its first line.
    lines : Lookahead
        The lines after it; those that belong to the record are taken.
    delimiter : str or None
        One character, None for white space.
    width : int or None
        Number of columns if known: a quote that swallows lines is believed only if it fits.

    Returns
    -------
    Row
        The cells found, and a note if a quote is not closed.
    """
    if delimiter is None:
        return line.split(None, 1 if width is None else max(1, width - 1)), ""
    if '"' not in line:
        return line.rstrip("\r\n").split(delimiter), ""
    if not _leaves_quote_open(line, delimiter):
        return _parse(line, delimiter), ""
    ahead = lines.peek(_LONGEST_RECORD)
    for count, extra in enumerate(ahead, 1):
        if not _leaves_quote_open(extra, delimiter, is_open=True):
            cells = _parse(line + "".join(ahead[:count]), delimiter, strict=True)
            if cells and (width is None or len(cells) == width):
                for _ in range(count):
                    next(lines)
                return cells, ""
            break
    note = "a quote is not closed: the line was split at every delimiter"
    return line.rstrip("\r\n").split(delimiter), note


def _fit(cells: list[str], note: str, layout: Layout) -> Row:
    """Give a row as many cells as there are columns."""
    width = len(layout.columns)
    if layout.delimiter is None:
        cells = [cell.rstrip() for cell in cells]
        return cells + [""] * (width - len(cells)), ""
    if len(cells) < width:
        note = note or f"{_count(cells)} where the header has {width}: the others left empty"
        return cells + [""] * (width - len(cells)), note
    if len(cells) > width:
        extra = layout.delimiter.join(cells[width:])
        if extra.strip(layout.delimiter + " "):
            note = note or (
                f"{_count(cells)} where the header has {width}: "
                f"the rest is kept in {layout.columns[-1]!r}"
            )
            cells = [*cells[: width - 1], layout.delimiter.join(cells[width - 1 :])]
    return cells[:width], note


def _leaves_quote_open(text: str, delimiter: str, is_open: bool = False) -> bool:
    """Whether a quoted cell goes on after this line."""
    at = 0
    if not is_open and text.startswith('"'):
        is_open, at = True, 1
    while True:
        if is_open:
            at = text.find('"', at)
            if at < 0:
                return True
            is_open = text.startswith('""', at)
            at += 2 if is_open else 1
        else:
            # Quotes count only at the beginning of a cell: 5"-phosphate is text.
            at = text.find(delimiter + '"', at)
            if at < 0:
                return False
            is_open, at = True, at + 2


def _parse(record: str, delimiter: str, strict: bool = False) -> list[str]:
    """Split by the rules of CSV; under `strict`, give nothing if the quotes break them."""
    try:
        rows = list(csv.reader([record], delimiter=delimiter, strict=strict))
    except csv.Error:
        rows = []
    if len(rows) == 1:
        return rows[0]
    return [] if strict else record.rstrip("\r\n").split(delimiter)


def _count(cells: list[str]) -> str:
    return "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
