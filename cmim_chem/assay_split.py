"""How a user's table is split: by scaffold, at random where that measures nothing, or by time.

The splits themselves are `cmim_chem.chem.split`'s; which one a user wants, `cmim_chem.assay` knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.split import Split, random_split, scaffold_split
from cmim_chem.probes.model import Kind

SCAFFOLD = "Bemis-Murcko scaffold, 80/10/10"
RANDOM = "random, 80/10/10"
TIME = "by time"

_RANDOM_TRIES = 20


def split_by_time(times: NDArray[np.float64]) -> Split:
    """Split so that the model learns from the past and is judged on what came later.

    Parameters
    ----------
    times : (n,) float64
        Growing with time; equal times stay in the order of the table.

    Returns
    -------
    tuple of three (m,) int64 arrays
        The first 80 %, the next 10 %, the last 10 %.
    """
    order = np.argsort(times, kind="stable").astype(np.int64)
    first, second = round(0.8 * len(order)), round(0.9 * len(order))
    return order[:first], order[first:second], order[second:]


def split_rows(
    smiles: Sequence[str], y: NDArray[np.float64], kind: Kind, seed: int
) -> tuple[Split, str]:
    """Split by scaffold; at random where that leaves a part that nothing can be measured on.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.
    y : (n,) or (n, t) float64
        Labels, NaN where missing.
    kind : "regression" or "classification"
        A classifier is measured on both classes.
    seed : int
        Fixes the random split.

    Returns
    -------
    tuple of three (m,) int64 arrays and str
        Rows of train, validation and test; and how they were split, in words.
    """

    def is_usable(split: Split) -> bool:
        fewest = 2 if kind == "classification" else 1
        columns = y.reshape(len(y), -1).T
        return all(
            len(np.unique(labels[part][~np.isnan(labels[part])])) >= fewest
            for part in split
            for labels in columns
        )

    parts = scaffold_split(smiles)
    if is_usable(parts):
        return parts, SCAFFOLD
    tries = (random_split(len(smiles), seed=seed + more) for more in range(_RANDOM_TRIES))
    usable = next((split for split in tries if is_usable(split)), None)
    if usable is None:
        usable = random_split(len(smiles), seed=seed)
    return usable, f"{RANDOM}, because a split by scaffold left a part without enough labels"
