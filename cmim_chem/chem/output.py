"""Files that appear under their name only when they are whole, and where one may be written.

`write` fills them. A file bears the ending `.part` until its last byte is in it, so that a crash
leaves no half table behind that looks like a whole one.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from cmim_chem.errors import InputError


class Output:
    """Something that is written inside a `with` block.

    Leaving the block finishes it. An error inside removes what was written, unless `commit` was
    called before.
    """

    def open(self) -> None:
        """Begin."""

    def commit(self) -> None:
        """Finish, and put in place; nothing if that was done."""

    def discard(self) -> None:
        """Remove what is not finished."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.commit()
        else:
            self.discard()


class PartFile(Output):
    """A binary file that bears the ending `.part` until it is whole.

    Parameters
    ----------
    path : Path
        Its name in the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._is_open = False

    def open(self) -> None:
        """Create the file.

        Raises
        ------
        InputError
            If the folder does not allow it.
        """
        try:
            self._stream: BinaryIO = self._part.open("w+b")
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written there ({error.strerror})") from None
        self._is_open = True

    def commit(self) -> None:
        """Finish the file and give it its name; nothing if that was done."""
        if self._is_open:
            self._finish()
            self._close()
            self._part.replace(self._path)

    def discard(self) -> None:
        """Remove the file; nothing if it is finished."""
        if self._is_open:
            self._close()
            self._part.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Write what comes after the last row."""

    def _close(self) -> None:
        self._is_open = False
        self._stream.close()


def check_output(path: Path, endings: tuple[str, ...], source: str | Path | None) -> Path:
    """Check that a file may be written, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where the user wants it.
    endings : tuple of str
        Those that can be written.
    source : str, Path or None
        The input, which must not be overwritten.

    Returns
    -------
    Path
        The place itself, links followed.

    Raises
    ------
    InputError
        If the ending is unknown, the folder does not exist, or the file is the input.
    """
    if path.suffix.lower() not in endings:
        known = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
        raise InputError(f"{path}: the output must end in {known}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file to write")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    is_file = source is not None and str(source) != "-" and Path(source).exists()
    if is_file and path.exists() and path.samefile(cast("Path", source)):
        raise InputError(f"{path}: is the input, which is never overwritten; name another output")
    return path.resolve()  # a link stays a link to the new file
