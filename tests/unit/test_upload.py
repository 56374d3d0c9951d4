"""Uploads are read within limits, refused in words; downloads cannot start a formula."""

from __future__ import annotations

import csv
import gzip
import io
import shlex

import pandas as pd
import pytest

from app import upload
from app.download import guard_cell, write_csv
from app.upload import Source, TooLargeError, file_source, paste_source, read_upload
from cmim_chem.errors import InputError

TABLE = "ID,smiles,x\n007,CCO,1.50\n008,bad,\n009,c1ccccc1,-3\n"
SDF = "ethanol\n  -\n\n  0  0  0     0  0            999 V2000\nM  END\n> <key>\n7\n\n$$$$\n"


def read(data: bytes | str, name: str = "molecules.csv", **options):
    data = data.encode() if isinstance(data, str) else data
    return read_upload(file_source(name, data), **options)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TABLE.encode()),
        ("a.csv", TABLE.replace("\n", "\r\n").encode("utf-8-sig")),
        ("a.csv", TABLE.replace(",", ";").encode()),
        ("a.tsv", TABLE.replace(",", "\t").encode()),
        ("a.txt", TABLE.encode("utf-16")),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("A.CSV", TABLE.encode("latin-1")),
    ],
)
def test_all_rows_and_cells_are_kept_as_they_stand(name, data):
    table = read(data, name)
    assert table.batch.smiles_column == "smiles"
    assert table.columns == ["ID", "smiles", "x"]
    assert table.batch.frame["ID"].tolist() == ["007", "008", "009"]
    assert table.batch.frame["x"].tolist() == ["1.50", "", "-3"]
    assert table.rows == 3
    assert table.label == name
    assert not table.warning


def test_parquet_keeps_its_types():
    buffer = io.BytesIO()
    pd.DataFrame({"n": [1, 2], "smiles": ["C", None]}).to_parquet(buffer)
    table = read(buffer.getvalue(), "a.parquet")
    assert table.batch.smiles == ["C", None]
    assert table.batch.frame["n"].tolist() == [1, 2]


def test_an_sdf_has_its_properties_as_columns():
    table = read(SDF * 3, "a.sdf")
    assert table.rows == 3
    assert table.columns == ["smiles", "name", "key"]


def test_another_column_can_be_named():
    assert read("smiles,b\nCCO,CCN\n", smiles_column="b").batch.smiles == ["CCN"]
    with pytest.raises(InputError, match="no column 'c'"):
        read("smiles,b\nCCO,CCN\n", smiles_column="c")


def test_columns_that_will_be_added_are_renamed():
    table = read("smiles,problem\nCCO,mine\n", reserved=("problem", "esol"))
    assert table.columns == ["smiles", "problem_input"]
    assert dict(table.renamed) == {"problem": "problem_input"}


@pytest.mark.parametrize(
    ("text", "smiles", "names"),
    [
        ("CCO", ["CCO"], None),
        ("CCO ethanol\nCCN ethyl amine\n", ["CCO", "CCN"], ["ethanol", "ethyl amine"]),
        ("CCO\tethanol\nCCN\tamine", ["CCO", "CCN"], ["ethanol", "amine"]),
        ("SMILES\nCCO\nCCN", ["CCO", "CCN"], None),
        ("name\tSMILES\tMW\nx\tCCO\t46\n", ["CCO"], ["x"]),
        ("nonsense\nCCO", ["nonsense", "CCO"], None),
    ],
)
def test_text_is_read_as_it_is_pasted(text, smiles, names):
    table = read_upload(paste_source(text))
    assert table.batch.smiles == smiles
    assert table.label == "the pasted text"
    if names is not None:
        assert table.batch.frame["name"].tolist() == names


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_pasting_nothing_is_refused(text):
    with pytest.raises(InputError, match="Nothing was pasted"):
        paste_source(text)


def test_pasted_trouble_is_told_as_pasted():
    with pytest.raises(InputError, match=r"^the pasted text: "):
        read_upload(Source(b"\xff\xd8\xff" + bytes(range(256))))
    assert read_upload(paste_source("CCO \ud800")).rows == 1  # half a character


def test_the_row_limit_is_met_exactly():
    rows = upload.MAX_ROWS
    assert read("smiles\n" + "C\n" * rows).rows == rows
    with pytest.raises(TooLargeError, match="more than 2,000 rows"):
        read("smiles\n" + "C\n" * (rows + 1))


def test_the_byte_limit_is_checked_before_reading(monkeypatch):
    monkeypatch.setattr(upload, "MAX_BYTES", 100)
    monkeypatch.setattr(upload, "open_table", None)  # to call it would fail
    with pytest.raises(TooLargeError, match="larger than"):
        read("smiles\n" + "C\n" * 100)


