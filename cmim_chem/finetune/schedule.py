"""How long and how fast an encoder is fine-tuned, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from math import isnan

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    epochs : int
        Passes over the training rows at most.
    epoch_rows : int
        Training rows of one pass at most; of a larger table others are drawn each time.
    patience : int
        Epochs without a better validation score after which it ends.
    batch_size : int
        Molecules per step.
    rate, head_rate : float
        Highest learning rates of network and head: they rise during the first epoch and then fall
        to nothing.
    reconstruction : float
        Weight of log p(x|z).
    weight_decay, clip : float
        Of the network; largest norm of a gradient.
    """

    epochs: int = 15
    epoch_rows: int = 4000
    patience: int = 5
    batch_size: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    reconstruction: float = 1.0
    weight_decay: float = 0.01
    clip: float = 1.0

    def scale(self, epoch: float) -> float:
        """Share of the highest rates at some point, in epochs from 0, whole or not."""
        return min(epoch, 1.0, (self.epochs - epoch) / max(self.epochs - 1, 1))


@dataclass(slots=True)
class EarlyStopping:
    """Keeps what was best, and tells when to stop.

    Attributes
    ----------
    lower_is_better : bool
    patience : int
        Epochs without a better score after which to stop.
    best : dict
        Weights of the best epoch.
    best_epoch : int
        0 before the first.
    """

    lower_is_better: bool
    patience: int
    best: Mapping[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    _score: float = float("nan")

    def update(self, epoch: int, score: float, network: nn.Module) -> bool:
        """Look at an epoch, from 1; True when it is time to stop. NaN is never better."""
        sign = 1.0 if self.lower_is_better else -1.0
        is_better = isnan(self._score) or sign * score < sign * self._score
        if self.best_epoch == 0 or (is_better and not isnan(score)):
            self.best, self.best_epoch, self._score = deepcopy(network.state_dict()), epoch, score
        return epoch - self.best_epoch >= self.patience
