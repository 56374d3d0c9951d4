"""What the cells of a run share: where things are, the set at hand and its scaled features.

Cells come set by set and representation by representation, so one of each is kept, not all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import Cell
from benchmarks.datasets import Dataset, load_dataset
from benchmarks.representations import Encoders, Features
from benchmarks.scaling import scale
from benchmarks.splits import Parts, load_parts


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes
    ----------
    out : Path
        Folder of the result files.
    data_dir : Path or None
        Data folder, see `cmim_chem.sources.facts.find_data_dir`.
    cache : Path or None
        Folder for standardized SMILES and embeddings.
    encoders : mapping of str to Path
        Checkpoint folders by name, besides the shipped one.
    """

    out: Path
    data_dir: Path | None = None
    cache: Path | None = None
    encoders: Mapping[str, Path] = field(default_factory=dict)


class Workshop:
    """The set at hand and the matrix at hand; both are used by many cells in a row."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.encoders = Encoders(places.encoders)
        self._datasets: dict[str, tuple[Dataset, Features]] = {}
        self._matrix: tuple[tuple[str, str, int, str], NDArray[np.float32]] | None = None

    def dataset(self, name: str) -> Dataset:
        """One set; the one before is forgotten."""
        return self._open(name)[0]

    def parts(self, cell: Cell) -> Parts:
        """Rows of the cell's split."""
        return load_parts(self.dataset(cell.dataset), cell.split, cell.seed)

    def matrix(self, cell: Cell) -> NDArray[np.float32]:
        """Scaled features of all rows, (n, d) float32."""
        key = (cell.dataset, cell.split, cell.seed, cell.representation)
        if self._matrix is None or self._matrix[0] != key:
            blocks = self._open(cell.dataset)[1].get(cell.representation)
            self._matrix = (key, scale(blocks, self.parts(cell).train))
        return self._matrix[1]

    def _open(self, name: str) -> tuple[Dataset, Features]:
        if name not in self._datasets:
            self._matrix = None
            dataset = load_dataset(name, self._places.data_dir, self._places.cache)
            features = Features(dataset, self.encoders, self._places.cache)
            self._datasets = {name: (dataset, features)}
        return self._datasets[name]
