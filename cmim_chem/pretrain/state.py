"""The state of a run on disk: weights, optimizer and progress, replaced in one move.

What is in it, and nothing else, is needed to go on exactly; randomness is a function of (seed,
step). What ships is written by `cmim_chem.model.checkpoint`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim import Optimizer


class RunState:
    """The folder ``state/`` of a run folder.

    Parameters
    ----------
    run : Path
        The run folder.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / "state"

    def recover(self) -> None:
        """Bring back the last state of a run that was stopped in the middle of a swap."""
        old = self._folder.with_name("state-old")
        if old.is_dir() and not self._folder.is_dir():
            old.replace(self._folder)

    @property
    def exists(self) -> bool:
        """Whether there is a state to go on from."""
        return (self._folder / "progress.json").is_file()

    def read_progress(self) -> dict[str, Any]:
        """The settings and counters that `save` was given."""
        found: dict[str, Any] = json.loads((self._folder / "progress.json").read_text("utf-8"))
        return found

    def load(self, modules: Mapping[str, nn.Module], optimizer: Optimizer) -> None:
        """Put the saved weights and moments in place.

        Parameters
        ----------
        modules : mapping of str to Module
            Everything with weights, by file name.
        optimizer : Optimizer
            Gets its moments.
        """
        for name, module in modules.items():
            module.load_state_dict(load_file(self._folder / f"{name}.safetensors"))
        saved = torch.load(self._folder / "optimizer.pt", weights_only=True)
        optimizer.load_state_dict(saved)

    def save(
        self,
        modules: Mapping[str, nn.Module],
        optimizer: Optimizer,
        progress: Mapping[str, object],
    ) -> None:
        """Write the state; a crash in between leaves the last one.

        Parameters
        ----------
        modules : mapping of str to Module
            Everything with weights, by file name.
        optimizer : Optimizer
            Whose moments to keep.
        progress : mapping
            Settings and counters, as JSON can hold them.
        """
        fresh = self._folder.with_name("state-new")
        fresh.mkdir(exist_ok=True)
        for name, module in modules.items():
            save_file(module.state_dict(), fresh / f"{name}.safetensors")
        torch.save(optimizer.state_dict(), fresh / "optimizer.pt")
        (fresh / "progress.json").write_text(json.dumps(dict(progress)) + "\n", encoding="utf-8")
        _swap(fresh, self._folder)


def _swap(fresh: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = target.with_name(target.name + "-old")
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    if old.exists():
        for path in old.iterdir():
            path.unlink()
        old.rmdir()
