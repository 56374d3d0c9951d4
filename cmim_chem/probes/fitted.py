"""The four heads after fitting: small arrays and how to predict from them, in numpy.

Predictions are re-implemented here (tests compare them with scikit-learn) so that a probe on disk
is plain numbers and never a pickle. Every head turns the joined matrix of `probes.features` into
one margin per task: a standardized target for regression, log-odds for classification. Fitting is
in `probes.heads`, units and probabilities are in `probes.model`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.kernel import in_blocks, unround
from cmim_chem.probes.trees import Trees

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]
Arrays = Mapping[str, NDArray[np.generic]]


class FittedHead(Protocol):
    """What the rest of the package may ask of a fitted head."""

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store."""

    def texts(self) -> tuple[str, ...]:
        """Model texts to store, one per task; empty for heads that are arrays only."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Ridge or logistic regression: x @ coef + intercept.

    Attributes
    ----------
    coef : (d, t) float64
    intercept : (t,) float64
    """

    coef: FloatArray
    intercept: FloatArray

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""
        return in_blocks(x, lambda rows: rows.astype(np.float64) @ self.coef + self.intercept)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store."""
        return {"coef": self.coef, "intercept": self.intercept}

    def texts(self) -> tuple[str, ...]:
        """No texts."""
        return ()

    @classmethod
    def from_parts(cls, arrays: Arrays, texts: Sequence[str]) -> LinearHead:
        """Rebuild from `arrays`."""
        del texts
        return cls(arrays["coef"].astype(np.float64), arrays["intercept"].astype(np.float64))


@dataclass(frozen=True)
class SvmHead:
    """Support vectors with a radial kernel exp(-gamma |x - s|^2).

    Attributes
    ----------
    support : (m, d) int8
        Training rows in steps of `SUPPORT_STEP`; the model was fitted on exactly these rounded
        rows, so storing one byte a number loses nothing.
    dual : (m, t) float64
    bias : (t,) float64
    gamma : float
    calibration : (2, t) float64
        Slope and offset from decision value to margin (Platt's two numbers; 1 and 0 in regression).
    """

    support: NDArray[np.int8]
    dual: FloatArray
    bias: FloatArray
    gamma: float
    calibration: FloatArray

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""
        slope, offset = self.calibration
        decision = in_blocks(x, lambda rows: self._kernel(rows) @ self.dual)
        return np.asarray((decision + self.bias) * slope + offset)

    @cached_property
    def _support(self) -> tuple[FloatArray, FloatArray]:
        """Support vectors, transposed, and the square of the length of each."""
        support = unround(self.support)
        return support.T.copy(), (support**2).sum(axis=1)

    def _kernel(self, x: FloatMatrix) -> FloatArray:
        support, length = self._support
        rows = x.astype(np.float64)
        exponent = rows @ support
        exponent *= 2.0
        exponent -= (rows**2).sum(axis=1)[:, None]
        exponent -= length
        np.minimum(exponent, 0.0, out=exponent)
        exponent *= self.gamma
        return np.asarray(np.exp(exponent, out=exponent))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store."""
        return {
            "support": self.support,
            "dual": self.dual,
            "bias": self.bias,
            "gamma": np.asarray([self.gamma]),
            "calibration": self.calibration,
        }

    def texts(self) -> tuple[str, ...]:
        """No texts."""
        return ()

    @classmethod
    def from_parts(cls, arrays: Arrays, texts: Sequence[str]) -> SvmHead:
        """Rebuild from `arrays`."""
        del texts
        return cls(
            arrays["support"].astype(np.int8),
            arrays["dual"].astype(np.float64),
            arrays["bias"].astype(np.float64),
            float(arrays["gamma"][0]),
            arrays["calibration"].astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class MlpHead:
    """A multilayer perceptron with rectified hidden layers and t linear outputs.

    Attributes
    ----------
    weights : tuple of (d_in, d_out) float32
    biases : tuple of (d_out,) float32
    """

    weights: tuple[FloatMatrix, ...]
    biases: tuple[FloatMatrix, ...]

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""
        return in_blocks(x, self._run)

    def _run(self, x: FloatMatrix) -> FloatArray:
        hidden = x.astype(np.float64)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weight.astype(np.float64) + bias
            if layer < last:
                hidden = np.maximum(hidden, 0.0)
        return hidden

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays to store."""
        flat: dict[str, NDArray[np.generic]] = {}
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            flat[f"weight_{layer}"] = weight
            flat[f"bias_{layer}"] = bias
        return flat

    def texts(self) -> tuple[str, ...]:
        """No texts."""
        return ()

    @classmethod
    def from_parts(cls, arrays: Arrays, texts: Sequence[str]) -> MlpHead:
        """Rebuild from `arrays`."""
        del texts
        layers = range(sum(name.startswith("weight_") for name in arrays))
        return cls(
            tuple(arrays[f"weight_{layer}"].astype(np.float32) for layer in layers),
            tuple(arrays[f"bias_{layer}"].astype(np.float32) for layer in layers),
        )


@dataclass(frozen=True)
class LightgbmHead:
    """Boosted trees, one LightGBM model text per task.

    Attributes
    ----------
    models : tuple of str
        LightGBM's own text format, which keeps every bit of every threshold and leaf.
    """

    models: tuple[str, ...]

    @cached_property
    def _trees(self) -> tuple[Trees, ...]:
        return tuple(map(Trees, self.models))

    def margins(self, x: FloatMatrix) -> FloatArray:
        """Map (n, d) float32 to (n, t) float64."""
        return np.column_stack([one.sum_leaves(x) for one in self._trees])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """No arrays."""
        return {}

    def texts(self) -> tuple[str, ...]:
        """Model texts, one per task."""
        return self.models

    @classmethod
    def from_parts(cls, arrays: Arrays, texts: Sequence[str]) -> LightgbmHead:
        """Rebuild from `texts`, parsing them now so that damage shows at once.

        Raises
        ------
        ArtifactError
            When a text is not a LightGBM model.
        """
        del arrays
        head = cls(tuple(texts))
        _ = head._trees
        return head


FITTED_HEADS: dict[str, type[LinearHead | SvmHead | MlpHead | LightgbmHead]] = {
    "linear": LinearHead,
    "svm": SvmHead,
    "mlp": MlpHead,
    "lightgbm": LightgbmHead,
}
