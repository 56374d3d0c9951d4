"""The bank as `make weights` builds it: random molecules of the corpus, but none of the index."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cmim_chem.generate.bank import load_bank
from cmim_chem.pretrain.corpus import Corpus
from data.build_weights import ship_bank
from tests.unit.generating import KNOWN, make_generator


def test_the_bank_holds_codes_of_the_corpus(corpus: Path, tmp_path: Path):
    predictor = make_generator(tmp_path / "index").predictor
    read = Corpus(corpus)
    ship_bank(predictor.embedder, predictor.index, read, tmp_path / "bank")
    bank = load_bank(tmp_path / "bank", predictor.embedder.digest)
    drawn = [read.tokenizer.decode(read[i].tolist()) for i in range(len(read))]
    expected = predictor.embedder.embed([one for one in drawn if one not in KNOWN]).z
    assert len(bank.codes) == len(expected) > 0
    assert np.allclose(np.sort(bank.codes[:, 0]), np.sort(expected[:, 0]), atol=0.02)
    assert -1.0 <= bank.domain <= 1.0
