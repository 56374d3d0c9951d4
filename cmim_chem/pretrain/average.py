"""Exponential moving average of the encoder-decoder's weights."""

from __future__ import annotations

from copy import deepcopy

import torch

from cmim_chem.model.cmim import CMIM


class WeightAverage:
    """A copy of a network whose weights follow it slowly.

    Parameters
    ----------
    model : CMIM
        The network in training.
    decay : float
        Share of the average that a step keeps.
    """

    def __init__(self, model: CMIM, decay: float) -> None:
        self.model = deepcopy(model).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: CMIM, step: int) -> None:
        """Move towards the network.

        Parameters
        ----------
        model : CMIM
            The network after an optimizer step.
        step : int
            Steps taken, from 1. The average is short at first, so that it forgets the random start.
        """
        decay = min(self._decay, step / (step + 10))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1.0 - decay)
