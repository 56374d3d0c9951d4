"""Fitting of the LightGBM head: one binned matrix, one booster per task, one number of rounds.

Apart from `probes.heads` because LightGBM is imported only when trees are fitted. Trees are small
(few leaves, few rounds) so that their texts stay small on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.probes.fitted import LightgbmHead

FloatArray = NDArray[np.float64]
FloatMatrix = NDArray[np.float32]
Rows = tuple[FloatMatrix, FloatArray]

MAX_ROUNDS = 200
# A hundred validation molecules can flatter a handful of trees; fewer are never kept.
MIN_ROUNDS = 50
FALLBACK_ROUNDS = 100
# One: threads that wait for each other at every tree are a hundred times slower on a busy machine.
THREADS = 1


def fit_lightgbm(
    train: Rows,
    valid: Rows | None,
    params: Mapping[str, float],
    kind_and_seed: tuple[str, int],
) -> tuple[LightgbmHead, dict[str, float]]:
    """Fit one booster per task.

    Parameters
    ----------
    train : tuple of (n, d) float32 and (n, t) float64
        NaN for missing labels.
    valid : tuple of (m, d) float32 and (m, t) float64, or None
        When given, the rounds (`MIN_ROUNDS` to `MAX_ROUNDS`) with the best mean score over tasks
        are kept: one number for all tasks, because a curve on a hundred molecules is too noisy.
    params : mapping of str to float
        `leaves`, `rate` (learning rate); and `rounds`, used when `valid` is None.
    kind_and_seed : tuple of str and int
        "regression" or "classification", and what fixes the sampling of columns.

    Returns
    -------
    LightgbmHead
    dict of str to float
        `params` with the `rounds` chosen.
    """
    import lightgbm as lgb

    kind, seed = kind_and_seed
    settings = _settings(kind, seed, params, len(train[0]))
    rounds = MAX_ROUNDS if valid is not None else int(params.get("rounds", FALLBACK_ROUNDS))
    base = lgb.Dataset(train[0], params=settings, free_raw_data=False).construct()
    boosters, curves = [], []
    for task in range(train[1].shape[1]):
        curve: dict[str, Any] = {}
        watched = None if valid is None else _watched(base, valid, task, kind)
        boosters.append(
            lgb.train(
                settings,
                _labeled(base, train[1][:, task]),
                num_boost_round=rounds,
                valid_sets=[] if watched is None else [watched],
                callbacks=[] if watched is None else [lgb.record_evaluation(curve)],
            )
        )
        if curve:
            curves.append(next(iter(next(iter(curve.values())).values())))
    if valid is not None:
        rounds = _best_rounds(np.asarray(curves), kind)
    texts = tuple(booster.model_to_string(num_iteration=rounds) for booster in boosters)
    return LightgbmHead(texts), {**params, "rounds": rounds}


def _settings(kind: str, seed: int, params: Mapping[str, float], rows: int) -> dict[str, Any]:
    return {
        "objective": "regression" if kind == "regression" else "binary",
        "metric": "rmse" if kind == "regression" else "auc",
        "num_leaves": int(params["leaves"]),
        "learning_rate": params["rate"],
        "feature_fraction": 0.3,
        "min_data_in_leaf": int(np.clip(rows // 100, 3, 20)),
        "lambda_l2": 1.0,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }


def _labeled(base: Any, labels: FloatArray) -> Any:  # noqa: ANN401 - LightGBM has no types
    """Give the binned matrix one task's labels, restricted to the rows that have one."""
    present = np.flatnonzero(~np.isnan(labels))
    base.set_label(np.nan_to_num(labels))
    return base if len(present) == len(labels) else base.subset(present)


def _watched(base: Any, valid: Rows, task: int, kind: str) -> Any:  # noqa: ANN401
    """Labeled validation rows; None when they cannot be scored."""
    labels = valid[1][:, task]
    present = ~np.isnan(labels)
    least = 1 if kind == "regression" else 2
    if len(np.unique(labels[present])) < least:
        return None
    return base.create_valid(valid[0][present], label=labels[present])


def _best_rounds(curves: FloatArray, kind: str) -> int:
    if curves.size == 0:
        return FALLBACK_ROUNDS
    mean = curves.mean(axis=0)[MIN_ROUNDS - 1 :]
    return int((mean.argmin() if kind == "regression" else mean.argmax()) + MIN_ROUNDS)
