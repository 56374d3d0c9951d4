"""How fast this machine multiplies matrices in each precision: the ceiling of training.

    python -m benchmarks.gemm

Prints GFLOP/s of a square product. Where bfloat16 is not the fastest, ``--precision auto`` trains
in float32. A processor that has no arithmetic of its own for a precision is hundreds of times
slower in it, so sizes grow from small ones up to 2048 x 2048 only while a product takes no time
worth mentioning.
"""

from __future__ import annotations

import json
import sys
import time

import torch

_SIZES = (64, 128, 256, 512, 1024, 2048)
_REPEATS = 10
_PATIENCE = 0.5  # seconds, for a product and for its repeats


def measure(dtype: torch.dtype) -> tuple[float, int]:
    """Time square products, small ones first.

    Parameters
    ----------
    dtype : torch.dtype
        Precision.

    Returns
    -------
    float
        GFLOP/s at the largest size that was tried.
    int
        That size.
    """
    rate, tried = 0.0, 0
    for size in _SIZES:
        operations = 2 * size**3
        if rate and operations / rate > _PATIENCE:
            break
        a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
        a @ b
        began, seconds, repeats = time.perf_counter(), 0.0, 0
        while repeats < _REPEATS and seconds < _PATIENCE:
            a @ b
            repeats += 1
            seconds = time.perf_counter() - began
        rate, tried = operations * repeats / seconds, size
    return rate / 1e9, tried


def main() -> None:
    """Print one JSON line."""
    facts: dict[str, object] = {}
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        name = str(dtype).removeprefix("torch.")
        rate, facts[f"{name}_size"] = measure(dtype)
        facts[name] = round(rate, 1)
    facts |= {"threads": torch.get_num_threads(), "amx": torch.cpu._is_amx_tile_supported()}
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
