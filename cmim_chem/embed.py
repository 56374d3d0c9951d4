"""Standardized SMILES to the embeddings z and h, and codes z back to text.

Always from mu, never from a sample. Molecules are batched by padded length in batches of one fixed
shape, so a row's numbers do not depend on what else is in the batch: to the last bit where one
thread computes them, as in the workers of `cmim score`; several split a batch where they like, and
agree to 1e-6. Standardizing is `cmim_chem.chem.standardize`'s business, what the numbers mean that
of the probes.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cmim_chem.chem.tokenizer import EOS, PAD, Tokenizer
from cmim_chem.errors import InputError
from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.decoding import GREEDY, Decoding, list_candidates, write_tokens
from cmim_chem.model.inference import FrozenCMIM

# The padded lengths of forward passes (end mark included), and the tokens of each: few enough to
# stay in a processor's cache and to leave little of a pass empty.
_LENGTHS = (*range(12, 64, 4), *range(64, 128, 8), *range(128, 257, 32))
_TOKENS = 480
# Sequences that are embedded together when they are given as tokens.
_TOGETHER = 16


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of n molecules.

    Attributes
    ----------
    z : ndarray
        Shape (n, d_z), float32; NaN rows for failures.
    h : ndarray
        Shape (n, d_h), float32; NaN rows for failures, all of them if z alone was asked for.
    problems : tuple of str
        Why a row failed, in words; empty text for the others.
    """

    z: NDArray[np.float32]
    h: NDArray[np.float32]
    problems: tuple[str, ...]


