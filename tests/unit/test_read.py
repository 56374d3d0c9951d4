"""Readers of delimited text and lists: cells, rows, delimiters, headers, the SMILES column."""

from __future__ import annotations

import io
import logging
import sys

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmim_chem.chem.columns import (
    find_identifier,
    find_smiles_column,
    make_unique,
    rename_reserved,
    smiles_likeness,
)
from cmim_chem.chem.read import merge_problems, open_table, read_table
from cmim_chem.errors import InputError
from tests.unit.reading import ASPIRIN, Pipe, read, rows

# ------------------------------------------------------------------------------ delimited text


def test_cells_stay_as_they_are_written():
    cells = [ASPIRIN, "NA", "007", "1.50", "1e5", "", "nan", " padded ", "None"]
    batch = read("smiles,a,b,c,d,e,f,g,h\n" + ",".join(cells) + "\n")
    assert rows(batch) == [cells]
    assert batch.problems == ("",)
    assert batch.smiles == [ASPIRIN]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_of_csv_is_found(delimiter):
    text = "\n".join(delimiter.join(row) for row in [("id", "smiles"), ("1", "CCO"), ("2", "CC")])
    batch = read(text)
    assert list(batch.frame.columns) == ["id", "smiles"]
    assert rows(batch) == [["1", "CCO"], ["2", "CC"]]


def test_tsv_keeps_commas_and_csv_in_disguise_is_read():
    assert rows(read("smiles\tname\nCCO\ta, b\n", "t.tsv")) == [["CCO", "a, b"]]
    assert rows(read("smiles,name\nCCO,a\n", "t.tsv")) == [["CCO", "a"]]


def test_decimal_commas_do_not_split_a_semicolon_table():
    batch = read("id;structure;value\n1;CCOC;3,4\n2;CCCC;5,6\n")
    assert batch.smiles_column == "structure"
    assert rows(batch)[0] == ["1", "CCOC", "3,4"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    batch = read(end.join(["smiles,name", "CCO,a", "CC,b", ""]))
    assert rows(batch) == [["CCO", "a"], ["CC", "b"]]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends():
    batch = read('smiles,name\n"CCO","2,4-x ""y"""\nCC,"two\nlines"\nC,5"-phosphate\n')
    assert rows(batch) == [["CCO", '2,4-x "y"'], ["CC", "two\nlines"], ["C", '5"-phosphate']]
    assert batch.problems == ("", "", "")


def test_unclosed_quote_does_not_swallow_the_rows_after_it():
    batch = read('smiles,name\nCCO,"open\nCC,b\nC,c\n')
    assert rows(batch) == [["CCO", '"open'], ["CC", "b"], ["C", "c"]]
    assert batch.problems[0].startswith("note: a quote is not closed")
    assert batch.problems[1:] == ("", "")


def test_quote_that_is_closed_in_another_row_by_accident():
    batch = read('a,smiles,b\n1,CCO,"open\n2,CC,b\n3,CCC,"c"\n')
    assert [row[1] for row in rows(batch)] == ["CCO", "CC", "CCC"]


def test_ragged_rows_are_kept_with_a_note():
    batch = read("smiles,name\nCCO\nCC,b,c,d\nC,c,,\n")
    assert rows(batch) == [["CCO", ""], ["CC", "b,c,d"], ["C", "c"]]
    assert batch.problems[0].startswith("note: 1 cell where the header has 2")
    assert batch.problems[1].startswith("note: 4 cells")
    assert batch.problems[2] == ""


def test_blank_lines_are_rows_between_rows_and_nothing_at_the_ends():
    batch = read("\n\nsmiles,name\n\nCCO,a\n\n  \nCC,b\n\n\n")
    assert [row[0] for row in rows(batch)] == ["", "CCO", "", "", "CC"]


@pytest.mark.parametrize("text", ["smiles", "smiles\n", "smiles,name\n", "id\tsmiles\n"])
@pytest.mark.parametrize("name", ["t.csv", None])
def test_header_only_gives_one_empty_batch(text, name):
    with open_table(io.BytesIO(text.encode()), name=name) as reader:
        batches = list(reader)
    assert [len(batch.frame) for batch in batches] == [0]
    assert reader.smiles_column == "smiles"


def test_duplicate_and_nameless_columns():
    batch = read("smiles,x,x,,x_2\nCCO,1,2,3,4\n")
    assert list(batch.frame.columns) == ["smiles", "x", "x_3", "column_4", "x_2"]
    assert rows(batch) == [["CCO", "1", "2", "3", "4"]]


def test_header_shorter_than_every_row():
    batch = read("smiles\nCCO,a\nCC,b\nC,c\n")
    assert rows(batch) == [["CCO", "a"], ["CC", "b"], ["C", "c"]]


def test_single_column_may_contain_any_delimiter():
    batch = read("smiles\nCCO |$;;R$|\nCC\n")
    assert batch.smiles == ["CCO |$;;R$|", "CC"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (f"{ASPIRIN},aspirin\nCCO,ethanol\n", ["smiles", "column_2"]),
        (f"1,{ASPIRIN}\n2,CCOC\n", ["column_1", "smiles"]),
        (f"{ASPIRIN}\nCCO\n", ["smiles"]),
    ],
)
def test_csv_without_header(text, columns):
    batch = read(text)
    assert list(batch.frame.columns) == columns
    assert len(batch.frame) == 2
    assert batch.smiles[0] == ASPIRIN


