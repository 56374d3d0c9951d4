"""What the unit tests share."""

from __future__ import annotations

import pytest
import torch

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.embed import Embedder
from cmim_chem.model.checkpoint import save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Return an embedder with a tiny encoder that was never trained."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    tokenizer = Tokenizer()
    save_checkpoint(folder, CMIM(preset("tiny", len(tokenizer))), tokenizer, {})
    return Embedder.load(folder)
