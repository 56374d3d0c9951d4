"""Where molecules stand among the known ones: percentiles of approved drugs, a place on the map.

Puts a predictor and its reference to use. Without a reference (weights of one's own) nothing here
fails: percentiles and places are just not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError
from cmim_chem.predictor import Predictor
from cmim_chem.probes.artifact import Probe
from cmim_chem.reference import DRUGS, Distribution


def list_distributions(predictor: Predictor) -> dict[str, Distribution]:
    """How each property is predicted for the approved drugs.

    Parameters
    ----------
    predictor : Predictor
        Knows properties and reference.

    Returns
    -------
    dict of str to Distribution
        By name of the property. A property that was not measured is left out, as is that of a
        probe that has taken the place of the measured one.
    """
    reference = predictor.reference
    if reference is None:
        return {}
    digests = {probe.card.name: probe.digest for probe in predictor.probes}
    return {
        one.name: reference.properties[one.name]
        for one in predictor.properties
        if one.name in reference.properties
        and reference.probe_digests.get(one.probe) == digests.get(one.probe)
    }


def measure_drugs(
    predictor: Predictor, names: Sequence[str] | None = None
) -> dict[str, Distribution]:
    """Predict properties of the approved drugs, and keep how they are distributed.

    Parameters
    ----------
    predictor : Predictor
        With an index.
    names : sequence of str, optional
        Properties; all if not given.

    Returns
    -------
    dict of str to Distribution
        By name of the property.

    Raises
    ------
    ArtifactError
        If there is no index.
    InputError
        If a property is not known.
    """
    found = predictor.score(list_drugs(predictor), names)
    columns = zip(found.properties, found.values.T, strict=True)
    return {one.name: Distribution.measure(values) for one, values in columns}


def list_drugs(predictor: Predictor) -> list[str]:
    """Standardized SMILES of the approved drugs.

    Parameters
    ----------
    predictor : Predictor
        With an index.

    Returns
    -------
    list of str
        In the order of the index.

    Raises
    ------
    ArtifactError
        If there is no index.
    """
    if predictor.index is None:
        raise ArtifactError("these weights have no index/: there are no drugs to compare with")
    table = predictor.index.table
    return [str(smiles) for smiles in table.loc[table["source"] == DRUGS, "smiles"]]


def add_probe(predictor: Predictor, probe: Probe) -> Predictor:
    """Make a predictor that predicts one more probe, and what is usual for it.

    Parameters
    ----------
    predictor : Predictor
        Stays as it is.
    probe : Probe
        Fitted on the same encoder, such as by `cmim_chem.assay.fit_table`.

    Returns
    -------
    Predictor
        Shares encoder, other probes and index.

    Raises
    ------
    ArtifactError
        If there is a probe or a property of that name.
    """
    probes, index = (*predictor.probes, probe), predictor.index
    reference = predictor.reference
    larger = Predictor(predictor.embedder, probes, index, reference)
    if reference is None or index is None:
        return larger
    measured = measure_drugs(larger, probe.card.tasks)
    reference = replace(
        reference,
        properties=dict(reference.properties) | measured,
        probe_digests=dict(reference.probe_digests) | {probe.card.name: probe.digest},
    )
    return Predictor(predictor.embedder, probes, index, reference)


def locate(predictor: Predictor, smiles: Sequence[str | None]) -> NDArray[np.float32]:
    """Place molecules on the map of chemical space.

    Parameters
    ----------
    predictor : Predictor
        With encoder and reference.
    smiles : sequence of str or None
        n standardized SMILES, None where there is none.

    Returns
    -------
    ndarray
        Shape (n, 2), float32; NaN rows where there is no molecule, and without a reference.
    """
    if predictor.reference is None:
        return np.full((len(smiles), 2), np.nan, dtype=np.float32)
    return predictor.reference.map.locate(predictor.embedder.embed(smiles).h)


def list_landmarks(predictor: Predictor) -> pd.DataFrame:
    """Known molecules on the map.

    Parameters
    ----------
    predictor : Predictor
        With index and reference.

    Returns
    -------
    DataFrame
        ``name``, ``smiles``, ``source``, ``x`` and ``y``; no rows without a reference.
    """
    if predictor.reference is None or predictor.index is None:
        return pd.DataFrame(columns=["name", "smiles", "source", "x", "y"])
    chart = predictor.reference.map
    x, y = chart.points.T
    found = predictor.index.table.iloc[chart.rows][["name", "smiles", "source"]]
    return found.reset_index(drop=True).assign(x=x, y=y)
