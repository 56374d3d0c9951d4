"""The pretraining corpus: standardized, de-duplicated, free of benchmark molecules, as token ids.

A corpus is a folder (``tokens.npy``, ``offsets.npy``, ``repeats.npy``, ``vocab.json``,
``manifest.json``, ``heldout_*.smi``). `build_corpus` writes it, `Corpus` reads it memory-mapped.
Where the SMILES come from is decided by ``data/prepare_zinc.py``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.standardize import standardize
from cmim_chem.chem.tokenizer import Tokenizer, split_tokens
from cmim_chem.errors import DataError
from cmim_chem.pretrain.exclude import Exclusion, chunks, skeleton_key

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One file's worth of SMILES on its way into the corpus.

    Attributes
    ----------
    name : str
        Name in the manifest.
    smiles : iterable of str
        Raw SMILES.
    repeat : int
        How often an epoch shows each molecule.
    hold_out : float
        Share of the molecules kept out of training, chosen by hash; 1.0 keeps all out.
    """

    name: str
    smiles: Iterable[str]
    repeat: int = 1
    hold_out: float = 0.0


def _prepare_chunk(chunk: Sequence[str]) -> list[tuple[str, str] | None]:
    settled = [standardize(raw).smiles for raw in chunk]
    return [(s, skeleton_key(s)) if s else None for s in settled]


def _share(smiles: str) -> float:
    """A number in [0, 1) that depends on nothing but the SMILES."""
    return int.from_bytes(hashlib.sha256(smiles.encode()).digest()[:6]) / 2**48


class _Builder:
    """Collects molecules source by source; earlier sources win over later duplicates."""

    def __init__(self, excluded: Exclusion, max_tokens: int) -> None:
        self.excluded = excluded
        self.max_tokens = max_tokens
        self.seen: set[str] = set()
        self.train: list[str] = []
        self.repeats: list[int] = []
        self.held_out: dict[str, list[str]] = {}
        self.counts: dict[str, dict[str, int]] = {}

    def add(self, source: Source, records: Iterator[tuple[str, str] | None]) -> None:
        counts: Counter[str] = Counter()
        held_out = self.held_out.setdefault(source.name, [])
        for record in records:
            fate = self._judge(record)
            if record is not None and fate == "kept":
                self.seen.add(record[0])
                if _share(record[0]) < source.hold_out:
                    fate = "held_out"
                    held_out.append(record[0])
                else:
                    self.train.append(record[0])
                    self.repeats.append(source.repeat)
            counts[fate] += 1
        self.counts[source.name] = {"read": counts.total(), "repeat": source.repeat, **counts}
        log.info("%s: %s", source.name, self.counts[source.name])

    def _judge(self, record: tuple[str, str] | None) -> str:
        if record is None:
            return "invalid"
        if record[0] in self.seen:
            return "duplicate"
        if len(split_tokens(record[0])) > self.max_tokens:
            return "too_long"
        return "benchmark" if record in self.excluded else "kept"


def build_corpus(
    sources: Sequence[Source],
    folder: Path,
    excluded: Exclusion,
    tokenizer: Tokenizer | None = None,
    *,
    max_tokens: int = 250,
    workers: int = 1,
) -> Mapping[str, object]:
    """Standardize, de-duplicate, filter and tokenize sources into a corpus folder.

    Parameters
    ----------
    sources : sequence of Source
        In order; a molecule belongs to the first source that has it, so hold-outs come first.
    folder : Path
        Where to write; made if missing.
    excluded : Exclusion
        Molecules to leave out.
    tokenizer : Tokenizer, optional
        The vocabulary, of an encoder that is to be trained further; made of the corpus if not
        given.
    max_tokens : int
        Longest molecule kept, in tokens.
    workers : int
        Number of processes.

    Returns
    -------
    mapping
        The manifest: counts of every source and checksums of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    builder = _Builder(excluded, max_tokens)
    with ProcessPoolExecutor(workers) as pool:
        for source in sources:
            prepared = pool.map(_prepare_chunk, chunks(source.smiles))
            builder.add(source, (record for chunk in prepared for record in chunk))
    if tokenizer is None:
        tokenizer = Tokenizer.build(Counter(t for s in builder.train for t in split_tokens(s)))
    _write(folder, builder, tokenizer)
    files = sorted(p for p in folder.iterdir() if p.suffix in (".npy", ".smi"))
    manifest = {
        "molecules": len(builder.train),
        "per_epoch": int(sum(builder.repeats)),
        "max_tokens": max_tokens,
        "excluded_connectivities": len(excluded.connectivity),
        "sources": builder.counts,
        "sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def _write(folder: Path, builder: _Builder, tokenizer: Tokenizer) -> None:
    encoded = [np.array(tokenizer.encode(s), dtype=np.uint16) for s in builder.train]
    lengths = np.array([0, *map(len, encoded)], dtype=np.int64)
    np.save(folder / "tokens.npy", np.concatenate(encoded))
    np.save(folder / "offsets.npy", np.cumsum(lengths))
    np.save(folder / "repeats.npy", np.array(builder.repeats, dtype=np.uint8))
    tokenizer.save(folder / "vocab.json")
    for name, smiles in builder.held_out.items():
        if smiles:
            text = "\n".join(smiles) + "\n"
            (folder / f"heldout_{name}.smi").write_text(text, encoding="utf-8")


class Corpus:
    """A corpus folder, memory-mapped.

    Parameters
    ----------
    folder : Path
        A folder written by `build_corpus`.

    Raises
    ------
    DataError
        If the folder is not a corpus.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.tokens: NDArray[np.uint16] = np.load(folder / "tokens.npy", mmap_mode="r")
            self.offsets: NDArray[np.int64] = np.load(folder / "offsets.npy")
            self.repeats: NDArray[np.uint8] = np.load(folder / "repeats.npy")
            self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{folder}: not a corpus folder; build one with make corpus") from error
        self.tokenizer = Tokenizer.load(folder / "vocab.json")
        self.lengths = np.diff(self.offsets)
        self.folder = folder

    def __len__(self) -> int:
        """Number of molecules."""
        return len(self.lengths)

    def __getitem__(self, i: int) -> NDArray[np.uint16]:
        """Token ids of molecule `i`, shape (T,), without begin and end marks."""
        return self.tokens[self.offsets[i] : self.offsets[i + 1]]

    def held_out(self, name: str) -> list[str]:
        """Standardized SMILES of a hold-out, such as ``moses_test``.

        Raises
        ------
        DataError
            If the corpus has no such hold-out.
        """
        path = self.folder / f"heldout_{name}.smi"
        if not path.is_file():
            known = ", ".join(p.stem[8:] for p in sorted(self.folder.glob("heldout_*.smi")))
            raise DataError(f"{self.folder}: no hold-out {name!r}; it has {known or 'none'}")
        return path.read_text(encoding="utf-8").split()
