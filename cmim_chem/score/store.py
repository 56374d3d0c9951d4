"""A folder, here or behind a URL, in which a file appears only when it is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from cmim_chem.errors import OutputError
from cmim_chem.score.library import is_remote

_PART = ".part"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Store:
    """A folder for results.

    Attributes
    ----------
    place : str
        Path or URL of the folder, as messages show it.
    tag : str
        Part of the names of unfinished files, by which a job knows its own.
    """

    place: str
    tag: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether it is behind a URL."""
        return is_remote(self.place)

    def make(self) -> None:
        """Make the folder if it is missing.

        Raises
        ------
        OutputError
            If that is not possible.
        """
        try:
            system, path = self._open_system()
            system.makedirs(path, exist_ok=True)
        except (OSError, ValueError, ImportError) as error:
            raise OutputError(f"{self.place}: cannot be made ({explain(error)})") from None

    def names(self) -> set[str]:
        """Names of the files in it; none if it does not exist."""
        system, path = self._open_system()
        system.invalidate_cache()
        if not system.isdir(path):
            return set()
        return {name.rstrip("/").rpartition("/")[2] for name in system.ls(path, detail=False)}

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Write a file; nobody sees it under its name before it is whole.

        Parameters
        ----------
        name : str
            Its name; a file of that name is replaced.
        parts : iterable of bytes
            Its content.

        Raises
        ------
        OutputError
            If it cannot be written, as when the disk is full; what was there before stays.
        """
        system, path = self._open_system()
        temporary = f"{path}/.{name}.{os.getpid()}{self._rest}"
        try:
            with self._open_for_writing(temporary) as stream:
                for part in parts:
                    stream.write(part)
                if not self.is_remote:
                    stream.flush()
                    os.fsync(stream.fileno())
            if self.is_remote:
                system.mv(temporary, f"{path}/{name}")
            else:
                Path(temporary).replace(f"{path}/{name}")
        except BaseException as error:
            with suppress(OSError):
                system.rm_file(temporary)
            if not isinstance(error, OSError):
                raise
            raise OutputError(f"{self.place}/{name}: {explain(error)}") from None

    def _open_for_writing(self, path: str) -> BinaryIO:
        if self.is_remote:
            return cast("BinaryIO", self._open_system()[0].open(path, "wb"))
        return Path(path).open("wb")

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Raises
        ------
        OutputError
            If it is not there.
        """
        system, path = self._open_system()
        try:
            return cast("BinaryIO", system.open(f"{path}/{name}", "rb"))
        except OSError as error:
            raise OutputError(f"{self.place}/{name}: {explain(error)}") from None

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are no trouble."""
        system, path = self._open_system()
        for name in names:
            with suppress(FileNotFoundError):
                system.rm_file(f"{path}/{name}")

    def remove_rests(self) -> None:
        """Remove files that a killed process with the same tag left unfinished."""
        self.remove(name for name in self.names() if name.endswith(self._rest))

    def remove_all(self) -> None:
        """Remove the folder and what is in it."""
        system, path = self._open_system()
        with suppress(FileNotFoundError):
            system.rm(path, recursive=True)

    @property
    def _rest(self) -> str:
        return f"{self.tag}{_PART}"

    def _open_system(self) -> tuple[Any, str]:
        system, path = fsspec.url_to_fs(self.place)
        return system, path.rstrip("/")


def explain(error: Exception) -> str:
    """Say in a few words why something could not be written or read."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return "the disk is full; make room and run the same command again"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
