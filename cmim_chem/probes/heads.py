"""The table of heads: how each is fitted, on which small grid, and where it is affordable.

A head sees the joined matrix of `probes.features` and standardized targets, several tasks at once
with NaN for missing labels, every task with at least two different labels. What is fitted is
returned as the plain arrays or texts of `probes.fitted`. Choosing among heads is left to
`probes.select`.

Class imbalance: logistic regression, the perceptron and the trees minimize the unweighted log loss,
so their probabilities are those of the data; the SVM's hinge loss is weighted by class, and Platt's
two numbers, fitted on out-of-fold decision values, bring it back to the frequencies of the data.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR

from cmim_chem.probes.boosting import fit_lightgbm
from cmim_chem.probes.fitted import FittedHead, LinearHead, MlpHead, SvmHead
from cmim_chem.probes.kernel import radial_kernel, round_rows, unround
from cmim_chem.probes.mean import MEAN, MeanHead, join_params, part_params
from cmim_chem.probes.model import Kind

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]
Params = Mapping[str, float]

PLATT_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What to fit besides the data.

    Attributes
    ----------
    kind : "regression" or "classification"
    params : mapping of str to float
        One point of the head's grid.
    seed : int
    valid : tuple of (m, d) float32 and (m, t) float64, or None
        Rows on which the number of boosting rounds is chosen; None when `params` fixes it.
    """

    kind: Kind
    params: Params = field(default_factory=dict)
    seed: int = 0
    valid: tuple[FloatMatrix, FloatArray] | None = None


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One row of the table.

    Attributes
    ----------
    fit : callable
        (x, y, request) -> (fitted head, parameters with everything chosen while fitting).
    grid : mapping of kind to tuple of parameter points
        Tried in this order; the first of equals wins.
    max_rows : int
        Not tried on tables with more labeled rows: too slow, or too large on disk.
    complete_only : bool
        Whether every task must have a label in every row.
    """

    fit: Callable[[FloatMatrix, FloatArray, Request], tuple[FittedHead, Params]]
    grid: Mapping[str, tuple[Params, ...]]
    max_rows: int
    complete_only: bool = False


def fit_linear(x: FloatMatrix, y: FloatArray, request: Request) -> tuple[FittedHead, Params]:
    """Ridge (parameter `alpha`) or logistic regression (parameter `C`), one per task."""
    columns = []
    for labels, present in _by_task(y):
        model: Any
        if request.kind == "regression":
            model = Ridge(alpha=request.params["alpha"], solver="cholesky")
        else:
            model = LogisticRegression(C=request.params["C"], max_iter=300, tol=1e-3)
        with warnings.catch_warnings():
            # A fit stopped at max_iter is a valid, slightly more regularized candidate.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x[present], labels[present])
        columns.append((np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])))
    coef = np.column_stack([coef for coef, _ in columns]).astype(np.float64)
    return LinearHead(coef, np.asarray([bias for _, bias in columns])), request.params


def fit_svm(x: FloatMatrix, y: FloatArray, request: Request) -> tuple[FittedHead, Params]:
    """Radial SVM with parameters `C` and `width` (gamma times the number of columns).

    The kernel is computed once for all tasks, on rows rounded to the precision they are stored in.
    """
    rounded = round_rows(x)
    gamma = request.params["width"] / x.shape[1]
    kernel = radial_kernel(unround(rounded), unround(rounded), gamma)
    tasks = y.shape[1]
    dual, bias = np.zeros((len(x), tasks)), np.zeros(tasks)
    calibration = np.vstack([np.ones(tasks), np.zeros(tasks)])
    for task, (labels, present) in enumerate(_by_task(y)):
        rows = np.flatnonzero(present)
        square = kernel[np.ix_(rows, rows)]
        model = _new_svm(request)
        model.fit(square, labels[rows])
        dual[rows[model.support_], task] = model.dual_coef_.ravel()
        bias[task] = float(np.ravel(model.intercept_)[0])
        if request.kind == "classification":
            calibration[:, task] = _platt(square, labels[rows], request)
    used = np.flatnonzero(np.any(dual != 0.0, axis=1))
    return SvmHead(rounded[used], dual[used], bias, gamma, calibration), request.params


def fit_mlp(x: FloatMatrix, y: FloatArray, request: Request) -> tuple[FittedHead, Params]:
    """One network for all tasks, one hidden layer, stopped early on a tenth of its own rows.

    Parameters `alpha` (L2 penalty) and `width` (hidden units).
    """
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (int(request.params["width"]),),
        "alpha": request.params["alpha"],
        "batch_size": min(64, len(x)),
        "max_iter": 100,
        "early_stopping": len(x) >= 100,
        "random_state": request.seed,
    }
    rows = ~np.isnan(y).any(axis=1)
    model: Any
    target: NDArray[Any] = y[rows]
    if request.kind == "regression":
        model = MLPRegressor(**settings)
    else:
        model, target = MLPClassifier(**settings), target.astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x[rows], target.ravel() if y.shape[1] == 1 else target)
    weights = tuple(np.asarray(one, dtype=np.float32) for one in model.coefs_)
    biases = tuple(np.asarray(one, dtype=np.float32) for one in model.intercepts_)
    return MlpHead(weights, biases), request.params


def fit_trees(x: FloatMatrix, y: FloatArray, request: Request) -> tuple[FittedHead, Params]:
    """LightGBM; the number of rounds is chosen on `request.valid`, one number for all tasks."""
    return fit_lightgbm((x, y), request.valid, request.params, (request.kind, request.seed))


HEADS: dict[str, HeadSpec] = {
    "linear": HeadSpec(
        fit_linear,
        {
            "regression": ({"alpha": 10.0}, {"alpha": 100.0}, {"alpha": 1000.0}),
            "classification": ({"C": 1e-3}, {"C": 1e-2}, {"C": 1e-1}),
        },
        max_rows=1_000_000,
    ),
    "svm": HeadSpec(
        fit_svm,
        {
            "regression": tuple({"C": c, "width": w} for c in (1.0, 10.0) for w in (0.2, 0.5, 1.0)),
            "classification": tuple({"C": c, "width": w} for c in (1.0, 10.0) for w in (0.2, 1.0)),
        },
        max_rows=3_000,
    ),
    "mlp": HeadSpec(
        fit_mlp,
        {
            "regression": ({"alpha": 1.0, "width": 128},),
            "classification": ({"alpha": 1.0, "width": 128},),
        },
        max_rows=10_000,
        complete_only=True,
    ),
    "lightgbm": HeadSpec(
        fit_trees,
        {
            "regression": ({"leaves": 7, "rate": 0.1}, {"leaves": 15, "rate": 0.1}),
            "classification": ({"leaves": 15, "rate": 0.05},),
        },
        max_rows=1_000_000,
    ),
}


def fit_head(
    name: str, x: FloatMatrix, y: FloatArray, request: Request
) -> tuple[FittedHead, Params]:
    """Fit one head of the table, or the mean of those that `request.params` speaks of.

    Parameters
    ----------
    name : str
        Key of `HEADS`, or `MEAN`.
    x : (n, d) float32
        Joined features.
    y : (n, t) float64
        Standardized targets, NaN where missing.
    request : Request
        What to fit besides.

    Returns
    -------
    FittedHead
    mapping of str to float
        The parameters with everything chosen while fitting.
    """
    if name != MEAN:
        return HEADS[name].fit(x, y, request)
    fitted = {
        member: HEADS[member].fit(x, y, replace(request, params=params))
        for member, params in part_params(request.params).items()
    }
    heads = {member: head for member, (head, _) in fitted.items()}
    return MeanHead(heads), join_params({name: params for name, (_, params) in fitted.items()})


def _by_task(y: FloatArray) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
    return [(y[:, task], ~np.isnan(y[:, task])) for task in range(y.shape[1])]


def _new_svm(request: Request) -> Any:  # noqa: ANN401 - scikit-learn has no types
    if request.kind == "regression":
        return SVR(kernel="precomputed", C=request.params["C"], epsilon=0.1)
    return SVC(kernel="precomputed", C=request.params["C"], class_weight="balanced")


def _platt(square: FloatArray, labels: FloatArray, request: Request) -> tuple[float, float]:
    """Slope and offset from out-of-fold decision values to log-odds (Platt, 1999)."""
    folds = int(min(PLATT_FOLDS, labels.sum(), len(labels) - labels.sum()))
    share = float(np.clip(labels.mean(), 1e-3, 1 - 1e-3))
    if folds < 2:
        return 1.0, float(np.log(share / (1 - share)))
    decision = np.empty(len(labels))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=request.seed)
    for fit_rows, held_rows in splitter.split(square, labels):
        model = _new_svm(request)
        model.fit(square[np.ix_(fit_rows, fit_rows)], labels[fit_rows])
        decision[held_rows] = model.decision_function(square[np.ix_(held_rows, fit_rows)])
    line = LogisticRegression(C=1e3).fit(decision[:, None], labels)
    # The order of the molecules is the SVM's: a fold that disagrees must not turn it around.
    return max(float(line.coef_[0, 0]), 0.01), float(line.intercept_[0])
