"""Result tables and arrays, written batch by batch and put in place only when they are whole.

The exit that mirrors `read`. A file appears under its name when the last batch is in it, and has
the ending `.part` until then. The input is never overwritten. What is in a table is not decided
here.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray
from pyarrow import parquet

from cmim_chem.chem.output import Output, PartFile, check_output
from cmim_chem.chem.sdf_write import write_records

#: Endings of tables that can be written.
TABLE_ENDINGS = (".csv", ".parquet", ".sdf")


class TableWriter(Output, ABC):
    """A table that grows by frames of the same columns."""

    @abstractmethod
    def write(self, frame: pd.DataFrame, /) -> None:
        """Append the rows of a frame.

        Parameters
        ----------
        frame : pandas.DataFrame
            n rows; the first frame settles the columns and their types.
        """


class _StandardOutput(TableWriter):
    """CSV to standard output."""

    def __init__(self) -> None:
        self._has_header = False

    def write(self, frame: pd.DataFrame, /) -> None:
        frame.to_csv(sys.stdout, index=False, header=not self._has_header, lineterminator="\n")
        self._has_header = True

    def commit(self) -> None:
        sys.stdout.flush()


class _CsvFile(PartFile, TableWriter):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._has_header = False

    def write(self, frame: pd.DataFrame, /) -> None:
        text = frame.to_csv(index=False, header=not self._has_header, lineterminator="\n")
        self._stream.write(text.encode("utf-8"))
        self._has_header = True


class _ParquetFile(PartFile, TableWriter):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer: Any = None

    def write(self, frame: pd.DataFrame, /) -> None:
        if self._writer is None:
            schema = pa.Schema.from_pandas(frame, preserve_index=False)
            self._writer = parquet.ParquetWriter(self._stream, schema)
        table = pa.Table.from_pandas(frame, self._writer.schema, preserve_index=False)
        self._writer.write_table(table)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()  # writes the footer, so before the stream is closed
        super()._close()


class _SdfFile(PartFile, TableWriter):
    def write(self, frame: pd.DataFrame, /) -> None:
        self._stream.write(write_records(frame).encode("utf-8"))


class ArrayWriter(PartFile):
    """An `.npy` file of float32 rows whose number is not known before the end.

    Parameters
    ----------
    output : Path
        File with the ending `.npy`.
    source : str or Path or None
        The input, which must not be overwritten.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """

    def __init__(self, output: Path, source: str | Path | None = None) -> None:
        super().__init__(check_output(output, (".npy",), source))
        self._shape = (0, 0)
        self._header = 0  # bytes

    def write(self, rows: NDArray[np.float32], /) -> None:
        """Append rows.

        Parameters
        ----------
        rows : (n, d) float32
            Of the same d each time.
        """
        if self._header == 0:
            self._shape = (0, rows.shape[1])
            self._header = self._write_header()
        self._stream.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
        self._shape = (self._shape[0] + len(rows), self._shape[1])

    def _finish(self) -> None:
        # numpy pads the header so that the first axis can grow in place.
        size = self._write_header()
        if self._header not in {0, size}:
            raise RuntimeError("the header of the .npy file grew")

    def _write_header(self) -> int:
        """Write the header at the beginning and return where it ends."""
        self._stream.seek(0)
        header = {"descr": "<f4", "fortran_order": False, "shape": self._shape}
        npy.write_array_header_1_0(cast("IO[bytes]", self._stream), header)
        return self._stream.tell()


def open_writer(output: str | Path | None, source: str | Path | None = None) -> TableWriter:
    """Open a table for writing.

    Parameters
    ----------
    output : str, Path or None
        `.csv`, `.parquet` or `.sdf`; None or "-" is CSV to standard output.
    source : str, Path or None
        The input, which must not be overwritten.

    Returns
    -------
    TableWriter
        To be used in a `with` block.

    Raises
    ------
    InputError
        If the ending is unknown, the folder does not exist, or the file is the input.
    """
    if output is None or str(output) == "-":
        return _StandardOutput()
    path = check_output(Path(output), TABLE_ENDINGS, source)
    if path.suffix.lower() == ".sdf":
        return _SdfFile(path)
    return _ParquetFile(path) if path.suffix.lower() == ".parquet" else _CsvFile(path)
