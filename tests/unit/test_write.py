"""Writers: whole files or none, and never the input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmim_chem.chem.read import read_table
from cmim_chem.chem.write import ArrayWriter, open_writer
from cmim_chem.errors import InputError

FRAME = pd.DataFrame({"smiles": ["CCO", "NA"], "y": [1.5, np.nan]})


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_table_grows_batch_by_batch(tmp_path: Path, name):
    with open_writer(tmp_path / name) as writer:
        writer.write(FRAME)
        writer.write(FRAME)
        assert not (tmp_path / name).exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert read_table(tmp_path / name).frame["smiles"].tolist() == ["CCO", "NA"] * 2


def test_csv_text(tmp_path: Path, capsys):
    with open_writer(tmp_path / "out.csv") as writer:
        writer.write(FRAME)
    assert (tmp_path / "out.csv").read_text() == "smiles,y\nCCO,1.5\nNA,\n"
    with open_writer(None) as writer:
        writer.write(FRAME)
        writer.write(FRAME.iloc[:1])
    assert capsys.readouterr().out == "smiles,y\nCCO,1.5\nNA,\nCCO,1.5\n"


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_an_error_leaves_nothing_and_keeps_what_was_there(tmp_path: Path, name):
    (tmp_path / name).write_text("old")
    with pytest.raises(RuntimeError), open_writer(tmp_path / name) as writer:
        writer.write(FRAME)
        raise RuntimeError
    assert (tmp_path / name).read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_commit_before_an_error_keeps_the_rows(tmp_path: Path):
    with pytest.raises(RuntimeError), open_writer(tmp_path / "out.parquet") as writer:
        writer.write(FRAME)
        writer.commit()
        raise RuntimeError
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 2


def test_the_input_is_never_overwritten(tmp_path: Path):
    source = tmp_path / "in.csv"
    source.write_text("smiles\nCCO\n")
    (tmp_path / "link.csv").symlink_to(source)
    (tmp_path / "hard.csv").hardlink_to(source)
    for name in ("in.csv", "link.csv", "hard.csv"):
        with pytest.raises(InputError, match="is the input, which is never overwritten"):
            open_writer(tmp_path / name, source)
    assert source.read_text() == "smiles\nCCO\n"


def test_outputs_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(InputError, match=r"must end in \.csv, \.parquet or \.sdf"):
        open_writer(tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="does not exist; make it first"):
        open_writer(tmp_path / "none" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        open_writer(tmp_path / "folder.csv")
    with pytest.raises(InputError, match=r"must end in \.npy"):
        ArrayWriter(tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_parquet_keeps_the_types_of_the_first_frame(tmp_path: Path):
    first = FRAME.assign(y=[1.0, 2.0], text=pd.array(["", ""], dtype="str"))
    with open_writer(tmp_path / "out.parquet") as writer:
        writer.write(first.iloc[:0])
        writer.write(first)
        writer.write(first.assign(y=np.nan))
    assert pd.read_parquet(tmp_path / "out.parquet")["y"].isna().sum() == 2


def test_array_of_unknown_length(tmp_path: Path):
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    rows[1] = np.nan
    with ArrayWriter(tmp_path / "out.npy") as writer:
        for _ in range(30):
            writer.write(rows)
    loaded = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert loaded.dtype == np.float32
    assert loaded.shape == (120, 3)
    np.testing.assert_array_equal(loaded, np.tile(rows, (30, 1)))


def test_array_without_rows(tmp_path: Path):
    with ArrayWriter(tmp_path / "out.npy") as writer:
        writer.write(np.empty((0, 7), dtype=np.float32))
    assert np.load(tmp_path / "out.npy").shape == (0, 7)
