"""Finished cells on disk: one JSON line each, written whole, never twice.

A line is appended in one piece and flushed to the disk before the next cell begins; what a killed
run left half written is cut off when it starts again. Results of several machines are merged by
putting their files into one folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from cmim_chem.errors import DataError, InputError

Record = dict[str, Any]


class Journal:
    """The result file of one run, open for appending.

    Parameters
    ----------
    path : Path
        Made, with its folder, if missing.

    Raises
    ------
    InputError
        When another run is writing to it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self._lock()
            self._cut_torn_line()
        except BaseException:
            os.close(self._file)
            raise

    def append(self, record: Record) -> None:
        """Add one line and wait until it is on the disk."""
        line = json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)

    def _lock(self) -> None:
        with contextlib.suppress(ImportError):  # no such locks on Windows
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(
                    f"{self._path}: another run is writing here; wait for it, or give this run"
                    " another --shard or --out"
                ) from None

    def _cut_torn_line(self) -> None:
        whole = self._path.read_bytes().rpartition(b"\n")
        os.ftruncate(self._file, len(whole[0]) + len(whole[1]))

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)


def read_records(folder: Path) -> Iterator[Record]:
    """All finished cells of a folder, file by file; a last line without its end is passed over.

    Raises
    ------
    DataError
        When a line in between is not JSON; file and line are named.
    """
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")[:-1]
        for number, line in enumerate(lines, start=1):
            try:
                yield json.loads(line)
            except ValueError:
                raise DataError(f"{path}, line {number}: not a result; remove this line") from None
