"""The input of a job: one table, a folder of tables, or the same behind any path fsspec knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from cmim_chem.chem.read import TableReader, open_table
from cmim_chem.chem.source import ENDINGS
from cmim_chem.errors import InputError


@dataclass(frozen=True)
class Library:
    """A table or a folder of tables.

    Attributes
    ----------
    label : str
        How messages call it.
    files : tuple of str
        Paths of the tables, in order; "-" for standard input.
    system : fsspec filesystem or None
        Where they are; None for files of this computer.
    """

    label: str
    files: tuple[str, ...]
    system: Any = field(default=None, compare=False)

    @classmethod
    def find(cls, given: str) -> Library:
        """Find the tables that a path stands for.

        Parameters
        ----------
        given : str
            Path of a table or of a folder, a URL such as ``s3://bucket/library/``, or "-".

        Returns
        -------
        Library
            Of the tables whose names do not begin with a dot or an underscore.

        Raises
        ------
        InputError
            If a folder holds no table, or the URL leads nowhere.
        """
        if is_remote(given):
            return cls._find_remote(given)
        if not Path(given).is_dir():
            return cls(given, (given,))
        names = (str(one) for one in Path(given).iterdir() if one.is_file())
        return cls(given, _choose_tables(given, sorted(names)))

    @classmethod
    def _find_remote(cls, given: str) -> Library:
        try:
            system, path = fsspec.url_to_fs(given)
            if not system.exists(path):
                raise InputError(f"{given}: there is nothing there; check the address")
            if not system.isdir(path):
                return cls(given, (path,), system)
            return cls(given, _choose_tables(given, sorted(system.ls(path, detail=False))), system)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f"{given}: cannot be reached ({error})") from None

    def name(self, file: int) -> str:
        """Name of a file, without its folder."""
        return PurePosixPath(self.files[file]).name

    def identify(self, file: int, with_digest: bool = True) -> dict[str, Any] | None:
        """Say what a file is, so that a change can be noticed.

        Parameters
        ----------
        file : int
            Number of the file.
        with_digest : bool
            Read all of it for that.

        Returns
        -------
        dict or None
            Its name and size with the sha256 of its content, or with what a remote system knows of
            it; None for standard input.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        path = self.files[file]
        if path == "-":
            return None
        try:
            if self.system is not None:
                return {"name": self.name(file), "version": str(self.system.ukey(path))}
            facts: dict[str, Any] = {"name": self.name(file), "bytes": Path(path).stat().st_size}
            if with_digest:
                with Path(path).open("rb") as stream:
                    facts["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
            return facts
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file; check the path") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None

    @contextmanager
    def open(
        self, file: int, smiles_column: str | None, rows: int, added: Sequence[str]
    ) -> Iterator[TableReader]:
        """Open one of the tables.

        Parameters
        ----------
        file : int
            Number of the file.
        smiles_column : str or None
            Column of the SMILES; found if not given.
        rows : int
            Rows of a batch.
        added : sequence of str
            Columns that will be added: those of the input that are called so are renamed.

        Yields
        ------
        TableReader
            Closed at the end of the `with` block.
        """
        path = self.files[file]
        with ExitStack() as stack:
            remote = None if self.system is None else self.system.open(path, "rb")
            given = path if remote is None else stack.enter_context(remote)
            name = None if remote is None else path
            yield stack.enter_context(
                open_table(given, smiles_column, batch_rows=rows, reserved=added, name=name)
            )


def is_remote(path: str) -> bool:
    """Whether a path is for fsspec."""
    return "://" in path


def _choose_tables(given: str, names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(
        one
        for one in names
        if not PurePosixPath(one).name.startswith((".", "_"))
        and PurePosixPath(one.lower().removesuffix(".gz")).suffix.lstrip(".") in ENDINGS
    )
    if not found:
        known = " ".join(f".{known}" for known in ENDINGS)
        raise InputError(f"{given}: is a folder without a table in it ({known}); name a table")
    return found
