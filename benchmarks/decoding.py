"""What the decoders of the claims' encoders write: from mu, and from z with noise added.

    python -m benchmarks.decoding runs/claims/*-s? --corpus data/processed --out FILE.jsonl

One JSON line per run on held-out MOSES molecules: token accuracy (teacher-forced) and exact greedy
reconstruction from mu, then, per radius r, the share of valid SMILES among the molecules decoded
from mu + r s e, with e standard normal and s the spread of mu over the molecules (the root mean
square over dimensions), so that r means the same for codes of any scale. A run that already has a
line is left out.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import torch
from rdkit import Chem, rdBase

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.model.checkpoint import digest_checkpoint, load_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.pretrain.batches import collate, pad_length
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.evaluate import reconstruction

log = logging.getLogger("decoding")

RADII = (0.0, 0.25, 0.5, 1.0)
BATCH = 125


@torch.no_grad()
def measure_validity(
    model: CMIM, tokenizer: Tokenizer, smiles: list[str], seed: int = 0
) -> dict[str, float]:
    """Share of valid SMILES decoded from mu with noise, by radius.

    Parameters
    ----------
    model : CMIM
        The network.
    tokenizer : Tokenizer
        Its vocabulary.
    smiles : list of str
        n standardized SMILES.
    seed : int
        Fixes the noise, which is the same for every radius.

    Returns
    -------
    dict of str to float
        Radius to share.
    """
    ordered = sorted(smiles, key=len)
    parts = [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]
    encoded = [_encode(tokenizer, part) for part in parts]
    mu = torch.cat([model.encode(x).mu for x in encoded])
    spread = mu.std(dim=0).square().mean().sqrt()
    noise = torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed))
    longest = 2 * max(x.shape[1] for x in encoded)
    shares = {}
    for radius in RADII:
        z = mu + radius * spread * noise
        written = [ids for start in range(0, len(z), BATCH)
                   for ids in model.greedy(z[start : start + BATCH], longest).tolist()]  # fmt: skip
        shares[f"{radius:g}"] = sum(_is_valid(tokenizer.decode(ids)) for ids in written) / len(z)
    return shares


def _encode(tokenizer: Tokenizer, smiles: list[str]) -> torch.Tensor:
    sequences = [tokenizer.encode(s) for s in smiles]
    return torch.from_numpy(collate(sequences, pad_length(max(map(len, sequences)))))


def _is_valid(smiles: str) -> bool:
    with rdBase.BlockLogs():
        return bool(smiles) and Chem.MolFromSmiles(smiles) is not None


def main() -> None:
    """Measure what has no line yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="run folders; infonce writes nothing")
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=500, help="molecules")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    smiles = Corpus(args.corpus).held_out("moses_test")[: args.n]
    text = args.out.read_text(encoding="utf-8") if args.out.is_file() else ""
    finished = {json.loads(line)["model_digest"] for line in text.splitlines()}
    for run in args.runs:
        if run.name.startswith("infonce") or not (run / "done").is_file():
            continue
        digest = digest_checkpoint(run / "encoder")
        if digest in finished:
            continue
        model, tokenizer = load_checkpoint(run / "encoder")
        accuracy, exact = reconstruction(model.eval(), tokenizer, smiles)
        line = {
            "run": run.name,
            "n": len(smiles),
            "token_accuracy": round(accuracy, 5),
            "exact": exact,
            "validity": measure_validity(model, tokenizer, smiles),
            "model_digest": digest,
        }
        with args.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        log.info("%s", line)


if __name__ == "__main__":
    main()