# ---------------------------------------------------------------------------- lists of SMILES


@pytest.mark.parametrize("name", ["t.smi", "t.txt", None])
@pytest.mark.parametrize("separator", [" ", "\t", "   "])
def test_smiles_lists(name, separator):
    batch = read(f"CCO{separator}ethyl alcohol\nnot_a_smiles{separator}bad\nCC\n", name)
    assert list(batch.frame.columns) == ["smiles", "name"]
    assert rows(batch) == [["CCO", "ethyl alcohol"], ["not_a_smiles", "bad"], ["CC", ""]]
    assert batch.problems == ("", "", "")


def test_smiles_list_whose_first_line_is_bad_loses_nothing():
    assert read("not_a_smiles bad\nCCO x\n", "t.smi").smiles == ["not_a_smiles", "CCO"]
    assert read("not_a_smiles\n", None).smiles == ["not_a_smiles"]


@pytest.mark.parametrize("header", ["SMILES ID", "smiles\tID"])
def test_smiles_list_with_header(header):
    batch = read(f"{header}\nCCO\tx y\n", "t.smi")
    assert list(batch.frame.columns) == [header[:6], "ID"]
    assert rows(batch) == [["CCO", "x y"]]


def test_txt_may_be_a_table():
    batch = read("id,smiles,y\n1,CCO,2\n3,CCC,4\n", "t.txt")
    assert list(batch.frame.columns) == ["id", "smiles", "y"]


@pytest.mark.parametrize("text", ["smiles,name\nCCO,a\n", "smiles\tname\nCCO\ta\n"])
def test_standard_input_is_sniffed(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Pipe(text.encode())))
    assert rows(read_table("-")) == [["CCO", "a"]]


# ------------------------------------------------------------------------------ SMILES column


@pytest.mark.parametrize("name", ["smiles", "SMILES", "Canonical_Smiles", "structure", "mol", "x"])
def test_smiles_column_by_name_or_content(name):
    batch = read(f"id,{name},value\nCNS,{ASPIRIN},1.5\nNO,CCOC,2\n")
    assert batch.smiles_column == name


def test_weak_name_needs_smiles_in_it():
    batch = read(f"molecule,code\naspirin,{ASPIRIN}\ncaffeine,Cn1cnc2c1c(=O)n(C)c(=O)n2C\n")
    assert batch.smiles_column == "code"


def test_numbers_are_not_smiles():
    assert [smiles_likeness(text) for text in ("1", "1.5", "nan", "", "C C", "6" * 3000)] == [0] * 6
    with pytest.raises(InputError, match=r"no column looks like SMILES among 'a', 'b'"):
        read("a,b\n1,2\n3,4\n")


def test_smiles_column_option():
    text = f"smiles,other\nCCO,{ASPIRIN}\n"
    assert read(text, smiles_column="other").smiles == [ASPIRIN]
    with pytest.raises(InputError, match=r"no column 'x'; its columns are 'smiles', 'other'"):
        read(text, smiles_column="x")


def test_all_rows_invalid_still_has_a_smiles_column():
    assert read("smiles_of_mine,b\nfoo,1\nbar,2\n").smiles_column == "smiles_of_mine"


def test_column_names():
    assert make_unique(["a", "a", "", "a_2", "a"]) == ["a", "a_3", "column_3", "a_2", "a_4"]
    assert find_identifier(["smiles", "ID", "Name"]) == "Name"
    assert find_identifier(["smiles", "y"]) is None
    assert find_smiles_column([], []) is None


# ------------------------------------------------------------------------- columns of our own


def test_scored_table_can_be_scored_again(caplog):
    text = "smiles,standardized_smiles,problem,esol\nCCO,CCO,,1.2\n"
    reserved = ("standardized_smiles", "problem", "esol")
    with caplog.at_level(logging.WARNING):
        batch = read(text, reserved=reserved)
    renamed = ["smiles", "standardized_smiles_input", "problem_input", "esol_input"]
    assert list(batch.frame.columns) == renamed
    assert rows(batch) == [["CCO", "CCO", "", "1.2"]]
    assert "'esol' is now called 'esol_input'" in caplog.text


def test_renaming_finds_a_free_name_and_follows_the_smiles_column():
    assert rename_reserved(["problem", "problem_input"], ["problem"]) == {
        "problem": "problem_input_2"
    }
    batch = read("standardized_smiles\nCCO\n", reserved=("standardized_smiles",))
    assert batch.smiles_column == "standardized_smiles_input"
    assert batch.smiles == ["CCO"]


def test_merging_problems():
    predicted = ["", "cannot parse", "note: salt removed: Cl", "empty", ""]
    read_ = ["", "note: 1 cell", "note: 3 cells", "cannot read the record", "note: x"]
    assert merge_problems(predicted, read_) == [
        "",
        "cannot parse; 1 cell",
        "note: salt removed: Cl; 3 cells",
        "cannot read the record",
        "note: x",
    ]


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8))
def test_whatever_pandas_writes_comes_back(table):
    frame = pd.DataFrame(table, columns=["smiles", "b", "c"], dtype="str")
    batch = read(frame.to_csv(index=False, quoting=1))
    assert rows(batch) == [list(row) for row in table]
    assert set(batch.problems) <= {""}
