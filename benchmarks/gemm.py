"""How fast this machine multiplies matrices in each precision: the ceiling of training.

    python -m benchmarks.gemm

Prints GFLOP/s of a 2048 x 2048 product. Where bfloat16 is not the fastest, ``--precision auto``
trains in float32.
"""

from __future__ import annotations

import json
import sys
import time

import torch

_SIZE, _REPEATS = 2048, 10


def measure(dtype: torch.dtype) -> float:
    """GFLOP/s of a square product, after one to warm up."""
    a, b = (torch.randn(_SIZE, _SIZE).to(dtype) for _ in range(2))
    a @ b
    began = time.perf_counter()
    for _ in range(_REPEATS):
        a @ b
    return 2 * _SIZE**3 * _REPEATS / (time.perf_counter() - began) / 1e9


def main() -> None:
    """Print one JSON line."""
    rates = {
        str(dtype).removeprefix("torch."): round(measure(dtype))
        for dtype in (torch.float32, torch.bfloat16, torch.float16)
    }
    facts = {"threads": torch.get_num_threads(), "amx": torch.cpu._is_amx_tile_supported()}
    sys.stdout.write(json.dumps(rates | facts) + "\n")


if __name__ == "__main__":
    main()
