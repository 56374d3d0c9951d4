"""From a plan of batches to tensors, prepared ahead of training by other processes.

Random spellings, padding and the look-up of facts happen here. What comes out is a function of
(seed, step) and nothing else, whatever the number of processes, and comes in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cmim_chem.pretrain.batches import BatchPlan, TokenIds, collate, pad_length, respell
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.facts import Facts
from cmim_chem.pretrain.ranks import Ranks

# Batches that each process keeps ready.
_AHEAD = 4

Rows = NDArray[np.int64]


class Portion(NamedTuple):
    """The molecules of a step that one process takes.

    Attributes
    ----------
    n : int
        Molecules of the whole step.
    rows : slice
        Which of them these are.
    x : Tensor
        Canonical token ids, shape (B, T), int64; T is the same in all processes.
    read : Tensor or None
        What the encoder reads instead, shape (B, T), int64.
    facts : dict of str to Tensor
        Shape (B, F), float32, by kind.
    """

    n: int
    rows: slice
    x: Tensor
    read: Tensor | None
    facts: dict[str, Tensor]


class Feed(Dataset[Portion]):
    """Makes the portion of any step of a run.

    Parameters
    ----------
    config : PretrainConfig
        The run.
    corpus : Corpus
        Its molecules.
    ranks : Ranks
        The process to make portions for.
    """

    def __init__(self, config: PretrainConfig, corpus: Corpus, ranks: Ranks) -> None:
        self._corpus = corpus
        self._ranks = ranks
        self._config = config
        self._facts = Facts(corpus, config.facts) if config.facts else None
        # The second view of InfoNCE is another spelling of every molecule.
        self._share = 1.0 if config.objective == "infonce" else config.random_spelling

    def __getitem__(self, item: tuple[int, Rows]) -> Portion:
        """Portion of a step, given its number and the rows of its molecules."""
        step, everyone = item
        mine = self._ranks.rows(len(everyone))
        length = pad_length(int(self._corpus.lengths[everyone].max()))
        rows = everyone[mine]
        x = torch.from_numpy(collate([self._corpus[i] for i in rows], length))
        read = torch.from_numpy(self._read(step, everyone, length)) if self._share else None
        facts = self._facts.rows(rows) if self._facts else {}
        told = {name: torch.from_numpy(c) for name, c in facts.items()}
        return Portion(len(everyone), mine, x, read, told)

    def read_from(self, step: int) -> Iterator[Portion]:
        """Portions from a step of the whole run on, without end."""
        plan = BatchPlan(self._corpus, self._config.batch_size, self._config.seed)
        workers = self._config.workers
        loader = DataLoader(
            self,
            batch_size=None,
            sampler=enumerate(plan.from_step(step), start=step),
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            collate_fn=_as_it_is,
        )
        return iter(loader)

    def _read(self, step: int, everyone: Rows, length: int) -> NDArray[np.int64]:
        """What the encoder reads: random spellings of a share of the molecules, in one shape."""
        # Drawn for all processes alike, so that the step does not depend on their number.
        generator = np.random.default_rng((self._config.seed, step, 1))
        chosen = generator.random(len(everyone)) < self._share
        seeds = generator.integers(1, 2**31 - 1, len(everyone))
        sequences = []
        for row in range(len(everyone))[self._ranks.rows(len(everyone))]:
            ids: TokenIds = self._corpus[everyone[row]]
            if chosen[row]:
                ids = respell(ids, self._corpus.tokenizer, int(seeds[row]), length - 1)
            sequences.append(ids)
        return collate(sequences, length)


def _as_it_is(portion: Any) -> Any:  # noqa: ANN401, the loader's signature
    return portion
