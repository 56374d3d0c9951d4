"""Everything that is downloaded can be uploaded again: same rows, same order, same columns."""

from __future__ import annotations

import pandas as pd
import pytest

from app.download import write_csv, write_parquet, write_sdf
from app.filters import Filters, keep_rows
from app.results import Results, added_names, join_parts
from app.scoring import Here, score_parts
from app.upload import Source, read_upload
from tests.ui.fake_predictor import FakePredictor

TABLE = (
    "ID,SMILES,value,note\n"
    "A-1,CCO,1.50,plain\n"
    'A-2,not_a_smiles,,"two, cells"\n'
    "007,[Na+].[O-]C(=O)c1ccccc1,-3,=1+1\n"
    "A-4,,NA,µM α <b>\n"
    "A-1,CCO,1.5,again\n"
    "A-6,C[C@H](N)C(=O)O,$$$$,> <x>\n"
)
FORMATS = [(write_csv, "a.csv"), (write_sdf, "a.sdf"), (write_parquet, "a.parquet")]


def score(predictor: FakePredictor, data: bytes, name: str) -> Results:
    upload = read_upload(Source(data, name), None, added_names(predictor))
    parts: list = []
    for _ in score_parts((Here(predictor),), upload, parts):
        pass
    return join_parts(predictor, upload, parts)


@pytest.fixture(scope="module")
def predictor() -> FakePredictor:
    return FakePredictor()


@pytest.fixture(scope="module")
def first(predictor) -> Results:
    return score(predictor, TABLE.encode(), "a.csv")


@pytest.mark.parametrize(("write", "name"), FORMATS, ids=[name for _, name in FORMATS])
def test_a_download_can_be_uploaded_again(predictor, first, write, name):
    again = score(predictor, write(first.table), name)
    assert again.upload.rows == first.upload.rows == 6
    assert not again.upload.warning
    given = again.upload.batch.frame
    assert given["ID"].tolist() == ["A-1", "A-2", "007", "A-4", "A-1", "A-6"]
    notes = [str(cell).removeprefix("'").strip() for cell in given["note"]]
    assert notes == first.upload.batch.frame["note"].tolist()
    assert again.failed == first.failed == [1, 3]
    for one in first.properties:
        expected = first.added[one.name]
        assert again.added[one.name].tolist() == pytest.approx(expected.tolist(), nan_ok=True)
        earlier = pd.to_numeric(given[f"{one.name}_input"], errors="coerce").astype(float)
        assert earlier.tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_the_third_download_is_as_wide_as_the_second(predictor, first):
    """Columns of earlier downloads are renamed, not multiplied."""
    second = score(predictor, write_csv(first.table), "a.csv")
    third = score(predictor, write_csv(second.table), "a.csv")
    assert len(third.table.columns) == len(second.table.columns) + len(added_names(predictor))


def test_rows_are_kept_by_every_filter_together(first):
    esol = first.added["esol"]
    assert keep_rows(first, Filters()) == [0, 1, 2, 3, 4, 5]
    assert keep_rows(first, Filters(special=True)) == [1, 2, 3]
    assert keep_rows(first, Filters(text="  CCo ")) == [0, 4]
    assert keep_rows(first, Filters(ranges={"esol": (-1e9, 1e9)})) == [0, 2, 4, 5]
    exact = {"esol": (esol[0], esol[0])}
    assert keep_rows(first, Filters(text="again", ranges=exact)) == [4]
    assert keep_rows(first, Filters(special=True, ranges={"esol": (1e9, 2e9)})) == []


@pytest.mark.parametrize("rows", [1, 4, 6])
def test_parts_of_any_size_give_every_row_its_own_numbers(predictor, first, monkeypatch, rows):
    monkeypatch.setattr("app.scoring.PART_ROWS", rows)
    parted = score(predictor, TABLE.encode(), "a.csv")
    pd.testing.assert_frame_equal(parted.table, first.table)
    pd.testing.assert_frame_equal(parted.details, first.details)
