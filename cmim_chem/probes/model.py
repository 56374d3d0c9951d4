"""A fitted model of one table: inputs, head, and the way back to units and probabilities.

Between `probes.heads`, which fits standardized targets, and `probes.artifact`, which adds the card
and the folder on disk. Says nothing about which features or head are best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.probes.features import Features, Inputs, require_blocks
from cmim_chem.probes.fitted import FITTED_HEADS, Arrays, FittedHead
from cmim_chem.probes.mean import MEAN, MeanHead

FloatArray = NDArray[np.float64]
Kind = Literal["regression", "classification"]

ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Targets:
    """How labels were standardized, and which tasks have nothing to learn.

    Attributes
    ----------
    center, scale : (t,) float64
        Mean and standard deviation of the labels fitted on (0 and 1 for classification).
    constant : (t,) float64
        Value always predicted for a task whose labels are all equal or missing; NaN for the others.
    """

    center: FloatArray
    scale: FloatArray
    constant: FloatArray

    @property
    def learned(self) -> NDArray[np.bool_]:
        """(t,) bool: tasks the head was fitted on."""
        return np.isnan(self.constant)

    def standardize(self, y: FloatArray) -> FloatArray:
        """Map (n, t) labels to the (n, t_learned) the head is fitted on; NaN stays NaN."""
        return np.asarray(((y - self.center) / self.scale)[:, self.learned])


def fit_targets(y: FloatArray, kind: Kind) -> Targets:
    """Compute `Targets` from (n, t) labels, NaN where missing.

    A constant task gets its only value; without any label it gets 0.5 (classification) or 0.
    """
    tasks = y.shape[1]
    center, scale = np.zeros(tasks), np.ones(tasks)
    constant = np.full(tasks, np.nan)
    for task in range(tasks):
        labels = y[~np.isnan(y[:, task]), task]
        if labels.size == 0:
            constant[task] = 0.5 if kind == "classification" else 0.0
        elif np.ptp(labels) == 0.0:
            constant[task] = labels[0]
        elif kind == "regression":
            center[task], scale[task] = labels.mean(), labels.std()
    return Targets(center, scale, constant)


@dataclass(frozen=True, slots=True)
class FittedModel:
    """Features in, numbers in the unit of the table (or probabilities) out.

    Attributes
    ----------
    kind : "regression" or "classification"
    inputs : Inputs
    head_name : str
        Key of `FITTED_HEADS`, or `MEAN`.
    head : FittedHead or None
        None when no task could be learned.
    targets : Targets
    """

    kind: Kind
    inputs: Inputs
    head_name: str
    head: FittedHead | None
    targets: Targets

    def predict(self, features: Features) -> FloatArray:
        """Predict every task for every row.

        Parameters
        ----------
        features : mapping of str to (n, d) float
            At least the blocks `inputs.names`, rows of valid molecules only.

        Returns
        -------
        (n, t) float64
            In the unit of the labels, or the probability of class 1.

        Raises
        ------
        InputError
            When a block is absent, has another width, other rows than the first block, or rows
            without numbers.
        """
        n = _count_rows(features, self.inputs.names)
        out = np.tile(self.targets.constant, (n, 1))
        for start in range(0, n, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            part = {name: features[name][rows] for name in self.inputs.names}
            out[rows, self.targets.learned] = self._predict_learned(self.inputs.transform(part))
        return out

    def _predict_learned(self, x: NDArray[np.float32]) -> FloatArray:
        if self.head is None:
            return np.empty((len(x), 0))
        margins = self.head.margins(x)
        if self.kind == "classification":
            return np.asarray(expit(margins), dtype=np.float64)
        learned = self.targets.learned
        return margins * self.targets.scale[learned] + self.targets.center[learned]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every array of the model under a prefixed name; `from_parts` is the inverse."""
        flat: dict[str, NDArray[np.generic]] = {
            "targets.center": self.targets.center,
            "targets.scale": self.targets.scale,
            "targets.constant": self.targets.constant,
        }
        flat |= {f"inputs.{name}": array for name, array in self.inputs.arrays().items()}
        if self.head is not None:
            flat |= {f"head.{name}": array for name, array in self.head.arrays().items()}
        return flat

    def texts(self) -> tuple[str, ...]:
        """Model texts of the head, one per learned task, for heads that have them."""
        return () if self.head is None else self.head.texts()

    @classmethod
    def from_parts(
        cls, kind: Kind, shape: tuple[str, Sequence[str]], arrays: Arrays, texts: Sequence[str]
    ) -> FittedModel:
        """Rebuild from `arrays` and `texts`.

        Parameters
        ----------
        kind : "regression" or "classification"
            Decides between units and probabilities.
        shape : tuple
            Head name and block names.
        arrays : mapping of str to array
            What `arrays` returned.
        texts : sequence of str
            What `texts` returned.

        Raises
        ------
        ArtifactError
            For an unknown head, or an array that is absent.
        """
        head_name, blocks = shape
        kinds = {**FITTED_HEADS, MEAN: MeanHead}
        if head_name not in kinds:
            known = ", ".join(sorted(kinds))
            raise ArtifactError(f"unknown head {head_name!r} (this version knows {known})")
        try:
            targets = Targets(
                *(
                    arrays[f"targets.{n}"].astype(np.float64)
                    for n in ("center", "scale", "constant")
                )
            )
            inputs = Inputs.from_arrays(blocks, _strip("inputs.", arrays))
            head: FittedHead | None = None
            if targets.learned.any():
                head = kinds[head_name].from_parts(_strip("head.", arrays), texts)
        except KeyError as error:
            raise ArtifactError(f"the probe lacks the array {error}; fit it again") from error
        return cls(kind, inputs, head_name, head, targets)


def _strip(prefix: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _count_rows(features: Features, names: Sequence[str]) -> int:
    require_blocks(features, names)
    counts = {name: len(features[name]) for name in names}
    if len(set(counts.values())) > 1:
        raise InputError(f"feature blocks differ in rows: {counts}")
    return next(iter(counts.values()), 0)
