"""What is usual: properties and profile of the approved drugs, and a flat map of chemical space.

A prediction of -4.1 says little until one knows how many approved drugs lie below it. Everything
is measured once, when the weights are built, and kept as quantiles and coordinates: arrays only.
Files are `cmim_chem.reference_files`'s, putting it together with predictions the predictor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmim_chem.reference_files import ReferenceContent, load_reference_content

FloatArray = NDArray[np.float64]

#: Source of the neighbor index whose molecules are the yardstick.
DRUGS = "approved drug"
#: Share of the molecules below each quantile that is kept.
LEVELS: FloatArray = np.linspace(0.0, 1.0, 101)
LEVELS.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Distribution:
    """How one number is distributed over the reference molecules.

    Attributes
    ----------
    quantiles : (101,) float64
        Value at each of `LEVELS`, ascending.
    """

    quantiles: FloatArray

    @classmethod
    def measure(cls, values: ArrayLike) -> Distribution:
        """Describe a sample.

        Parameters
        ----------
        values : (n,) float
            One number per reference molecule, NaN where there is none.

        Raises
        ------
        ValueError
            If no value is finite.
        """
        known = np.asarray(values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            raise ValueError("a distribution needs at least one number")
        return cls(np.quantile(known, LEVELS))

    def percentiles(self, values: ArrayLike) -> FloatArray:
        """Percentage of the reference molecules that lie below each value.

        Of those equal to it, half count as below: a count that many molecules share stands in the
        middle of them.

        Parameters
        ----------
        values : (n,) float
            In the unit of the quantiles.

        Returns
        -------
        ndarray
            Shape (n,), float64, from 0 to 100; NaN for NaN.
        """
        given = np.asarray(values, dtype=np.float64)
        middle = 50.0 * (self._share(given, "left") + self._share(given, "right"))
        return np.where(np.isnan(given), np.nan, middle)

    def shares(self, edges: ArrayLike) -> FloatArray:
        """Share of the reference molecules in each bin of a histogram.

        Parameters
        ----------
        edges : (b + 1,) float
            Ascending edges; the last bin holds its upper edge too.

        Returns
        -------
        ndarray
            Shape (b,), float64; they add up to what lies between the outer edges.
        """
        at = np.asarray(edges, dtype=np.float64)
        below = self._share(at, "left")
        below[-1] = self._share(at[-1:], "right")[0]
        return np.asarray(np.diff(below))

    def _share(self, values: FloatArray, side: Literal["left", "right"]) -> FloatArray:
        """Share of the molecules below each value (left), or below and equal to it (right)."""
        q = self.quantiles
        # Counts repeat among the quantiles: np.interp would take any of the equal ones.
        at = np.searchsorted(q, values, side)
        low, high = np.clip(at - 1, 0, len(q) - 1), np.clip(at, 0, len(q) - 1)
        width = q[high] - q[low]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(width > 0, (values - q[low]) / width, 0.0)
        share = LEVELS[low] + np.clip(part, 0.0, 1.0) * (LEVELS[high] - LEVELS[low])
        return np.where(at == 0, 0.0, np.where(at == len(q), 1.0, share))


@dataclass(frozen=True, eq=False)
class ChemicalMap:
    """The plane in which the reference molecules spread most, in the space of the neighbors.

    Attributes
    ----------
    offset : (d,) float32
        Mean of the neighbor index: what is subtracted from h before it is scaled to length 1.
    center : (d,) float32
        Of the drugs, after that.
    axes : (2, d) float32
        First two principal axes of the drugs.
    explained : (2,) float32
        Share of the drugs' variance along each axis.
    rows : (m,) int64
        Rows of the neighbor index that are drawn as landmarks.
    points : (m, 2) float32
        Where they are.
    """

    offset: NDArray[np.float32]
    center: NDArray[np.float32]
    axes: NDArray[np.float32]
    explained: NDArray[np.float32]
    rows: NDArray[np.int64]
    points: NDArray[np.float32]

    def locate(self, h: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Place molecules on the map.

        Parameters
        ----------
        h : (n, d) float
            Embeddings by the encoder of the map; rows of NaN stay NaN.

        Returns
        -------
        ndarray
            Shape (n, 2), float32.
        """
        units = _point(h, self.offset)
        return np.asarray((units - self.center) @ self.axes.T, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Reference:
    """The approved drugs as a yardstick; immutable.

    Attributes
    ----------
    digest : str
        sha256 of the manifest, and so of everything in it.
    size : int
        Number of approved drugs behind the distributions.
    probe_digests : mapping of str to str
        The probes whose predictions were measured, by name.
    properties : mapping of str to Distribution
        By name of the predicted property.
    profile : mapping of str to Distribution
        By name of the quantity (`cmim_chem.chem.profile.QUANTITIES`).
    map : ChemicalMap
        Of the neighbor index.
    """

    digest: str
    size: int
    probe_digests: Mapping[str, str]
    properties: Mapping[str, Distribution]
    profile: Mapping[str, Distribution]
    map: ChemicalMap

    @classmethod
    def load(cls, folder: Path, encoder_digest: str, index_digest: str) -> Reference:
        """Read a reference and check that it is whole and belongs to encoder and index.

        Parameters
        ----------
        folder : Path
            What `cmim_chem.reference_files.save_reference_content` wrote.
        encoder_digest, index_digest : str
            Of the encoder and the neighbor index in use.

        Raises
        ------
        ArtifactError
            If a file is missing or changed, or it was built with others.
        """
        content = load_reference_content(folder, encoder_digest, index_digest)
        return cls(
            content.digest,
            content.size,
            MappingProxyType(content.probe_digests),
            _freeze(content.properties),
            _freeze(content.profile),
            _build_map(content),
        )


def measure_map(
    h: NDArray[np.float32], offset: NDArray[np.float32], drugs: NDArray[np.int64]
) -> ChemicalMap:
    """Find the plane in which the drugs spread most.

    Parameters
    ----------
    h : (n, d) float32
        Embedding of every landmark; the vectors of the index are rounded.
    offset : (d,) float32
        Mean of the neighbor index.
    drugs : (k,) int64
        Rows of the drugs among the landmarks.

    Returns
    -------
    ChemicalMap
        With all n landmarks, numbered as in `h`.
    """
    vectors = _point(h, offset)
    center = vectors[drugs].mean(axis=0)
    _, lengths, axes = np.linalg.svd(vectors[drugs] - center, full_matrices=False)
    # The sign of an axis is arbitrary; fix it so that a rebuilt map is not a mirror image.
    axes = axes[:2] * np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    explained = (lengths**2 / np.sum(lengths**2))[:2].astype(np.float32)
    points = ((vectors - center) @ axes.T).astype(np.float32)
    return ChemicalMap(
        offset, center, axes.astype(np.float32), explained, np.arange(len(vectors)), points
    )


def _point(h: NDArray[np.floating[Any]], offset: NDArray[np.float32]) -> NDArray[np.float32]:
    """Direction of h from the middle of the index, of length 1; zero where there is none."""
    centered = h.astype(np.float32) - offset
    length = np.linalg.norm(centered, axis=1, keepdims=True)
    return np.asarray(centered / np.where(length > 0, length, 1.0), dtype=np.float32)


def _freeze(table: dict[str, FloatArray]) -> Mapping[str, Distribution]:
    return MappingProxyType({name: Distribution(values) for name, values in table.items()})


def _build_map(content: ReferenceContent) -> ChemicalMap:
    arrays = content.map
    return ChemicalMap(
        arrays["offset"],
        arrays["center"],
        arrays["axes"],
        arrays["explained"],
        arrays["rows"],
        arrays["points"],
    )
