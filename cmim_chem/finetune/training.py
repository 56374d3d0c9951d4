"""Fine-tuning a copy of an encoder on the labels of a table, stopped early on its validation rows.

What is maximized is log p(y|h) + log p(x|z): the labels y through a linear head on h, missing ones
left out, and the term of pretraining that keeps z a code that can be read back. Network and head
have learning rates of their own, both low. Whether the result is of use is judged by
`cmim_chem.assay_finetune`.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from cmim_chem.chem.tokenizer import EOS, PAD
from cmim_chem.embed import Embedder
from cmim_chem.finetune.head import SupervisedHead
from cmim_chem.finetune.schedule import EarlyStopping, Schedule
from cmim_chem.metrics import LOWER_IS_BETTER, score_tasks
from cmim_chem.model.checkpoint import FILES, save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.model import fit_targets
from cmim_chem.probes.select import METRIC

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

# Batches whose molecules are sorted by length together: little padding, and still random.
_SORTED_BATCHES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Finetuned:
    """An encoder that has learned from labels.

    Attributes
    ----------
    embedder : Embedder
        With the weights of the best epoch, rounded as they are stored.
    files : mapping of str to bytes
        Its checkpoint folder.
    scores : tuple of float
        Validation score of the head after each epoch, the first before any.
    best_epoch : int
        From 1.
    seconds : float
        Time it took.
    """

    embedder: Embedder
    files: Mapping[str, bytes]
    scores: tuple[float, ...]
    best_epoch: int
    seconds: float


def finetune(
    embedder: Embedder,
    smiles: Sequence[str],
    data: TrainingData,
    seed: int = 0,
    schedule: Schedule | None = None,
) -> Finetuned:
    """Train a copy of an encoder-decoder on the training rows of a table.

    The same seed gives the same weights on the same machine with the same number of threads.

    Parameters
    ----------
    embedder : Embedder
        Stays as it is.
    smiles : sequence of str
        n standardized SMILES that it can read.
    data : TrainingData
        Their h, labels and split. The validation rows tell when to stop; test rows are not read.
    seed : int
        Fixes the order of the molecules.
    schedule : Schedule, optional
        How long and how fast.

    Returns
    -------
    Finetuned
        The best epoch by validation.
    """
    schedule, began = schedule or Schedule(), time.monotonic()
    run = _Run(embedder, smiles, data, schedule)
    metric = METRIC[data.kind]
    scores = [run.score()]
    log.info("fine-tuning: validation %s %.4f before", metric, scores[0])
    stopping = EarlyStopping(metric in LOWER_IS_BETTER, schedule.patience)
    order = np.random.default_rng(seed)
    for epoch in range(1, schedule.epochs + 1):
        run.train(order)
        scores.append(run.score())
        is_over = stopping.update(epoch, scores[-1], run.network)
        log.info(
            "fine-tuning: epoch %d of at most %d, validation %s %.4f, best in epoch %d, %.0f s",
            *(epoch, schedule.epochs, metric, scores[-1], stopping.best_epoch),
            time.monotonic() - began,
        )
        if is_over:
            break
    run.network.load_state_dict(stopping.best)
    facts = {"finetuned_from": embedder.digest, "seed": seed, "epoch": stopping.best_epoch}
    files = _store(run.network, embedder, facts | asdict(schedule))
    seconds = time.monotonic() - began
    return Finetuned(Embedder.from_files(files), files, tuple(scores), stopping.best_epoch, seconds)


class _Run:
    """Network, head and optimizer of one table."""

    def __init__(
        self, embedder: Embedder, smiles: Sequence[str], data: TrainingData, schedule: Schedule
    ) -> None:
        self.network = embedder.copy_network()
        self._schedule, self._data = schedule, data
        self._train, self._valid = data.split[:2]
        self._ids = [torch.tensor([*embedder.tokenizer.encode(one), EOS]) for one in smiles]
        self._targets = fit_targets(data.y[self._train], data.kind)
        self._y = torch.from_numpy(self._targets.standardize(data.y).astype(np.float32))
        h = torch.from_numpy(np.asarray(data.features["h"][self._train], dtype=np.float32))
        self.head = SupervisedHead(h, self._y.shape[1], data.kind)
        # A head that knows nothing yet would spoil what the network knows.
        self.head.fit(h, self._y[self._train])
        groups = [
            {"params": self.network.parameters(), "highest": schedule.rate},
            {"params": self.head.parameters(), "highest": schedule.head_rate, "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=schedule.weight_decay)
        self._epoch = 0

    def train(self, order: np.random.Generator) -> None:
        """Go once over the training rows, or as many as an epoch has."""
        parameters = [*self.network.parameters(), *self.head.parameters()]
        batches = self._cut(order)
        for done, part in enumerate(batches):
            scale = self._schedule.scale(self._epoch + (done + 0.5) / len(batches))
            for group in self._optimizer.param_groups:
                group["lr"] = scale * group["highest"]
            x = self._pad(part)
            z, h = self.network.embed(x)
            loss = -self.head.log_likelihood(h, self._y[part]).mean()
            loss = loss - self.head.log_prior() / len(self._train)
            if self._schedule.reconstruction:
                written = self.network.log_likelihood(self.network.decode(z, x), x)
                loss = loss - self._schedule.reconstruction * written.mean()
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(parameters, self._schedule.clip)
            self._optimizer.step()
        self._epoch += 1

    def _cut(self, order: np.random.Generator) -> list[NDArray[np.int64]]:
        """Batches in random order, each of molecules of about one length."""
        rows = order.permutation(self._train)[: self._schedule.epoch_rows]
        size = self._schedule.batch_size
        batches = []
        for start in range(0, len(rows), size * _SORTED_BATCHES):
            some = rows[start : start + size * _SORTED_BATCHES]
            some = some[np.argsort([len(self._ids[row]) for row in some], kind="stable")]
            batches += [some[i : i + size] for i in range(0, len(some), size)]
        return [batches[i] for i in order.permutation(len(batches))]

    @torch.no_grad()
    def score(self) -> float:
        """Validation score of network and head, mean over tasks; NaN where there is none."""
        size = self._schedule.batch_size
        parts = [self._valid[i : i + size] for i in range(0, len(self._valid), size)]
        said = [self.head(self.network.embed(self._pad(part))[1]).numpy() for part in parts]
        targets, learned = self._targets, self._targets.learned
        predicted = np.tile(targets.constant, (len(self._valid), 1))
        if said:
            scaled = np.concatenate(said) * targets.scale[learned] + targets.center[learned]
            predicted[:, learned] = scaled
        if not np.isfinite(predicted).all():
            return float("nan")
        truth = self._data.y[self._valid]
        return score_tasks(METRIC[self._data.kind], truth, predicted, self._data.tasks).mean

    def _pad(self, rows: NDArray[np.int64]) -> Tensor:
        return pad_sequence([self._ids[row] for row in rows], batch_first=True, padding_value=PAD)


def _store(network: CMIM, embedder: Embedder, facts: Mapping[str, object]) -> dict[str, bytes]:
    """Write the checkpoint as the one that ships is written, in half precision."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        save_checkpoint(folder, network, embedder.tokenizer, facts, torch.bfloat16)
        return {name: (folder / name).read_bytes() for name in FILES}
