"""The facts of the MoleculeNet tables and corpora, where their files are, and their checksums.

The facts are data, in `sources.toml`. Reading and downloading the tables is `sources.moleculenet`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cmim_chem.errors import InputError

DATA_VARIABLE = "CMIM_DATA"
TABLES_FOLDER = "moleculenet"
CORPORA_FOLDER = "corpora"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Facts of one table, as in `sources.toml`.

    Attributes
    ----------
    name, title, citation : str
    file : str
        Name of the raw file; two tables may share one.
    loader : str
        Function of `deepchem.molnet` that reads it.
    kind : "regression" or "classification"
    metric : str
        "rmse", "roc_auc" or "pr_auc".
    unit : str
        Unit of the labels; "probability" for the predictions of a classifier.
    rows, valid_rows : int
        Records of the file, and those whose SMILES RDKit can read.
    sha256 : str
        Of the raw file.
    columns, properties, titles : tuple of str
        Per task: column of the file, stable name in the output of `cmim score`, words. Empty for
        tables whose tasks follow a rule.
    column_rule, property_prefix : str
        The rule, and what the names of its properties begin with.
    tasks : int
        Number of tasks.
    """

    name: str
    title: str
    file: str
    loader: str
    kind: Literal["regression", "classification"]
    metric: str
    unit: str
    rows: int
    valid_rows: int
    sha256: str
    citation: str
    columns: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    column_rule: str = ""
    property_prefix: str = ""
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What `verify` found for one raw file.

    Attributes
    ----------
    file : Path
    state : str
        "ok", "missing" or "wrong checksum".
    rows : int or None
        Records in the file; None when it is missing or cannot be read.
    expected_rows : int
    """

    file: Path
    state: Literal["ok", "missing", "wrong checksum"]
    rows: int | None
    expected_rows: int


@cache
def load_sources() -> dict[str, Source]:
    """Facts of all tables by name, in the order of `sources.toml`."""
    found = {}
    for name, facts in read_facts()["tables"].items():
        lists = {key: tuple(value) for key, value in facts.items() if isinstance(value, list)}
        facts = {"tasks": len(facts.get("columns", ())), **facts, **lists, "name": name}
        found[name] = Source(**facts)
    return found


def list_corpora() -> dict[str, str]:
    """Corpora that can be fetched: name to title."""
    return {name: facts["title"] for name, facts in read_facts()["corpora"].items()}


def find_data_dir(data_dir: Path | None = None) -> Path:
    """Return the data folder: the argument, else CMIM_DATA, else the user's cache folder."""
    if data_dir is not None:
        return data_dir
    named = os.environ.get(DATA_VARIABLE)
    if named:
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("cmim-chem"))


def get_source(name: str) -> Source:
    """Facts of one table.

    Raises
    ------
    InputError
        For an unknown name; the known ones are listed.
    """
    sources = load_sources()
    if name not in sources:
        known = ", ".join([*sources, *list_corpora()])
        raise InputError(f"unknown table {name!r}: choose among {known}")
    return sources[name]


def verify(data_dir: Path | None = None, names: Sequence[str] = ()) -> list[FileStatus]:
    """Check the raw files of the named tables (all by default) without changing anything.

    Parameters
    ----------
    data_dir : Path or None
        Data folder, see `find_data_dir`.
    names : sequence of str
        Keys of `load_sources`.

    Returns
    -------
    list of FileStatus
        One per file.

    Raises
    ------
    InputError
        For an unknown name.
    """
    folder = find_data_dir(data_dir) / TABLES_FOLDER
    sources = {s.file: s for s in map(get_source, names or load_sources())}
    return [check_file(folder / file, source) for file, source in sources.items()]


@cache
def read_facts() -> dict[str, Any]:
    """Content of `sources.toml`."""
    text = Path(__file__).with_name("sources.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def check_file(path: Path, source: Source) -> FileStatus:
    """Compare one file with the facts."""
    if not path.is_file():
        return FileStatus(path, "missing", None, source.rows)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    state: Literal["ok", "wrong checksum"] = "ok" if digest == source.sha256 else "wrong checksum"
    return FileStatus(path, state, _count_records(path), source.rows)


def _count_records(path: Path) -> int | None:
    """Records below the header; None for a file that is not what its ending says."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as stream:
            return sum(1 for record in csv.reader(stream) if record) - 1
    except (OSError, EOFError, ValueError, csv.Error):
        return None
