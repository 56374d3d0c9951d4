"""MoleculeNet tables and ZINC15 corpora through DeepChem: read, and downloaded when missing.

DeepChem finds a raw file under `<data folder>/moleculenet`. Here its traps are closed: a missing
label is NaN, no row is dropped, its import is quiet, and a broken download never looks like a file.
Standardizing, splitting and embedding are left to others.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import DataError
from cmim_chem.sources.facts import (
    CORPORA_FOLDER,
    DATA_VARIABLE,
    TABLES_FOLDER,
    Source,
    check_file,
    find_data_dir,
    get_source,
    list_corpora,
    load_sources,
    read_facts,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """One table as read; rows in the order of the file, none dropped.

    Attributes
    ----------
    source : Source
    smiles : list of str, length n
        As written in the file.
    y : (n, t) float64
        Labels in `source.unit` or 0 and 1; NaN where missing.
    tasks, titles : tuple of str
        Per task: name in the output of `cmim score`, and words.
    """

    source: Source
    smiles: list[str]
    y: NDArray[np.float64]
    tasks: tuple[str, ...]
    titles: tuple[str, ...]


def load_moleculenet(name: str, data_dir: Path | None = None) -> Table:
    """Read one table through DeepChem's loader.

    Parameters
    ----------
    name : str
        Key of `load_sources`.
    data_dir : Path or None
        Data folder, see `find_data_dir`.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        For an unknown name.
    DataError
        When the raw file is missing, or has other rows or tasks than stated.
    """
    source = get_source(name)
    folder = find_data_dir(data_dir) / TABLES_FOLDER
    if not (folder / source.file).is_file():
        raise DataError(
            f"{folder / source.file} is missing: run `cmim data fetch {name}`, or name the folder"
            f" that holds {TABLES_FOLDER}/ in {DATA_VARIABLE}"
        )
    columns, smiles, y = _read_with_deepchem(source, folder)
    if len(smiles) != source.rows or len(columns) != source.tasks:
        raise DataError(
            f"{folder / source.file} has {len(smiles)} rows and {len(columns)} tasks, expected"
            f" {source.rows} and {source.tasks}: delete it and run `cmim data fetch {name}`"
        )
    tasks = source.properties or tuple(_name_property(source, column) for column in columns)
    return Table(source, smiles, y, tasks, source.titles or tuple(columns))


def fetch(names: Sequence[str] = (), data_dir: Path | None = None) -> list[Path]:
    """Download what is missing, through DeepChem, and check it before it is put in place.

    Parameters
    ----------
    names : sequence of str
        Tables of `load_sources` or corpora of `list_corpora`; all tables by default.
    data_dir : Path or None
        Data folder, see `find_data_dir`.

    Returns
    -------
    list of Path
        The files, one per name.

    Raises
    ------
    InputError
        For an unknown name.
    DataError
        When there is no connection, a download breaks off, or a table is not the one expected.
    """
    folder = find_data_dir(data_dir)
    corpora = list_corpora()
    wanted = [(name, None if name in corpora else get_source(name)) for name in names]
    wanted = wanted or list(load_sources().items())
    return [
        _fetch_corpus(name, folder / CORPORA_FOLDER)
        if source is None
        else _fetch_table(source, folder / TABLES_FOLDER)
        for name, source in wanted
    ]


def _fetch_table(source: Source, folder: Path) -> Path:
    target = folder / source.file
    if target.is_file():
        return target
    with _download_folder(folder, source.file) as fresh:
        _read_with_deepchem(source, fresh)
        status = check_file(fresh / source.file, source)
        if status.rows != source.rows:
            raise DataError(
                f"{source.file} as downloaded has {status.rows} rows, expected {source.rows}: the"
                " table was changed where it is published; nothing was kept"
            )
        if status.state != "ok":
            # The published copies of some tables differ in packing and line ends only.
            logger.warning("%s: %s, but all %d rows are there", target, status.state, source.rows)
        (fresh / source.file).replace(target)
    return target


def _fetch_corpus(name: str, folder: Path) -> Path:
    """Fetch the file that `deepchem.molnet.load_zinc15` reads, without featurizing millions."""
    target = folder / f"zinc15_{read_facts()['corpora'][name]['size']}_2D.csv"
    if target.is_file():
        return target
    deepchem = import_deepchem()
    from deepchem.molnet.load_function.zinc15_datasets import ZINC15_URL

    packed = target.with_suffix(".tar.gz").name
    with _download_folder(folder, packed) as fresh:
        deepchem.utils.data_utils.download_url(ZINC15_URL + packed, str(fresh))
        deepchem.utils.data_utils.untargz_file(str(fresh / packed), str(fresh))
        (fresh / target.name).replace(target)
    return target


@contextlib.contextmanager
def _download_folder(folder: Path, what: str) -> Iterator[Path]:
    """Give a folder on the same disk, so that a broken download never looks like a file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as fresh:
            yield Path(fresh)
    except (OSError, EOFError) as error:
        raise DataError(
            f"cannot download {what} to {folder} ({error}): connect to the internet, or copy the"
            f" file there and try again"
        ) from error


def _read_with_deepchem(
    source: Source, folder: Path
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Columns, SMILES and labels; a table that is not in the folder is downloaded to it."""
    deepchem = import_deepchem()
    load: Any = getattr(deepchem.molnet, source.loader)
    columns, (dataset,), _ = load(
        featurizer=deepchem.feat.DummyFeaturizer(),  # keeps rows that cannot be read
        splitter=None,
        transformers=[],
        reload=False,
        data_dir=str(folder),
        save_dir=str(folder),
    )
    try:
        y = np.where(dataset.w == 0, np.nan, dataset.y).astype(np.float64)
        return list(columns), [str(one) for one in dataset.ids], y
    finally:
        shutil.rmtree(dataset.data_dir, ignore_errors=True)


@cache
def import_deepchem() -> Any:  # noqa: ANN401 - DeepChem has no types
    """Import DeepChem, once, without its dozen lines about optional packages."""
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            import deepchem
    finally:
        logging.disable(previous)
    return deepchem


def _name_property(source: Source, column: str) -> str:
    snake = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    prefix = source.property_prefix + "_"
    return snake if snake.startswith(prefix) else prefix + snake
