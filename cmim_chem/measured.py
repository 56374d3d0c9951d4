"""Like what: the measured molecules nearest to one, with their values, and activity cliffs.

For a table that is at hand, a user's own or a public one; a probe ships no structures. The nearest
approved drugs are `cmim_chem.predictor`'s. Similar is meant as chemists draw it: ECFP4 Tanimoto.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.chem.read import Batch
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.errors import InputError
from cmim_chem.measurements import Measurements, merge_rows, read_labels

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
    if target not in table.frame.columns:
        raise InputError(f"there is no column {target!r} in the table")
    labels = read_labels(table, (target,), None)
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
