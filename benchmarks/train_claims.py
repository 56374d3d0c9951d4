"""Train the encoders behind the papers' claims: one network, one corpus, one budget.

    python -m benchmarks.train_claims --corpus data/processed --out runs/claims

The runs are listed in ``claims.toml``. Each goes to a folder of its own, resumes where it was
stopped and is skipped when it is done. `--shard i/n` shares them between machines. What the
embeddings are worth is measured by `cmim benchmark`, the verdicts are drawn by `benchmarks.claims`.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmim_chem.pretrain.config import PretrainConfig
from cmim_chem.pretrain.trainer import Trainer

log = logging.getLogger("train_claims")

RUNS = Path(__file__).with_name("claims.toml")
# How a setting is written in the name of a run; what all runs share is not written.
SHORT = {"batch_size": "b", "contrast_among": "n", "tau": "t", "d_z": "z", "seed": "s"}


@dataclass(frozen=True)
class Run:
    """One encoder to train.

    Attributes
    ----------
    settings : dict
        Objective, batch_size, seed and what else differs, by name.
    """

    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of its folder, such as ``cmim-b64-s0``."""
        parts = [f"{SHORT[key]}{self.settings[key]:g}" for key in SHORT if key in self.settings]
        return "-".join([self.settings["objective"], *parts])

    def configure(self, budget: Mapping[str, Any], corpus: Path, out: Path) -> PretrainConfig:
        """Settings of the run; the same number of molecules whatever the batch."""
        chosen = dict(self.settings)
        shape = (f"d_z={chosen.pop('d_z')}",) if "d_z" in chosen else ()
        steps = budget["molecules"] // chosen["batch_size"]
        return PretrainConfig(
            corpus,
            out / self.name,
            preset=budget["preset"],
            shape=shape,
            steps=steps,
            learning_rate=budget["learning_rate"],
            warmup_steps=round(budget["warmup"] * steps),
            decay_fraction=budget["decay"],
            log_every=max(1, steps // 40),
            eval_every=steps,
            checkpoint_every=max(1, steps // 4),
            **chosen,
        )


def list_runs(path: Path = RUNS) -> tuple[list[Run], dict[str, Any]]:
    """Every run of the table, seed by seed so that a stopped study is a smaller study.

    Returns
    -------
    list of Run, dict
        The runs, and the budget they share.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    budget = table["budget"]
    runs = [
        Run({**combination, "seed": seed})
        for seed in budget["seeds"]
        for experiment in table["experiments"]
        if seed in experiment.get("seeds", budget["seeds"])
        for combination in _combine({k: v for k, v in experiment.items() if k != "seeds"})
    ]
    return runs, budget


def _combine(lists: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*lists.values()):
        yield dict(zip(lists, values, strict=True))


def main() -> None:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--out", type=Path, default=Path("runs/claims"))
    parser.add_argument("--shard", default="0/1", help="this machine's share, as i/n")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    runs, budget = list_runs()
    i, n = map(int, args.shard.split("/"))
    for run in runs[i::n]:
        done = args.out / run.name / "done"
        if not done.is_file():
            scores = Trainer(run.configure(budget, args.corpus, args.out), resume=True).run()
            done.write_text("", encoding="utf-8")
            log.info("%s: %s", run.name, scores)


if __name__ == "__main__":
    main()
