"""What the decoder makes: MOSES metrics, samples around seeds, paths, optimization.

    python -m benchmarks.generation --corpus data/processed --out FILE.jsonl
    python -m benchmarks.generation --encoders runs/claims/{cmim,mim,vae}-b64-s0/encoder --n 1000

One JSON line per task and encoder, of the shipped one if none is named; a line that is there is not
measured again. Seeds and references are held-out MOSES test molecules, used for nothing else.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.moses import Filters, MoleculeSet, measure
from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.embed import Embedder
from cmim_chem.generate.bank import make_bank
from cmim_chem.generate.generator import Generator
from cmim_chem.generate.optimize import Goal, Search, optimize
from cmim_chem.generate.oracles import measure_plogp, measure_qed
from cmim_chem.generate.writing import list_along, list_nearer, write_first
from cmim_chem.model.decoding import Decoding
from cmim_chem.predictor import SHIPPED, Predictor
from cmim_chem.pretrain.corpus import Corpus
from data.wheel import find_wheel

log = logging.getLogger("generation")

RADII = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
PER_SEED = 10
STEPS = 10
RESCUE = 8  # beams
# Codes that a search may decode: one is over as soon as its target is met, so that a long search
# tells what shorter ones would have come to.
DECODED = (250, 500, 1_000, 2_000)
Written = list[str | None]


class Bench:
    """One encoder, and the molecules it is tried on.

    Parameters
    ----------
    encoder : Path
        Checkpoint folder.
    corpus : Corpus
        What it was trained on, and the hold-outs.
    n : int
        Molecules sampled without a seed; seeds and pairs are a fraction of it.
    wheel : Path
        The wheel of molsets 0.3.1.
    """

    def __init__(self, encoder: Path, corpus: Corpus, n: int, wheel: Path) -> None:
        embedder = Embedder.load(encoder)
        self.corpus, self.n, self.wheel = corpus, n, wheel
        kept = int(corpus.manifest["sources"]["moses_train"]["kept"])
        # As many starts as samples: what is drawn is the aggregated posterior of MOSES' molecules.
        rows = np.random.default_rng(0).choice(np.arange(len(corpus) - kept, len(corpus)), n, False)
        self.starts = [corpus.tokenizer.decode(corpus[int(i)].tolist()) for i in rows]
        bank = make_bank(embedder.embed(self.starts).z, -1.0, embedder.digest)
        self.generator = Generator(Predictor(embedder, []), bank)
        test = corpus.held_out("moses_test")
        self.test = [test[i] for i in np.random.default_rng(1).permutation(len(test))]
        self.chance = np.random.default_rng(2)
        self._seen: set[int] = set()

    def write(self, *choices: NDArray[np.floating], rescue: int = 0) -> Written:
        """Greedy decoding to standardized SMILES; the other choices are part of the rescue."""
        embedder = self.generator.predictor.embedder
        return [one.smiles for one in write_first(embedder, choices, Decoding(rescue=rescue))]

    def noise(self, rows: int, radius: float) -> NDArray[np.float64]:
        """Noise of a radius, shape (rows, d_z)."""
        width = self.generator.predictor.embedder.d_z
        return radius * self.generator.bank.spread * self.chance.standard_normal((rows, width))

    def find_known(self, written: Written) -> list[bool]:
        """Which molecules are in the corpus."""
        rows = zip(self.corpus.offsets[:-1], self.corpus.offsets[1:], strict=True)
        tokens = np.asarray(self.corpus.tokens)
        if not self._seen:
            self._seen.update(hash(tokens[a:b].tobytes()) for a, b in rows)
        encode = self.corpus.tokenizer.encode
        return [one is not None and hash(np.array(encode(one), np.uint16).tobytes()) in self._seen
                for one in written]  # fmt: skip


def sample_unseeded(bench: Bench, noise: float) -> dict[str, object]:
    """MOSES metrics of n samples from the posteriors of n training molecules."""
    written = bench.write(bench.generator.bank.codes + bench.noise(bench.n, noise))
    reference = MoleculeSet(bench.test[-10_000:])
    scores = measure(written, reference, bench.find_known(written), Filters(bench.wheel))
    return {"n": bench.n, "radius": noise} | {k: round(v, 4) for k, v in scores.items()}


def sample_prior(bench: Bench) -> dict[str, object]:
    """Validity of samples from N(0, I), which only a VAE is trained for."""
    width = bench.generator.predictor.embedder.d_z
    written = bench.write(bench.chance.standard_normal((bench.n, width)))
    valid = [one for one in written if one is not None]
    unique = len(set(valid)) / max(len(valid), 1)
    return {"n": bench.n, "validity": len(valid) / bench.n, "uniqueness": round(unique, 4)}


def sample_around(bench: Bench) -> dict[str, object]:
    """Samples around seeds, by radius."""
    seeds = bench.test[: max(bench.n // 20, 10)]
    z = bench.generator.predictor.embedder.embed(seeds).z
    lines = []
    for radius in RADII:
        choices = list_nearer(np.repeat(z, PER_SEED, 0), bench.noise(len(z) * PER_SEED, radius))
        plain = _describe_samples(bench, seeds, bench.write(*choices))
        rescued = _describe_samples(bench, seeds, bench.write(*choices, rescue=RESCUE))
        named = {f"rescued_{key}": rescued[key] for key in ("validity", "uniqueness", "similarity")}
        lines.append({k: round(v, 4) for k, v in ({"radius": radius} | plain | named).items()})
    return {"seeds": len(seeds), "per_seed": PER_SEED, "by_radius": lines}


def _describe_samples(bench: Bench, seeds: list[str], written: Written) -> dict[str, float]:
    alike, unique, other = [], 0, []
    for i, seed in enumerate(seeds):
        valid = [one for one in written[i * PER_SEED : (i + 1) * PER_SEED] if one is not None]
        alike += tanimoto(seed, valid).tolist()
        unique += len(set(valid))
        other += [one != seed for one in valid]
    known = bench.find_known(written)
    novel = [not k for k, one in zip(known, written, strict=True) if one is not None]
    return {
        "validity": len(alike) / len(written),
        "uniqueness": unique / max(len(alike), 1),
        # 0 where nothing is valid, as the validity tells.
        "not_the_seed": sum(other) / max(len(alike), 1),
        "novelty": sum(novel) / max(len(alike), 1),
        "similarity": sum(alike) / max(len(alike), 1),
    }


def interpolate(bench: Bench) -> dict[str, object]:
    """Straight lines and great circles between pairs; and lines with rescue by beams."""
    pairs = max(bench.n // 50, 10)
    z = bench.generator.predictor.embedder.embed(bench.test[: 2 * pairs]).z.astype(np.float64)
    share = np.linspace(0, 1, STEPS)[1:-1]
    found: dict[str, object] = {"pairs": pairs, "steps": STEPS}
    for name, path, rescue in (
        ("linear", list_along, 0),
        ("slerp", slerp, 0),
        ("rescued", list_along, RESCUE),
    ):
        ways = [path(a[None], b[None], share) for a, b in zip(z[::2], z[1::2], strict=True)]
        written = bench.write(*map(np.concatenate, zip(*ways, strict=True)), rescue=rescue)
        near, ends = [], []
        for i in range(pairs):
            way = [bench.test[2 * i], *written[i * (STEPS - 2) : (i + 1) * (STEPS - 2)],
                   bench.test[2 * i + 1]]  # fmt: skip
            whole = [one for one in way if one is not None]
            near += [tanimoto(a, [b])[0] for a, b in itertools.pairwise(whole)]
            ends.append(tanimoto(way[0], [way[-1]])[0])
        found[name] = {
            "validity": round(np.mean([one is not None for one in written]), 4),
            "similarity_of_neighbors": round(float(np.mean(near)), 4),
            "similarity_of_ends": round(float(np.mean(ends)), 4),
        }
    return found


def slerp(a: NDArray, b: NDArray, share: NDArray) -> list[NDArray]:
    """The great circle, with the length going from one to the other; otherwise as `list_along`."""
    share = share[:, None]
    length = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
    one, other = a / np.linalg.norm(a), b / np.linalg.norm(b)
    angle = np.arccos(np.clip((one * other).sum(), -1, 1))
    circle = np.sin((1 - share) * angle) * one + np.sin(share * angle) * other
    return [length * circle / np.sin(angle)]


def improve_qed(bench: Bench) -> dict[str, object]:
    """QED of 0.9 or more, from seeds of 0.7 to 0.8, at similarity 0.4 or more."""
    goal = Goal("qed", "up", 0.4, target=0.9)
    return _improve(bench, measure_qed, (0.7, 0.8), goal, max(DECODED))


def improve_plogp(bench: Bench) -> dict[str, object]:
    """Gain in penalized logP at similarity 0.4 or more, from the lowest of the seeds."""
    return _improve(bench, measure_plogp, (-np.inf, -2.0), Goal("plogp", "up", 0.4), 1_000)


def _improve(
    bench: Bench,
    oracle: Callable[[Sequence[str]], NDArray[np.float64]],
    between: tuple[float, float],
    goal: Goal,
    decoded: int,
) -> dict[str, object]:
    pool = bench.test[: 20 * bench.n // 50 + 200]
    value = oracle(pool)
    seeds = [s for s, v in zip(pool, value, strict=True) if between[0] <= v <= between[1]]
    seeds = seeds[: max(bench.n // 50, 10)]
    search = Search(iterations=decoded // Search.particles)
    found = [optimize(bench.generator, one, goal, search) for one in seeds]
    best = np.array([one.value[0] if one.smiles else one.start for one in found])
    gain = best - np.array([one.start for one in found])
    codes = Search.particles * np.array([one.iterations for one in found])
    line = {
        "seeds": len(seeds),
        "best": round(float(best.mean()), 4),
        "gain": round(float(gain.mean()), 4),
        "calls": round(float(np.mean([one.calls for one in found])), 1),
        "decoded": round(float(codes.mean()), 1),
    }
    if goal.target is None:
        return line
    met = best >= goal.target
    within = {str(most): round(float(np.mean(met & (codes <= most))), 4) for most in DECODED}
    return line | {"success": round(float(met.mean()), 4), "success_within": within}


TASKS: dict[str, Callable[[Bench], dict[str, object]]] = {
    "unseeded": lambda bench: sample_unseeded(bench, 0.5),
    "unseeded_far": lambda bench: sample_unseeded(bench, 0.9),
    "prior": sample_prior,
    "around": sample_around,
    "paths": interpolate,
    "qed": improve_qed,
    "plogp": improve_plogp,
}


def main() -> None:
    """Measure what has no line yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoders", nargs="+", type=Path, default=[SHIPPED / "encoder"])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--n", type=int, default=10_000, help="samples; a fifieth of it as seeds")
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--wheel", type=Path, help="that of molsets 0.3.1; else pip fetches it")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/generation/lines.jsonl")
    )
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    text = args.out.read_text(encoding="utf-8") if args.out.is_file() else ""
    done = {
        (line["task"], line["encoder"], line["size"]) for line in map(json.loads, text.splitlines())
    }
    for encoder in args.encoders:
        bench = Bench(
            encoder, Corpus(args.corpus), args.n, find_wheel("molsets==0.3.1", args.wheel)
        )
        digest = bench.generator.predictor.embedder.digest
        for task in args.tasks:
            if (task, digest, args.n) in done:
                continue
            began = time.process_time()
            name = encoder.parent.name if encoder.parent != SHIPPED else "shipped"
            line = {"task": task, "name": name, "size": args.n} | TASKS[task](bench)
            line |= {"cpu_seconds": round(time.process_time() - began), "encoder": digest}
            args.out.parent.mkdir(parents=True, exist_ok=True)
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            log.info("%s", line)


if __name__ == "__main__":
    main()
