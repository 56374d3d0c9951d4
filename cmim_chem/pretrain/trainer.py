"""The training loop: bfloat16 autocast, a readable log, checkpoints that resume exactly.

Randomness is a function of (seed, step), so the state of a run is its weights, its optimizer and
its step. What is minimised is chosen by name from `cmim_chem.model.loss`.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.model.checkpoint import save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.model.loss import OBJECTIVES, Batch, objective
from cmim_chem.pretrain.batches import BatchPlan, TokenIds, collate, random_spellings
from cmim_chem.pretrain.config import MAY_CHANGE, PretrainConfig, learning_rate_at
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.evaluate import reconstruction

log = logging.getLogger(__name__)


class Trainer:
    """One pretraining run, fresh or resumed.

    Parameters
    ----------
    config : PretrainConfig
        The run.
    resume : bool
        Continue from the last checkpoint in ``config.out``, if there is one.

    Raises
    ------
    InputError
        If a run already stands in ``config.out`` and `resume` is false, or its settings differ.
    """

    def __init__(self, config: PretrainConfig, resume: bool = False) -> None:
        self.config = config
        self.corpus = Corpus(config.corpus)
        torch.manual_seed(config.seed)
        self.model = CMIM(preset(config.preset, len(self.corpus.tokenizer)))
        self.optimizer = torch.optim.AdamW(
            self._groups(), lr=config.learning_rate, betas=(0.9, 0.98), fused=True
        )
        native = torch.cpu._is_amx_tile_supported()
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and native)
        self.step = 0
        self.seconds = 0.0
        self.molecules = 0
        self._state = config.out / "state"
        old = config.out / "state-old"
        if old.is_dir() and not self._state.is_dir():  # stopped in the middle of a swap
            old.replace(self._state)
        if (self._state / "progress.json").is_file():
            if not resume:
                raise InputError(f"{config.out} holds a run: add --resume or choose another --out")
            self._load_state()
        # self.model stays the plain module; the compiled call shares its parameters.
        self._terms = torch.compile(self._all_terms) if config.compile else self._all_terms

    def run(self) -> dict[str, float]:
        """Train up to ``config.steps``.

        Returns
        -------
        dict
            Hold-out scores of the final weights.
        """
        config = self.config
        config.out.mkdir(parents=True, exist_ok=True)
        self._trim_log()
        batches = BatchPlan(self.corpus, config.batch_size, config.seed).from_step(self.step)
        sums: dict[str, float] = {}
        began, counted = time.perf_counter(), 0
        while self.step < config.steps:
            rows = next(batches)
            for name, value in self._train_step([self.corpus[i] for i in rows]).items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            self.molecules += len(rows)
            if self.step % config.log_every == 0 or self.step == config.steps:
                elapsed = time.perf_counter() - began
                self.seconds += elapsed
                self._log({name: total / counted for name, total in sums.items()})
                sums, counted, began = {}, 0, time.perf_counter()
            if self.step % config.eval_every == 0 and self.step < config.steps:
                self._log(self.evaluate())
                began = time.perf_counter()
            if self.step % config.checkpoint_every == 0:
                self.save()
        scores = self.evaluate()
        self._log(scores)
        self.save()
        return scores

    def evaluate(self) -> dict[str, float]:
        """Teacher-forced token accuracy and exact reconstruction from mu on the first hold-out."""
        smiles = self.corpus.held_out("moses_test")[: self.config.eval_molecules]
        if self.config.objective == "infonce":  # it has no decoder to ask
            return {}
        accuracy, exact = reconstruction(self.model, self.corpus.tokenizer, smiles)
        return {"token_accuracy": accuracy, "exact": exact}

    def save(self) -> None:
        """Write the encoder and the state of the run; a crash in between loses neither."""
        facts = {k: v for k, v in asdict(self.config).items() if k not in ("corpus", "out")}
        facts |= {"step": self.step, "molecules": self.molecules, "seconds": round(self.seconds)}
        save_checkpoint(self.config.out / "encoder", self.model, self.corpus.tokenizer, facts)
        fresh = self.config.out / f"state-{self.step}"
        fresh.mkdir(exist_ok=True)
        save_file(self.model.state_dict(), fresh / "model.safetensors")
        torch.save(self.optimizer.state_dict(), fresh / "optimizer.pt")
        (fresh / "progress.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
        _swap(fresh, self._state)

    def _all_terms(self, batch: Batch) -> dict[str, Tensor]:
        return OBJECTIVES[self.config.objective](self.model, batch, self.config.tau)

    def _train_step(self, sequences: list[TokenIds]) -> dict[str, float]:
        config = self.config
        generator = torch.Generator().manual_seed((config.seed << 32) + self.step)
        x = collate(sequences)
        view = None
        if config.objective == "infonce":
            seed = (config.seed * 1_000_003 + self.step) * config.batch_size % 2**30
            view = random_spellings(sequences, self.corpus.tokenizer, seed)
        noise = torch.randn(len(x), self.model.config.d_z, generator=generator)
        rate = learning_rate_at(self.step, config)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            terms = self._terms(Batch(x, noise, view))
            loss = objective(terms)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        self.optimizer.step()
        self.step += 1
        values = {name: float(term.detach().mean()) for name, term in terms.items()}
        values |= {"loss": float(loss.detach()), "gradient_norm": float(norm), "rate": rate}
        if not math.isfinite(values["loss"]):
            raise ArtifactError(f"step {self.step}: the loss is not finite; lower --learning-rate")
        return values

    def _groups(self) -> list[dict[str, object]]:
        matrices = [p for p in self.model.parameters() if p.dim() >= 2]
        vectors = [p for p in self.model.parameters() if p.dim() < 2]
        return [
            {"params": matrices, "weight_decay": self.config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]

    def _load_state(self) -> None:
        progress = json.loads((self._state / "progress.json").read_text(encoding="utf-8"))
        mine = asdict(self.config)
        for field in fields(self.config):
            if field.name not in MAY_CHANGE and mine[field.name] != progress[field.name]:
                raise InputError(
                    f"{self.config.out}: the run has {field.name} = {progress[field.name]}, not"
                    f" {mine[field.name]}; resume with the same settings"
                )
        self.model.load_state_dict(load_file(self._state / "model.safetensors"))
        saved = torch.load(self._state / "optimizer.pt", weights_only=True)
        self.optimizer.load_state_dict(saved)
        self.step, self.molecules = progress["step"], progress["molecules"]
        self.seconds = float(progress["seconds"])

    def _trim_log(self) -> None:
        # Lines written after the checkpoint that the run resumes from are told again.
        path = self.config.out / "log.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            path.write_text("".join(kept), encoding="utf-8")

    def _log(self, values: Mapping[str, float]) -> None:
        if not values:
            return
        line = {"step": self.step, "molecules": self.molecules, "seconds": round(self.seconds, 1)}
        rounded = {name: round(value, 6) for name, value in values.items()}
        with (self.config.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | rounded) + "\n")
        rate = self.molecules / max(self.seconds, 1e-9)
        text = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        log.info("step %d/%d  %.0f molecules/s  %s", self.step, self.config.steps, rate, text)


def _swap(fresh: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = target.with_name(target.name + "-old")
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    if old.exists():
        for path in old.iterdir():
            path.unlink()
        old.rmdir()
