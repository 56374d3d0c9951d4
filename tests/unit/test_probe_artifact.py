"""A probe on disk: the same numbers back, the same bytes again, and every kind of damage."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.probes.artifact import Probe, load_probe, save_probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, fit_probe
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.mean import MEAN, MeanHead

ENCODER = "a" * 64


def fit_one(head, kind="classification", features="h+ecfp"):
    rng = np.random.default_rng(0)
    n = 200
    blocks = {
        "h": rng.normal(size=(n, 6)).astype(np.float32),
        "ecfp": rng.poisson(0.5, size=(n, 20)).astype(np.float32),
    }
    y = np.column_stack([blocks["h"][:, 0] * 4 + 100, rng.normal(size=n)])
    if kind == "classification":
        y = (y > np.median(y, axis=0)).astype(float)
    rows = rng.permutation(n)
    split = (rows[:160], rows[160:180], rows[180:])
    data = TrainingData(blocks, y, ("first", "second"), kind, split)
    unit = "probability" if kind == "classification" else "mg/L"
    about = About("toy", "A toy table", ("One", "Two"), (unit, unit), ENCODER, "Nobody, 2020")
    heads = list(HEADS) if head == MEAN else [head]
    return fit_probe(data, about, [features], heads, seed=1), blocks


@pytest.fixture(scope="module")
def fitted():
    return fit_one("linear")


@pytest.fixture
def saved(fitted, tmp_path):
    save_probe(fitted[0], tmp_path / "toy")
    return tmp_path / "toy"


@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.parametrize("head", [*HEADS, MEAN])
def test_predictions_survive_the_round_trip_bit_for_bit(head, kind, tmp_path):
    probe, blocks = fit_one(head, kind)
    digest = save_probe(probe, tmp_path / "toy")
    again = load_probe(tmp_path / "toy", ENCODER)
    np.testing.assert_array_equal(probe.predict(blocks), again.predict(blocks))
    assert again.card == probe.card
    assert again.digest == digest
    assert again.blocks == ("h", "ecfp")


@pytest.mark.parametrize("head", [*HEADS, MEAN])
def test_a_row_does_not_depend_on_its_batch(head):
    probe, blocks = fit_one(head)
    together = probe.predict(blocks)
    alone = np.vstack(
        [probe.predict({name: b[row : row + 1] for name, b in blocks.items()}) for row in range(50)]
    )
    np.testing.assert_allclose(alone, together[:50], atol=1e-12, rtol=0)
    assert probe.predict({name: b[:0] for name, b in blocks.items()}).shape == (0, 2)


def test_a_mean_with_a_member_of_a_later_version_is_refused():
    with pytest.raises(ArtifactError, match=r"unknown heads \['forest'\]: update"):
        MeanHead.from_parts({"forest.nodes": np.zeros(3)}, ())


def test_probabilities_are_probabilities_and_regression_is_in_its_unit():
    probe, blocks = fit_one("linear")
    found = probe.predict(blocks)
    assert ((found > 0) & (found < 1)).all()
    probe, blocks = fit_one("linear", "regression")
    assert probe.predict(blocks)[:, 0].mean() == pytest.approx(100, abs=1)


@pytest.mark.parametrize("head", [*HEADS, MEAN])
def test_the_same_probe_is_the_same_bytes(head, tmp_path):
    digests = [save_probe(fit_one(head)[0], tmp_path / name) for name in ("one", "two")]
    assert digests[0] == digests[1]
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_card_tells_scores_labels_and_how_they_were_made(fitted, saved):
    card = json.loads((saved / "card.json").read_text())
    assert card["rows"] == 200
    assert card["split_rows"] == [160, 20, 20]
    assert set(card["scores"]) == {"ships", "ecfp", "constant"}
    assert set(card["scores"]["ships"]["tasks"]) == {"first", "second"}
    assert card["scores"]["constant"]["value"] == 0.5
    assert card["labels"][0] == {"n": 200, "n_class_0": 100, "n_class_1": 100}
    page = (saved / "card.md").read_text()
    assert "on the training rows only" in page
    assert "Nobody, 2020" in page
    assert ENCODER in page


def test_another_encoder_is_refused_naming_both_digests(saved):
    with pytest.raises(ArtifactError, match=f"{ENCODER}.*{'b' * 64}.*fit it again"):
        load_probe(saved, "b" * 64)


@pytest.mark.parametrize("name", ["card.json", "card.md", "arrays.safetensors"])
def test_one_changed_bit_or_a_missing_file_is_noticed(saved, name):
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name} was changed"):
        load_probe(saved, ENCODER)
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        load_probe(saved, ENCODER)


def rewrite(folder, name, change):
    """Change a JSON file and make the checksums right again, as a careless editor would."""
    from cmim_chem.probes.folder import hash_file

    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    manifest = json.loads((folder / "manifest.json").read_text())
    if name in manifest.get("files", {}):
        manifest["files"][name] = hash_file(folder / name)
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("manifest.json", lambda c: c.update(format=99), "format 99, this version reads 1"),
        ("manifest.json", lambda c: c.pop("files"), "does not list card.json"),
        ("manifest.json", lambda c: c["files"].update({"../x": "0"}), "missing"),
        ("card.json", lambda c: c.update(head="forest"), "unknown head 'forest'"),
        ("card.json", lambda c: c.update(features="h+z"), "lacks the array"),
        ("card.json", lambda c: c.update(color="red"), "unknown fields"),
        ("card.json", lambda c: c.pop("units"), "incomplete"),
    ],
)
def test_folders_from_elsewhere_are_refused_in_one_sentence(saved, name, change, message):
    rewrite(saved, name, change)
    with pytest.raises(ArtifactError, match=message) as caught:
        load_probe(saved, ENCODER)
    assert "\n" not in str(caught.value)


def test_what_is_no_probe_is_neither_read_nor_overwritten(fitted, tmp_path):
    with pytest.raises(ArtifactError, match=r"is not a probe folder: it has no manifest.json"):
        load_probe(tmp_path, ENCODER)
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ArtifactError, match="choose a new or empty folder"):
        save_probe(fitted[0], tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
    (tmp_path / "manifest.json").write_text("not json")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_probe(tmp_path, ENCODER)


def test_saving_again_replaces_and_leaves_no_scratch(fitted, saved):
    (saved / "task_99.txt.gz").write_bytes(b"left over")
    digest = save_probe(fitted[0], saved)
    assert not (saved / "task_99.txt.gz").exists()
    assert [path.name for path in saved.parent.iterdir()] == ["toy"]
    assert load_probe(saved, ENCODER).digest == digest


def test_a_failed_write_keeps_the_old_probe(fitted, saved, monkeypatch):
    before = load_probe(saved, ENCODER).digest

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cmim_chem.probes.artifact.safetensors.save_file", fail)
    with pytest.raises(ArtifactError, match="No space left on device"):
        save_probe(fitted[0], saved)
    assert load_probe(saved, ENCODER).digest == before
    assert [path.name for path in saved.parent.iterdir()] == ["toy"]


def test_rows_without_numbers_are_refused(fitted):
    probe: Probe = fitted[0]
    blocks = {name: block.copy() for name, block in fitted[1].items()}
    blocks["h"][3] = np.nan
    with pytest.raises(InputError, match="row 3"):
        probe.predict(blocks)
    with pytest.raises(InputError, match="differ in rows"):
        probe.predict({"h": fitted[1]["h"][:5], "ecfp": fitted[1]["ecfp"]})
    with pytest.raises(InputError, match="features ecfp are needed"):
        probe.predict({"h": fitted[1]["h"]})


def test_titles_and_units_must_match_the_tasks():
    data = TrainingData(
        {"h": np.zeros((3, 2), dtype=np.float32)},
        np.zeros((3, 1)),
        ("a",),
        "regression",
        (np.array([0]), np.array([1]), np.array([2])),
    )
    with pytest.raises(InputError, match="need as many titles"):
        fit_probe(data, About("toy", "Toy", (), ("u",), ENCODER))
