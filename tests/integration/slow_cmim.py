"""`cmim` as a program of its own, with the stand-in as its model: quick to start, slow to score.

Run as ``python -m tests.integration.slow_cmim SECONDS score ...``; SECONDS is the time of a batch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cmim_chem.cli.main import main
from cmim_chem.predictor import Predictor
from tests.integration.stand_in import StandIn

ROOT = Path(__file__).parents[2]
#: A row with this SMILES ends the process that scores it, if it is not the one that reads.
DEADLY = "[Xe]"


class Slow(StandIn):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.reader = os.getpid()

    def score(self, raw, properties=None, workers=1, level=None):
        if DEADLY in raw and os.getpid() != self.reader and not Path("mended").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        return super().score(raw, properties)


def command(*arguments: object, seconds: float = 0.0) -> list[str]:
    head = [sys.executable, "-m", "tests.integration.slow_cmim", str(seconds)]
    return [*head, "score", *map(str, arguments)]


def call(*arguments: object, folder: Path, seconds: float = 0.0) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments, seconds=seconds),
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    slow = Slow(float(sys.argv.pop(1)))
    Predictor.load = classmethod(lambda cls, *_, **__: slow)
    main()
