"""Is a molecule of a kind that a probe has learned from? Distances to its training molecules.

Two distances: the largest Tanimoto similarity of folded ECFP4 bits, and the distance in h-space to
the nearest of a few centroids. The limits are quantiles over the training molecules themselves. A
probe stores the folded bits and centroids, never the structures: bits tell which small fragments
occur and can confirm a guess, they do not spell a molecule. Arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError
from cmim_chem.probes.features import Features
from cmim_chem.probes.kernel import in_blocks
from cmim_chem.probes.similarity import Fingerprints
from cmim_chem.probes.words import BORDERLINE, INSIDE, OUTSIDE

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]
Codes = NDArray[np.int8]

#: Blocks of features that distances are measured in.
BLOCKS = ("h", "ecfp")

#: Of a larger table a random sample of so many fingerprints is kept.
MOST_KEPT = 8_192
_COMPONENTS = 16
_MOST_CENTROIDS = 64
# Shares of the training molecules that are less similar, or more distant, than the limits.
_RARE, _VERY_RARE = 0.10, 0.02


class Nearness(NamedTuple):
    """How near n molecules are to the training molecules.

    Attributes
    ----------
    similarity : (n,) float64
        Largest Tanimoto similarity of ECFP4 bits, from 0 to 1.
    distance : (n,) float64
        To the nearest centroid, in standard deviations of the leading components of h.
    """

    similarity: FloatArray
    distance: FloatArray


@dataclass(frozen=True, eq=False)
class Domain:
    """What is kept of m training molecules.

    Attributes
    ----------
    bits : (m, 256) uint8
        Folded ECFP4 fingerprints, eight bits to a byte.
    center : (d_h,) float32
    projection : (d_h, k) float32
        Leading components of h, to unit variance.
    centroids : (c, k) float32
    limits : (4,) float64
        Similarity below which a molecule is borderline, and outside; distance above which it is
        borderline, and outside.
    rows : int
        Training molecules; more than m if `bits` are a sample.
    """

    bits: NDArray[np.uint8]
    center: FloatMatrix
    projection: FloatMatrix
    centroids: FloatMatrix
    limits: FloatArray
    rows: int

    def measure(self, features: Features) -> Nearness:
        """Measure how near molecules are.

        Parameters
        ----------
        features : mapping of str to (n, d) float32
            At least `BLOCKS`.

        Returns
        -------
        Nearness
            n molecules; a row's numbers do not depend on the others.
        """
        return measure_together((self,), features)[0]

    def judge(self, near: Nearness) -> Codes:
        """Put molecules into classes: (n,) int8, one of INSIDE, BORDERLINE and OUTSIDE."""
        similar, dissimilar, far, farther = self.limits
        outside = (near.similarity < dissimilar) | (near.distance > farther)
        rare = (near.similarity < similar) | (near.distance > far)
        return np.where(outside, OUTSIDE, np.where(rare, BORDERLINE, INSIDE)).astype(np.int8)

    def _distance(self, h: NDArray[np.floating]) -> FloatArray:
        def nearest(rows: FloatMatrix) -> FloatArray:
            place = (rows - self.center) @ self.projection
            gaps = place[:, None, :] - self.centroids[None]
            squared = np.einsum("nck,nck->nc", gaps, gaps)
            return np.asarray(np.sqrt(squared.min(axis=1, keepdims=True)), dtype=np.float64)

        return np.asarray(in_blocks(np.asarray(h, dtype=np.float32), nearest)[:, 0])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store; `from_arrays` is the inverse."""
        return {
            "bits": self.bits,
            "center": self.center,
            "projection": self.projection,
            "centroids": self.centroids,
            "limits": self.limits,
            "rows": np.asarray([self.rows], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Domain:
        """Rebuild from `arrays`.

        Raises
        ------
        ArtifactError
            When an array is absent.
        """
        try:
            return cls(
                arrays["bits"].astype(np.uint8),
                arrays["center"].astype(np.float32),
                arrays["projection"].astype(np.float32),
                arrays["centroids"].astype(np.float32),
                arrays["limits"].astype(np.float64),
                int(arrays["rows"][0]),
            )
        except KeyError as error:
            raise ArtifactError(f"the probe lacks the array {error}; fit it again") from error


def measure_together(domains: Sequence[Domain], features: Features) -> list[Nearness]:
    """As `Domain.measure` for several probes, in less time.

    Parameters
    ----------
    domains : sequence of Domain
        q of them, of one size of fingerprints.
    features : mapping of str to (n, d) float32
        At least `BLOCKS`.

    Returns
    -------
    list of Nearness
        q times n molecules.
    """
    if not domains:
        return []
    similarity = _lay_out(tuple(domains)).find_largest(features["ecfp"])
    return [
        Nearness(similarity[:, at], one._distance(features["h"])) for at, one in enumerate(domains)
    ]


@lru_cache(maxsize=4)  # probes of one encoder share one
def _lay_out(domains: tuple[Domain, ...]) -> Fingerprints:
    return Fingerprints([one.bits for one in domains])


def fit_domain(features: Features, rows: NDArray[np.int64], seed: int = 0) -> Domain:
    """Learn what the training molecules are like.

    Parameters
    ----------
    features : mapping of str to (n, d) float32
        At least `BLOCKS`.
    rows : (m,) int64
        The training molecules, at least two.
    seed : int
        Fixes the sample and the centroids.

    Returns
    -------
    Domain
    """
    from sklearn.cluster import KMeans  # only to fit: it takes long to import

    drawn = np.random.default_rng(seed)
    kept = np.sort(drawn.permutation(rows)[:MOST_KEPT])
    h = np.asarray(features["h"], dtype=np.float32)[kept]
    center, projection = _find_components(h)
    places = (h - center) @ projection
    clusters = int(np.clip(round(len(kept) ** 0.5), 1, _MOST_CENTROIDS))
    centroids = KMeans(clusters, n_init=1, random_state=seed).fit(places).cluster_centers_
    set_bits = features["ecfp"][kept] > 0
    domain = Domain(
        np.packbits(set_bits, axis=1),
        center,
        projection,
        centroids.astype(np.float32),
        np.zeros(4),
        len(rows),
    )
    limits = (
        *np.quantile(_similarity_among(set_bits), (_RARE, _VERY_RARE)),
        *np.quantile(domain._distance(h), (1 - _RARE, 1 - _VERY_RARE)),
    )
    return Domain(domain.bits, center, projection, domain.centroids, np.array(limits), len(rows))


def _find_components(h: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Center and leading components of h, scaled to unit variance."""
    center = h.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(
        np.cov((h - center).T.astype(np.float64)).reshape(h.shape[1], -1)
    )
    leading = np.argsort(values)[::-1][: min(_COMPONENTS, len(h) - 1)]
    leading = leading[values[leading] > 1e-9 * max(values.max(), 1e-30)]
    scale = np.sqrt(np.maximum(values[leading], 1e-30))
    return center.astype(np.float32), (vectors[:, leading] / scale).astype(np.float32)


def _similarity_among(bits: NDArray[np.bool_]) -> FloatArray:
    """Largest Tanimoto similarity of each molecule to another one that is not its twin in bits."""
    everything = bits.astype(np.float32)
    sizes = everything.sum(axis=1)
    found = np.zeros(len(bits))
    for start in range(0, len(bits), 1024):
        rows = slice(start, start + 1024)
        shared = everything[rows] @ everything.T
        union = np.maximum(sizes[rows, None] + sizes[None, :] - shared, 1.0)
        ratio = shared / union
        # Repeated measurements of a molecule do not make the set denser.
        ratio[ratio >= 1.0] = 0.0
        found[rows] = ratio.max(axis=1)
    return found
