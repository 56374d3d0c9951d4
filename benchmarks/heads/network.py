"""A perceptron with one hidden layer for all tasks, masked labels, stopped on validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.heads.problem import Candidate, FloatArray, FloatMatrix, Params, Problem
from benchmarks.heads.score import mean_metric

WIDTH = 256
LEARNING_RATE = 1e-3
MAX_EPOCHS = 100
PATIENCE = 10
# Rows of a step; the large sets take larger steps, and fewer.
SMALL_BATCH, LARGE_BATCH, LARGE_ROWS = 64, 512, 5_000


def fit_mlp(problem: Problem, grid: Sequence[Params]) -> Iterator[Candidate]:
    """Perceptron with parameters `dropout` and `decay` (AdamW's weight decay)."""
    for params in grid:
        network, valid, epochs = _train(problem, params)
        yield Candidate(
            {**params, "epochs": epochs},
            valid,
            lambda network=network: _predict(network, problem.x_test),
        )


def _train(problem: Problem, params: Params) -> tuple[nn.Module, FloatArray, int]:
    """Network of the best epoch, its validation predictions, and the number of that epoch."""
    x = torch.from_numpy(problem.x_train)
    y = torch.from_numpy(np.nan_to_num(problem.y_train)).float()
    known = torch.from_numpy(~np.isnan(problem.y_train)).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(problem.seed)
        network = nn.Sequential(
            nn.Linear(x.shape[1], WIDTH), nn.ReLU(), nn.Dropout(params["dropout"]),
            nn.Linear(WIDTH, y.shape[1]),
        )  # fmt: skip
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=LEARNING_RATE, weight_decay=params["decay"]
        )
        batch = SMALL_BATCH if len(x) <= LARGE_ROWS else LARGE_BATCH
        best, kept, epoch_of_best = -np.inf, {}, 0
        valid = np.zeros_like(problem.y_valid)
        for epoch in range(1, MAX_EPOCHS + 1):
            network.train()
            for rows in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                _loss(problem.kind, network(x[rows]), y[rows], known[rows]).backward()
                optimizer.step()
            predicted = _predict(network, problem.x_valid)
            score = mean_metric(problem.kind, problem.y_valid, predicted)
            if score > best or epoch == 1:
                best, epoch_of_best, valid = score, epoch, predicted
                kept = {name: value.clone() for name, value in network.state_dict().items()}
            if epoch - epoch_of_best >= PATIENCE:
                break
    network.load_state_dict(kept)
    return network, valid, epoch_of_best


def _loss(kind: str, output: torch.Tensor, y: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean loss of the labels that are there."""
    if kind == "regression":
        loss = functional.mse_loss(output, y, reduction="none")
    else:
        loss = functional.binary_cross_entropy_with_logits(output, y, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


@torch.no_grad()
def _predict(network: nn.Module, x: FloatMatrix) -> FloatArray:
    network.eval()
    return network(torch.from_numpy(x)).double().numpy()
