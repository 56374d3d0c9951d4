"""The files of a library index, written while the molecules come in.

The vectors are centered by the mean of all, which is known when the last one is there; until then
they wait in a file. Nothing is seen under the index's name before it is whole and its recall has
been measured.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from cmim_chem.errors import InputError, OutputError
from cmim_chem.library_index.search import (
    BLOCK,
    COLUMNS,
    EXACT_BELOW,
    FORMAT,
    GRAPH,
    MANIFEST,
    MEAN,
    TABLE,
    VECTORS,
    LibraryIndex,
    make_graph,
    normalize,
)

_SAMPLE = 500  # queries that measure the recall


class Builder:
    """Makes an index from rows that come in parts; used in a `with` block.

    Parameters
    ----------
    folder : Path
        Where the index appears when it is whole; an index that is there is replaced.
    encoder_digest : str
        sha256 of the encoder that makes the vectors.
    exact_below : int
        Molecules below which no graph is made.

    Raises
    ------
    OutputError
        If something else is in the folder.
    """

    def __init__(self, folder: Path, encoder_digest: str, exact_below: int = EXACT_BELOW) -> None:
        if folder.exists() and not (folder / MANIFEST).is_file():
            raise OutputError(f"{folder}: exists and is no index; name another folder")
        self._folder, self._part = folder, folder.with_name(f".{folder.name}.part")
        self._encoder_digest, self._exact_below = encoder_digest, exact_below
        self._rows = 0
        self._sum: NDArray[np.float64] | float = 0.0
        self._tables: Any = None
        self.facts: dict[str, Any] = {}

    def write(self, part: tuple[NDArray[np.float32], pd.DataFrame], /) -> None:
        """Add molecules.

        Parameters
        ----------
        part : tuple of (n, d) float32 and DataFrame
            h, all finite, and n rows with the columns `COLUMNS`.
        """
        h, frame = part
        table = pa.Table.from_pandas(frame.loc[:, list(COLUMNS)], preserve_index=False)
        if self._tables is None:
            self._tables = pa.ipc.new_file(str(self._part / TABLE), table.schema)
        self._tables.write_table(table)
        self._raw.write(np.ascontiguousarray(h, dtype=np.float32).tobytes())
        self._sum = self._sum + h.sum(axis=0, dtype=np.float64)
        self._rows += len(h)

    def commit(self) -> None:
        """Finish the index and put it in place; nothing if that was done.

        Raises
        ------
        InputError
            If there was no molecule.
        """
        if self._raw.closed:
            return
        self._raw.close()
        if not self._rows:
            raise InputError("no molecule of the library could be embedded: there is no index")
        self._tables.close()
        self._write_vectors()
        names = [VECTORS, MEAN, TABLE]
        if self._rows >= self._exact_below:
            _build_graph(self._part)
            names.append(GRAPH)
        self.facts = {
            "format": FORMAT,
            "similarity": "cosine of h after subtracting the mean of the index",
            "molecules": self._rows,
            "encoder_digest": self._encoder_digest,
            "bytes": {name: (self._part / name).stat().st_size for name in names},
            "recall_at_10": None,
        }
        self._save_facts()
        if GRAPH in names:
            self.facts["recall_at_10"] = measure_recall(
                LibraryIndex.open(self._part, self._encoder_digest)
            )
            self._save_facts()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._part.rename(self._folder)

    def __enter__(self) -> Builder:
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)
        self._raw = (self._part / "raw").open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self._raw.close()
            shutil.rmtree(self._part, ignore_errors=True)

    def _write_vectors(self) -> None:
        mean = (np.asarray(self._sum) / self._rows).astype(np.float32)
        np.save(self._part / MEAN, mean)
        shape = (self._rows, len(mean))
        raw = np.memmap(self._part / "raw", np.float32, "r", shape=shape)
        vectors = open_memmap(self._part / VECTORS, "w+", np.float16, shape)
        for start in range(0, self._rows, BLOCK):
            vectors[start : start + BLOCK] = normalize(raw[start : start + BLOCK] - mean)
        vectors.flush()
        del raw
        (self._part / "raw").unlink()

    def _save_facts(self) -> None:
        text = json.dumps(self.facts, indent=2) + "\n"
        (self._part / MANIFEST).write_text(text, encoding="utf-8")


def measure_recall(index: LibraryIndex, k: int = 10) -> float:
    """Share of the true neighbors that the graph finds, on molecules of the index.

    Parameters
    ----------
    index : LibraryIndex
        Of more than k molecules.
    k : int
        Neighbors, the molecule itself not among them.

    Returns
    -------
    float
        From 0 to 1; a neighbor as near as the k-th counts as found.
    """
    chosen = np.random.default_rng(0).choice(len(index), min(_SAMPLE, len(index)), replace=False)
    units = index.vectors[np.sort(chosen)].astype(np.float32)
    true = index.search(units, k + 1, exact=True)[1]
    found = index.search(units, k + 1)[1]
    hits = (found[:, 1:] >= true[:, -1:]).mean()
    return round(float(hits), 4)


def _build_graph(folder: Path) -> None:
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    graph = make_graph(vectors.shape[1])
    for start in range(0, len(vectors), BLOCK):
        block = np.ascontiguousarray(vectors[start : start + BLOCK])
        graph.add(np.arange(start, start + len(block)), block)
    graph.save(str(folder / GRAPH))