class Embedder:
    """A frozen encoder-decoder that turns molecules into vectors.

    Parameters
    ----------
    model : CMIM
        The network.
    tokenizer : Tokenizer
        Its vocabulary.
    digest : str
        sha256 of the checkpoint, hexadecimal; what probes and index are tied to.
    """

    def __init__(self, model: CMIM, tokenizer: Tokenizer, digest: str) -> None:
        self._model = model.eval()
        self._frozen = FrozenCMIM(self._model)
        self._tokenizer = tokenizer
        self.digest = digest
        self.d_z = model.config.d_z
        self.d_h = model.config.d_h
        self.max_tokens = model.config.max_tokens

    @classmethod
    def load(cls, folder: Path) -> Embedder:
        """Load a checkpoint folder.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        return cls(*load_checkpoint(folder), digest_checkpoint(folder))

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Embedder:
        """Load a checkpoint folder that is at hand as the contents of its files, by name.

        Raises
        ------
        ArtifactError
            If one is missing or damaged.
        """
        with tempfile.TemporaryDirectory() as place:
            for name, content in files.items():
                (Path(place) / name).write_bytes(content)
            return cls.load(Path(place))

    def copy_network(self) -> CMIM:
        """Copy the network to train it further; this embedder stays as it is."""
        return deepcopy(self._model).requires_grad_(True)

    def embed(self, smiles: Sequence[str | None], *, with_h: bool = True) -> Embeddings:
        """Embed standardized molecules.

        Parameters
        ----------
        smiles : sequence of str or None
            n standardized SMILES; None for a row that has no molecule.
        with_h : bool
            Whether h is wanted, which takes more than half of the time.

        Returns
        -------
        Embeddings
            n rows, in order. A molecule that is too long gets NaN and a problem.
        """
        z = np.full((len(smiles), self.d_z), np.nan, dtype=np.float32)
        h = np.full((len(smiles), self.d_h), np.nan, dtype=np.float32)
        problems = [""] * len(smiles)
        buckets: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for row, text in enumerate(smiles):
            if text is None:
                continue
            ids, problems[row] = self._read(text)
            if not problems[row]:
                length = next(n for n in (*_LENGTHS, len(ids) + 1) if n > len(ids))
                buckets[length].append((row, ids))
        for length, members in buckets.items():
            size = max(1, _TOKENS // length)
            for start in range(0, len(members), size):
                part = members[start : start + size]
                rows = [row for row, _ in part]
                x = _fill([ids for _, ids in part], size, length)
                if with_h:
                    both = self._frozen.embed(x)
                    z[rows], h[rows] = (one[: len(rows)].numpy() for one in both)
                else:
                    z[rows] = self._frozen.encode(x)[: len(rows)].numpy()
        return Embeddings(z, h, tuple(problems))

    @property
    def tokenizer(self) -> Tokenizer:
        """The vocabulary."""
        return self._tokenizer

    def embed_tokens(
        self, sequences: Sequence[list[int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embed token sequences as they are, sensible or not.

        Parameters
        ----------
        sequences : sequence of list of int
            n sequences of token ids without marks, each short enough for the model.

        Returns
        -------
        (n, d_z) float32
        (n, d_h) float32
        """
        parts = []
        for start in range(0, len(sequences), _TOGETHER):
            part = list(sequences[start : start + _TOGETHER])
            x = _fill(part, len(part), max(map(len, part)) + 1)
            parts.append([one.numpy() for one in self._frozen.embed(x)])
        z, h = (np.concatenate(one) for one in zip(*parts, strict=True))
        return z, h

    def check(self, smiles: Sequence[str]) -> tuple[str, ...]:
        """Find out which molecules the model can read, without embedding them.

        Parameters
        ----------
        smiles : sequence of str
            n standardized SMILES.

        Returns
        -------
        tuple of str
            Why a molecule cannot be read, in words; empty text for the others.
        """
        return tuple(self._read(one)[1] for one in smiles)

    def decode(
        self, z: NDArray[np.floating[Any]], how: Decoding = GREEDY, seed: int = 0
    ) -> tuple[str, ...]:
        """Write what latent codes stand for, as the decoder spells it.

        Parameters
        ----------
        z : ndarray
            Shape (n, d_z), finite.
        how : Decoding
            Greedy if not given.
        seed : int
            Fixes what a temperature leaves to chance.

        Returns
        -------
        tuple of str
            n texts; nobody has checked that they are molecules. Empty where none came to an end.

        Raises
        ------
        InputError
            If z has another width than the model's codes, or is not finite.
        """
        written = write_tokens(self._model, self._check_codes(z), how, seed)
        return tuple("" if ids is None else self._tokenizer.decode(ids) for ids in written)

    def list_candidates(
        self, z: NDArray[np.floating[Any]], beams: int, max_tokens: int = 128
    ) -> tuple[tuple[str, ...], ...]:
        """Several ways to write each code, for a caller who knows which are molecules.

        Parameters
        ----------
        z : ndarray
            Shape (n, d_z), finite.
        beams : int
            Texts for each code at most.
        max_tokens : int
            Longest text.

        Returns
        -------
        tuple of tuple of str
            n rows, the likeliest text first.

        Raises
        ------
        InputError
            As `decode`.
        """
        found = list_candidates(self._model, self._check_codes(z), beams, max_tokens)
        return tuple(tuple(map(self._tokenizer.decode, row)) for row in found)

    def _check_codes(self, z: NDArray[np.floating[Any]]) -> torch.Tensor:
        if z.ndim != 2 or z.shape[1] != self.d_z:
            raise InputError(f"codes of shape {z.shape}: the model has codes of {self.d_z} numbers")
        codes = np.ascontiguousarray(z, dtype=np.float32)
        if not np.isfinite(codes).all():
            raise InputError("codes with numbers that are not finite cannot be decoded")
        return torch.from_numpy(codes)

    def _read(self, smiles: str) -> tuple[list[int], str]:
        try:
            ids = self._tokenizer.encode(smiles)
        except InputError as error:
            return [], str(error)
        if len(ids) > self.max_tokens:
            return [], f"{len(ids)} tokens, the model reads {self.max_tokens}"
        return ids, ""


def _fill(sequences: list[list[int]], size: int, length: int) -> torch.Tensor:
    """Token ids of shape (size, length), end marks included.

    The shape is filled up with empty molecules: kernels, and with them the order in which numbers
    are added, then do not depend on how many molecules there are.
    """
    x = np.full((size, length), PAD, dtype=np.int64)
    x[:, 0] = EOS
    for row, ids in zip(x, sequences, strict=False):
        row[: len(ids) + 1] = [*ids, EOS]
    return torch.from_numpy(x)
