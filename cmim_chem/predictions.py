"""What a prediction is: the properties (columns), the values of n rows, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.standardize import Standardized
from cmim_chem.probes.artifact import Probe


@dataclass(frozen=True)
class Property:
    """One column of predictions.

    Attributes
    ----------
    name : str
        Column name, as in ``cmim score --list``.
    title : str
        The property in words.
    unit : str
        Unit of the number; ``probability`` for classification.
    kind : str
        ``regression`` or ``classification``.
    probe : str
        Name of the probe it comes from.
    metric : str
        What `score` measures: ``rmse`` or ``roc_auc``.
    score : float or None
        Held-out score on the probe's test split; None if it is not defined there.
    split : str
        How the test split was held out: ``scaffold`` or ``random``.
    sure : bool
        Whether its probe says how sure it is.
    """

    name: str
    title: str
    unit: str
    kind: str
    probe: str
    metric: str
    score: float | None
    split: str = "scaffold"
    sure: bool = False


@dataclass(frozen=True, eq=False)
class Certainty:
    """How sure n predictions of p properties from q probes are.

    Attributes
    ----------
    level : float
        Share of molecules whose interval holds the true value, by design.
    lower, upper : (n, p) float64
        Ends of the interval, in the unit; NaN for classes and where nothing is known.
    calls : (n, p) int8
        Keys of `cmim_chem.probes.words.CALLS`.
    probes : tuple of str
        The q probes, in the order of their properties.
    similarity : (n, q) float64
        Largest Tanimoto similarity to a training molecule of the probe; NaN where unknown.
    distance : (n, q) float64
        Distance to its training molecules in h-space; NaN where unknown.
    domain : (n, q) int8
        Keys of `cmim_chem.probes.words.WORDS`.
    """

    level: float
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    calls: NDArray[np.int8]
    probes: tuple[str, ...]
    similarity: NDArray[np.float64]
    distance: NDArray[np.float64]
    domain: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of n rows.

    Attributes
    ----------
    raw : tuple
        The n cells as given.
    standardized : tuple of Standardized
        What was predicted for, or the problem; the embedder's problems included.
    properties : tuple of Property
        The p columns.
    values : ndarray
        Shape (n, p), float64, in the unit of each property; NaN rows for problems.
    certainty : Certainty or None
        None if it was not asked for.
    """

    raw: tuple[object, ...]
    standardized: tuple[Standardized, ...]
    properties: tuple[Property, ...]
    values: NDArray[np.float64]
    certainty: Certainty | None = None


def list_properties(probe: Probe) -> list[Property]:
    """The columns a probe predicts, in order."""
    card = probe.card
    scores = card.scores.get("ships", {}).get("tasks", {})
    split = "random" if card.split.startswith("random") else "scaffold"
    return [
        Property(
            name,
            title,
            unit,
            card.kind,
            card.name,
            card.metric,
            scores.get(name),
            split,
            probe.sureness is not None,
        )
        for name, title, unit in zip(card.tasks, card.task_titles, card.units, strict=True)
    ]
