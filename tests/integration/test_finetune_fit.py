"""`cmim fit --finetune`: kept only if it validates better; then a probe has its own encoder."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmim_chem import assay_finetune
from cmim_chem.assay import FitRequest, FittedAssay, fit_assay
from cmim_chem.attribution import attribute_atoms
from cmim_chem.chem.read import read_table
from cmim_chem.embed import Embedder, Embeddings
from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.features import add_features
from cmim_chem.finetune.schedule import Schedule
from cmim_chem.finetune.training import Finetuned, finetune
from cmim_chem.landscape import add_probe
from cmim_chem.model.checkpoint import FILES
from cmim_chem.predictor import Predictor
from cmim_chem.probes.archive import pack_probe
from cmim_chem.probes.artifact import load_probe, save_probe
from cmim_chem.probes.folder import hash_file
from cmim_chem.score.worker import ModelPath, read_digests
from tests.integration.test_fit import run, weights  # noqa: F401 - a fixture

# Two ends that count only together: a sum over tokens does not have that, attention does.
MOLECULES = [
    (first + "C" * (n + 1) + "S" + "C" * (m + 1) + last, float((first == "N") != (last == "O")))
    for first in ("N", "Cl")
    for last in ("O", "F")
    for n in range(6)
    for m in range(6)
]
SOME = [one for one, _ in MOLECULES[::7]]
REQUEST = FitRequest("y", name="ends", features="h", head="linear", split="random", finetune=True)
PATIENT = Schedule(rate=3e-4, patience=15)


@pytest.fixture(scope="module")
def predictor(weights) -> Predictor:  # noqa: F811
    return Predictor.load(weights)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    noise = np.random.default_rng(0).normal(size=len(MOLECULES)) * 0.05
    rows = [(one, y + e, len(one)) for (one, y), e in zip(MOLECULES, noise, strict=True)]
    pd.DataFrame(rows, columns=["smiles", "y", "size"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def fitted(predictor, table) -> FittedAssay:
    """A probe whose fine-tuned encoder was kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assay_finetune, "finetune", partial(finetune, schedule=PATIENT))
        return fit_assay(predictor, read_table(table), REQUEST)


@pytest.fixture
def folder(fitted, tmp_path: Path) -> Path:
    save_probe(fitted.probe, tmp_path / "ends")
    return tmp_path / "ends"


def test_it_helps_where_only_tokens_tell(fitted, predictor):
    facts, card = fitted.probe.card.finetuning, fitted.probe.card
    assert facts["kept"]
    assert facts["finetuned"] < 0.8 * facts["frozen"]
    assert card.validation["h / linear"] == pytest.approx(facts["finetuned"])
    assert card.encoder_digest != predictor.digests["encoder"]
    assert "was kept: this probe brings its own encoder" in card.to_markdown()
    assert f"Brings its own encoder {card.encoder_digest}" in card.to_markdown()
    # Only the validation molecules tell how far off it is: the encoder knows the others.
    assert card.sureness["calibration_rows"] == card.split_rows[1]


class Noise:
    """An encoder whose z and h have nothing to do with the molecules."""

    digest = "n" * 64
    size = 1.0

    def embed(self, smiles, *, with_h=True):
        noise = np.random.default_rng(0).normal(size=(len(smiles), 8)).astype(np.float32)
        return Embeddings(noise * self.size, noise * self.size, ("",) * len(smiles))


class Collapsed(Noise):
    size = 0.0


@pytest.mark.parametrize("encoder", [Noise, Collapsed])
def test_what_validates_worse_is_not_kept(predictor, table, tmp_path, monkeypatch, encoder):
    spoiled = Finetuned(encoder(), {"model.safetensors": b""}, (1.0, 2.0), 1, 0.5)
    monkeypatch.setattr(assay_finetune, "finetune", lambda *_: spoiled)
    told = []
    found = fit_assay(predictor, read_table(table), REQUEST, lambda *one: told.append(one))
    plain = fit_assay(
        predictor, read_table(table), FitRequest("y", "ends", features="h", head="linear",
                                                 split="random"),
    )  # fmt: skip
    card = found.probe.card
    assert card.finetuning["kept"] is False
    if encoder is Noise:
        assert card.finetuning["finetuned"] > card.finetuning["frozen"]
        assert told[-1][0] == told[-1][1] == len(told)
    else:
        assert card.finetuning["finetuned"] is None
    assert "was not kept: it did not validate better" in card.to_markdown()
    assert (found.probe.encoder_files, found.data) == ({}, found.frozen)
    assert card.encoder_digest == predictor.digests["encoder"]
    assert card.scores == plain.probe.card.scores
    assert plain.probe.card.finetuning == {}
    digests = [save_probe(one.probe, tmp_path / "p") for one in (found, plain)]
    assert digests[0] != digests[1]  # the card of the first tells what was tried
    assert json.loads((tmp_path / "p" / "manifest.json").read_text())["format"] == 1


