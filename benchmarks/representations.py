"""Molecules to numbers: the table of representations. Adding one is one function in this file.

A representation joins one or more blocks; a block is a function from n standardized SMILES to a
(n, d) float32 table. The blocks of an encoder are NAME:z and NAME:h; NAME is ``cmim`` for the
shipped one. Slow blocks are computed once and kept on disk under the digests of data and model.
Scaling is the business of `benchmarks.scaling`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from benchmarks.datasets import Dataset
from cmim_chem.chem.descriptors import descriptors, ecfp_counts
from cmim_chem.embed import Embedder
from cmim_chem.errors import DataError, InputError
from cmim_chem.predictor import SHIPPED

log = logging.getLogger("cmim_chem.benchmarks")

FloatMatrix = NDArray[np.float32]
Maker = Callable[[Sequence[str]], FloatMatrix]

# Blocks that need no encoder: (n,) SMILES to (n, d). Add yours here, and its name below.
CLASSICAL: dict[str, Maker] = {"descriptors": descriptors, "ecfp": ecfp_counts}
# Cheaper to compute than to keep on disk.
NOT_CACHED = frozenset({"ecfp"})
SHIPPED_ENCODER = "cmim"
WHAT_SHIPS = "shipped"
WITHOUT_H = "descriptors+ecfp"

# What `shipped` joins is what the shipped probes may read.
JOINED: dict[str, tuple[str, ...]] = {
    "ecfp": ("ecfp",),
    "descriptors": ("descriptors",),
    WITHOUT_H: ("descriptors", "ecfp"),
    WHAT_SHIPS: ("cmim:h", "descriptors", "ecfp"),
}
# The mean of heads is what ships; without h it says what h is worth there.
AVERAGED = (WHAT_SHIPS, WITHOUT_H)
DEFAULT = ("cmim:z", "cmim:h", "cmim:z+h", "ecfp", "descriptors", "shipped")


def list_blocks(representation: str) -> tuple[str, ...]:
    """Blocks of a representation, such as ``mim:z`` and ``mim:h`` for ``mim:z+h``.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if representation in JOINED:
        return JOINED[representation]
    encoder, colon, parts = representation.partition(":")
    if colon and encoder and parts in ("z", "h", "z+h"):
        return tuple(f"{encoder}:{part}" for part in parts.split("+"))
    raise InputError(
        f"unknown representation {representation!r}: choose among {', '.join(JOINED)}, or NAME:z,"
        f" NAME:h, NAME:z+h of an encoder ({SHIPPED_ENCODER} is the shipped one)"
    )


class Encoders:
    """Encoders by name, loaded when first asked for.

    Parameters
    ----------
    folders : mapping of str to Path
        Checkpoint folders besides the shipped one, which is called ``cmim``.

    Raises
    ------
    InputError
        When one takes the name of the shipped encoder.
    """

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        if SHIPPED_ENCODER in (folders or {}):
            raise InputError(f"{SHIPPED_ENCODER!r} is the shipped encoder: choose another name")
        self._folders = {SHIPPED_ENCODER: SHIPPED / "encoder", **(folders or {})}
        self._load = lru_cache(maxsize=None)(Embedder.load)

    def get(self, name: str) -> Embedder:
        """Encoder by name.

        Raises
        ------
        InputError
            If no folder was given for it.
        ArtifactError
            If the folder is missing or damaged.
        """
        if name not in self._folders:
            raise InputError(f"no encoder {name!r}: say where it is with --encoder {name}=FOLDER")
        return self._load(self._folders[name])

    def digest(self, representation: str) -> str:
        """sha256 of the encoder behind a representation; empty for one that needs none."""
        names = {block.partition(":")[0] for block in list_blocks(representation) if ":" in block}
        return self.get(names.pop()).digest if names else ""


class Features:
    """Blocks of one set, computed when first asked for and kept in memory and on disk.

    Parameters
    ----------
    dataset : Dataset
    encoders : Encoders
    cache : Path or None
        Folder for the slow blocks; None to keep them in memory only.
    """

    def __init__(self, dataset: Dataset, encoders: Encoders, cache: Path | None) -> None:
        self._dataset = dataset
        self._encoders = encoders
        self._cache = cache
        self._blocks: dict[str, FloatMatrix] = {}

    def get(self, representation: str) -> dict[str, FloatMatrix]:
        """Blocks of a representation, each (n, d) float32, in the order they are joined."""
        for block in list_blocks(representation):
            if block not in self._blocks:
                self._blocks |= self._compute(block)
        return {block: self._blocks[block] for block in list_blocks(representation)}

    def _compute(self, block: str) -> dict[str, FloatMatrix]:
        if block in CLASSICAL:
            make = CLASSICAL[block]
            if block in NOT_CACHED:
                return {block: make(self._dataset.smiles)}
            key = f"{block} {rdBase.rdkitVersion}"
            return self._through_cache([block], key, lambda: [make(self._dataset.smiles)])
        name = block.partition(":")[0]
        embedder = self._encoders.get(name)
        blocks = [f"{name}:z", f"{name}:h"]
        return self._through_cache(blocks, embedder.digest, lambda: self._embed(name, embedder))

    def _embed(self, name: str, embedder: Embedder) -> list[FloatMatrix]:
        log.info("embedding %d molecules of %s by %s", len(self._dataset.smiles),
                 self._dataset.name, name)  # fmt: skip
        embedded = embedder.embed(self._dataset.smiles)
        failed = [row for row, problem in enumerate(embedded.problems) if problem]
        if failed:
            raise DataError(
                f"encoder {name!r} cannot read row {self._dataset.rows[failed[0]]} of"
                f" {self._dataset.name} ({embedded.problems[failed[0]]}), and {len(failed) - 1}"
                " others: every method must be judged on the same rows"
            )
        return [embedded.z, embedded.h]

    def _through_cache(
        self, names: list[str], key: str, make: Callable[[], list[FloatMatrix]]
    ) -> dict[str, FloatMatrix]:
        if self._cache is None:
            return dict(zip(names, make(), strict=True))
        identity = f"{self._dataset.digest} {key}".encode()
        stem = f"{self._dataset.name}-{hashlib.sha256(identity).hexdigest()[:16]}"
        path = self._cache / f"{stem}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as saved:
                return {name: saved[f"block{i}"] for i, name in enumerate(names)}
        blocks = make()
        self._cache.mkdir(parents=True, exist_ok=True)
        fresh = self._cache / f"{stem}.part.npz"
        np.savez(fresh, **{f"block{i}": block for i, block in enumerate(blocks)})
        fresh.replace(path)
        return dict(zip(names, blocks, strict=True))
