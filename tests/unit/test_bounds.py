"""The size of a table is known before it is parsed, whatever it pretends to be."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from cmim_chem.chem.bounds import Extent, measure_extent

TEXT = b"smiles,name,x\nCCO,ethanol,1\n"


def write_parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("data", [TEXT, TEXT.replace(b",", b";"), TEXT.replace(b",", b"\t")])
def test_columns_of_text_are_counted_by_any_delimiter(data):
    assert measure_extent(data, 1_000) == Extent(len(data), 3)


def test_only_the_first_lines_of_a_text_count():
    wide = b"smiles\n" + b"C\n" * 50 + b"," * 900
    assert measure_extent(wide, 10_000).columns == 1
    assert measure_extent(b"," * 900 + b"\n" + wide, 10_000).columns == 901


def test_unpacking_stops_at_the_limit():
    packed = gzip.compress(b"C" * 2**22)
    assert measure_extent(packed, 2**20).size == 2**20 + 1
    assert measure_extent(packed, 2**23).size == 2**22


def test_a_damaged_gzip_file_is_measured_as_far_as_it_goes():
    packed = gzip.compress(np.random.default_rng(0).bytes(3 * 2**20))
    assert 2**20 <= measure_extent(packed[: len(packed) // 2], 2**23).size < 2**21
    assert measure_extent(b"\x1f\x8bgarbage", 2**20) == Extent(0, 1)


def test_parquet_says_what_it_unpacks_to():
    frame = pd.DataFrame({"smiles": ["CCO"] * 10**6, "x": 1})
    data = write_parquet(frame)
    assert len(data) < 10_000
    assert measure_extent(data, 10**5).size == 10**5 + 1
    assert measure_extent(data, 10**8).columns == 2
    assert measure_extent(gzip.compress(data), 10**5).size == 10**5 + 1


def test_a_damaged_parquet_file_is_left_to_the_reader():
    assert measure_extent(b"PAR1 and no more", 100) == Extent(16, 0)


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_nothing_is_small(data):
    assert measure_extent(data, 100) == Extent(len(data), 1)
