"""Which molecules make up a step: shuffled, bucketed by length, in few padded shapes.

The order is a function of (seed, epoch) and nothing else, so that a resumed run continues exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cmim_chem.chem.tokenizer import EOS, PAD, Tokenizer
from cmim_chem.pretrain.corpus import Corpus

TokenIds = NDArray[np.uint16] | list[int]

# Padded lengths, end mark included: few shapes keep kernels and compiled graphs warm.
LENGTHS = (16, 24, 28, 32, 36, 40, 44, 48, 56, 64, 80, 96, 128, 192, 256)
# A batch of longer molecules is cut so that the tokens of a step stay about constant.
FULL_LENGTH = 64
_CHUNK_BATCHES = 64
# Random spellings to choose from: about one in three is longer than its molecule's padded shape.
_SPELLINGS = 3


@dataclass(frozen=True)
class BatchPlan:
    """The batches of a corpus, epoch after epoch.

    Attributes
    ----------
    corpus : Corpus
        What to read.
    batch_size : int
        Molecules per step, fewer where they are longer than `FULL_LENGTH` tokens.
    seed : int
        Fixes the order.
    """

    corpus: Corpus
    batch_size: int
    seed: int

    def epoch(self, number: int) -> list[NDArray[np.int64]]:
        """Row numbers of every batch of an epoch, in order.

        Parameters
        ----------
        number : int
            Epoch, from 0.
        """
        generator = np.random.default_rng((self.seed, number))
        rows = np.repeat(np.arange(len(self.corpus)), self.corpus.repeats)
        generator.shuffle(rows)
        batches: list[NDArray[np.int64]] = []
        left = rows[:0]
        size = self.batch_size * _CHUNK_BATCHES
        for start in range(0, len(rows), size):
            full, left = self._cut(np.concatenate([left, rows[start : start + size]]))
            batches.extend(full)
        batches.extend(self._cut_rest(left))
        order = generator.permutation(len(batches))
        return [batches[i] for i in order]

    def from_step(self, step: int) -> Iterator[NDArray[np.int64]]:
        """Batches from a step of the whole run on, without end."""
        number = 0
        while True:
            batches = self.epoch(number)
            if not batches:
                raise ValueError("the corpus holds fewer molecules than one batch")
            yield from batches[step:]
            step = max(0, step - len(batches))
            number += 1

    def _cut(self, rows: NDArray[np.int64]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cut full batches of one length each; the rest waits for more of its length."""
        buckets = np.searchsorted(LENGTHS, self.corpus.lengths[rows] + 1)
        full: list[NDArray[np.int64]] = []
        left = [rows[:0]]
        for bucket in np.unique(buckets):
            members = rows[buckets == bucket]
            size = self._size(LENGTHS[bucket])
            end = len(members) // size * size
            full.extend(members[start : start + size] for start in range(0, end, size))
            left.append(members[end:])
        return full, np.concatenate(left)

    def _cut_rest(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Cut batches of mixed lengths, so that an epoch leaves out one molecule at most."""
        rows = rows[np.argsort(self.corpus.lengths[rows], kind="stable")][::-1]
        while len(rows) > 1:
            size = self._size(pad_length(int(self.corpus.lengths[rows[0]])))
            yield rows[:size]
            rows = rows[size:]

    def _size(self, length: int) -> int:
        return max(2, self.batch_size * FULL_LENGTH // max(FULL_LENGTH, length))


def pad_length(n_tokens: int) -> int:
    """Padded length of a molecule of `n_tokens` tokens and its end mark."""
    return next((length for length in LENGTHS if length > n_tokens), n_tokens + 1)


def collate(sequences: Sequence[TokenIds], length: int) -> NDArray[np.int64]:
    """Pad token ids to one shape and mark the ends.

    Parameters
    ----------
    sequences : sequence of B sequences
        Token ids without marks.
    length : int
        Padded length, more than the longest has tokens; see `pad_length`.

    Returns
    -------
    ndarray
        Shape (B, length), int64.
    """
    x = np.full((len(sequences), length), PAD, dtype=np.int64)
    for row, ids in zip(x, sequences, strict=True):
        row[: len(ids)] = ids
        row[len(ids)] = EOS
    return x


def respell(ids: TokenIds, tokenizer: Tokenizer, seed: int, max_tokens: int) -> TokenIds:
    """Another spelling of a molecule that is no longer than it may be.

    Parameters
    ----------
    ids : sequence of int
        Token ids without marks.
    tokenizer : Tokenizer
        Their vocabulary.
    seed : int
        Fixes the spelling; at least 1.
    max_tokens : int
        Longest spelling of use.

    Returns
    -------
    sequence of int
        Token ids of a random spelling; the molecule's own if none of a few is short enough.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(tokenizer.decode(ids))
        spellings = Chem.MolToRandomSmilesVect(molecule, _SPELLINGS, randomSeed=seed)
    for spelling in spellings:
        other = tokenizer.encode(spelling)
        if len(other) <= max_tokens:
            return other
    return ids
