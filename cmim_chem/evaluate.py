"""Molecules through the probes: values and how sure they are, as one matrix with a row for each.

One matrix, because rows are then found, repeated and left out in one step; what the columns are is
known here only. Standardizing, and which rows of a table a molecule belongs to, is the business of
`cmim_chem.predictor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.distinct import Distinct
from cmim_chem.embed import Embeddings
from cmim_chem.encoders import Encoders
from cmim_chem.features import add_features
from cmim_chem.predictions import Certainty, Property
from cmim_chem.probes.artifact import Probe
from cmim_chem.probes.conformal import check_level
from cmim_chem.probes.domain import BLOCKS, Nearness, measure_together
from cmim_chem.probes.features import Features
from cmim_chem.probes.words import NO_CALL, UNKNOWN

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Request:
    """What is wanted of each molecule.

    Attributes
    ----------
    properties : tuple of Property
        The p columns.
    probes : tuple of Probe
        The q probes they come from.
    level : float or None
        Of intervals and calls; None for values only.

    Raises
    ------
    InputError
        If the level is not between 0 and 1.
    """

    properties: tuple[Property, ...]
    probes: tuple[Probe, ...]
    level: float | None

    def __post_init__(self) -> None:
        """Reject a level that makes no sense."""
        if self.level is not None:
            check_level(self.level)

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        p, q = len(self.properties), len(self.probes)
        return p if self.level is None else 4 * p + 3 * q

    def list_blocks(self, probes: Sequence[Probe]) -> list[str]:
        """Blocks of features that some of the probes need."""
        needed = {block for probe in probes for block in probe.blocks}
        if self.level is not None and any(probe.sureness is not None for probe in probes):
            needed |= set(BLOCKS)
        return sorted(needed)


def evaluate(
    encoders: Encoders, found: Distinct, request: Request
) -> tuple[Sequence[str], FloatArray]:
    """Predict m molecules; only the features that are needed are computed.

    Parameters
    ----------
    encoders : Encoders
        Of the probes.
    found : Distinct
        m molecules.
    request : Request
        What is wanted.

    Returns
    -------
    sequence of str
        Why a molecule cannot be read by an encoder that is needed, in words; empty text for the
        others.
    (m, width) float64
        To be read by `read_matrix`; NaN where there is a problem.
    """
    groups = encoders.group(request.probes)
    wanted = [request.list_blocks(probes) for _, probes in groups]
    embedded: list[Embeddings | None] = []
    problems: Sequence[str] = [""] * len(found.smiles)
    for (embedder, _), blocks in zip(groups, wanted, strict=True):
        read = {"z", "h"} & set(blocks)
        made = embedder.embed(found.smiles, with_h="h" in read) if read else None
        said = made.problems if made else embedder.check(found.smiles)
        problems = [first or more for first, more in zip(problems, said, strict=True)]
        embedded.append(made)
    valid = np.array([not problem for problem in problems], dtype=bool)
    matrix = np.full((len(valid), request.width), np.nan)
    if not valid.any() or not request.probes:
        return problems, matrix
    molecules = list(compress(found.molecules, valid))
    features: dict[str, Features] = {}
    shared: dict[str, NDArray[np.float32]] = {}
    for (_, probes), blocks, made in zip(groups, wanted, embedded, strict=True):
        own = {"z": made.z[valid], "h": made.h[valid]} if made else {}
        add_features(shared, [block for block in blocks if block not in own], molecules)
        features |= dict.fromkeys((probe.card.name for probe in probes), shared | own)
    matrix[valid] = _run_probes(features, request, int(valid.sum()))
    return problems, matrix


def _run_probes(features: Mapping[str, Features], request: Request, n: int) -> FloatArray:
    """Run each probe on its features, found by its name."""
    p, q = len(request.properties), len(request.probes)
    values, lower, upper, calls = np.full((4, n, p), np.nan)
    similarity, distance, domain = np.full((3, n, q), np.nan)
    calls[:], domain[:] = NO_CALL, UNKNOWN
    near = {} if request.level is None else _measure_nearness(features, request.probes)
    for at, probe in enumerate(request.probes):
        read = features[probe.card.name]
        predicted = probe.predict(read)
        columns = [i for i, one in enumerate(request.properties) if one.probe == probe.card.name]
        tasks = [probe.card.tasks.index(request.properties[i].name) for i in columns]
        values[:, columns] = predicted[:, tasks]
        if request.level is not None and probe.sureness is not None:
            found = probe.sureness.assess(read, predicted, request.level, near[at])
            similarity[:, at], distance[:, at] = found.near
            domain[:, at] = found.domain
            lower[:, columns], upper[:, columns] = found.lower[:, tasks], found.upper[:, tasks]
            calls[:, columns] = found.calls[:, tasks]
    if request.level is None:
        return values
    return np.hstack([values, lower, upper, calls, similarity, distance, domain])


def _measure_nearness(
    features: Mapping[str, Features], probes: Sequence[Probe]
) -> dict[int, Nearness]:
    """How near the molecules are to those of each probe that can tell, by its place."""
    near: dict[int, Nearness] = {}
    for read in {id(one): one for one in features.values()}.values():  # one for each encoder
        domains = {
            at: probe.sureness.domain
            for at, probe in enumerate(probes)
            if probe.sureness is not None and features[probe.card.name] is read
        }
        near |= dict(zip(domains, measure_together(list(domains.values()), read), strict=True))
    return near


def read_matrix(matrix: FloatArray, request: Request) -> tuple[FloatArray, Certainty | None]:
    """Take apart what `evaluate` made.

    Parameters
    ----------
    matrix : (n, width) float64
        Its rows in any order; rows of NaN have no molecule.
    request : Request
        As it was there.

    Returns
    -------
    (n, p) float64
        Values.
    Certainty or None
        None without a level.
    """
    if request.level is None:
        return matrix, None
    p, q = len(request.properties), len(request.probes)
    ends = np.cumsum([p, p, p, p, q, q])
    values, lower, upper, calls, similarity, distance, domain = np.split(matrix, ends, axis=1)
    names = tuple(probe.card.name for probe in request.probes)
    called = np.nan_to_num(calls, nan=NO_CALL).astype(np.int8)
    judged = np.nan_to_num(domain, nan=UNKNOWN).astype(np.int8)
    return values, Certainty(
        request.level, lower, upper, called, names, similarity, distance, judged
    )
