"""Tables written as SDF are read back row by row, by our reader and by RDKit's."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from cmim_chem.chem.read import read_table
from cmim_chem.chem.sdf_write import write_records
from cmim_chem.chem.write import open_writer

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "",
    "C[C@H](N)C(=O)O",
    "F/C=C/F",
    "C[C@@H]1CC[C@H](C(C)C)C[C@H]1O",
    "c1ccc2[nH]ccc2c1",
]


def make_table(**more) -> pd.DataFrame:
    n = len(SMILES)
    table = pd.DataFrame({"ID": [f"A-{row}" for row in range(n)], "SMILES": ["raw"] * n})
    table["standardized_smiles"] = SMILES
    table["esol"] = np.where(np.array(SMILES) == "", np.nan, -1.25)
    return table.assign(**more)


def read(text: str) -> pd.DataFrame:
    return read_table(io.BytesIO(text.encode()), name="a.sdf").frame


def test_every_row_and_column_comes_back_in_order():
    table = make_table()
    back = read(write_records(table))
    assert back["name"].tolist() == table["ID"].tolist() == back["ID"].tolist()
    assert back["SMILES"].tolist() == ["raw"] * len(SMILES)
    assert back["esol"].tolist() == ["" if not s else "-1.25" for s in SMILES]
    expected = [Chem.CanonSmiles(s) if s else "" for s in SMILES]
    assert [Chem.CanonSmiles(s) if s else "" for s in back["smiles"]] == expected


def test_other_programs_read_it(tmp_path):
    (tmp_path / "a.sdf").write_text(write_records(make_table()))
    molecules = list(Chem.SDMolSupplier(str(tmp_path / "a.sdf")))
    assert len(molecules) == len(SMILES)
    assert molecules[0].GetProp("esol") == "-1.25"
    assert molecules[0].GetConformer().Is3D() is False
    assert Chem.MolToSmiles(molecules[2]) == Chem.CanonSmiles(SMILES[2])


@pytest.mark.parametrize(
    "cell",
    [
        "$$$$",
        "> <x>",
        "M  END",
        "two\nlines",
        "blank\n\nline",
        "µM, α",
        "<b>bold</b>",
        "-",
        "'=1+1",
    ],
)
def test_hostile_cells_break_no_record(cell):
    n = len(SMILES)
    text = write_records(make_table(ID=[cell] * n, note=[cell] * n))
    back = read(text)
    assert len(back) == n
    kept = [line.strip() for line in cell.splitlines() if line.strip()]
    for given in back["note"]:
        assert [line.strip() for line in given.split("\n")] == kept
    assert set(back["name"]) == {" ".join(cell.split())}
    assert back["esol"].tolist() == ["" if not s else "-1.25" for s in SMILES]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "two\nlines", "a > b", "smiles"])
def test_hostile_column_names_break_no_record(name):
    back = read(write_records(make_table(**{name: "x"})))
    assert len(back) == len(SMILES)
    assert back.iloc[:, -1].tolist() == ["x"] * len(SMILES)


def test_missing_cells_of_any_type_are_empty():
    n = len(SMILES)
    table = make_table(a=[None] * n, b=pd.array([pd.NA] * n, dtype="Int64"), c=[pd.NaT] * n)
    back = read(write_records(table))
    assert (back[["a", "b", "c"]] == "").all().all()


def test_a_table_without_standardized_smiles_uses_its_smiles_column():
    back = read(write_records(pd.DataFrame({"name": ["x"], "smiles": ["CCO"]})))
    assert back[["smiles", "name"]].iloc[0].tolist() == ["CCO", "x"]


def test_a_table_without_smiles_has_records_without_atoms():
    text = write_records(pd.DataFrame({"a": [1, 2]}))
    assert read(text)["a"].tolist() == ["1", "2"]


def test_the_command_line_writes_it_batch_by_batch(tmp_path):
    with open_writer(tmp_path / "a.sdf") as writer:
        writer.write(make_table())
        writer.write(make_table())
    assert len(list(Chem.SDMolSupplier(str(tmp_path / "a.sdf")))) == 2 * len(SMILES)
