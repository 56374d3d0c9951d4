"""One stage of chemistry by itself, as a process that can be watched, and tables to do it for.

python -m benchmarks.stages standardize molecules.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

_AT_ONCE = 1_024  # rows, as `cmim score` takes them
_BAD_EVERY = 50


def parse_all(smiles: Sequence[str]) -> None:
    """Parse by RDKit and forget: less than this no program can do that reads molecules."""
    from rdkit import Chem

    for one in smiles:
        Chem.MolFromSmiles(one)


def standardize_all(smiles: Sequence[str]) -> None:
    """Standardize in this process and forget."""
    from cmim_chem.chem.standardize import standardize_many

    standardize_many(smiles)


STAGES: dict[str, Callable[[Sequence[str]], None]] = {
    "parse": parse_all,
    "standardize": standardize_all,
}


def read_molecules(path: Path) -> Iterator[str]:
    """First cells of a table, without a header that says SMILES."""
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.reader(stream)):
            if row and not (number == 0 and row[0].strip().lower() == "smiles"):
                yield row[0]


def read_smiles(path: Path, rows: int) -> list[str]:
    """First cells of a table, again from the start if there are too few."""
    return list(islice(cycle(islice(read_molecules(path), rows)), rows))


def write_table(smiles: Sequence[str], path: Path, with_bad: bool = False) -> Path:
    """Write a table of molecules.

    Parameters
    ----------
    smiles : sequence of str
        Molecules.
    path : Path
        CSV.
    with_bad : bool
        Put a bad row at every fiftieth place.
    """
    rows = [
        f"{'broken(' if with_bad and at % _BAD_EVERY == 7 else one},{at}\n"
        for at, one in enumerate(smiles)
    ]
    path.write_text("smiles,number\n" + "".join(rows), encoding="utf-8")
    return path


def main() -> None:
    """Do a stage for all molecules of a table, some at once."""
    stage, path = STAGES[sys.argv[1]], Path(sys.argv[2])
    molecules = read_molecules(path)
    while some := list(islice(molecules, _AT_ONCE)):
        stage(some)


if __name__ == "__main__":
    main()
