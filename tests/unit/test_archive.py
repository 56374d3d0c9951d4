"""A probe as a zip file is the folder that `cmim score --probe` takes."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from cmim_chem.probes.archive import name_folder, pack_probe
from cmim_chem.probes.artifact import load_probe
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.fit import About, fit_probe

ENCODER = "e" * 64
RNG = np.random.default_rng(2)
H = RNG.normal(size=(60, 5)).astype(np.float32)


def make_probe(name: str):
    rows = np.arange(60)
    split = (rows[:40], rows[40:50], rows[50:])
    data = TrainingData({"h": H}, H[:, :1].astype(float), (name,), "regression", split)
    about = About(name, "Toy", (name,), ("u",), ENCODER)
    return fit_probe(data, about, ["h"], ["linear"])


@pytest.mark.parametrize("name", ["toy", "IC50 (µM) / α", "../../etc/passwd", "=1+1", "<b>"])
def test_unpacked_it_predicts_the_same(tmp_path, name):
    probe = make_probe(name)
    with zipfile.ZipFile(io.BytesIO(pack_probe(probe))) as archive:
        folders = {entry.split("/")[0] for entry in archive.namelist()}
        archive.extractall(tmp_path)
    assert folders == {name_folder(name)}
    loaded = load_probe(tmp_path / name_folder(name), ENCODER)
    assert loaded.card.tasks == (name,)
    assert loaded.predict({"h": H}) == pytest.approx(probe.predict({"h": H}), rel=1e-5)


def test_the_same_probe_is_the_same_file():
    assert pack_probe(make_probe("toy")) == pack_probe(make_probe("toy"))


@pytest.mark.parametrize(
    ("name", "folder"),
    [("pIC50", "pIC50"), ("a b/c", "a_b_c"), ("..", "probe"), ("", "probe"), ("µ", "probe")],
)
def test_names_of_folders_are_safe(name, folder):
    assert name_folder(name) == folder
