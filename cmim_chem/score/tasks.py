"""The batches that a job has to do, in the order of the rows.

Rows are cut into batches, the work of one worker, and batches into shards, the files that a job
writes. A shard that was finished before is read past, and compared with the rows it was made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cmim_chem.chem.read import Batch, TableReader
from cmim_chem.errors import InputError
from cmim_chem.score.library import Library

#: A shard: number of its file, number within the file.
Key = tuple[int, int]


class InputChangedError(InputError):
    """The input is not the one that a job was begun with."""


@dataclass(frozen=True)
class Origin:
    """Rows that a shard is made of.

    Attributes
    ----------
    first_row : int
        Number of the first one in its file, from 0.
    rows : int
        How many.
    digest : str
        sha256 of their text; cells of Parquet that are no text do not count.
    """

    first_row: int
    rows: int
    digest: str


@dataclass(frozen=True)
class Task:
    """A batch to be scored.

    Attributes
    ----------
    key : tuple of int
        The shard it belongs to.
    batch : Batch
        The rows.
    file : str
        Name of the file they are from.
    origin : Origin
        What the shard is made of, up to the end of this batch.
    fraction : float or None
        Share of the whole input that had been read, if known.
    """

    key: Key
    batch: Batch
    file: str
    origin: Origin
    fraction: float | None


@dataclass(frozen=True)
class Cut:
    """How the rows are cut, and which of the shards are to be done.

    Attributes
    ----------
    batch_rows : int
        Rows of a batch.
    shard_rows : int
        Rows of a shard; the last one of a file may have fewer.
    job, jobs : int
        This job's number, from 0, and how many share the work.
    """

    batch_rows: int = 512
    shard_rows: int = 16_384
    job: int = 0
    jobs: int = 1

    def takes_file(self, file: int, files: int) -> bool:
        """Whether anything in a file is for this job: enough files are shared out as a whole."""
        return files < self.jobs or file % self.jobs == self.job

    def takes(self, key: Key, files: int) -> bool:
        """Whether a shard is for this job."""
        return self.takes_file(key[0], files) and (
            files >= self.jobs or sum(key) % self.jobs == self.job
        )


@dataclass
class Reading:
    """One pass over a library.

    Attributes
    ----------
    library : Library
        What is read.
    cut : Cut
        How.
    smiles_column : str or None
        Column of the SMILES; found if not given.
    added : tuple of str
        Columns that will be added.
    done : mapping
        What the shards that were finished before are made of.
    columns : tuple of str
        Columns of the tables, known as soon as the first one is open.
    """

    library: Library
    cut: Cut
    smiles_column: str | None
    added: tuple[str, ...]
    done: Mapping[Key, Origin] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def tasks(self) -> Iterator[Task]:
        """Go through the batches that are left to do.

        Yields
        ------
        Task
            In the order of the rows.

        Raises
        ------
        InputError
            If a table cannot be read or has other columns than the first; if the rows of a finished
            shard have changed.
        """
        files = len(self.library.files)
        seen: set[Key] = set()
        for file in range(files):
            if not self.cut.takes_file(file, files):
                continue
            with self.library.open(
                file, self.smiles_column, self.cut.batch_rows, self.added
            ) as reader:
                self._check_columns(reader)
                yield from self._read(file, reader, seen)
        self._check_all(seen)

    def _read(self, file: int, reader: TableReader, seen: set[Key]) -> Iterator[Task]:
        files = len(self.library.files)
        text = hashlib.sha256()
        first = rows = shard = 0
        for batch in reader:
            if rows >= self.cut.shard_rows and len(batch.frame):
                self._check((file, shard), Origin(first, rows, text.hexdigest()))
                first, rows, shard, text = batch.first_row, 0, shard + 1, hashlib.sha256()
            key = (file, shard)
            seen.add(key)
            rows += len(batch.frame)
            _digest(batch.frame, text)
            if self.cut.takes(key, files) and key not in self.done:
                part = reader.fraction_read()
                fraction = None if part is None else (file + part) / files
                origin = Origin(first, rows, text.hexdigest())
                name = self.library.name(file)
                yield Task(key, batch, name, origin, fraction)
        self._check((file, shard), Origin(first, rows, text.hexdigest()))

    def _check_columns(self, reader: TableReader) -> None:
        self.columns = self.columns or reader.columns
        if reader.columns != self.columns:
            raise InputError(
                f"{reader.label}: has the columns {', '.join(reader.columns)}, the first table has "
                f"{', '.join(self.columns)}; tables of one library need the same columns"
            )

    def _check(self, key: Key, origin: Origin) -> None:
        if self.done.get(key, origin) != origin:
            raise InputChangedError(
                f"{self.library.files[key[0]]}: the input changed since rows {origin.first_row + 1}"
                f" to {origin.first_row + self.done[key].rows} were scored; put the old input back,"
                " or start over with --restart"
            )

    def _check_all(self, seen: Collection[Key]) -> None:
        gone = sorted(set(self.done) - set(seen))
        if gone:
            raise InputChangedError(
                f"{self.library.files[gone[0][0]]}: the input is shorter than it was, row "
                f"{self.done[gone[0]].first_row + 1} is no longer there; put the old input back, "
                "or start over with --restart"
            )


def _digest(frame: pd.DataFrame, digest: Any) -> None:  # noqa: ANN401 - hashlib has no type for it
    """Add the text of a frame to a digest, row by row: the size of batches makes no difference."""
    texts = [frame[name].fillna("").tolist() for name in frame.columns if _is_text(frame[name])]
    for cells in zip(*texts, strict=True):
        digest.update(("\x1f".join(cells) + "\x1e").encode("utf-8", "surrogatepass"))


def _is_text(column: pd.Series[Any]) -> bool:
    kind = column.dtype
    return isinstance(kind, pd.StringDtype) or (
        isinstance(kind, pd.ArrowDtype) and kind.type is str
    )
