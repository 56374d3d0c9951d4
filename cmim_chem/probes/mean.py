"""The mean of several heads that read the same features, after fitting.

It has no grid: its members are what the rows of `probes.heads` came to, and its parameters are
theirs under their names, as in ``lightgbm.rounds``. Which heads are averaged is the business of
`probes.select`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError
from cmim_chem.probes.fitted import FITTED_HEADS, Arrays, FittedHead

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]
Params = Mapping[str, float]

#: Name of this head.
MEAN = "mean"


@dataclass(frozen=True, slots=True)
class MeanHead:
    """Several heads on the same features; their margins are averaged.

    Attributes
    ----------
    members : mapping of str to FittedHead
        By name, in the order of `FITTED_HEADS`.
    """

    members: Mapping[str, FittedHead]

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""
        said = [head.margins(x) for head in self.members.values()]
        return np.asarray(np.mean(said, axis=0), dtype=np.float64)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Arrays of all members, each under the name of its head."""
        return {
            f"{name}.{key}": array
            for name, head in self.members.items()
            for key, array in head.arrays().items()
        }

    def texts(self) -> tuple[str, ...]:
        """Texts of the one member that has some."""
        return tuple(text for head in self.members.values() for text in head.texts())

    @classmethod
    def from_parts(cls, arrays: Arrays, texts: Sequence[str]) -> MeanHead:
        """Rebuild from `arrays` and `texts`.

        Raises
        ------
        ArtifactError
            For a member that is unknown here, or a damaged one.
        """
        parts: dict[str, dict[str, NDArray[np.generic]]] = {"lightgbm": {}} if texts else {}
        for name, array in arrays.items():
            member, _, key = name.partition(".")
            parts.setdefault(member, {})[key] = array
        unknown = sorted(set(parts) - set(FITTED_HEADS))
        if unknown:
            raise ArtifactError(f"unknown heads {unknown}: update cmim-chem or fit the probe again")
        heads = {name: kind for name, kind in FITTED_HEADS.items() if name in parts}
        return cls({name: kind.from_parts(parts[name], texts) for name, kind in heads.items()})


def join_params(members: Mapping[str, Params]) -> Params:
    """Parameters of a mean: those of each member, under its name."""
    return {f"{name}.{key}": value for name, own in members.items() for key, value in own.items()}


def part_params(joined: Params) -> dict[str, Params]:
    """Parameters of each member of a mean, in the order of `FITTED_HEADS`."""
    found = {
        name: {k.partition(".")[2]: v for k, v in joined.items() if k.startswith(f"{name}.")}
        for name in FITTED_HEADS
    }
    return {name: own for name, own in found.items() if own}