def test_a_table_too_wide_is_refused_before_it_is_parsed(monkeypatch):
    wide = ",".join(f"c{i}" for i in range(500))
    with pytest.raises(TooLargeError, match="more than 500 columns"):
        read(f"smiles,{wide}\nCCO{',1' * 500}\n")
    monkeypatch.setattr(upload, "open_table", None)  # to call it would fail
    with pytest.raises(TooLargeError, match="more than 500 columns"):
        read("smiles" + "," * 10**6)


def test_a_parquet_file_of_a_billion_rows_is_refused(monkeypatch):
    buffer = io.BytesIO()
    pd.DataFrame({"smiles": ["C"] * 10**6}).to_parquet(buffer)
    assert len(buffer.getvalue()) < 10_000
    monkeypatch.setattr(upload, "MAX_UNPACKED_BYTES", 2**19)
    monkeypatch.setattr(upload, "open_table", None)
    with pytest.raises(TooLargeError, match="unpacks to more"):
        read(buffer.getvalue(), "a.parquet")


def test_training_takes_more_rows_and_points_to_cmim_fit():
    rows = "smiles\n" + "C\n" * 2_500
    assert read(rows, limit=upload.TRAINING).rows == 2_500
    with pytest.raises(TooLargeError) as caught:
        read("smiles\n" + "C\n" * 3_001, "a b.csv", limit=upload.TRAINING)
    assert shlex.split(caught.value.command)[:3] == ["cmim", "fit", "a b.csv"]


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(monkeypatch):
    monkeypatch.setattr(upload, "MAX_UNPACKED_BYTES", 2**20)
    packed = gzip.compress(b"smiles\n" + b"C" * 2**21)
    assert len(packed) < 10_000
    with pytest.raises(TooLargeError, match="unpacks to more"):
        read(packed, "a.csv.gz")


@pytest.mark.parametrize("name", ["my file.csv", "a';rm -rf ~;'.csv", "$(id).smi", "-o.csv"])
def test_the_command_names_the_file_safely(name):
    with pytest.raises(TooLargeError) as caught:
        read("smiles\n" + "C\n" * 2_001, name)
    assert shlex.split(caught.value.command) == ["cmim", "score", name, "-o", "predictions.csv"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "JPEG"),
        ("a.csv", b"smiles,name\n", "no rows"),
        ("a.csv", b"a,b\n1,2\n3,4\n", "header smiles"),
        ("a.doc", b"smiles\nC\n", "unknown ending"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00broken", "gzip"),
        ("a.sdf", b"smiles\nC\n", "no SDF record"),
        ("a.parquet", b"smiles\nC\n", "not a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(name, data, words):
    with pytest.raises(InputError, match=words) as caught:
        read(data, name)
    assert str(caught.value).startswith(f"{name}: ")
    assert "--smiles-column" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "bare"),
    [("a.csv", "a.csv"), ("../../etc/a.csv", "a.csv"), ("C:\\x\\a.csv", "a.csv"), ("/", "upload")],
)
def test_folders_in_a_name_are_dropped(name, bare):
    assert file_source(name, b"").name == bare


def test_a_very_long_line_is_a_row_like_any_other():
    table = read("smiles\n" + "C" * 10**6 + "\nCCO\n")
    assert table.rows == 2
    assert len(table.batch.smiles[0]) == 10**6


# ---------------------------------------------------------------------------- download

FORMULAS = [
    '=HYPERLINK("http://evil","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "  =1+1",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "-x",
    "+49 30 1234",
    "=" + "1" * 50,
]
HARMLESS = [
    "-1.5",
    "+2",
    "-1,5",
    "-3e-7",
    "+.5",
    "-inf",
    "-",
    "+++",
    "+/-",
    "-12 %",
    "aspirin",
    "[Na+].[O-]C(=O)c1ccccc1",
    "C=C",
    "(+)-menthol",
    "<1",
    "'already",
    "",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_text(cell):
    assert guard_cell(cell) == f"'{cell}"
    assert guard_cell(guard_cell(cell)) == f"'{cell}", "a second round adds nothing"


@pytest.mark.parametrize("cell", [*HARMLESS, None, -1.5, 3, True])
def test_numbers_flags_and_smiles_stay(cell):
    assert guard_cell(cell) is cell


def test_a_download_has_all_rows_in_order_and_numbers_as_numbers():
    frame = pd.DataFrame({"=ID": ["b", "=a"], "y": [-1.25, float("nan")], "n": [-1, 2]})
    assert write_csv(frame) == b"'=ID,y,n\nb,-1.25,-1\n'=a,,2\n"


def test_a_download_survives_quotes_line_ends_and_letters():
    cells = ['a"b', "line\nbreak", "µM, α"]
    data = write_csv(pd.DataFrame({"x": cells, "smiles": ["C"] * 3}))
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["x"] for row in rows] == cells
    assert read(data).batch.frame["x"].tolist()[2] == "µM, α"


def test_a_download_of_a_download_is_the_same():
    first = write_csv(read(TABLE + "=1,CCC,+x\n").batch.frame)
    assert write_csv(read(first).batch.frame) == first
