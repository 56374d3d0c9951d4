"""Which rows of each set are train, validation and test: saved here, and verified on every run.

``split_rows/NAME.npz`` has one array per split over the rows of the raw file: 0 train,
1 validation, 2 test, 255 not used. ``split_rows/digests.json`` has the sha256 of each, and of the
data it is for.

    python -m benchmarks.splits    # writes both again (CMIM_DATA names the raw tables)

The scaffold split is DeepChem's, on the SMILES as written in the file; random splits exist for the
regression sets, as in the literature.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import DATASETS, Dataset, load_dataset
from cmim_chem.chem.split import random_split, scaffold_split
from cmim_chem.errors import DataError

FOLDER = Path(__file__).with_name("split_rows")
SEEDS = (0, 1, 2, 3, 4)
UNUSED = 255


@dataclass(frozen=True)
class Parts:
    """Rows of a `Dataset` (not of the raw file) in each part, ascending; together every row once.

    Attributes
    ----------
    train, valid, test : (m,) int64
    digest : str
        sha256 of the saved assignment, hexadecimal.
    """

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]
    digest: str


def split_key(split: str, seed: int) -> str:
    """Name of an assignment in the file of its set: ``scaffold``, ``random0`` ... ``random4``."""
    return split if split == "scaffold" else f"{split}{seed}"


def list_splits(kind: str) -> list[tuple[str, int]]:
    """(split, seed) pairs that exist for regression or classification sets."""
    random = [("random", seed) for seed in SEEDS] if kind == "regression" else []
    return [("scaffold", 0), *random]


def assign(dataset: Dataset, split: str, seed: int) -> NDArray[np.uint8]:
    """Compute one split afresh.

    Parameters
    ----------
    dataset : Dataset
        The set; rows that cannot be used are already out.
    split : str
        ``scaffold`` or ``random``.
    seed : int
        Of the random split.

    Returns
    -------
    ndarray
        Shape (rows of the raw file,), uint8.
    """
    if split == "scaffold":
        parts = scaffold_split(dataset.raw)
    else:
        parts = random_split(len(dataset.rows), seed=seed)
    assignment = np.full(dataset.source.rows, UNUSED, dtype=np.uint8)
    for number, part in enumerate(parts):
        assignment[dataset.rows[part]] = number
    return assignment


def digest_assignment(assignment: NDArray[np.uint8]) -> str:
    """sha256 of an assignment, hexadecimal."""
    return hashlib.sha256(assignment.tobytes()).hexdigest()


def load_parts(dataset: Dataset, split: str, seed: int, folder: Path = FOLDER) -> Parts:
    """Read one saved split and check that it is the stated one and fits the data.

    Parameters
    ----------
    dataset : Dataset
        The set as it is read now.
    split : str
        ``scaffold`` or ``random``.
    seed : int
        Of the random split; not looked at for the scaffold split.
    folder : Path
        Where the splits are.

    Returns
    -------
    Parts

    Raises
    ------
    DataError
        When the split is missing, was changed, was made for other data, or loses a row.
    """
    key = split_key(split, seed)
    data, stated = read_digests(dataset.name, split, seed, folder)
    path = folder / f"{dataset.name}.npz"
    try:
        with np.load(path, allow_pickle=False) as saved:
            assignment = saved[key]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read; get the file again") from error
    digest = digest_assignment(assignment)
    if digest != stated:
        raise DataError(f"{path}: {key!r} is not the split that was saved; get the file again")
    if dataset.digest != data:
        raise DataError(
            f"{dataset.name}: molecules or labels differ from those that were split; is this the"
            " stated table, RDKit and version of cmim-chem? Otherwise write the splits again with"
            " python -m benchmarks.splits"
        )
    used = assignment[dataset.rows]
    if (assignment != UNUSED).sum() != len(dataset.rows) or (used == UNUSED).any():
        raise DataError(f"{dataset.name}: the sizes of {key!r} do not add up to the usable rows")
    train, valid, test = (np.flatnonzero(used == number) for number in range(3))
    return Parts(train, valid, test, digest)


def read_digests(name: str, split: str, seed: int, folder: Path = FOLDER) -> tuple[str, str]:
    """Stated digests of a set's data and of one of its splits.

    Raises
    ------
    DataError
        When the split was never saved.
    """
    try:
        stated = json.loads((folder / "digests.json").read_text("utf-8"))[name]
        return str(stated["data"]), str(stated[split_key(split, seed)])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{folder}: no saved split {split_key(split, seed)!r} of {name}; write the splits with"
            " python -m benchmarks.splits"
        ) from error


def save_splits(datasets: list[Dataset], folder: Path = FOLDER) -> None:
    """Write the splits of some sets, and their digests beside those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "digests.json"
    stated = json.loads(listing.read_text("utf-8")) if listing.is_file() else {}
    for dataset in datasets:
        assignments = {
            split_key(split, seed): assign(dataset, split, seed)
            for split, seed in list_splits(dataset.source.kind)
        }
        np.savez_compressed(folder / f"{dataset.name}.npz", **assignments)
        digests = {key: digest_assignment(one) for key, one in assignments.items()}
        stated[dataset.name] = {"data": dataset.digest, **digests}
    listing.write_text(json.dumps(stated, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Write the splits of all sets."""
    for name in DATASETS:
        save_splits([load_dataset(name)])


if __name__ == "__main__":
    main()
