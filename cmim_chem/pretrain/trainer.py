"""The training loop: bfloat16 or float32, a readable log, checkpoints that resume exactly.

Randomness is a function of (seed, step), so the state of a run is its weights, its optimizer and
its step. What is minimised is chosen by name from `cmim_chem.model.loss` and, for the chemistry
factors, from `cmim_chem.model.chemistry`; batches come from `cmim_chem.pretrain.feed`.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint, save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import ModelConfig, preset
from cmim_chem.model.loss import Batch, objective
from cmim_chem.pretrain.average import WeightAverage
from cmim_chem.pretrain.batches import LENGTHS
from cmim_chem.pretrain.config import MAY_CHANGE, PretrainConfig, learning_rate_at
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.evaluate import reconstruction
from cmim_chem.pretrain.feed import Feed, Portion
from cmim_chem.pretrain.network import Network
from cmim_chem.pretrain.ranks import ALONE, Ranks
from cmim_chem.pretrain.state import RunState

log = logging.getLogger(__name__)


class Trainer:
    """One pretraining run, fresh or resumed.

    Parameters
    ----------
    config : PretrainConfig
        The run.
    resume : bool
        Continue from the last checkpoint in ``config.out``, if there is one.
    ranks : Ranks
        This process among those that train together; only the first writes.

    Raises
    ------
    InputError
        If a run already stands in ``config.out`` and `resume` is false, its settings differ, or
        the encoder to start from has another shape.
    """

    def __init__(self, config: PretrainConfig, resume: bool = False, ranks: Ranks = ALONE) -> None:
        self.config = config
        self.ranks = ranks
        self.corpus = Corpus(config.corpus)
        self.feed = Feed(config, self.corpus, ranks)
        self.state = RunState(config.out)
        if ranks.rank == 0:
            self.state.recover()
        ranks.wait()
        if self.state.exists and not resume:
            raise InputError(f"{config.out} holds a run: add --resume or choose another --out")
        progress = self._read_progress() if self.state.exists else {}
        shape = preset(config.preset, len(self.corpus.tokenizer), config.shape)
        if progress:  # a run keeps the shape it began with, whatever has become of its preset
            told = progress.get("model", asdict(shape) | {"gelu": "tanh"})  # as all were at first
            shape = ModelConfig(**told)
        self.network = Network(config, shape).to(ranks.device)
        self.model = self.network.model
        self.optimizer = torch.optim.AdamW(
            self._groups(), lr=config.learning_rate, betas=(0.9, 0.98), fused=True
        )
        self.init_digest = str(progress.get("init", ""))
        if config.init is not None and not progress:
            self._start_from(config.init)
        self.average = WeightAverage(self.model, config.average) if config.average else None
        if progress:
            self.state.load(self._modules, self.optimizer)
        self.step, self.molecules = progress.get("step", 0), progress.get("molecules", 0)
        self.seconds = float(progress.get("seconds", 0))
        native = ranks.device.type == "cuda" or torch.cpu._is_amx_tile_supported()
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and native)
        self._terms = self._wrap()

    @property
    def _modules(self) -> dict[str, nn.Module]:
        """Everything with weights, by file name of the state."""
        average = {"average": self.average.model} if self.average else {}
        return {"network": self.network, **average}

    @property
    def encoder(self) -> CMIM:
        """The weights that ship: the moving average, if there is one."""
        return self.average.model if self.average else self.model

    def run(self) -> dict[str, float]:
        """Train up to ``config.steps``.

        Returns
        -------
        dict
            Hold-out scores of the final weights.
        """
        config = self.config
        if self.ranks.rank == 0:
            config.out.mkdir(parents=True, exist_ok=True)
            self._trim_log()
        portions = self.feed.read_from(self.step)
        sums: dict[str, float] = {}
        began, counted = time.perf_counter(), 0
        while self.step < config.steps:
            portion = next(portions)
            for name, value in self._train_step(portion).items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            self.molecules += portion.n
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
        if self.ranks.rank or self.config.objective == "infonce":  # it has no decoder to ask
            return {}
        smiles = self.corpus.held_out("moses_test")[: self.config.eval_molecules]
        accuracy, exact = reconstruction(self.encoder, self.corpus.tokenizer, smiles)
        return {"token_accuracy": accuracy, "exact": exact}

    def save(self) -> None:
        """Write the encoder and the state of the run; a crash in between loses neither."""
        if self.ranks.rank:
            return
        places = ("corpus", "out", "workers")
        facts = {k: v for k, v in asdict(self.config).items() if k not in places}
        facts |= {"init": self.init_digest, "step": self.step, "molecules": self.molecules}
        facts |= {"seconds": round(self.seconds)}
        save_checkpoint(self.config.out / "encoder", self.encoder, self.corpus.tokenizer, facts)
        progress = facts | {"model": asdict(self.model.config)}
        self.state.save(self._modules, self.optimizer, progress)

    def _train_step(self, portion: Portion) -> dict[str, float]:
        config = self.config
        rate = learning_rate_at(self.step, config)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self.ranks.device.type, torch.bfloat16, enabled=self.bf16):
            terms: dict[str, Tensor] = self._terms(*self._draw(portion))
            # Gradients are averaged over processes, so each divides by the mean share.
            loss = objective(terms, portion.n / self.ranks.world)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        self.optimizer.step()
        self.step += 1
        if self.average:
            self.average.update(self.model, self.step)
        means = self.ranks.sum(torch.stack([t.detach().sum() for t in terms.values()])) / portion.n
        values = dict(zip(terms, means.tolist(), strict=True))
        values |= {"loss": -sum(values.values()), "gradient_norm": float(norm), "rate": rate}
        if not math.isfinite(values["loss"]):
            raise ArtifactError(f"step {self.step}: the loss is not finite; lower --learning-rate")
        return values

    def _draw(self, portion: Portion) -> tuple[Batch, dict[str, Tensor]]:
        """Add the noise of a step, drawn for all processes alike."""
        n, rows, x, read, facts = portion
        share, device = self.config.blank_tokens, self.ranks.device
        generator = torch.Generator().manual_seed((self.config.seed << 32) + self.step)
        noise = torch.randn(n, self.model.config.d_z, generator=generator)[rows]
        drawn = torch.rand(n, x.shape[1], generator=generator)[rows] if share else None
        batch = Batch(
            x.to(device),
            noise.to(device),
            None if read is None else read.to(device),
            None if drawn is None else (drawn < share).to(device),
            among=self.config.contrast_among,
        )
        if self.ranks.world > 1:
            batch = replace(batch, gather=lambda codes: self.ranks.gather(codes, n), rows=rows)
        return batch, {name: c.to(device) for name, c in facts.items()}

    def _wrap(self) -> Callable[..., dict[str, Tensor]]:
        """Spread and compile the network; what is called shares the parameters of the plain one."""
        network: nn.Module = self.network
        if self.ranks.world > 1:
            # InfoNCE leaves the decoder alone.
            unused = self.config.objective == "infonce"
            network = DistributedDataParallel(network, find_unused_parameters=unused)
        if not self.config.compile:
            return network
        # One graph for each of the few shapes: a graph for all is slower to make and to run.
        torch._dynamo.config.recompile_limit = 4 * len(LENGTHS)
        return torch.compile(network, dynamic=False)

    def _groups(self) -> list[dict[str, object]]:
        matrices = [p for p in self.network.parameters() if p.dim() >= 2]
        vectors = [p for p in self.network.parameters() if p.dim() < 2]
        return [
            {"params": matrices, "weight_decay": self.config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]

    def _start_from(self, folder: Path) -> None:
        model, tokenizer = load_checkpoint(folder)
        # The two forms of GELU differ by less than 0.001, which training makes up for.
        if replace(model.config, gelu=self.model.config.gelu) != self.model.config:
            raise InputError(f"--init {folder}: its shape is {model.config}, see --shape")
        if tokenizer.vocabulary != self.corpus.tokenizer.vocabulary:
            raise InputError(f"--init {folder}: its vocabulary is not that of {self.config.corpus}")
        self.model.load_state_dict(model.state_dict())
        self.init_digest = digest_checkpoint(folder)

    def _read_progress(self) -> dict[str, Any]:
        """Settings and counters of the run so far; only what may change may differ."""
        progress = self.state.read_progress()
        mine = json.loads(json.dumps(asdict(self.config), default=str))
        for field in fields(self.config):
            # A run of before there was such a setting had its default.
            was = progress.get(field.name, field.default)
            if field.name not in MAY_CHANGE and mine[field.name] != was:
                raise InputError(
                    f"{self.config.out}: the run has {field.name} = {was}, not"
                    f" {mine[field.name]}; resume with the same settings"
                )
        return progress

    def _trim_log(self) -> None:
        # Lines written after the checkpoint that the run resumes from are told again.
        path = self.config.out / "log.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            path.write_text("".join(kept), encoding="utf-8")

    def _log(self, values: Mapping[str, float]) -> None:
        if self.ranks.rank or not values:
            return
        line = {"step": self.step, "molecules": self.molecules, "seconds": round(self.seconds, 1)}
        rounded = {name: round(value, 6) for name, value in values.items()}
        with (self.config.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | rounded) + "\n")
        rate = self.molecules / max(self.seconds, 1e-9)
        text = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        log.info("step %d/%d  %.0f molecules/s  %s", self.step, self.config.steps, rate, text)
