"""A generator around an untrained network: what it writes is nonsense, but always the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.embed import Embedder
from cmim_chem.generate.bank import make_bank
from cmim_chem.generate.generator import Generator
from cmim_chem.index import build_index
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.predictor import Predictor

KNOWN = ["CCO", "CCN", "CCCC", "c1ccccc1O", "CC(=O)O", "CCOC", "CCCN", "CC(C)O"]


class Speller(Embedder):
    """Decodes by rule: the first number of a code picks a text, so that a test knows the answer."""

    TEXTS = ("CCO", "CCN", "OCC", "C(", "CCOC", "", "CCCN", "[Na+].CCCC(=O)[O-]", "c1ccccc1O")

    def decode(self, z, how=None, seed=0):
        del how, seed
        return tuple(self.TEXTS[int(abs(row[0]) * 10) % len(self.TEXTS)] for row in z)

    def list_candidates(self, z, beams, max_tokens=128):
        return tuple(("C(", "OCCC", "CCO")[:beams] for _ in z)


def make_generator(folder, kind=Embedder) -> Generator:
    torch.manual_seed(0)
    tokenizer = Tokenizer()
    network = CMIM(preset("tiny", len(tokenizer), ["max_tokens=60"])).requires_grad_(False)
    embedder = kind(network, tokenizer, "0" * 64)
    table = pd.DataFrame({"name": ["ethanol", *[""] * 7], "smiles": KNOWN, "source": "ZINC"})
    table = table.assign(chembl_id="", year=pd.array([pd.NA] * 8, dtype="Int64"))
    embedded = embedder.embed(KNOWN)
    index = build_index(embedded.h, table, embedder.digest, folder, {"ZINC": "free"})
    codes = np.random.default_rng(0).normal(0, 0.3, (24, embedder.d_z)).astype(np.float32)
    bank = make_bank(codes, -1.0, embedder.digest)
    return Generator(Predictor(embedder, [], index), bank)
