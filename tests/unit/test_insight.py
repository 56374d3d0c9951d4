"""One property in depth, in words and pictures; and the tables that measured values come from."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from cmim_chem.attribution import Attribution, rank_atoms
from cmim_chem.errors import InputError
from cmim_chem.insight import (
    MOST_ATOMS,
    Insight,
    add_measured,
    describe_atoms,
    describe_neighbors,
    draw_atoms,
    explain_property,
)
from cmim_chem.measured import choose_target, find_public, is_at_hand, read_public
from cmim_chem.measurements import Measurements
from cmim_chem.predictions import Property

SOLUBILITY = Property("esol", "Solubility", "log10 mol/L", "regression", "esol", "rmse", 0.9)
ACTIVITY = Property("bace", "BACE-1", "probability", "classification", "bace", "roc_auc", 0.8)
ETHER = Attribution(SOLUBILITY, "COCN", 1.0, np.array([0.1, -0.5, 0.0, 0.3]))


def measured(kind: str, values: list[float], smiles: tuple[str, ...]) -> Measurements:
    y = np.array(values)[:, None]
    return Measurements(kind, smiles, np.arange(len(smiles)), y, None, ())


def test_atoms_are_ranked_by_size_and_named_from_one():
    found = rank_atoms(ETHER, 5)
    assert found["label"].tolist() == ["O2", "N4", "C1"]
    assert found["atom"].tolist() == [1, 3, 0]
    assert found["change"].tolist() == [-0.5, 0.3, 0.1]
    assert rank_atoms(ETHER, 1)["label"].tolist() == ["O2"]


def test_atoms_in_words_with_sign_and_unit():
    assert describe_atoms(ETHER) == (
        "The prediction is raised by N4 (+0.30), C1 (+0.10); lowered by O2 (\u22120.50). "
        "Changes when an atom is hidden, in log10 mol/L."
    )
    only_up = Attribution(ACTIVITY, "CC", 0.5, np.array([0.1, 0.2]))
    assert describe_atoms(only_up) == (
        "The prediction is raised by C2 (+0.20), C1 (+0.10). "
        "Changes when an atom is hidden, in log-odds."
    )
    nothing = Attribution(ACTIVITY, "CC", 0.5, np.zeros(2))
    assert describe_atoms(nothing) == "No atom changes this prediction."


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_has_a_disk_per_atom_that_matters_and_is_self_contained(dark):
    picture = draw_atoms(ETHER, (300, 200), dark)
    root = ElementTree.fromstring(picture)
    assert root.get("width") == "300"
    assert re.findall(r"https?://[^\"']+", picture) == ["http://www.w3.org/2000/svg"]
    full = "#285BC6" if dark else "#3F7FE5"
    disks = {one.get("fill") for one in root if " 0 1 0" in one.get("d", "")}
    assert full in disks, "the atom that matters most has the full color"
    assert len(disks) == 3, "none behind the atom that changes nothing"
    assert picture != draw_atoms(ETHER, (300, 200), not dark)


def test_a_molecule_that_is_too_large_is_not_explained():
    with pytest.raises(InputError, match=f"{MOST_ATOMS + 1} atoms"):
        explain_property(None, "C" * (MOST_ATOMS + 1), "esol")


def test_measured_neighbors_are_named_with_the_molecule_itself_and_cliffs():
    smiles = ("CCCCCCO", "CCCCCCCO", "c1ccccc1", *("C" * n for n in range(2, 12)))
    known = measured("regression", [-1.0, -9.0, *[-1.0] * 11], smiles)
    found = Attribution(SOLUBILITY, "CCCCCCO", 1.0, np.zeros(7))
    cards = describe_neighbors(add_measured(found, known, "a table", k=2))
    assert cards[0] == (
        "CCCCCCO",
        ["measured \u22121.00 log10 mol/L", "Tanimoto 1.00", "this molecule", "activity cliff"],
    )
    assert cards[1][0] == "CCCCCCCO"
    assert cards[1][1][2:] == ["activity cliff"]
    assert describe_neighbors(Insight(found)) == []


def test_measured_classes_are_words():
    known = measured("classification", [1.0, 0.0, 0.0], ("CCO", "CCN", "c1ccccc1"))
    found = Attribution(ACTIVITY, "CCO", 0.5, np.zeros(3))
    words = [lines[0] for _, lines in describe_neighbors(add_measured(found, known, "t", k=2))]
    assert words == ["measured active", "measured inactive"]


# ---------------------------------------------------------------------------- public tables


def test_a_property_leads_to_its_public_table():
    source, task = find_public("clintox_toxic")
    assert (source.name, task) == ("clintox", 1)
    assert source.columns[task] == "CT_TOX"
    assert find_public("bace_pic50")[0].columns == ("pIC50",)
    assert find_public("my own") is None


def test_a_public_table_is_read_task_by_task(tmp_path):
    source, task = find_public("clintox_toxic")
    assert not is_at_hand(source, tmp_path)
    chains = ["C" * n for n in range(1, 13)]
    rows = pd.DataFrame({"smiles": [*chains, "OCC", "CCO"], "FDA_APPROVED": [0, 1] * 7})
    rows["CT_TOX"] = [1, ""] + [0] * 10 + [1, 1]
    (tmp_path / "moleculenet").mkdir()
    rows.to_csv(tmp_path / "moleculenet" / source.file, index=False)
    assert is_at_hand(source, tmp_path)
    known = read_public(source, tmp_path)
    assert known.y.shape == (13, 2), "each molecule once"
    one = choose_target(known, task)
    assert one.smiles == ("C", *chains[2:], "CCO")
    assert one.y[:, 0].tolist() == [1.0] + [0.0] * 10 + [1.0]
    assert len(one.first) == 12
