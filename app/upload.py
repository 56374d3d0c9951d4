"""Turn what a visitor gives - a file or pasted text - into a table of molecules, within limits.

First stage of the app, free of Streamlit. Reading itself is `cmim_chem.chem.read`'s work; this
module bounds it, so that one visitor cannot exhaust the server, and words its refusals for a page
instead of a command line.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

import pandas as pd

from cmim_chem.chem.bounds import measure_extent
from cmim_chem.chem.read import Batch, TableReader, open_table
from cmim_chem.errors import InputError

MAX_ROWS = 2_000
#: To learn from: a fit is given more time than a prediction.
MAX_TRAINING_ROWS = 3_000
MAX_BYTES = 20 * 2**20
#: A small gzip file can unpack to terabytes.
MAX_UNPACKED_BYTES = 100 * 2**20
MAX_COLUMNS = 500
# Delimiters in a line of text: more than that is refused before anything looks at them. Cells may
# hold some, such as coordinates behind a SMILES.
_MOST_DELIMITERS = 5_000

# The readers speak of the command line, and call an input without a file name "the upload".
_COMMAND_LINE_WORDS = "name it with --smiles-column"
_PAGE_WORDS = "give the column of the SMILES the header smiles"
_NAMELESS = "the upload"
_PASTED = "the pasted text"


class TooLargeError(InputError):
    """An input beyond the limits of the page, which the command line can score.

    Attributes
    ----------
    command : str
        Shell command that scores it.
    """

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.command = command


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a page takes, and where to go with more.

    Attributes
    ----------
    rows : int
        Most rows.
    command : str
        Shell command that takes any number; ``{file}`` stands for the file.
    """

    rows: int
    command: str


PREDICTING = Limit(MAX_ROWS, "cmim score {file} -o predictions.csv")
TRAINING = Limit(MAX_TRAINING_ROWS, "cmim fit {file} --target COLUMN -o my_probe")


@dataclass(frozen=True, slots=True)
class Source:
    """What a visitor gave, unread.

    Attributes
    ----------
    data : bytes
        The file, or the pasted text in UTF-8.
    name : str or None
        File name without folders; None for pasted text.
    """

    data: bytes
    name: str | None = None

    @property
    def label(self) -> str:
        """How the page calls it."""
        return self.name or _PASTED


@dataclass(frozen=True)
class Upload:
    """A table of molecules that was read.

    Attributes
    ----------
    label : str
        How the page calls its source.
    batch : Batch
        All rows: the frame, a problem per row, the column of the SMILES.
    renamed : mapping of str to str
        Columns that had the name of a column to be added, and their new names.
    warning : str
        Why rows after the last one could not be read; empty if the table is whole.
    """

    label: str
    batch: Batch
    renamed: Mapping[str, str]
    warning: str = ""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.batch.frame)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, unique."""
        return [str(name) for name in self.batch.frame.columns]


def paste_source(text: str) -> Source:
    """Make a source of pasted text.

    Parameters
    ----------
    text : str
        One SMILES per line, a name after a blank or tab if wanted; or a copied table.

    Returns
    -------
    Source
        Without a name.

    Raises
    ------
    InputError
        If there is nothing in it.
    """
    if not text.strip():
        raise InputError("Nothing was pasted: write one SMILES per line.")
    # A browser may send half of a surrogate pair, which UTF-8 cannot hold.
    return Source(text.encode("utf-8", "replace"))


def file_source(name: str, data: bytes) -> Source:
    """Make a source of an uploaded file.

    Parameters
    ----------
    name : str
        Its name; folders in it are dropped.
    data : bytes
        Its content.

    Returns
    -------
    Source
        With the bare name.
    """
    return Source(data, PurePath(name.replace("\\", "/")).name or "upload")


def read_upload(
    source: Source,
    smiles_column: str | None = None,
    reserved: Collection[str] = (),
    limit: Limit | None = None,
) -> Upload:
    """Read a source within the limits of the page.

    Parameters
    ----------
    source : Source
        A file or pasted text.
    smiles_column : str or None
        Column of the SMILES, as the file names it; None finds it.
    reserved : collection of str
        Names of the columns to be added: an input column of that name is renamed.
    limit : Limit, optional
        Of the page; that for predictions if not given.

    Returns
    -------
    Upload
        At most so many rows. Of a file that is cut off, the rows before that, with a warning.

    Raises
    ------
    TooLargeError
        If it has more rows or bytes than the page takes.
    InputError
        If it cannot be read, is empty or no table, or has no such column or no SMILES.
    """
    limit = limit or PREDICTING
    _check_size(source, limit)
    try:
        with open_table(
            io.BytesIO(source.data),
            smiles_column,
            batch_rows=limit.rows + 1,
            reserved=reserved,
            name=source.name,
        ) as reader:
            batch, warning = _read_rows(reader, source, limit)
            return Upload(source.label, batch, dict(reader.renamed), warning)
    except TooLargeError:
        raise
    except InputError as error:
        raise InputError(_reword(error)) from None


def _check_size(source: Source, limit: Limit) -> None:
    """Refuse what is too large, packed or unpacked, or too wide, before anything parses it."""
    if len(source.data) > MAX_BYTES:
        raise _too_large(source, f"is larger than {MAX_BYTES // 2**20} MB", limit)
    extent = measure_extent(source.data, MAX_UNPACKED_BYTES)
    if extent.size > MAX_UNPACKED_BYTES:
        size = MAX_UNPACKED_BYTES // 2**20
        raise _too_large(source, f"unpacks to more than {size} MB", limit)
    if extent.columns > _MOST_DELIMITERS:
        raise _too_large(source, f"has more than {MAX_COLUMNS} columns", limit)


def _read_rows(reader: TableReader, source: Source, limit: Limit) -> tuple[Batch, str]:
    """Read all rows, or those before a damaged place and what is wrong there."""
    if len(reader.columns) > MAX_COLUMNS:
        raise _too_large(source, f"has more than {MAX_COLUMNS} columns", limit)
    batches: list[Batch] = []
    warning = ""
    rows = 0
    try:
        for batch in reader:
            batches.append(batch)
            rows += len(batch.frame)
            if rows > limit.rows:
                raise _too_large(source, f"has more than {limit.rows:,} rows", limit)
    except TooLargeError:
        raise
    except InputError as error:
        if not rows:
            raise
        warning = _reword(error)
    if not rows:
        raise InputError(f"{source.label}: has column names but no rows; add molecules below them")
    frame = pd.concat([batch.frame for batch in batches], ignore_index=True)
    problems = tuple(chain.from_iterable(batch.problems for batch in batches))
    return Batch(frame, problems, reader.smiles_column), warning


def _too_large(source: Source, what: str, limit: Limit) -> TooLargeError:
    message = f"{source.label}: {what}, the most this page takes. In a terminal there is no limit:"
    file = shlex.quote(source.name or "molecules.smi")
    return TooLargeError(message, limit.command.format(file=file))


def _reword(error: InputError) -> str:
    """Word a reader's message for a page."""
    text = str(error).replace(_COMMAND_LINE_WORDS, _PAGE_WORDS)
    return text.replace(_NAMELESS, _PASTED, 1) if text.startswith(_NAMELESS) else text
