"""Settings of a pretraining run, one field each, and the learning-rate schedule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cmim_chem.errors import InputError
from cmim_chem.model.config import PRESETS, preset

OBJECTIVES = ("cmim", "mim", "vae", "infonce")
FACTS = ("descriptors", "ecfp", "groups")


@dataclass(frozen=True)
class PretrainConfig:
    """One pretraining run.

    Attributes
    ----------
    corpus : Path
        Corpus folder, see ``data/prepare_zinc.py``.
    out : Path
        Run folder: ``encoder/``, ``state/``, ``log.jsonl``.
    preset : str
        Size of the network: tiny, small or molmim.
    objective : str
        cmim, mim, vae or infonce.
    steps : int
        Optimizer steps of the whole run.
    batch_size : int
        Molecules per step.
    learning_rate : float
        Peak of the schedule (AdamW).
    warmup_steps : int
        Steps of linear rise at the start.
    decay_fraction : float
        Last share of the steps, over which the rate falls linearly to a tenth of a percent.
    weight_decay : float
        AdamW decay of matrices.
    clip : float
        Largest norm of the gradient.
    tau : float
        Temperature of the contrastive term.
    contrast_among : int
        Molecules, itself included, among which each one's negatives are looked for: separates the
        number of negatives from the size of the batch. 0 for the whole batch.
    seed : int
        Fixes weights, order and noise.
    precision : str
        bf16, fp32, or auto: bf16 where the processor multiplies matrices in it natively (AMX), else
        fp32, which is the faster of the two elsewhere (`benchmarks/LOG.md`).
    compile : bool
        Compile the network with torch.compile; needs a C++ compiler.
    log_every, eval_every, checkpoint_every : int
        Steps between log lines, hold-out scores and checkpoints.
    eval_molecules : int
        Molecules of the hold-out that are scored.
    chemistry : str
        Facts that chemistry factors log p(c|z) predict: none, or some of descriptors, ecfp and
        groups joined by +.
    chemistry_from : str
        What the facts are predicted from: z, h or z+h.
    random_spelling : float
        Share of the molecules that the encoder reads in a random spelling; the decoder always
        writes the canonical one, and the encoder meets only that one later, so keep some.
    blank_tokens : float
        Share of the decoder's past tokens that are blanked out, so that it asks z.
    average : float
        Decay per step of the moving average of the weights, which is then what ``encoder/`` gets;
        0 for none.
    shape : tuple of str
        Changes to the preset, each ``field=number`` with a field of `ModelConfig`.
    init : Path or None
        Encoder folder whose weights a fresh run starts from.
    workers : int
        Processes that prepare batches ahead of training; 0 prepares them in between.
    """

    corpus: Path
    out: Path
    preset: str = "small"
    objective: str = "cmim"
    steps: int = 20_000
    batch_size: int = 128
    learning_rate: float = 6e-4
    warmup_steps: int = 500
    decay_fraction: float = 0.4
    weight_decay: float = 0.01
    clip: float = 1.0
    tau: float = 0.1
    contrast_among: int = 0
    seed: int = 0
    precision: str = "auto"
    compile: bool = False
    log_every: int = 50
    eval_every: int = 1000
    checkpoint_every: int = 500
    eval_molecules: int = 512
    chemistry: str = "none"
    chemistry_from: str = "z"
    random_spelling: float = 0.0
    blank_tokens: float = 0.0
    average: float = 0.0
    shape: tuple[str, ...] = ()
    init: Path | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        """Reject values that cannot run."""
        if self.preset not in PRESETS:
            raise InputError(f"--preset {self.preset}: choose one of {', '.join(PRESETS)}")
        if self.objective not in OBJECTIVES:
            raise InputError(f"--objective {self.objective}: choose one of {', '.join(OBJECTIVES)}")
        if self.precision not in ("auto", "bf16", "fp32"):
            raise InputError(f"--precision {self.precision}: choose auto, bf16 or fp32")
        self._check_numbers()
        self._check_chemistry()
        try:
            preset(self.preset, 1, self.shape)
        except ValueError as error:
            raise InputError(f"--shape: {error}") from error

    def _check_numbers(self) -> None:
        if self.steps < 1 or self.batch_size < 2:
            raise InputError("--steps must be at least 1 and --batch-size at least 2")
        if self.contrast_among < 0 or self.contrast_among == 1:
            raise InputError("--contrast-among must be 0, for the whole batch, or at least 2")
        for field in ("random_spelling", "blank_tokens", "average"):
            if not 0.0 <= getattr(self, field) <= 1.0:
                raise InputError(f"--{field.replace('_', '-')} must lie between 0 and 1")

    @property
    def facts(self) -> tuple[str, ...]:
        """Kinds of facts that the chemistry factors predict."""
        return () if self.chemistry == "none" else tuple(self.chemistry.split("+"))

    def _check_chemistry(self) -> None:
        if set(self.facts) - set(FACTS) or len(set(self.facts)) < len(self.facts):
            known = ", ".join(FACTS)
            raise InputError(f"--chemistry {self.chemistry}: none, or some of {known} joined by +")
        if self.chemistry_from not in ("z", "h", "z+h"):
            raise InputError(f"--chemistry-from {self.chemistry_from}: choose z, h or z+h")
        if self.objective == "infonce" and self.facts and self.chemistry_from != "z":
            raise InputError("--chemistry-from: infonce has no decoder, so no h; choose z")


# What may differ between the two halves of a resumed run: none of it is part of the mathematics
# of the steps already taken.
MAY_CHANGE = frozenset(
    "corpus out steps decay_fraction precision compile log_every eval_every checkpoint_every"
    " eval_molecules init workers".split()
)


def learning_rate_at(step: int, config: PretrainConfig) -> float:
    """Linear rise, plateau, linear fall.

    Parameters
    ----------
    step : int
        From 0.
    config : PretrainConfig
        Peak, warm-up and decay.
    """
    rise = min(1.0, (step + 1) / max(1, config.warmup_steps))
    decay_steps = max(1, round(config.steps * config.decay_fraction))
    fall = min(1.0, (config.steps - step) / decay_steps)
    return config.learning_rate * min(rise, max(fall, 1e-3))
