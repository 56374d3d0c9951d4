"""`CMIMTransformer`: SMILES to z or h, as a step of a scikit-learn pipeline.

For people who bring their own model and want only the representation. It standardizes as everything
else here does, so an embedding is the same wherever it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from cmim_chem.embed import Embedder
from cmim_chem.errors import InputError
from cmim_chem.predictor import SHIPPED, Predictor

KINDS = ("h", "z", "z+h")
_SHOWN = 5


class CMIMTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """SMILES to embeddings; nothing is learned from the data it is fitted on.

    Parameters
    ----------
    kind : str
        "h" (the informative embedding), "z" (the latent code) or "z+h" (both, joined).
    encoder : str, Path or None
        Encoder folder, such as ``runs/mine/encoder``; the shipped one if not given.
    problems : str
        What to do with a molecule that cannot be read: "raise" names it, "nan" gives it a row of
        NaN, for a pipeline that imputes or drops.

    Raises
    ------
    InputError
        On use, if a parameter has another value, or a molecule cannot be read.
    ArtifactError
        On use, if the encoder folder is missing or damaged.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(CMIMTransformer(), Ridge())
    >>> model.fit(["CCO", "CCCO", "c1ccccc1"], [1.1, 0.6, -1.6]).predict(["CCCCO"]).shape
    (1,)
    """

    def __init__(
        self, kind: str = "h", encoder: str | Path | None = None, problems: str = "raise"
    ) -> None:
        self.kind = kind
        self.encoder = encoder
        self.problems = problems

    def fit(self, smiles: Sequence[object], y: object = None) -> Self:
        """Check the parameters and load the encoder.

        Parameters
        ----------
        smiles : sequence of str
            Not read.
        y : object
            Not read.
        """
        del smiles, y
        self._load()
        return self

    def transform(self, smiles: Sequence[object]) -> NDArray[np.float32]:
        """Embed molecules.

        Parameters
        ----------
        smiles : sequence of str
            n raw SMILES: a list, an array or series of shape (n,), or one column, (n, 1).

        Returns
        -------
        ndarray
            Shape (n, d), float32, in order.

        Raises
        ------
        InputError
            If there is more than one column, or a molecule cannot be read.
        """
        predictor = self._load()
        column = np.asarray(smiles, dtype=object)
        if column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if column.ndim != 1:
            raise InputError(f"SMILES of shape {column.shape}; give one column, shape (n,)")
        standardized, embedded = predictor.embed(column.tolist(), with_h="h" in self.kind)
        if self.problems == "raise":
            failed = [f"row {i}: {s.problem}" for i, s in enumerate(standardized) if not s.smiles]
            if failed:
                more = f"; and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
                raise InputError(
                    "; ".join(failed[:_SHOWN]) + more + " (rows count from 0). Remove these rows,"
                    ' or use problems="nan"'
                )
        parts = {"z": embedded.z, "h": embedded.h}
        return np.concatenate([parts[name] for name in self.kind.split("+")], axis=1)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns: ``z0``, ``z1``, ..., ``h0``, ...; shape (d,)."""
        del input_features
        embedder = self._load().embedder
        widths = {"z": embedder.d_z, "h": embedder.d_h}
        names = [f"{part}{i}" for part in self.kind.split("+") for i in range(widths[part])]
        return np.asarray(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """There is nothing to fit."""
        return True

    def _load(self) -> Predictor:
        if self.kind not in KINDS:
            raise InputError(f"kind {self.kind!r}: choose one of {', '.join(KINDS)}")
        if self.problems not in ("raise", "nan"):
            raise InputError(f"problems {self.problems!r}: choose raise or nan")
        return _load_encoder(Path(SHIPPED / "encoder" if self.encoder is None else self.encoder))


@cache
def _load_encoder(folder: Path) -> Predictor:
    # Outside of the estimator, so that clones share it and it is not copied to worker processes.
    return Predictor(Embedder.load(folder), probes=())
