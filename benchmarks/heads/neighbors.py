"""k nearest neighbors by the cosine of the scaled features, weighted by similarity.

A task asks the nearest training molecules that carry its label, at most k, among the nearest 500.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.heads.problem import Candidate, FloatArray, FloatMatrix, Params, Problem

REACH = 500
_BLOCK = 512

Nearest = tuple[NDArray[np.int64], FloatMatrix]


def fit_knn(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Nearest neighbors with parameter `k`."""
    train = _normalize(problem.x_train)
    valid = _find(problem.x_valid, train)
    test: list[Nearest] = []  # found once, and only if a point wins

    def predict_test(k: int) -> FloatArray:
        if not test:
            test.append(_find(problem.x_test, train))
        return _average(test[0], problem.y_train, k)

    for params in grid:
        k = int(params["k"])
        yield Candidate(params, _average(valid, problem.y_train, k), lambda k=k: predict_test(k))


def _normalize(x: FloatMatrix) -> FloatMatrix:
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.maximum(norm, np.float32(1e-12))


def _find(x: FloatMatrix, train: FloatMatrix) -> Nearest:
    """Rows of the nearest training molecules, nearest first, and weights in [0.001, 1.001]."""
    reach = min(REACH, len(train))
    rows = np.empty((len(x), reach), dtype=np.int64)
    weights = np.empty((len(x), reach), dtype=np.float32)
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        cosine = _normalize(x[part]) @ train.T
        # Rounding decides among equals otherwise; so the earlier training row does.
        cosine = np.round(cosine, 5)
        near = np.argpartition(-cosine, reach - 1, axis=1)[:, :reach]
        near.sort(axis=1)
        closeness = np.take_along_axis(cosine, near, axis=1)
        order = np.argsort(-closeness, axis=1, kind="stable")
        rows[part] = np.take_along_axis(near, order, axis=1)
        closeness = np.take_along_axis(closeness, order, axis=1)
        weights[part] = 0.001 + np.clip(closeness, 0, 1) ** 3
    return rows, weights


def _average(nearest: Nearest, y: FloatArray, k: int) -> FloatArray:
    """Weighted mean label of the k nearest labeled molecules; the mean where there is none."""
    rows, weights = nearest
    predicted = np.empty((len(rows), y.shape[1]))
    for task in range(y.shape[1]):
        labels = y[rows, task].astype(np.float32)
        known = ~np.isnan(labels)
        known &= np.cumsum(known, axis=1, dtype=np.int16) <= k
        used = np.where(known, weights, np.float32(0))
        total = used.sum(axis=1, dtype=np.float64)
        summed = np.sum(used * np.where(known, labels, np.float32(0)), axis=1, dtype=np.float64)
        mean = np.nanmean(y[:, task])
        predicted[:, task] = np.where(total > 0, summed / np.maximum(total, 1e-9), mean)
    return predicted
