"""The page Train with a fake encoder: from a table to a probe in use."""

from __future__ import annotations

import io
import zipfile

import pytest

from app import resources, training
from cmim_chem.probes import select
from tests.ui.visitor import choose, go_to, headings, open_page, press, results, texts, upload

RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "C1CCOC1", "c1cnoc1")
MOLECULES = ["C" * n + ring for n in range(1, 9) for ring in RINGS][:60]


def make_table(labels: list[str], name: str = "pIC50") -> bytes:
    rows = [f"{smiles},{label}" for smiles, label in zip(MOLECULES, labels, strict=False)]
    return "\n".join([f"smiles,{name}", *rows]).encode()


NUMBERS = [str(3 + at % 7) for at in range(60)]
CLASSES = ["yes" if at % 3 else "no" for at in range(60)]


@pytest.fixture
def train(predictor, monkeypatch):
    """The page, with few models to try."""
    linear = {"linear": select.HEADS["linear"]}
    monkeypatch.setattr("cmim_chem.assay_request.HEADS", linear)
    monkeypatch.setattr("cmim_chem.assay_request.FEATURE_SETS", ("h", "descriptors+ecfp"))
    return open_page("train")


def test_an_empty_page_shows_what_a_table_should_look_like(train):
    assert not train.exception
    assert train.title[0].value == "Train your own"
    assert list(train.dataframe[0].value) == ["smiles", "compound", "pIC50", "active"]
    assert "3,000 molecules" in texts(train)
    assert "cmim fit FILE --target COLUMN -o my_probe" in texts(train)


def test_a_table_is_looked_at_before_anything_is_fitted(train):
    upload(train, make_table(["", "1.5", *NUMBERS[2:]]))
    shown = texts(train)
    assert "**59** different molecules with a label (59 of 60 rows), from 1.5 to 9." in shown
    assert any("59 different molecules" in one.value for one in train.warning)
    assert [one.value for one in train.text_input][:1] == ["pIC50"]
    assert not train.metric


def test_numbers_are_learned_scored_and_used(train, predictor):
    upload(train, make_table(NUMBERS))
    train.text_input[1].set_value("-log10 mol/L").run()
    press(train, "Fit")
    assert headings(train)[-1] == "pIC50: regression"
    labels = [one.label for one in train.metric]
    assert labels == ["RMSE on held-out scaffolds", "95 % interval of that score",
                      "Molecules held out"]  # fmt: skip
    assert train.metric[0].value.endswith(" -log10 mol/L")
    models = next(f.value for f in train.dataframe if "Model" in f.value)
    assert models["Model"].tolist()[0] == "this probe"
    assert "constant predictor" in models["Model"].tolist()
    press(train, "Use it to predict")
    go_to(train, "predict")
    upload(train, b"smiles,pIC50\nCCO,1\nCCCCN,2\n")
    assert results(train)["pIC50"].notna().all()
    table = train.session_state["cmim_session"].molecules.results.table
    assert table["pIC50_input"].tolist() == ["1", "2"], "the measured column is kept"
    assert len(predictor.properties) == 9, "the shared predictor stays as it is"
    go_to(train, "train")
    assert "In use on the page Predict: **pIC50**" in texts(train)
    press(train, "Stop using")
    assert "In use" not in texts(train)
    go_to(train, "predict")
    assert "pIC50_input" not in results(train)
    assert results(train)["pIC50"].tolist() == [1, 2], "as it was given"


def test_molecules_of_ones_own_table_are_shown_beside_a_prediction(train, monkeypatch):
    monkeypatch.setattr("cmim_chem.assay_request.FEATURE_SETS", ("ecfp",))
    upload(train, make_table(NUMBERS))
    press(train, "Fit")
    press(train, "Use it to predict")
    go_to(train, "predict")
    upload(train, f"smiles\n{MOLECULES[0]}\n".encode())
    table = results(train)
    assert table["pIC50 sure"][0], "only one's own probe says how sure it is"
    assert "esol sure" not in table
    choose(train, "Explain a property", "pIC50")
    shown = texts(train).replace("\\", "")
    assert "**Nearest measured molecules** · your own table" in shown
    assert "**measured 3.00 as in the table**" in shown
    assert "Tanimoto 1.00  \nthis molecule" in shown
    go_to(train, "train")
    press(train, "Stop using")
    assert not train.session_state["cmim_session"].measured


def test_classes_are_guessed_and_get_a_curve(train):
    upload(train, make_table(CLASSES, "active"))
    assert train.segmented_control[0].value == "classification"
    assert "20 of class 0" in texts(train)
    press(train, "Fit")
    assert headings(train)[-1] == "active: classification"
    assert train.metric[0].label.startswith("ROC-AUC on held-out")


def test_the_probe_goes_home_as_a_folder(train):
    upload(train, make_table(NUMBERS))
    press(train, "Fit")
    packed = train.session_state["cmim_session"].assay.packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert "pIC50/manifest.json" in archive.namelist()
    assert "cmim score molecules.csv --probe pIC50" in train.code[-1].value


def test_what_was_learned_is_kept_while_moving_between_pages(train):
    upload(train, make_table(NUMBERS))
    press(train, "Fit")
    go_to(train, "model")
    go_to(train, "train")
    assert headings(train)[-1] == "pIC50: regression"
    upload(train, make_table(CLASSES, "active"), "other.csv")
    assert not train.metric


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["1"] * 60, "nothing to learn"),
        (["abc"] * 60, "is not a number"),
        (["yes"] * 60, "examples of both classes"),
        (["1", "2", "3"] + [""] * 57, "only 3 of 60 rows have a label"),
        (["<5", *NUMBERS[1:]], "a limit is not a number"),
    ],
)
def test_what_cannot_be_learned_is_a_sentence_and_the_page_stays(train, labels, words):
    upload(train, make_table(labels))
    assert words in train.error[0].value.replace("\\", "")
    assert "Traceback" not in texts(train)
    upload(train, make_table(NUMBERS), "better.csv")
    assert not train.error


def test_a_table_of_smiles_alone_is_answered(train):
    upload(train, ("smiles\n" + "\n".join(MOLECULES)).encode())
    assert "no column besides the SMILES" in train.error[0].value


def test_a_table_that_is_too_large_is_pointed_to_cmim_fit(train):
    upload(train, b"smiles,y\n" + b"CCO,1\n" * 3_001)
    assert "3,000 rows" in train.error[0].value.replace("\\", "")
    assert train.code[0].value == "cmim fit molecules.csv --target COLUMN -o my_probe"


def test_a_name_that_is_taken_is_answered(train):
    upload(train, make_table(NUMBERS, "esol"))
    press(train, "Fit")
    assert "exists already" in train.error[0].value


def test_one_visitor_fits_at_a_time(train, monkeypatch):
    slot = resources.training_slot()
    monkeypatch.setattr(training.st, "empty", lambda: Note(slot))
    slot.acquire()
    upload(train, make_table(NUMBERS))
    press(train, "Fit")
    assert Note.seen == ["Somebody else's model is being fitted; yours is next."]
    assert train.metric
    assert not slot.locked()


class Note:
    """Stands in the place of a note: whoever reads it gives up the turn."""

    seen: list[str] = []  # noqa: RUF012

    def __init__(self, slot) -> None:
        self.slot = slot

    def caption(self, words: str) -> None:
        self.seen.append(words)
        self.slot.release()

    def empty(self) -> None:
        pass
