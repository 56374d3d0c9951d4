"""Fine-tune an encoder for a table, and keep it only if it validates better.

Judged is what the user gets, the best probe: with the encoder as it came, and with its fine-tuned
copy. Training is `cmim_chem.finetune`'s, choosing that of `cmim_chem.probes.select`; the test rows
are read by neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import isnan, nan

import numpy as np

from cmim_chem.embed import Embedder
from cmim_chem.finetune.training import Finetuned, finetune
from cmim_chem.metrics import LOWER_IS_BETTER
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.select import METRIC, Choice, choose, count_trials


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try.

    Attributes
    ----------
    feature_sets, heads : tuple of str
        Candidates.
    seed : int
        Fixes everything random.
    finetune : bool
        Whether to fine-tune the encoder; some of the feature sets must read z or h.
    """

    feature_sets: tuple[str, ...]
    heads: tuple[str, ...]
    seed: int = 0
    finetune: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a probe is to be fitted on.

    Attributes
    ----------
    data : TrainingData
        With z and h of the encoder that was kept.
    choice : Choice
        Features and head chosen on them.
    encoder_digest : str
        Of that encoder.
    encoder_files : mapping of str to bytes
        Its checkpoint, if it was fine-tuned; else empty.
    facts : dict
        For the card, as `cmim_chem.probes.card.ProbeCard.finetuning`; empty if it was not tried.
    seconds : float
        Time that fine-tuning took.
    """

    data: TrainingData
    choice: Choice
    encoder_digest: str
    encoder_files: Mapping[str, bytes] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0


def list_readers(feature_sets: Sequence[str]) -> tuple[str, ...]:
    """Feature sets that read z or h: those that a fine-tuned encoder changes."""
    return tuple(one for one in feature_sets if {"z", "h"} & set(one.split("+")))


def choose_encoder(
    embedder: Embedder,
    smiles: Sequence[str],
    data: TrainingData,
    plan: Plan,
    on_trial: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Choose features and head, and perhaps a fine-tuned encoder.

    Parameters
    ----------
    embedder : Embedder
        Made z and h of `data`; stays as it is.
    smiles : sequence of str
        n standardized SMILES, those of the rows.
    data : TrainingData
        With the encoder as it came.
    plan : Plan
        What to try.
    on_trial : callable, optional
        Told how many candidates have been fitted, and of how many; what it raises ends the work.

    Returns
    -------
    Outcome
        Fine-tuned only if the best candidate validates better with it; with the facts either way.

    Raises
    ------
    InputError
        When there is no candidate.
    """
    readers, done = list_readers(plan.feature_sets), count()
    total = count_trials(data, plan.feature_sets, plan.heads)
    if plan.finetune:
        total += count_trials(data, readers, plan.heads, baseline=False)
    watcher = None if on_trial is None else lambda _: on_trial(next(done) + 1, total)
    choice = choose(data, plan.feature_sets, plan.heads, plan.seed, on_trial=watcher)
    frozen = Outcome(data, choice, embedder.digest)
    if not plan.finetune:
        return frozen
    found = finetune(embedder, smiles, data, plan.seed)
    embedded = found.embedder.embed(smiles)
    features = {**data.features, "z": embedded.z, "h": embedded.h}
    data = replace(data, features=features, seen=data.split[0])
    if not np.ptp(embedded.h, axis=0).max() > 0:  # not finite, or the same for every molecule
        return replace(frozen, facts=_compare(frozen.choice, None, found), seconds=found.seconds)
    choice = choose(data, readers, plan.heads, plan.seed, on_trial=watcher, baseline=False)
    facts = _compare(frozen.choice, choice, found)
    if not facts["kept"]:
        return replace(frozen, facts=facts, seconds=found.seconds)
    joined = frozen.choice.replace(choice)
    return Outcome(data, joined, found.embedder.digest, found.files, facts, found.seconds)


def _compare(frozen: Choice, tuned: Choice | None, found: Finetuned) -> dict[str, object]:
    """Facts for the card; what has no score is never better."""
    before = frozen.best.valid
    after = nan if tuned is None else tuned.best.valid
    sign = 1.0 if METRIC[frozen.kind] in LOWER_IS_BETTER else -1.0
    return {
        "kept": sign * after < sign * before,
        "frozen": None if isnan(before) else before,
        "finetuned": None if isnan(after) else after,
        "best_epoch": found.best_epoch,
        "epochs": len(found.scores) - 1,
    }
