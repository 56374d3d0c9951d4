"""Scored rows as bytes: one shard, or all shards of a job as one file.

The rows come as `work.score_batch` gave them: text for CSV and SDF, Arrow tables for Parquet and
for the best rows of a library. Where the bytes go is `store`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from cmim_chem.chem.output import PartFile
from cmim_chem.score.best import Best
from cmim_chem.score.manifest import Shard
from cmim_chem.score.store import Store
from cmim_chem.score.work import Rows, Work, pack

_CHUNK = 1 << 20  # bytes


def choose_ending(work: Work) -> str:
    """Ending of a shard's name: the best rows of a shard are a table, whatever comes of all."""
    return "parquet" if work.top else work.form


def write_header(columns: tuple[str, ...], form: str) -> str:
    """First line of a CSV; nothing for other forms.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns.
    form : str
        As `Work.form`.
    """
    if form != "csv":
        return ""
    return pd.DataFrame(columns=list(columns)).to_csv(index=False, lineterminator="\n")


def encode_shard(work: Work, columns: tuple[str, ...], parts: Iterable[Rows]) -> Iterator[bytes]:
    """Make the bytes of a shard.

    Parameters
    ----------
    work : Work
        What the rows are to become.
    columns : tuple of str
        Columns of the output.
    parts : iterable of str or pyarrow.Table
        The rows of its batches.

    Yields
    ------
    bytes
        In order.
    """
    if choose_ending(work) != "parquet":
        yield _encode(write_header(columns, work.form))
        for part in parts:
            yield _encode(str(part))
        return
    table = join_tables(work, parts)
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    yield sink.getvalue().to_pybytes()


def join_tables(work: Work, parts: Iterable[Rows]) -> pa.Table:
    """Put tables under each other; only the best rows if those are wanted.

    Parameters
    ----------
    work : Work
        Says whether they are.
    parts : iterable of pyarrow.Table
        At least one.

    Returns
    -------
    pyarrow.Table
        The rows in order, or the best first.
    """
    if not work.top:
        return pa.concat_tables(list(parts), promote_options="permissive")
    best = Best(work.top, work.by, work.smallest)
    for part in parts:
        best.add(part)
    return best.sorted()


def merge_shards(
    store: Store, work: Work, columns: tuple[str, ...], shards: Iterable[Shard], path: Path
) -> None:
    """Write the rows of shards to one file, which appears when it is whole.

    Parameters
    ----------
    store : Store
        Where the shards are.
    work : Work
        What they were made with; `form` is that of the file.
    columns : tuple of str
        Columns of the output.
    shards : iterable of Shard
        In order, at least one.
    path : Path
        The file.
    """
    with _Merged(path) as file:
        if work.top:
            table = join_tables(work, (_read_table(store, one) for one in shards))
            _write_best(file.stream, table, work.form, columns)
        elif work.form == "parquet":
            _join_parquet(store, shards, file.stream)
        else:
            header = _encode(write_header(columns, work.form))
            file.stream.write(header)
            for shard in shards:
                with store.open(shard.name) as source:
                    source.seek(len(header))
                    while chunk := source.read(_CHUNK):
                        file.stream.write(chunk)


class _Merged(PartFile):
    @property
    def stream(self) -> BinaryIO:
        return self._stream


def _write_best(stream: BinaryIO, table: pa.Table, form: str, columns: tuple[str, ...]) -> None:
    if form == "parquet":
        parquet.write_table(table, stream, compression="zstd")
        return
    stream.write(_encode(write_header(columns, form)))
    stream.write(_encode(str(pack(to_frame(table), form))))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn a table into a frame in which no integer becomes a float.

    Parameters
    ----------
    table : pyarrow.Table
        n rows.
    """
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    floats = {
        f.name: f.type.to_pandas_dtype() for f in table.schema if pa.types.is_floating(f.type)
    }
    return frame.astype(floats)


def _read_table(store: Store, shard: Shard) -> pa.Table:
    with store.open(shard.name) as source:
        return parquet.read_table(pa.BufferReader(source.read()))


def _join_parquet(store: Store, shards: Iterable[Shard], stream: BinaryIO) -> None:
    shards = list(shards)
    # A column that is empty in one shard has no type there.
    schemas = [_read_schema(store, shard) for shard in shards]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    with closing(parquet.ParquetWriter(stream, schema, compression="zstd")) as writer:
        for shard in shards:
            writer.write_table(_read_table(store, shard).cast(schema))


def _read_schema(store: Store, shard: Shard) -> pa.Schema:
    with store.open(shard.name) as source:
        return parquet.read_schema(source)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
