"""The nearest known molecules of rows as a long table, Tanimoto similarity included.

Who is near is `cmim_chem.index`'s finding; how the table is written, the commands' business.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.chem.standardize import Standardized
from cmim_chem.index import NO_NEIGHBOR, Neighbors


def list_neighbors(
    standardized: Sequence[Standardized], found: Neighbors, table: pd.DataFrame
) -> pd.DataFrame:
    """Write out what an index found.

    Parameters
    ----------
    standardized : sequence of Standardized
        n rows.
    found : Neighbors
        Of the same n rows.
    table : DataFrame
        The molecules of the index, with a column ``smiles``.

    Returns
    -------
    DataFrame
        Long table: ``query`` (row number from 0), ``rank`` (from 1), the columns of `table`,
        ``cosine``, ``tanimoto`` (ECFP4 bits) and ``problem``. A row without neighbors has one line,
        with its problem.
    """
    is_read = np.array([one.smiles is not None for one in standardized], dtype=bool)
    rows = np.where(is_read[:, None], found.rows, NO_NEIGHBOR)
    counts = (rows != NO_NEIGHBOR).sum(axis=1)  # the real ones come first
    lines = np.maximum(counts, 1)
    query = np.repeat(np.arange(len(rows)), lines)
    rank = np.arange(len(query)) - np.repeat(np.cumsum(lines) - lines, lines)
    real = rank < counts[query]
    part = table.iloc[rows[query[real], rank[real]]].set_axis(np.flatnonzero(real))
    long: pd.DataFrame = part.reindex(range(len(query)))
    long.insert(0, "query", query)
    long.insert(1, "rank", pd.Series(np.where(real, rank + 1, 0), dtype="Int64").where(real))
    long["cosine"] = pd.Series(found.cosine[query[real], rank[real]], np.flatnonzero(real))
    groups = np.split(part["smiles"].to_numpy(), np.cumsum(counts))[: len(counts)]
    similar = [
        tanimoto(str(one.smiles), list(group))
        for one, group in zip(standardized, groups, strict=True)
        if len(group)
    ]
    values = np.concatenate(similar) if similar else np.empty(0)
    long["tanimoto"] = pd.Series(values, np.flatnonzero(real))
    long["problem"] = [
        "" if is_real else standardized[row].problem
        for row, is_real in zip(query.tolist(), real, strict=True)
    ]
    return long
