"""Molecules into a library index, and the nearest ones of a table out of it.

Between the predictor, which standardizes and embeds, and the index, which sees arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.chem.columns import find_identifier
from cmim_chem.chem.read import Batch, merge_problems
from cmim_chem.index import NO_NEIGHBOR, Neighbors
from cmim_chem.library_index.search import LibraryIndex
from cmim_chem.nearest import list_neighbors
from cmim_chem.predictor import Predictor
from cmim_chem.report import describe_problem


def embed_batch(
    predictor: Predictor, batch: Batch
) -> tuple[tuple[NDArray[np.float32], pd.DataFrame], list[str]]:
    """Make of a batch what `build.Builder` takes; rows that failed are left out.

    Parameters
    ----------
    predictor : Predictor
        Embeds.
    batch : Batch
        n rows.

    Returns
    -------
    tuple of (m, d) float32 and DataFrame
        h and the columns ``name``, ``smiles`` (standardized), ``row`` (from 1) of m rows.
    list of str
        The problem of each of the n rows.
    """
    standardized, embedded = predictor.embed(batch.smiles)
    problems = merge_problems([describe_problem(one) for one in standardized], batch.problems)
    found = find_identifier([one for one in batch.frame.columns if one != batch.smiles_column])
    names = [""] * len(problems) if found is None else batch.frame[found].astype("str").fillna("")
    frame = pd.DataFrame({
        "name": pd.array(list(names), dtype="str"),
        "smiles": pd.array([one.smiles or "" for one in standardized], dtype="str"),
        "row": np.arange(batch.first_row + 1, batch.first_row + len(problems) + 1),
    })  # fmt: skip
    good = np.flatnonzero(np.isfinite(embedded.h).all(axis=1))
    return (embedded.h[good], frame.iloc[good]), problems


def find_neighbors(
    predictor: Predictor, index: LibraryIndex, raw: Sequence[object], k: int
) -> pd.DataFrame:
    """Nearest molecules of the index, as `Predictor.neighbors` gives those that ship.

    Parameters
    ----------
    predictor : Predictor
        Embeds.
    index : LibraryIndex
        Where to look.
    raw : sequence of object
        n cells, normally SMILES.
    k : int
        Neighbors per row.

    Returns
    -------
    DataFrame
        Long table as of `list_neighbors`, with the columns ``name``, ``smiles`` and ``row``.
    """
    standardized, embedded = predictor.embed(raw)
    found = index.query(embedded.h, k)
    different, place = np.unique(found.rows, return_inverse=True)
    is_real = different != NO_NEIGHBOR
    # Numbers in the table of those that were found: looking up all molecules would take too long.
    numbers = np.where(is_real, np.cumsum(is_real) - 1, NO_NEIGHBOR)
    rows = numbers[place].reshape(found.rows.shape)
    return list_neighbors(
        standardized, Neighbors(rows, found.cosine), index.take(different[is_real])
    )
