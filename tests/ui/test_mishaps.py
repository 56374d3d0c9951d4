"""What goes wrong on the page becomes a sentence, never a traceback, and formats nothing."""

from __future__ import annotations

import gzip
import random

import pytest

from app import resources
from cmim_chem.errors import ArtifactError
from tests.ui.visitor import TABLE, open_page, results, texts, upload


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("photo.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "JPEG picture"),
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b" \n \n", "is empty"),
        ("header.csv", b"smiles,name\n", "no rows"),
        ("names.csv", b"id,age\n1,2\n3,4\n", "header smiles"),
        ("book.xlsx", b"PK\x03\x04" + b"x" * 100, "unknown ending"),
        ("bad.csv.gz", b"\x1f\x8b\x08garbage", "gzip file"),
        ("many.csv", b"smiles\n" + b"CCO\n" * 2_001, "2,000 rows"),
        ("bomb.csv.gz", gzip.compress(b"C" * 101 * 2**20, mtime=0), "unpacks to more than 100 MB"),
        ("table.parquet", b"PAR1 and no more", "damaged Parquet file"),
        ("not.sdf", b"smiles\nCCO\n", "no SDF record"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(page, name, data, words):
    upload(page, data, name)
    assert len(page.error) == 1
    assert words in page.error[0].value.replace("\\", "")
    assert "Traceback" not in texts(page)
    assert len(page.dataframe) == 0


def test_what_is_too_large_is_pointed_to_the_command_line(page):
    upload(page, b"smiles\n" + b"CCO\n" * 2_001, "my library; rm -rf.csv")
    assert page.code[0].value == "cmim score 'my library; rm -rf.csv' -o predictions.csv"


def test_a_page_recovers_from_a_bad_file(page):
    upload(page, b"", "empty.csv")
    upload(page, TABLE)
    assert not page.error
    assert len(results(page)) == 3


def test_hostile_names_and_cells_are_shown_as_they_stand(page):
    data = b'name,smiles,<script>alert(1)</script>\n"![x](http://evil/x.png) :red[*a*]",CCO,=1+1\n'
    upload(page, data, "<img src=x onerror=alert(1)>.csv")
    assert "<script>alert(1)</script>" in results(page).columns
    shown = texts(page)
    assert "\\!\\[x\\]\\(http\\:\u2060\\/\\/evil\\/x\\.png\\) \\:red\\[\\*a\\*\\]" in shown
    assert "\\<img src\\=x" in shown
    assert "<script>" not in shown


def test_a_file_that_is_cut_off_gives_its_rows_and_a_warning(page):
    lines = (f"CCO,{random.Random(row).randbytes(60).hex()}\n" for row in range(1_900))
    packed = gzip.compress(("smiles,value\n" + "".join(lines)).encode())
    upload(page, packed[: len(packed) // 2], "cut.csv.gz")
    assert 0 < len(results(page)) < 1_900
    assert "cut off" in page.warning[0].value


def test_an_interrupted_run_goes_on_where_it_stopped(page, predictor, monkeypatch):
    rows = [f"{'C' * (1 + at % 50)}O" for at in range(400)]
    score, calls = predictor.score, []

    def fail_once(raw, **options):
        calls.append(len(raw))
        if len(calls) == 2:
            raise RuntimeError("interrupted")
        return score(raw, **options)

    monkeypatch.setattr(predictor, "score", fail_once)
    upload(page, ("smiles\n" + "\n".join(rows)).encode())
    page.run()
    assert len(results(page)) == 400
    assert predictor.scored == sorted(rows, key=len, reverse=True), "each once, the longest first"


def test_a_long_table_is_scored_even_if_no_process_can_help(page, predictor, caplog):
    # The processes that help find the model that ships where a fake one is expected, and refuse.
    rows = [f"{'C' * (1 + at % 50)}O" for at in range(401)]
    upload(page, ("smiles\n" + "\n".join(rows)).encode())
    assert "done by the server itself" in caplog.text
    assert results(page)["smiles"].tolist() == rows
    assert predictor.scored == sorted(rows, key=len, reverse=True)


def test_a_model_that_cannot_be_loaded_is_no_traceback(monkeypatch):
    def fail():
        raise ArtifactError("/srv/secret/weights: damaged")

    monkeypatch.setattr(resources, "load_predictor", fail)
    page = open_page()
    assert not page.exception
    assert "could not be loaded" in page.error[0].value
    assert "/srv/secret" not in texts(page)


def test_an_unexpected_error_is_a_sentence_here_and_a_traceback_in_the_log(
    page, predictor, monkeypatch, caplog
):
    def fail(raw, **options):
        raise RuntimeError("/srv/secret went wrong")

    monkeypatch.setattr(predictor, "score", fail)
    upload(page, TABLE)
    assert "unexpected" in page.error[0].value
    assert "secret" not in texts(page)
    assert "/srv/secret went wrong" in caplog.text
