"""Embeddings: a row's numbers are its own, to the last bit; failures are NaN with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from cmim_chem.chem.descriptors import DESCRIPTOR_NAMES, descriptors, ecfp_counts, tanimoto
from cmim_chem.chem.tokenizer import PAD, Tokenizer
from cmim_chem.embed import Embedder
from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.features import add_features
from cmim_chem.model.checkpoint import save_checkpoint
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import preset
from cmim_chem.model.decoding import Decoding
from cmim_chem.model.inference import FrozenCMIM

SMILES = ["CCO", "c1ccccc1", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "C" * 60, "Cn1cnc2c1c(=O)n(C)c(=O)n2C"]


def test_shapes_types_and_failures(embedder: Embedder) -> None:
    found = embedder.embed([*SMILES, None, "C" * 251, "C?"])
    assert found.z.shape == (8, embedder.d_z)
    assert found.h.shape == (8, embedder.d_h)
    assert found.z.dtype == found.h.dtype == np.float32
    assert np.isfinite(found.h[:5]).all()
    assert np.isnan(found.h[5:]).all()
    assert np.isnan(found.z[5:]).all()
    assert found.problems[:6] == ("",) * 6
    assert found.problems[6] == "251 tokens, the model reads 250"
    assert "position 2" in found.problems[7]


def test_z_alone_is_the_same_z(embedder: Embedder) -> None:
    both, alone = (embedder.embed([*SMILES, None], with_h=one) for one in (True, False))
    assert np.array_equal(both.z, alone.z, equal_nan=True)
    assert np.isfinite(alone.z[:5]).all()
    assert np.isnan(alone.h).all()
    assert alone.h.shape == both.h.shape


def test_the_longest_molecule_is_read(embedder: Embedder) -> None:
    assert np.isfinite(embedder.embed(["C" * 250]).h).all()


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [2], indirect=True)
@pytest.mark.usefixtures("threads")
def test_with_several_threads_rows_agree_closely(embedder: Embedder) -> None:
    together = embedder.embed(SMILES * 40)
    order = np.random.default_rng(0).permutation(len(SMILES) * 40)
    shuffled = embedder.embed([(SMILES * 40)[i] for i in order])
    assert np.allclose(together.h[order], shuffled.h, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("threads", [1], indirect=True)
def test_a_row_does_not_depend_on_the_others_to_the_last_bit(embedder: Embedder) -> None:
    together = embedder.embed(SMILES * 40)
    order = np.random.default_rng(0).permutation(len(SMILES) * 40)
    shuffled = embedder.embed([(SMILES * 40)[i] for i in order])
    assert np.array_equal(together.h[order], shuffled.h)
    for row, smiles in enumerate(SMILES):
        alone = embedder.embed([smiles])
        assert np.array_equal(alone.h[0], together.h[row])
        assert np.array_equal(alone.z[0], together.z[row])


@pytest.mark.parametrize("gelu", ["none", "tanh"])
@pytest.mark.parametrize("readout", [0, 96])
def test_the_frozen_network_is_the_network(gelu: str, readout: int) -> None:
    torch.manual_seed(3)
    tokenizer = Tokenizer()
    model = CMIM(preset("tiny", len(tokenizer), [f"gelu={gelu}", f"readout={readout}"])).eval()
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)):
        torch.nn.init.uniform_(norm.weight, 0.5, 2.0)
    x = torch.randint(3, len(tokenizer), (3, 200))
    x[1, 70:], x[2, 1:] = PAD, PAD
    with torch.inference_mode():
        expected = model.embed(x)
    for one, other in zip(FrozenCMIM(model).embed(x), expected, strict=True):
        assert float(other.abs().max()) > 0.1
        torch.testing.assert_close(one, other, rtol=0, atol=2e-5)


def test_what_cannot_be_read_is_known_without_embedding(embedder: Embedder) -> None:
    molecules = [*SMILES, "C" * 251, "C?"]
    assert embedder.check(molecules) == embedder.embed(molecules).problems


def test_no_rows_are_no_trouble(embedder: Embedder) -> None:
    assert embedder.embed([]).h.shape == (0, embedder.d_h)


def test_the_digest_is_of_the_files(embedder: Embedder, tmp_path: Path) -> None:
    tokenizer = Tokenizer()
    torch.manual_seed(1)
    save_checkpoint(tmp_path, CMIM(preset("tiny", len(tokenizer))), tokenizer, {})
    other = Embedder.load(tmp_path)
    assert len(other.digest) == 64
    assert other.digest != embedder.digest


def test_files_of_two_checkpoints_are_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer()
    save_checkpoint(tmp_path, CMIM(preset("tiny", len(tokenizer))), tokenizer, {})
    Tokenizer(["[nH]"]).save(tmp_path / "vocab.json")
    with pytest.raises(ArtifactError, match="different checkpoints"):
        Embedder.load(tmp_path)


def test_descriptors_are_rdkits_own() -> None:
    table = descriptors(["CCO", "c1ccccc1"])
    assert table.shape == (2, len(DESCRIPTOR_NAMES))
    weight = table[:, DESCRIPTOR_NAMES.index("exactmw")]
    assert weight == pytest.approx([46.0419, 78.0470], abs=1e-3)
    assert len(set(DESCRIPTOR_NAMES)) == len(DESCRIPTOR_NAMES)


def test_ecfp_counts_count() -> None:
    one, two = ecfp_counts(["CCO", "OCCCCO"])
    assert one.shape == (2048,)
    assert two.max() > one.max() >= 1
    with pytest.raises(InputError, match="standardize"):
        ecfp_counts(["C1CC"])


def test_tanimoto_of_a_molecule_with_itself_is_one() -> None:
    found = tanimoto("CCO", ["CCO", "c1ccccc1"])
    assert found[0] == 1.0
    assert found[1] < 0.2


def test_features_are_added_once_and_unknown_ones_are_named(embedder: Embedder) -> None:
    found = embedder.embed(SMILES)
    features = {"z": found.z, "h": found.h}
    add_features(features, ("h", "descriptors"), SMILES)
    assert set(features) == {"z", "h", "descriptors"}
    with pytest.raises(ArtifactError, match="'x'"):
        add_features(features, ("x",), SMILES)


def test_codes_are_written_row_by_row(embedder: Embedder) -> None:
    z = embedder.embed(SMILES).z
    together = embedder.decode(z, Decoding(max_tokens=20))
    assert len(together) == len(SMILES)
    assert embedder.decode(z[2:3], Decoding(max_tokens=20)) == together[2:3]
    assert embedder.decode(z[:0]) == ()


def test_codes_of_another_model_are_refused(embedder: Embedder) -> None:
    with pytest.raises(InputError, match="codes of shape"):
        embedder.decode(np.zeros((2, 3)))
    with pytest.raises(InputError, match="finite"):
        embedder.decode(np.full((1, embedder.d_z), np.nan))
