"""Boosted trees by LightGBM's C interface, without LightGBM's Python package.

Importing that package imports all of scikit-learn, which takes longer than everything else that
starts with a prediction, PyTorch left aside. Fitting (`probes.boosting`) goes through the package.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmim_chem.errors import ArtifactError

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]

# Constants of LightGBM/c_api.h.
_FLOAT32, _RAW_SCORE = 0, 1
# One thread: workers are what fills the processors.
_SETTINGS = b"num_threads=1 verbosity=-1"


class Trees:
    """One parsed model.

    Parameters
    ----------
    text : str
        LightGBM's text format, of a model with one number per row.

    Raises
    ------
    ArtifactError
        When the text is not such a model.
    """

    def __init__(self, text: str) -> None:
        self._handle = ctypes.c_void_p()
        rounds, width, classes = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        _call(
            "BoosterLoadModelFromString",
            ctypes.c_char_p(text.encode()),
            ctypes.byref(rounds),
            ctypes.byref(self._handle),
        )
        weakref.finalize(self, _call, "BoosterFree", self._handle)
        _call("BoosterGetNumFeature", self._handle, ctypes.byref(width))
        _call("BoosterGetNumClasses", self._handle, ctypes.byref(classes))
        if classes.value != 1:
            raise ArtifactError("a LightGBM model text has several classes; fit again")
        self._width = width.value

    def sum_leaves(self, x: FloatMatrix) -> FloatArray:
        """Sum the leaves that rows fall into: what LightGBM calls the raw score.

        Parameters
        ----------
        x : (n, d) float32
            As many columns as the model was fitted on.

        Returns
        -------
        (n,) float64

        Raises
        ------
        ArtifactError
            When the model was fitted on another number of columns.
        """
        if x.shape[1] != self._width:
            raise ArtifactError(f"a LightGBM model reads {self._width} columns, not {x.shape[1]}")
        rows = np.ascontiguousarray(x, dtype=np.float32)
        found = np.empty(len(rows))
        if len(rows):
            _call(
                "BoosterPredictForMat",
                self._handle,
                rows.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(_FLOAT32),
                ctypes.c_int32(rows.shape[0]),
                ctypes.c_int32(rows.shape[1]),
                ctypes.c_int(1),  # row by row
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(0),  # from the first tree
                ctypes.c_int(-1),  # to the last
                ctypes.c_char_p(_SETTINGS),
                ctypes.byref(ctypes.c_int64()),
                found.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
            )
        return found


def _call(name: str, *arguments: object) -> None:
    library = _load_library()
    if library[f"LGBM_{name}"](*arguments) != 0:
        library.LGBM_GetLastError.restype = ctypes.c_char_p
        reason = library.LGBM_GetLastError().decode()
        raise ArtifactError(f"a LightGBM model text is damaged ({reason}); fit again")


@cache
def _load_library() -> ctypes.CDLL:
    package = find_spec("lightgbm")
    folder = Path(package.origin).parent if package and package.origin else Path()
    found = sorted(folder.glob("*/lib_lightgbm.*"))
    if found:
        return ctypes.CDLL(str(found[0]))
    from lightgbm import basic  # some distributions keep the library elsewhere

    library: ctypes.CDLL = vars(basic)["_LIB"]
    return library