def test_probes_with_and_without_their_own_encoder_are_scored_together(
    weights, predictor, fitted, folder, table, tmp_path  # noqa: F811
):  # fmt: skip
    plain = fit_assay(predictor, read_table(table), FitRequest("size", features="z+h"))
    save_probe(plain.probe, tmp_path / "size")
    both = Predictor.load(weights, [folder, tmp_path / "size"])
    rows = ["broken(", *SOME, SOME[0], None]
    found = both.score(rows)
    assert [one.name for one in found.properties] == ["ends", "size"]
    assert [bool(one.problem) for one in found.standardized] == [True, *[False] * len(SOME), 0, 1]
    for column, probe in enumerate((folder, tmp_path / "size")):
        alone = Predictor.load(weights, [probe]).score(rows)
        np.testing.assert_array_equal(found.values[:, column], alone.values[:, 0])
        np.testing.assert_array_equal(found.certainty.lower[:, column], alone.certainty.lower[:, 0])
        np.testing.assert_array_equal(
            found.certainty.distance[:, column], alone.certainty.distance[:, 0]
        )
    # What was fitted before it was written says the same, in the app as on the command line.
    larger = add_probe(predictor, fitted.probe)
    np.testing.assert_array_equal(larger.score(rows).values[:, 0], found.values[:, 0])
    # Embeddings and what else asks for z or h keep to the encoder that ships.
    np.testing.assert_array_equal(both.embed(SOME)[1].h, predictor.embed(SOME)[1].h)
    assert both.digests["encoder"] == predictor.digests["encoder"]


def test_domain_and_atoms_are_those_of_its_own_encoder(weights, folder):  # noqa: F811
    own = Predictor.load(weights, [folder])
    found = own.score(SOME)
    probe = own.probes[0]
    smiles = [one.smiles for one in found.standardized]
    features = {"h": own.encoders.find(probe).embed(smiles).h}
    add_features(features, ("ecfp",), smiles)
    near = probe.sureness.domain.measure(features)
    np.testing.assert_allclose(found.certainty.distance[:, 0], near.distance, atol=1e-6)
    (why,) = attribute_atoms(own, SOME[0])
    assert why.value == pytest.approx(found.values[0, 0], abs=1e-3)


def test_workers_and_archives_have_the_encoder_too(weights, folder, fitted, tmp_path):  # noqa: F811
    own = Predictor.load(weights, [folder])
    path = ModelPath(str(weights), (str(folder),), read_digests(own.digests))
    np.testing.assert_array_equal(path.load().score(SOME).values, own.score(SOME).values)
    with zipfile.ZipFile(io.BytesIO(pack_probe(fitted.probe))) as archive:
        archive.extractall(tmp_path / "zip")
    again = Predictor.load(weights, [tmp_path / "zip" / "ends"])
    assert again.digests == own.digests
    # Its z and h are there for scripts: the folder is one of a checkpoint.
    assert Embedder.load(folder / "encoder").digest == fitted.probe.card.encoder_digest


@pytest.mark.parametrize("name", FILES)
def test_an_encoder_that_was_changed_or_is_missing_is_refused(weights, folder, name):  # noqa: F811
    path = folder / "encoder" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"encoder/{name} was changed"):
        Predictor.load(weights, [folder])
    path.unlink()
    with pytest.raises(ArtifactError, match=f"the file encoder/{name} is missing"):
        Predictor.load(weights, [folder])


def edit_manifest(folder: Path, change) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest["files"])
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_encoder_that_is_not_the_probes_is_refused(weights, folder, predictor):  # noqa: F811
    edit_manifest(folder, lambda files: files.pop("encoder/vocab.json"))
    with pytest.raises(ArtifactError, match=r"own encoder encoder/vocab\.json is missing"):
        Predictor.load(weights, [folder])
    for name in FILES:
        content = (weights / "encoder" / name).read_bytes()
        (folder / "encoder" / name).write_bytes(content)
    hashes = {f"encoder/{name}": hash_file(folder / "encoder" / name) for name in FILES}
    edit_manifest(folder, lambda files: files.update(hashes))
    with pytest.raises(ArtifactError, match=r"was fitted on the encoder .* but brings along"):
        Predictor.load(weights, [folder])
    (folder / "encoder" / "config.json").write_text("{}")
    hashes["encoder/config.json"] = hash_file(folder / "encoder" / "config.json")
    edit_manifest(folder, lambda files: files.update(hashes))
    with pytest.raises(ArtifactError, match="the probe ends brings along cannot be read"):
        Predictor.load(weights, [folder])
    edit_manifest(folder, lambda files: [files.pop(name) for name in hashes])
    with pytest.raises(ArtifactError, match="fit it again on this encoder, or load that one"):
        load_probe(folder, predictor.digests["encoder"])


def test_the_command_says_what_came_of_it(weights, table, tmp_path):  # noqa: F811
    options = ["--model", weights, "--features", "h", "--head", "linear", "--name", "ends"]
    probe = tmp_path / "ends"
    result = run("fit", table, "--target", "y", "--finetune", "-o", probe, *options)
    assert result.exit_code == 0, result.output
    assert "Fine-tuning of the encoder was" in result.stdout
    assert "It took" in result.stdout
    assert "cmim: fine-tuning: epoch 1 of at most" in result.stderr
    page = (probe / "report" / "report.md").read_text()
    assert "Fine-tuning took" in page
    kept = json.loads((probe / "card.json").read_text())["finetuning"]["kept"]
    assert (probe / "encoder").is_dir() == kept
    assert ("without fine-tuning" in page) == kept
    scored = run("score", table, "--probe", probe, "--model", weights, "--properties", "ends")
    assert scored.exit_code == 0, scored.output
    with pytest.raises(InputError, match="--finetune changes z and h"):
        FitRequest("y", features="descriptors+ecfp", finetune=True)
