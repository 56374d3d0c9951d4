"""Everything known of one molecule, and the page that is written of it, around a fake encoder."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from cmim_chem.closeup import Closeup, describe_molecule
from cmim_chem.errors import InputError
from cmim_chem.insight import Insight, describe_atoms, explain_property
from cmim_chem.landscape import add_probe, list_distributions, list_landmarks, locate
from cmim_chem.molecule_page import write_page
from cmim_chem.report import prediction_columns
from tests.ui.fake_predictor import PROPERTIES, FakePredictor, FakeProbe

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
HOSTILE = "<script>alert(1)</script>\"' onload=x"


@pytest.fixture(scope="module")
def predictor() -> FakePredictor:
    return FakePredictor()


def look(predictor: FakePredictor, name: str = "aspirin", **more: object) -> Closeup:
    row = prediction_columns(predictor.score([ASPIRIN])).iloc[0].to_dict()
    return describe_molecule(predictor, name, row | more, neighbors=3)


def test_readings_are_the_scored_numbers_with_their_percentiles(predictor):
    closeup = look(predictor)
    values = predictor.score([ASPIRIN]).values[0]
    assert [one.value for one in closeup.readings] == [float(f"{one:.6g}") for one in values]
    assert [one.property for one in closeup.readings] == list(PROPERTIES)
    known = list_distributions(predictor)
    for one in closeup.readings:
        assert one.percentile == known[one.property.name].percentiles(one.value)
        assert math.isnan(one.lower)
        assert math.isnan(one.upper)


def test_intervals_are_taken_from_the_row_where_it_has_them(predictor):
    first = look(predictor, esol_lower=-3.0, esol_upper=-1.0).readings[0]
    assert (first.lower, first.upper) == (-3.0, -1.0)


def test_profile_rules_and_neighbors_are_there(predictor):
    closeup = look(predictor)
    assert closeup.formula == "C9H8O4"
    assert all(one.is_kept for one in closeup.verdicts)
    assert [source for source, _ in closeup.neighbors] == ["approved drug", "ZINC"]
    nearest = closeup.neighbors[0][1]
    assert nearest["name"].iloc[0] == "ASPIRIN"
    assert nearest["tanimoto"].iloc[0] == 1.0
    assert len(nearest) == 3


def test_a_row_without_a_molecule_cannot_be_looked_at(predictor):
    with pytest.raises(InputError, match="no molecule in this row"):
        describe_molecule(predictor, "x", {"standardized_smiles": ""})


def test_without_a_reference_percentiles_are_unknown():
    closeup = look(FakePredictor(has_reference=False))
    assert closeup.drugs == 0
    assert all(math.isnan(one.percentile) for one in (*closeup.readings, *closeup.facts))
    assert "ercentile" not in write_page(closeup)


# ---------------------------------------------------------------------------- landscape


def test_a_probe_that_took_the_place_of_another_has_no_percentiles():
    fake = FakePredictor()
    fake.probes[0].digest = "another"
    assert "esol" not in list_distributions(fake)
    assert "bbbp" in list_distributions(fake)


def test_a_probe_is_added_with_what_is_usual_for_it(predictor, monkeypatch):
    monkeypatch.setitem(FakeProbe.__init__.__globals__["TITLES"], "mine", "My assay")
    mine = replace(PROPERTIES[0], name="mine", probe="mine")
    larger = add_probe(predictor, FakeProbe("mine", [mine]))
    assert [one.name for one in larger.properties] == [*(p.name for p in PROPERTIES), "mine"]
    assert "mine" in list_distributions(larger)
    assert "mine" not in list_distributions(predictor), "the shared one stays as it is"
    assert len(predictor.properties) == len(PROPERTIES)


def test_landmarks_stand_where_their_molecules_are_placed(predictor):
    landmarks = list_landmarks(predictor)
    places = locate(predictor, [*landmarks["smiles"], None])
    assert places[:-1] == pytest.approx(landmarks[["x", "y"]].to_numpy(), abs=1e-3)
    assert all(map(math.isnan, places[-1]))


# ---------------------------------------------------------------------------- the page


class Reader(HTMLParser):
    """Collects tags and text, and complains of a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_has_every_number_with_its_unit(predictor):
    closeup = look(predictor, problem="note: salt removed: Na")
    words = " ".join(Reader(write_page(closeup)).words)
    for one in closeup.readings:
        assert one.property.title in words
        assert f"{abs(one.value):.2f}" in words
    for expected in ("C9H8O4", ASPIRIN, "log10 mol/L", "± 0.70", "Salt removed: Na.", "ASPIRIN"):
        assert expected in words
    assert "4 approved drugs" in words
    assert "ChEMBL, CC BY-SA 3.0" in words


def test_the_page_needs_nothing_from_anywhere(predictor):
    page = write_page(look(predictor))
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.tags}
    addresses = {a for _, one in reader.tags for a in one if a in ("src", "href", "xlink:href")}
    assert not addresses
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page
    pictures = [one for tag, one in reader.tags if tag == "svg"]
    assert len(pictures) == 5
    assert all(one["aria-label"] for one in pictures)


def test_names_cannot_become_part_of_the_page(predictor):
    page = write_page(look(predictor, name=HOSTILE, problem=f"note: {HOSTILE}"))
    reader = Reader(page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not [1 for _, one in reader.tags if "onload" in one]
    assert HOSTILE in " ".join(reader.words)


def test_an_interval_stands_in_the_place_of_the_typical_error(predictor):
    page = write_page(look(predictor, esol_lower=-3.0, esol_upper=-1.0))
    assert "\u22123.00 to \u22121.00" in page
    assert "± 0.70" not in page


def test_the_page_says_how_sure_where_a_probe_does():
    fake = FakePredictor(is_sure=True)
    scored = prediction_columns(fake.score([ASPIRIN], level=0.8), details=True)
    closeup = describe_molecule(fake, "aspirin", scored.iloc[0].to_dict(), 3, level=0.8)
    first = closeup.readings[0]
    assert first.upper - first.lower == pytest.approx(2.0)
    assert first.call == ""
    assert closeup.readings[2].call == scored["bbbp_call"][0] != ""
    assert first.domain == scored["esol_domain"][0]
    assert first.similarity == scored["esol_similarity"][0]
    page = write_page(closeup)
    assert "<th>Domain</th>" in page
    assert f"nearest training compound Tanimoto {first.similarity:.2f}" in page
    assert "the true value of 80 % of molecules" in page
    assert f'<td class="number">{closeup.readings[2].call}</td>' in page


def test_the_page_without_sureness_has_no_domain(predictor):
    assert "Domain" not in write_page(look(predictor))


def test_what_was_explained_is_on_the_page_and_its_texts_are_escaped(predictor):
    found = explain_property(predictor, ASPIRIN, "esol")
    near = pd.DataFrame(
        [["CCO", -1.0, 0.5, "CCN"]], columns=["smiles", "value", "tanimoto", "cliff"]
    )
    page = write_page(look(predictor), [Insight(found, near, HOSTILE)])
    reader = Reader(page)
    words = " ".join(reader.words)
    assert describe_atoms(found) in words
    assert f"Nearest measured molecules: {HOSTILE}" in words
    assert "activity cliff" in words
    assert "script" not in {tag for tag, _ in reader.tags}
    labels = [one["aria-label"] for tag, one in reader.tags if tag == "svg"]
    assert f"Atoms that drive {PROPERTIES[0].title}. {describe_atoms(found)}" in labels
    assert len(labels) == 7
