"""Readers of damaged, packed, encoded and binary files, of SDF and of Parquet."""

from __future__ import annotations

import gzip
import io
import logging
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem

from cmim_chem.chem.read import open_table, read_table
from cmim_chem.errors import InputError
from tests.unit.reading import ASPIRIN, Pipe, mol_block, read, rows, write_sdf

# --------------------------------------------------------------------- encodings and damage


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding):
    batch = read("smiles,name\nCCO,é µ ß\nCC,b\n".encode(encoding))
    assert list(batch.frame.columns) == ["smiles", "name"]
    assert rows(batch) == [["CCO", "é µ ß"], ["CC", "b"]]


def test_latin_1_far_down_the_file(caplog):
    text = b"smiles,name\n" + b"CCO,x\n" * 30_000 + "CC,éµ\n".encode("latin-1") + "C,é\n".encode()
    with caplog.at_level(logging.WARNING):
        batch = read(text)
    assert rows(batch)[-2:] == [["CC", "éµ"], ["C", "é"]]
    assert "read as Latin-1" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20, "JPEG"),
        (b"PK\x03\x04 workbook", "Excel"),
        (bytes(range(256)) * 20, "binary data"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n \n", "is empty"),
        (b"PAR1....", "is a Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content)
    assert str(caught.value).startswith("table.csv: ")
    assert "\n" not in str(caught.value)


def test_a_stray_zero_byte_is_no_garbage():
    assert read("smiles,name\nC\0C,a\nCCO,b\n").smiles == ["C\0C", "CCO"]


def test_cell_of_a_million_characters_is_kept():
    batch = read(f'smiles,name\n{"C" * 10**6},a\n"{"N" * 10**6}",b\nCCO,c\n')
    assert [len(str(cell)) for cell in batch.smiles] == [10**6, 10**6, 3]


def test_gzip_is_recognized_by_content(tmp_path: Path):
    packed = gzip.compress(b"smiles,name\nCCO,a\n")
    for name in ("t.csv.gz", "t.csv", "t.gz"):
        (tmp_path / name).write_bytes(packed)
        assert rows(read_table(tmp_path / name)) == [["CCO", "a"]]


def test_truncated_gzip_gives_its_rows_then_says_how_many():
    text = "smiles,name\n" + "".join(f"CCO,{number}\n" for number in range(20_000))
    packed = gzip.compress(text.encode())
    seen = 0
    with (
        open_table(io.BytesIO(packed[: len(packed) // 2]), name="t.csv.gz", batch_rows=1000) as r,
        pytest.raises(InputError, match=r"t\.csv\.gz: the gzip file is cut off") as caught,
    ):
        for batch in r:
            assert rows(batch) == [["CCO", str(seen + at)] for at in range(len(batch.frame))]
            assert batch.first_row == seen
            seen += len(batch.frame)
    assert seen > 1000
    assert f"{seen} rows were read before" in str(caught.value)


@pytest.mark.parametrize("length", [2, 12, 30])
def test_gzip_cut_off_at_once(length):
    packed = gzip.compress(b"smiles,name\n" + bytes(range(48, 120)) * 50)
    with pytest.raises(InputError, match=r"gzip|not text|empty|binary"):
        read(packed[:length], "t.csv.gz")


def test_damaged_gzip():
    packed = bytearray(gzip.compress(b"smiles\n" + b"CCO\n" * 1000))
    packed[-6] ^= 0xFF  # the checksum
    with pytest.raises(InputError, match="gzip file is damaged"):
        read(bytes(packed), "t.csv.gz")


def test_paths_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        open_table(tmp_path)
    (tmp_path / "t.xlsx").write_text("x")
    with pytest.raises(InputError, match="unknown ending"):
        open_table(tmp_path / "t.xlsx")


# --------------------------------------------------------------------------------- SDF


def test_sdf_rows_titles_and_properties():
    first = mol_block(ASPIRIN, "aspirin", "> <y> (1)\n1.50\n\n>  <note>\ntwo\nlines\n\n")
    second = mol_block("CCO", "ethanol", "> <late>\nNA\n\n")
    batch = read(write_sdf(first, second), "t.sdf")
    assert list(batch.frame.columns) == ["smiles", "name", "y", "note", "late"]
    assert rows(batch)[0] == [ASPIRIN, "aspirin", "1.50", "two\nlines", ""]
    assert rows(batch)[1] == ["CCO", "ethanol", "", "", "NA"]


def test_sdf_keeps_records_that_cannot_be_read():
    pentavalent = Chem.MolToMolBlock(Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False))
    cut = mol_block("CCO", "cut").replace("M  END\n", "")
    garbled = mol_block("CCO", "garbled").replace("  3  2  0", "  9  8  0")
    text = write_sdf(mol_block("CC", "a"), pentavalent, "", cut, garbled, mol_block("CCC", "z"))
    batch = read(text, "t.sdf")
    assert batch.smiles == ["CC", "", "", "", "", "CCC"]
    assert [bool(problem) for problem in batch.problems] == [False, True, True, True, True, False]
    assert "impossible molecule" in batch.problems[1]
    assert "it is empty" in batch.problems[2]
    assert "cut off" in batch.problems[3]
    assert "counts line" in batch.problems[4]
    assert rows(batch)[4][1] == "garbled"


def test_sdf_with_a_molecule_too_large_keeps_its_row():
    huge = "huge\n\n\n" + "x\n" * 10_001 + "M  END\n$$$$\n"
    batch = read((mol_block("CCO", "small") + "$$$$\n" + huge).encode(), name="a.sdf")
    assert len(batch.frame) == 2
    assert batch.problems[0] == ""
    assert "a mol block of at most 10,000 is read" in batch.problems[1]


def test_sdf_property_called_smiles_is_kept_and_may_be_chosen():
    block = mol_block("CCO", "t", "> <smiles>\nCCN\n\n> <name>\nx\n\n").replace("  3  2", "  9  2")
    batch = read(write_sdf(block), "t.sdf")
    assert list(batch.frame.columns) == ["smiles", "name", "smiles_property", "name_property"]
    assert rows(batch) == [["", "t", "CCN", "x"]]
    chosen = read(write_sdf(block), "t.sdf", smiles_column="smiles_property")
    assert chosen.smiles == ["CCN"]
    assert chosen.problems[0].startswith("note: cannot read")


def test_sdf_last_record_without_its_end_mark():
    assert read(mol_block("CCO") + "$$$$\n" + mol_block("CC"), "t.sdf").smiles == ["CCO", "CC"]


def test_sdf_stereo_comes_from_the_drawing():
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)O")
    AllChem.Compute2DCoords(mol)
    batch = read(write_sdf(Chem.MolToMolBlock(mol)), "t.sdf")
    assert batch.smiles == [Chem.MolToSmiles(mol)]


def test_sdf_on_standard_input(monkeypatch):
    text = write_sdf(*(mol_block("CCO", str(at), f"> <p{at}>\n1\n\n") for at in range(2000)))
    for raw in (text.encode(), gzip.compress(text.encode(), 0)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Pipe(raw)))
        batch = read_table("-")
        assert batch.frame.shape == (2000, 2002)
        assert batch.frame["name"].tolist() == [str(at) for at in range(2000)]


def test_truncated_sdf_gz_gives_its_rows(tmp_path: Path):
    text = write_sdf(*(mol_block("CCO", str(at)) for at in range(3000)))
    packed = gzip.compress(text.encode())
    (tmp_path / "t.sdf.gz").write_bytes(packed[: len(packed) // 2])
    seen = 0
    with open_table(tmp_path / "t.sdf.gz") as r, pytest.raises(InputError, match="cut off"):
        for batch in r:
            seen += len(batch.frame)
    assert seen > 500


def test_csv_called_sdf():
    with pytest.raises(InputError, match=r"no SDF record .* is it a CSV"):
        read("smiles\nCCO\n", "t.sdf")


# ------------------------------------------------------------------------------- Parquet


def test_parquet_keeps_types_and_missing_values(tmp_path: Path):
    frame = pd.DataFrame(
        {"id": pd.array([1, None], "Int64"), "smiles": ["CCO", None], "y": [1.5, 2]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    batch = read_table(tmp_path / "t.parquet")
    assert batch.smiles == ["CCO", None]
    assert str(batch.frame["id"].dtype).startswith("int64")
    assert batch.frame["y"].tolist() == [1.5, 2.0]
    packed = gzip.compress((tmp_path / "t.parquet").read_bytes())
    assert read(packed, "t.parquet.gz").smiles == ["CCO", None]


def test_parquet_index_is_a_column_and_no_rows_are_fine(tmp_path: Path):
    frame = pd.DataFrame({"smiles": ["CCO", "CC"]}, index=pd.Index(["a", "b"], name="key"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame["key"].tolist() == ["a", "b"]
    frame.iloc[:0].to_parquet(tmp_path / "empty.parquet")
    assert len(read_table(tmp_path / "empty.parquet").frame) == 0


def test_damaged_parquet(tmp_path: Path):
    pd.DataFrame({"smiles": ["CCO"] * 100}).to_parquet(tmp_path / "t.parquet")
    raw = (tmp_path / "t.parquet").read_bytes()
    with pytest.raises(InputError, match="damaged Parquet"):
        read(raw[: len(raw) // 2], "t.parquet")
    with pytest.raises(InputError, match="is not a Parquet file"):
        read("smiles\nCCO\n", "t.parquet")


# ------------------------------------------------------------------------------ batches


def test_batches_keep_order_and_number(tmp_path: Path):
    (tmp_path / "t.csv").write_text("smiles,n\n" + "".join(f"CCO,{n}\n" for n in range(1000)))
    with open_table(tmp_path / "t.csv", batch_rows=300) as reader:
        assert reader.fraction_read() is not None
        batches = list(reader)
        assert reader.fraction_read() == 1.0
    assert [len(batch.frame) for batch in batches] == [300, 300, 300, 100]
    assert [batch.first_row for batch in batches] == [0, 300, 600, 900]
    whole = pd.concat([batch.frame for batch in batches])
    assert whole["n"].tolist() == [str(n) for n in range(1000)]


def test_an_upload_stays_open_and_can_be_read_twice():
    upload = io.BytesIO(b"smiles\nCCO\n")
    assert read_table(upload, name="t.csv").smiles == read_table(upload, name="t.csv").smiles
    assert not upload.closed


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail_otherwise_than_in_words(noise):
    for name in ("t.csv", "t.smi", "t.sdf", "t.parquet", "t.csv.gz", None):
        for content in (noise, b"smiles,name\nCCO,a\n" + noise, b"\x1f\x8b" + noise):
            try:
                batch = read(content, name)
            except InputError as error:
                assert str(error)
            else:
                assert len(batch.problems) == len(batch.frame)
