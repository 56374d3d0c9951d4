"""Bytes of a table, from a file, an upload or standard input, unpacked and decoded into lines.

First stage of reading: which kind of file this is, whether it is gzipped, where it ends. It does
not know about columns; `delimited`, `sdf` and `read` do.
"""

from __future__ import annotations

import gzip
import io
import logging
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from cmim_chem.chem.encoding import (
    decode_latin,
    detect_encoding,
    has_mol_block,
    is_blank,
    is_well_encoded,
    name_other_file,
)
from cmim_chem.errors import InputError

logger = logging.getLogger(__name__)

#: Endings that can be read; each may be followed by `.gz`.
ENDINGS = ("csv", "tsv", "smi", "txt", "sdf", "parquet")
#: What a damaged or truncated stream raises while it is read.
READ_ERRORS = (EOFError, OSError, zlib.error)

_PACKED_HEAD = 65_536  # bytes
_HEAD = 16_384  # bytes; less than the packed head, so that unpacking it reads no further than that


class _Replay(io.RawIOBase):
    """The head of a stream that was read already, then the rest or the trouble met on the way."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.error: Exception | None = None
        head = bytearray()
        try:
            while len(head) < size and (chunk := stream.read(size - len(head))):
                head += chunk
        except READ_ERRORS as error:
            self.error = error
        self.head = bytes(head)
        self._place = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self.head[self._place : self._place + len(buffer)]
        self._place += len(chunk)
        if not chunk and self.error is not None:
            raise self.error
        chunk = chunk or self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Source:
    """One input: its label for messages, its kind, and its unpacked bytes from the start.

    Parameters
    ----------
    given : str, Path or binary file object
        A path, "-" for standard input, or something that can be read.
    name : str or None
        File name of a file object, whose ending tells its kind.

    Attributes
    ----------
    label : str
        How messages call the input.
    kind : str
        One of `ENDINGS`, or "text" where only the lines can tell.

    Raises
    ------
    InputError
        If it cannot be opened, is empty, or is no table at all.
    """

    def __init__(self, given: str | Path | BinaryIO, name: str | None = None) -> None:
        self._opened: list[BinaryIO] = []
        if not isinstance(given, str | Path):
            self.label = name or "the upload"
        else:
            self.label = "standard input" if str(given) == "-" else str(given)
        is_named = bool(name) or (isinstance(given, str | Path) and str(given) != "-")
        self._raw = self._open(given)
        self.size = self._raw.seek(0, io.SEEK_END) if self._raw.seekable() else None
        try:
            self.kind = _read_ending(self.label) if is_named else ""
            self._unpack()
            self._settle_kind()
        except InputError:
            self.close()
            raise

    def rewind(self) -> None:
        """Make the next `lines` start at the first line; standard input is copied to do so."""
        if not self._raw.seekable():
            copy = self._open_temporary()
            copy.write(self._packed.head)
            shutil.copyfileobj(self._raw, copy)
            self._raw = copy
        self._unpack()

    def spool(self) -> BinaryIO:
        """Unpacked bytes as a file that can be read at any place: the input itself if it can.

        Returns
        -------
        BinaryIO
            At its first byte; closed with the source.

        Raises
        ------
        InputError
            If the input is damaged or truncated.
        """
        self.rewind()
        if self._replay is self._packed:
            self._raw.seek(0)
            return self._raw
        copy = self._open_temporary()
        try:
            shutil.copyfileobj(io.BufferedReader(self._replay), copy)
        except READ_ERRORS as error:
            raise InputError(f"{self.label}: {explain_damage(error)}") from None
        copy.seek(0)
        return copy

    def lines(self) -> Iterator[str]:
        """Decoded lines with their line ends; a line that is not UTF-8 is read as Latin-1.

        Yields
        ------
        str
            One line.
        """
        encoding = detect_encoding(self._replay.head)
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        buffer = io.BufferedReader(self._replay, _PACKED_HEAD)
        warned = False
        for line in io.TextIOWrapper(buffer, encoding=encoding, errors=errors, newline=""):
            if is_well_encoded(line):
                yield line
                continue
            if not warned:
                logger.warning("%s: some lines are not UTF-8; read as Latin-1", self.label)
                warned = True
            yield decode_latin(line)

    def fraction_read(self) -> float | None:
        """Share of the input's bytes that has been read, None if its size is unknown."""
        if not self.size or self._raw.closed or not self._raw.seekable():
            return None
        return min(1.0, self._raw.tell() / self.size)

    def close(self) -> None:
        """Close what was opened here; a given file object stays open."""
        for stream in self._opened:
            stream.close()

    def _open(self, given: str | Path | BinaryIO) -> BinaryIO:
        if not isinstance(given, str | Path):
            return given
        if str(given) == "-":
            return sys.stdin.buffer
        path = Path(given)
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name one table inside it")
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file; check the path") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be opened ({error.strerror})") from None
        self._opened.append(stream)
        return stream

    def _open_temporary(self) -> BinaryIO:
        copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed with the source
        self._opened.append(copy)
        return copy

    def _unpack(self) -> None:
        """Start at the first byte, unpacked if need be."""
        if self._raw.seekable():
            self._raw.seek(0)
        self._packed = self._replay = _Replay(self._raw, _PACKED_HEAD)
        if self._packed.head.startswith(b"\x1f\x8b"):
            packed = gzip.GzipFile(fileobj=io.BufferedReader(self._packed))
            self._replay = _Replay(cast("BinaryIO", packed), _HEAD)

    def _settle_kind(self) -> None:
        """Check that the head is that of a table, and let it tell the kind if no name did."""
        head = self._replay.head
        if self._replay.error is not None and is_blank(head):
            damage = explain_damage(self._replay.error)
            raise InputError(f"{self.label}: {damage}; no row was read")
        if is_blank(head):
            raise InputError(f"{self.label}: is empty; give a table with a SMILES column")
        is_parquet = head.startswith(b"PAR1")
        if not self.kind:
            self.kind = "parquet" if is_parquet else "sdf" if has_mol_block(head) else "text"
        if is_parquet != (self.kind == "parquet"):
            what = "is a Parquet file" if is_parquet else "is not a Parquet file"
            raise InputError(f"{self.label}: {what}; give the file the ending of what it is")
        other = "" if is_parquet else name_other_file(head)
        if other:
            raise InputError(
                f"{self.label}: is {other}, not a table; save the molecules as CSV or SDF"
            )


def explain_damage(error: Exception) -> str:
    """Say what is wrong with a stream that raised one of `READ_ERRORS`."""
    if isinstance(error, EOFError):
        return "the gzip file is cut off; copy or download it again"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "the gzip file is damaged; copy or download it again"
    return f"cannot be read to its end ({error}); copy it again"


def _read_ending(name: str) -> str:
    """Read a file's kind from its ending; "" leaves it to the content."""
    path = Path(name.lower())
    packed = path.suffix == ".gz"
    ending = (path.with_suffix("") if packed else path).suffix.lstrip(".")
    if ending in ENDINGS or (packed and not ending):
        return ending
    known = " ".join(f".{known}" for known in ENDINGS)
    raise InputError(f"{name}: unknown ending; {known} can be read, plain or followed by .gz")
