"""The facts of every molecule of a corpus, computed once: ``facts/`` in the corpus folder.

Descriptors are stored standardized and clipped in float16, yes-or-no facts as packed bits, all
memory-mapped: a row costs a training step next to nothing. What the facts are is decided by
`cmim_chem.chem.facts`, how well they are predicted by `cmim_chem.model.chemistry`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.facts import BINARY, DESCRIPTORS, GROUPS, REAL, compute_facts
from cmim_chem.errors import DataError
from cmim_chem.pretrain.corpus import Corpus

log = logging.getLogger(__name__)

# Standard deviations at which a descriptor is clipped: a few molecules are far out, and a Gaussian
# would listen to little else.
CLIP = 5.0
_SAMPLE = 20_000
_CHUNK = 1_000
# Molecules between two notes of how far the work has come.
_STRIDE = 20_000


class Facts:
    """The stored facts of a corpus, memory-mapped.

    Parameters
    ----------
    corpus : Corpus
        A corpus whose folder `build_facts` has finished.
    names : sequence of str
        Kinds of facts to read: ``descriptors``, ``ecfp``, ``groups``.

    Raises
    ------
    DataError
        If the facts are missing, unfinished or of another corpus.
    """

    def __init__(self, corpus: Corpus, names: Sequence[str]) -> None:
        folder = corpus.folder / "facts"
        note = _read_note(folder, corpus)
        if note is None or note.rows < len(corpus):
            done = 0 if note is None else note.rows
            raise DataError(
                f"{folder}: facts of {done} of {len(corpus)} molecules; run"
                f" python -m data.prepare_facts --corpus {corpus.folder}"
            )
        self._tables = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}

    def rows(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """Facts of molecules.

        Parameters
        ----------
        rows : ndarray
            Row numbers in the corpus, shape (B,).

        Returns
        -------
        dict of str to ndarray
            Shape (B, facts), float32: descriptors in standard deviations, NaN where there is no
            value; the others 0 or 1.
        """
        found = {}
        for name, table in self._tables.items():
            part = table[rows]
            if name in BINARY:
                part = np.unpackbits(part, axis=1, count=BINARY[name])
            found[name] = part.astype(np.float32)
        return found


@dataclass(frozen=True)
class _Note:
    """``facts.json``: which corpus, how many rows are done, and the scale of the descriptors."""

    corpus: str
    rows: int
    mean: list[float]
    scale: list[float]
    descriptors: list[str]
    groups: list[str]

    def save(self, folder: Path) -> None:
        fresh = folder / "facts.json.new"
        fresh.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")
        fresh.replace(folder / "facts.json")


def build_facts(corpus: Corpus, workers: int = 1) -> None:
    """Compute and store the facts of a corpus; goes on where an earlier call was stopped.

    Parameters
    ----------
    corpus : Corpus
        Its folder gets ``facts/``.
    workers : int
        Number of processes.
    """
    folder = corpus.folder / "facts"
    folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        note = _read_note(folder, corpus) or _begin(folder, corpus, pool)
        tables = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in REAL | BINARY}
        while note.rows < len(corpus):
            stop = min(note.rows + _STRIDE, len(corpus))
            for chunk, facts in _compute(corpus, np.arange(note.rows, stop), pool):
                real = (facts["descriptors"] - np.array(note.mean)) / np.array(note.scale)
                tables["descriptors"][chunk] = np.clip(real, -CLIP, CLIP)
                for name in BINARY:
                    tables[name][chunk] = np.packbits(facts[name] > 0, axis=1)
            for table in tables.values():
                table.flush()
            note = replace(note, rows=stop)
            note.save(folder)
            log.info("facts of %d/%d molecules", stop, len(corpus))


def _begin(folder: Path, corpus: Corpus, pool: ProcessPoolExecutor) -> _Note:
    """Make empty tables, and measure mean and spread of the descriptors on a sample."""
    n = len(corpus)
    shapes: dict[str, tuple[type[np.generic], int]]
    shapes = {name: (np.float16, size) for name, size in REAL.items()}
    shapes |= {name: (np.uint8, -(-size // 8)) for name, size in BINARY.items()}
    for name, (dtype, columns) in shapes.items():
        path = folder / f"{name}.npy"
        np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(n, columns)).flush()
    rows = np.sort(np.random.default_rng(0).permutation(n)[:_SAMPLE])
    sample = np.concatenate([facts["descriptors"] for _, facts in _compute(corpus, rows, pool)])
    known = np.ma.masked_invalid(sample.astype(np.float64))
    spread = known.std(axis=0).filled(0.0)
    # A descriptor that does not vary says nothing, and any scale will do for it.
    scale = np.where(spread > 1e-6, spread, 1.0)
    mean = known.mean(axis=0).filled(0.0)
    names = (list(DESCRIPTORS), list(GROUPS))
    note = _Note(_identify(corpus), 0, mean.tolist(), scale.tolist(), *names)
    note.save(folder)
    return note


def _compute(
    corpus: Corpus, rows: NDArray[np.int64], pool: ProcessPoolExecutor
) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[np.float32] | NDArray[np.bool_]]]]:
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    smiles = [[corpus.tokenizer.decode(corpus[i].tolist()) for i in chunk] for chunk in chunks]
    yield from zip(chunks, pool.map(compute_facts, smiles), strict=True)


def _identify(corpus: Corpus) -> str:
    return str(corpus.manifest["sha256"]["tokens.npy"])


def _read_note(folder: Path, corpus: Corpus) -> _Note | None:
    """What is known of the facts in a folder, if they are of this corpus and of these columns."""
    path = folder / "facts.json"
    if not path.is_file():
        return None
    try:
        note = _Note(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: not readable ({error}); remove the folder") from error
    same = note.corpus == _identify(corpus)
    if not same or (note.descriptors, note.groups) != (list(DESCRIPTORS), list(GROUPS)):
        raise DataError(f"{folder}: facts of another corpus or version; remove the folder")
    return note
