"""How large a table is, found out before anything parses it: unpacked bytes and columns.

For those who take tables from strangers. A small file can unpack to terabytes, a line of commas
makes a million columns. What is too much is the caller's decision; damage is left to the readers,
which can say where it is.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import parquet

_CHUNK = 2**20
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_DELIMITERS = (b",", b";", b"\t", b"|")
_SAMPLE_LINES = 40  # as many as decide on the layout of a text table


@dataclass(frozen=True, slots=True)
class Extent:
    """What a table would take.

    Attributes
    ----------
    size : int
        Bytes, unpacked; one more than asked for if there are more.
    columns : int
        Columns of a Parquet file, or of the widest of the first lines of any other, by whatever
        delimiter makes most; 0 if unknown.
    """

    size: int
    columns: int


def measure_extent(data: bytes, most: int) -> Extent:
    """Measure a table without parsing it.

    Parameters
    ----------
    data : bytes
        The file, perhaps gzipped.
    most : int
        Bytes after which unpacking stops.

    Returns
    -------
    Extent
        Of a damaged file, as far as it can be read.
    """
    if data.startswith(_GZIP):
        data = _unpack(data, most)
    if len(data) > most:
        return Extent(most + 1, 0)
    return _measure_parquet(data, most) if data.startswith(_PARQUET) else _measure_text(data)


def _unpack(data: bytes, most: int) -> bytes:
    """At most one byte more than asked for."""
    unpacked = io.BytesIO()
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        try:
            while unpacked.tell() <= most and (chunk := stream.read(_CHUNK)):
                unpacked.write(chunk)
        except (EOFError, OSError, zlib.error):
            pass
    return unpacked.getvalue()[: most + 1]


def _measure_parquet(data: bytes, most: int) -> Extent:
    try:
        about = parquet.ParquetFile(io.BytesIO(data)).metadata
        groups = [about.row_group(i).total_byte_size for i in range(about.num_row_groups)]
    except (pa.ArrowException, OSError):
        return Extent(len(data), 0)
    # Repeated values take no space in the file: a billion rows may be a few bytes.
    return Extent(min(most + 1, max(len(data), sum(groups), about.num_rows)), about.num_columns)


def _measure_text(data: bytes) -> Extent:
    lines = data.split(b"\n", _SAMPLE_LINES)[:_SAMPLE_LINES]
    widest = max(line.count(sign) for line in lines for sign in _DELIMITERS)
    return Extent(len(data), widest + 1)
