"""Libraries of made-up rows, good and bad ones, for the tests of `cmim score`."""

from __future__ import annotations

import gzip
from pathlib import Path

BAD_EVERY = 17


def make_rows(count: int, first: int = 0) -> list[tuple[str, str]]:
    """SMILES and a name, which is the number of the row; every 17th row is bad."""
    return [
        ("broken(" if at % BAD_EVERY == 3 else f"{'C' * (1 + at % 23)}O", f"mol {at}")
        for at in range(first, first + count)
    ]


def write_csv(path: Path, count: int, first: int = 0) -> Path:
    lines = [f"{smiles},{name}" for smiles, name in make_rows(count, first)]
    text = "smiles,name\n" + "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
