"""Which switches of pretraining pay: trials at one budget, scored on validation rows only.

    python -m benchmarks.encoder_trials --molecules 100000 --out runs/trials
    python -m benchmarks.encoder_trials --out runs/trials --report

The trials are listed in ``encoder_trials.toml``. Each trains on as many molecules, resumes where it
was stopped, and gets one line in ``OUT/trials.jsonl``: for each set the validation score of a
linear head on h, fitted on the training rows. Test rows are not looked at, so that what is chosen
here can be judged on them.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.datasets import Dataset, load_dataset
from benchmarks.heads.problem import Problem
from benchmarks.heads.table import HEADS, choose
from benchmarks.journal import Journal, Record, read_records
from benchmarks.machine import find_commit
from benchmarks.scaling import scale
from benchmarks.splits import Parts, load_parts
from cmim_chem.embed import Embedder
from cmim_chem.errors import InputError
from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.trainer import Trainer

log = logging.getLogger("encoder_trials")

TRIALS = Path(__file__).with_name("encoder_trials.toml")
SETS = ("esol", "freesolv", "lipophilicity", "bbbp", "bace", "clintox", "sider")
# Seeds of the random splits of the regression sets; the others have their scaffold split.
SPLIT_SEEDS = (0, 1, 2)
COLUMNS = ("trial", "molecules", "mean", "against plain, by seed", "mean gain", "sets better",
           "token accuracy", "s")  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One encoder to train and to judge.

    Attributes
    ----------
    name : str
        Its name in the table.
    seed : int
        Of the training.
    molecules : int
        Budget.
    settings : mapping
        Fields of `PretrainConfig` that it sets; `share`, the part of the budget that it reads.
    """

    name: str
    seed: int
    molecules: int
    settings: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Name of its run folder."""
        return f"{self.name}-{self.molecules}-s{self.seed}"

    def configure(self, corpus: Path, out: Path) -> PretrainConfig:
        """Its run."""
        settings = dict(self.settings)
        molecules = round(self.molecules * settings.pop("share", 1.0))
        steps = molecules // settings.get("batch_size", PretrainConfig.batch_size)
        settings["shape"] = tuple(settings.get("shape", ()))
        return PretrainConfig(
            corpus,
            out / self.folder,
            steps=steps,
            seed=self.seed,
            eval_every=steps,
            log_every=max(1, steps // 50),
            checkpoint_every=max(1, steps // 10),
            **settings,
        )

    def identify(self) -> str:
        """What must agree for a line to be about this trial."""
        facts = [self.name, self.seed, self.molecules, dict(self.settings)]
        return json.dumps(facts, sort_keys=True)


def list_trials(names: list[str], molecules: int, seeds: list[int]) -> list[Trial]:
    """Trials of the table, seed by seed, the plain one first.

    Raises
    ------
    InputError
        For a name that is not in the table.
    """
    table = tomllib.loads(TRIALS.read_text(encoding="utf-8"))
    for name in names:
        if name not in table["trials"]:
            raise InputError(f"no trial {name!r} in {TRIALS.name}: {', '.join(table['trials'])}")
    return [
        Trial(name, seed, molecules, table["shared"] | settings)
        for seed in seeds
        for name, settings in table["trials"].items()
        if name in names or not names
    ]


def score_split(dataset: Dataset, parts: Parts, h: np.ndarray) -> float:
    """Validation score of a linear head on h: ROC-AUC, or 1 - RMSE in units of the training spread.

    Parameters
    ----------
    dataset : Dataset
        The set.
    parts : Parts
        Its split; the test rows are not used.
    h : ndarray
        Shape (n, d_h), float32.
    """
    y_train = dataset.y[parts.train]
    learned = np.array([len(np.unique(y[~np.isnan(y)])) > 1 for y in y_train.T])
    center, spread = 0.0, 1.0
    if dataset.source.kind == "regression":
        center, spread = y_train.mean(axis=0), y_train.std(axis=0)
    targets = (dataset.y - center) / spread
    x = scale({"h": h}, parts.train)
    problem = Problem(
        kind=dataset.source.kind,
        x_train=x[parts.train],
        x_valid=x[parts.valid],
        x_test=x[parts.valid],
        y_train=targets[np.ix_(parts.train, learned)],
        y_valid=targets[np.ix_(parts.valid, learned)],
        seed=0,
    )
    score = choose(HEADS["linear"], problem).valid
    return 1.0 + score if dataset.source.kind == "regression" else score


def score_encoder(folder: Path, sets: list[str], cache: Path) -> dict[str, float]:
    """Validation score of every set, the mean over the random splits where there are several.

    Parameters
    ----------
    folder : Path
        Encoder folder.
    sets : list of str
        Names of sets.
    cache : Path
        Folder for standardized SMILES.
    """
    embedder = Embedder.load(folder)
    scores = {}
    for name in sets:
        dataset = load_dataset(name, cache=cache)
        h = embedder.embed(dataset.smiles).h
        regression = dataset.source.kind == "regression"
        splits = [("random", s) for s in SPLIT_SEEDS] if regression else [("scaffold", 0)]
        values = [score_split(dataset, load_parts(dataset, *split), h) for split in splits]
        scores[name] = round(float(np.mean(values)), 5)
    return scores


def run_trial(trial: Trial, args: argparse.Namespace) -> Record:
    """Train, score, and say what it cost."""
    began = time.process_time()
    trainer = Trainer(trial.configure(args.corpus, args.out), resume=True)
    written = trainer.run()
    cpu_seconds = time.process_time() - began
    scores = score_encoder(trainer.config.out / "encoder", args.sets, args.out / "cache")
    return {
        "trial": trial.identify(),
        "name": trial.name,
        "seed": trial.seed,
        "budget": trial.molecules,
        "molecules": trainer.molecules,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "valid": scores,
        "mean": round(float(np.mean(list(scores.values()))), 5),
        **{key: round(value, 5) for key, value in written.items()},
        "seconds": round(trainer.seconds),
        # Of this call: less than the whole if the trial was stopped and went on.
        "cpu_seconds": round(cpu_seconds),
        "commit": find_commit(),
    }


def write_report(records: list[Record]) -> list[str]:
    """Rows of a Markdown table: every trial beside the plain one of the same budget and seeds."""
    plain = {(r["budget"], r["seed"]): r["valid"] for r in records if r["name"] == "plain"}
    trials: dict[tuple[int, str], list[Record]] = {}
    for one in sorted(records, key=lambda r: int(r["seed"])):
        trials.setdefault((one["budget"], one["name"]), []).append(one)

    def rank(trial: tuple[int, str]) -> tuple[int, float]:
        return trial[0], -float(np.mean([one["mean"] for one in trials[trial]]))

    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for trial in sorted(trials, key=rank):
        lines.append("| " + " | ".join(_write_row(trials[trial], plain)) + " |")
    return lines


def _write_row(seeds: list[Record], plain: Mapping[tuple[int, int], Any]) -> list[str]:
    """Cells of one trial, one record for each of its seeds."""
    gaps = []  # a row per seed, a column per set
    for one in seeds:
        against = plain.get((one["budget"], one["seed"]), {})
        shared = [name for name in one["valid"] if name in against]
        gaps.append([one["valid"][name] - against[name] for name in shared])
    gains = [float(np.mean(row)) for row in gaps if row]
    better = f"{sum(g > 0 for row in gaps for g in row)}/{sum(map(len, gaps))}" if gains else ""
    tokens = [one["token_accuracy"] for one in seeds if "token_accuracy" in one]
    return [
        seeds[0]["name"],
        f"{seeds[0]['molecules']:,}",
        f"{np.mean([one['mean'] for one in seeds]):.4f}",
        ", ".join(f"{gain:+.4f}" for gain in gains),
        _write_interval(gains),
        better,
        f"{np.mean(tokens):.3f}" if tokens else "",
        f"{np.mean([one['seconds'] for one in seeds]):.0f}",
    ]


def _write_interval(gains: list[float]) -> str:
    """Mean gain with Student's 95 % interval over seeds."""
    if len(gains) < 2:
        return ""
    half = stats.t.ppf(0.975, len(gains) - 1) * np.std(gains, ddof=1) / np.sqrt(len(gains))
    return f"{np.mean(gains):+.4f} ± {half:.4f}"


def main() -> None:
    """Read the arguments and run what has no line yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--out", type=Path, default=Path("runs/trials"))
    parser.add_argument("--trials", nargs="*", default=[], help="names; all if none is given")
    parser.add_argument("--molecules", type=int, default=100_000, help="budget of each")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    args = parser.parse_args()
    if args.report:
        sys.stdout.write("\n".join(write_report(list(read_records(args.out)))) + "\n")
        return
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    done = {record["trial"] for record in read_records(args.out)}
    with Journal(args.out / "trials.jsonl") as journal:
        for trial in list_trials(args.trials, args.molecules, args.seeds):
            if trial.identify() not in done:
                record = run_trial(trial, args)
                journal.append(record)
                log.info("%s: %s", trial.folder, record["mean"])


if __name__ == "__main__":
    main()
