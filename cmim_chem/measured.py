"""Like what: the measured molecules nearest to one, with their values, and activity cliffs.

For a table that is at hand, a user's own or a public one; a probe ships no structures. The nearest
approved drugs are `cmim_chem.predictor`'s. Similar is meant as chemists draw it: ECFP4 Tanimoto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.chem.read import Batch, read_table
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.errors import InputError
from cmim_chem.measurements import Measurements, merge_rows, read_labels
from cmim_chem.probes.model import Kind
from cmim_chem.sources.facts import TABLES_FOLDER, Source, find_data_dir, load_sources

if TYPE_CHECKING:
    from cmim_chem.assay import FittedAssay

#: Two molecules are on a cliff if they are at least so similar ...
CLIFF_SIMILARITY = 0.55
#: ... and their values differ by so many standard deviations of the table; or their classes differ.
CLIFF_GAP = 1.5


def read_measured(table: Batch, target: str) -> Measurements:
    """Read a table of measurements, each molecule once.

    Parameters
    ----------
    table : Batch
        Any rows.
    target : str
        Column of the values.

    Returns
    -------
    Measurements

    Raises
    ------
    InputError
        If there is no such column or its values cannot be read.
    """
    return _read(table, (target,), None)


def find_public(name: str) -> tuple[Source, int] | None:
    """Find the public table that a property was measured in.

    Parameters
    ----------
    name : str
        Of a property, as in ``cmim score --list``.

    Returns
    -------
    tuple of Source and int, or None
        The table and the place of the property in it; None if there is no such table.
    """
    found = (one for one in load_sources().values() if name in one.properties)
    source = next(found, None)
    return None if source is None else (source, source.properties.index(name))


def is_at_hand(source: Source, data_dir: Path | None = None) -> bool:
    """Whether the file of a public table is in the data folder."""
    return (find_data_dir(data_dir) / TABLES_FOLDER / source.file).is_file()


def read_public(source: Source, data_dir: Path | None = None) -> Measurements:
    """Read a public table, each molecule once, all its tasks.

    Parameters
    ----------
    source : Source
        Of `find_public`.
    data_dir : Path, optional
        Data folder, see `cmim_chem.sources.facts.find_data_dir`.

    Returns
    -------
    Measurements
        A column per task.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    path = find_data_dir(data_dir) / TABLES_FOLDER / source.file
    return _read(read_table(str(path), None), source.columns, source.kind)


def keep_fitted(fitted: FittedAssay) -> Measurements:
    """Keep what a probe of one's own was fitted on: its first target."""
    data = fitted.data
    rows = np.arange(len(fitted.all_smiles), dtype=np.int64)
    known = Measurements(data.kind, fitted.all_smiles, rows, data.y, None, ())
    return choose_target(known, 0)


def choose_target(known: Measurements, task: int) -> Measurements:
    """The molecules that were measured in one task, and that task alone."""
    rows = np.flatnonzero(~np.isnan(known.y[:, task]))
    return replace(
        known,
        smiles=tuple(known.smiles[row] for row in rows),
        first=known.first[rows],
        y=known.y[rows][:, [task]],
        times=None if known.times is None else known.times[rows],
    )


def _read(table: Batch, targets: tuple[str, ...], kind: Kind | None) -> Measurements:
    for target in targets:
        if target not in table.frame.columns:
            raise InputError(f"there is no column {target!r} in the table")
    labels = read_labels(table, targets, kind)
    raw = table.smiles
    standardized = standardize_many([raw[row] for row in labels.rows])
    return merge_rows(labels, [one.smiles for one in standardized])


def find_measured(smiles: str, known: Measurements, k: int = 5) -> pd.DataFrame:
    """The nearest measured molecules.

    Parameters
    ----------
    smiles : str
        Standardized SMILES.
    known : Measurements
        Of one target.
    k : int
        Molecules wanted.

    Returns
    -------
    DataFrame
        At most k rows, the nearest first: ``smiles``, ``value`` (the mean of its measurements),
        ``tanimoto``, and ``cliff``: SMILES of a similar molecule among these with a very different
        value, or "".

    Raises
    ------
    InputError
        If a SMILES does not parse, or `k` is not positive.
    """
    if k < 1:
        raise InputError(f"k = {k}: ask for at least one molecule")
    similarity = tanimoto(smiles, known.smiles)
    nearest = np.argsort(-similarity, kind="stable")[:k]
    chosen = [known.smiles[i] for i in nearest]
    values = known.y[nearest, 0]
    gap = CLIFF_GAP * float(np.nanstd(known.y[:, 0])) if known.kind == "regression" else 0.5
    partner = [""] * len(chosen)
    for one, other in find_cliffs(chosen, values, gap):
        partner[one] = partner[one] or chosen[other]
        partner[other] = partner[other] or chosen[one]
    return pd.DataFrame(
        {"smiles": chosen, "value": values, "tanimoto": similarity[nearest], "cliff": partner}
    )


def find_cliffs(
    smiles: Sequence[str], values: NDArray[np.float64], gap: float
) -> list[tuple[int, int]]:
    """Pairs of similar molecules with very different values.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.
    values : (n,) float64
        Their values; NaN is in no pair.
    gap : float
        Least difference of values.

    Returns
    -------
    list of tuple of two int
        Rows, the pair with the largest difference first.
    """
    pairs = []
    for one in range(len(smiles) - 1):
        similar = tanimoto(smiles[one], list(smiles[one + 1 :])) >= CLIFF_SIMILARITY
        differ = np.abs(values[one + 1 :] - values[one]) >= gap
        pairs += [(one, one + 1 + int(more)) for more in np.flatnonzero(similar & differ)]
    return sorted(pairs, key=lambda pair: -abs(values[pair[0]] - values[pair[1]]))
