"""One table ready to be fitted: feature blocks, labels, split, checked to fit together.

Made by whoever embeds molecules and splits them; read by `probes.select` and `probes.fit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import InputError
from cmim_chem.probes.features import Features
from cmim_chem.probes.model import Kind

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """One table ready to be fitted.

    Attributes
    ----------
    features : mapping of str to (n, d) float32
        Blocks "z", "h", "descriptors", "ecfp"; rows of molecules that failed must be dropped
        before, from features, labels and split alike.
    y : (n, t) float64
        Labels, NaN where missing; classes are 0 and 1.
    tasks : tuple of str
        The t task names.
    kind : "regression" or "classification"
    split : tuple of three (m,) int64
        Rows of train, validation and test, disjoint.
    groups : (n,) int64, optional
        Rows of one group, such as one ring system, are never on both sides of a cross-validation;
        every row by itself if not given.
    seen : (m,) int64, optional
        Rows whose labels the encoder of z and h has learned from; none if not given. What a model
        says of them out of fold is still too good to be true.

    Raises
    ------
    InputError
        When shapes disagree, the split is not a partition into known rows, or a class label is
        neither 0 nor 1.
    """

    features: Features
    y: FloatArray
    tasks: tuple[str, ...]
    kind: Kind
    split: tuple[IndexArray, IndexArray, IndexArray]
    groups: IndexArray | None = None
    seen: IndexArray | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        if self.y.ndim != 2 or self.y.shape[1] != len(self.tasks):
            raise InputError(f"labels have shape {self.y.shape}, expected (n, {len(self.tasks)})")
        for name, block in self.features.items():
            if len(block) != len(self.y):
                raise InputError(f"features {name!r} have {len(block)} rows, labels {len(self.y)}")
        if self.groups is not None and len(self.groups) != len(self.y):
            raise InputError(f"{len(self.groups)} groups are given for {len(self.y)} rows")
        rows = np.concatenate(self.split)
        if len(np.unique(rows)) != len(rows) or not np.isin(rows, np.arange(len(self.y))).all():
            raise InputError("the split names a row twice, or one that does not exist")
        known = self.y[~np.isnan(self.y)]
        if self.kind == "classification" and not np.isin(known, (0.0, 1.0)).all():
            raise InputError("class labels must be 0 or 1, NaN where missing")
        if np.isinf(known).any():
            raise InputError("labels contain infinite numbers: correct or remove these rows")

    def is_unseen(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Tell which of some (m,) rows the encoder has not learned from; (m,) bool."""
        return np.ones(len(rows), dtype=bool) if self.seen is None else ~np.isin(rows, self.seen)
