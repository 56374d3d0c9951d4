"""The facts of the tables, reading them through DeepChem, and files that are wrong or missing."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cmim_chem.errors import DataError, InputError
from cmim_chem.sources import facts, moleculenet

SMALL = ["esol", "freesolv", "lipophilicity", "bbbp", "bace", "bace_pic50", "clintox", "sider"]


def test_every_table_has_complete_and_unique_facts():
    sources = facts.load_sources()
    assert len({source.file for source in sources.values()}) == 11
    assert sum(s.tasks for n, s in sources.items() if n not in ("toxcast", "muv")) == 48
    names = [name for source in sources.values() for name in source.properties]
    assert len(names) == len(set(names)) == 48
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    for source in sources.values():
        assert len(source.columns) == len(source.properties) == len(source.titles)
        assert source.columns or source.column_rule
        assert source.tasks > 0 and source.citation and len(source.sha256) == 64
        assert (source.metric == "rmse") == (source.kind == "regression")
        assert 0 < source.valid_rows <= source.rows


def test_property_names_are_stable():
    sources = facts.load_sources()
    assert sources["clintox"].properties == ("clintox_approved", "clintox_toxic")
    assert sources["tox21"].properties[0] == "tox21_nr_ar"
    assert sources["bace_pic50"].properties == ("bace_pic50",)


def test_data_folder_is_argument_then_variable_then_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CMIM_DATA", str(tmp_path / "named"))
    assert facts.find_data_dir(tmp_path) == tmp_path
    assert facts.find_data_dir() == tmp_path / "named"
    monkeypatch.delenv("CMIM_DATA")
    assert facts.find_data_dir().name == "cmim-chem"


@pytest.mark.needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", [*SMALL, "tox21"])
def test_tables_are_read_as_pandas_reads_them(name, data_dir):
    table = moleculenet.load_moleculenet(name, data_dir)
    source = table.source
    frame = pd.read_csv(data_dir / "moleculenet" / source.file)
    assert table.y.shape == (source.rows, source.tasks)
    assert table.smiles == frame["mol" if name.startswith("bace") else "smiles"].tolist()
    np.testing.assert_array_equal(table.y, frame[list(source.columns)].to_numpy(float))
    assert table.tasks == source.properties


@pytest.mark.needs_data
@pytest.mark.slow
def test_a_table_with_a_column_rule_names_its_properties(data_dir):
    table = moleculenet.load_moleculenet("toxcast", data_dir)
    assert len(set(table.tasks)) == 617
    assert table.tasks[0] == "toxcast_acea_t47d_80hr_negative"
    assert np.isnan(table.y).mean() > 0.5


@pytest.mark.needs_data
def test_reading_leaves_nothing_behind(data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = sorted(path.name for path in (data_dir / "moleculenet").iterdir())
    moleculenet.load_moleculenet("freesolv", data_dir)
    assert not list(tmp_path.iterdir())
    assert sorted(path.name for path in (data_dir / "moleculenet").iterdir()) == before


@pytest.mark.slow
def test_importing_deepchem_is_silent():
    code = "from cmim_chem.sources import moleculenet as m; m.import_deepchem()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.needs_data
def test_verify_finds_the_real_files(data_dir):
    found = facts.verify(data_dir, ["esol", "bace", "bace_pic50", "clintox", "hiv"])
    assert [status.file.name for status in found] == [
        "delaney-processed.csv", "bace.csv", "clintox.csv.gz", "HIV.csv",
    ]  # fmt: skip
    assert all(s.state == "ok" and s.rows == s.expected_rows for s in found)


def test_verify_tells_missing_changed_and_broken_files(tmp_path):
    folder = tmp_path / "moleculenet"
    folder.mkdir()
    (folder / "SAMPL.csv").write_text("iupac,smiles,expt,calc\nx,C,1.0,1.0\n")
    (folder / "clintox.csv.gz").write_bytes(gzip.compress(b"smiles\nC\n" * 9)[:-9])
    found = {s.file.name: s for s in facts.verify(tmp_path, ["esol", "freesolv", "clintox"])}
    assert found["delaney-processed.csv"].state == "missing"
    assert found["delaney-processed.csv"].rows is None
    assert (found["SAMPL.csv"].state, found["SAMPL.csv"].rows) == ("wrong checksum", 1)
    assert (found["clintox.csv.gz"].state, found["clintox.csv.gz"].rows) == ("wrong checksum", None)


def test_a_missing_or_changed_table_is_an_error_with_a_remedy(tmp_path):
    with pytest.raises(DataError, match=r"SAMPL.csv is missing: run `cmim data fetch freesolv`"):
        moleculenet.load_moleculenet("freesolv", tmp_path)
    (tmp_path / "moleculenet").mkdir()
    (tmp_path / "moleculenet" / "SAMPL.csv").write_text("iupac,smiles,expt,calc\nx,C,1.0,1.0\n")
    with pytest.raises(DataError, match="1 rows and 1 tasks, expected 642 and 1"):
        moleculenet.load_moleculenet("freesolv", tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"unknown table 'esoll'.*esol, freesolv.*zinc15_250K"):
        moleculenet.fetch(["esoll"], tmp_path)
    with pytest.raises(InputError, match="unknown table"):
        facts.verify(tmp_path, ["x"])


@pytest.mark.parametrize("name", ["esol", "zinc15_250K"])
def test_fetching_offline_is_one_sentence_and_leaves_no_file(name, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(moleculenet.import_deepchem().utils.data_utils, "urlretrieve", refuse)
    with pytest.raises(DataError, match=r"cannot download .*no route to host.*connect"):
        moleculenet.fetch([name], tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.needs_data
def test_fetch_puts_a_checked_file_in_place_and_keeps_what_is_there(
    tmp_path, monkeypatch, data_dir
):
    asked = []

    def serve(url, target):
        asked.append(url)
        shutil.copy(data_dir / "moleculenet" / url.rsplit("/", 1)[1], target)

    monkeypatch.setattr(moleculenet.import_deepchem().utils.data_utils, "urlretrieve", serve)
    for _ in range(2):
        (path,) = moleculenet.fetch(["freesolv"], tmp_path)
        assert path == tmp_path / "moleculenet" / "SAMPL.csv"
    assert len(asked) == 1
    assert [s.state for s in facts.verify(tmp_path, ["freesolv"])] == ["ok"]


def test_fetch_refuses_a_table_that_was_cut_short(tmp_path, monkeypatch):
    def serve(_url, target):
        with open(target, "w") as stream:  # noqa: PTH123 - DeepChem passes a text path
            stream.write("iupac,smiles,expt,calc\nx,C,1.0,1.0\n")

    monkeypatch.setattr(moleculenet.import_deepchem().utils.data_utils, "urlretrieve", serve)
    with pytest.raises(DataError, match="has 1 rows, expected 642"):
        moleculenet.fetch(["freesolv"], tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
