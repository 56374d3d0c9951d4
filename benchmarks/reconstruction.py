"""Does the decoder write down what the encoder has read? One JSON line per hold-out.

    python -m benchmarks.reconstruction --n 1000

Token accuracy is under teacher forcing, ``exact`` is greedy decoding, both from mu, and
``exact_respelled`` is that again from mu of a random spelling; the molecules were kept out of
pretraining by ``data.prepare_zinc``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rdkit import Chem

from cmim_chem.chem.tokenizer import Tokenizer, split_tokens
from cmim_chem.model.checkpoint import load_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.predictor import SHIPPED
from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.evaluate import reconstruction

HOLD_OUTS = (
    "moses_test",
    "moses_scaffold_test",
    "zinc_druglike",
    "zinc_natural_products",
    "pubchem_substances",
)


def spell_at_random(smiles: str, seed: int, max_tokens: int) -> str:
    """Spell a molecule in a random way that the model can read."""
    [other] = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 1, randomSeed=seed)
    return str(other) if len(split_tokens(other)) <= max_tokens else smiles


def measure(
    model: CMIM, tokenizer: Tokenizer, corpus: Corpus, n: int
) -> Iterator[dict[str, object]]:
    """Score the same n random molecules of every hold-out."""
    for name in HOLD_OUTS:
        smiles = corpus.held_out(name)
        chosen = np.random.default_rng(0).permutation(len(smiles))[:n]
        part = [smiles[i] for i in chosen]
        accuracy, exact = reconstruction(model, tokenizer, part)
        other = [
            spell_at_random(s, int(i) + 1, model.config.max_tokens)
            for s, i in zip(part, chosen, strict=True)
        ]
        _, respelled = reconstruction(model, tokenizer, part, spellings=other)
        yield {
            "set": name,
            "n": len(chosen),
            "token_accuracy": round(accuracy, 4),
            "exact": round(exact, 4),
            "exact_respelled": round(respelled, 4),
        }


def main() -> None:
    """Read the arguments and print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1000, help="molecules per hold-out")
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED / "encoder")
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.checkpoint)
    for line in measure(model, tokenizer, Corpus(args.corpus), args.n):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
