"""The embeddings in other people's pipelines: scikit-learn and DeepChem, as the README shows."""

from __future__ import annotations

import contextlib
import io
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from cmim_chem.errors import InputError
from cmim_chem.predictor import Predictor
from cmim_chem.transformer import CMIMTransformer

README = Path(__file__).parents[2] / "README.md"
SMILES = ["CCO", "[Na+].[O-]C(=O)c1ccccc1", "OCC"]


def snippet(word: str) -> str:
    """Return the Python example of the README that has this word."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return found


def run(code: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    return out.getvalue()


def test_the_numbers_are_those_of_everything_else():
    expected = Predictor.load().embed(SMILES)[1]
    np.testing.assert_array_equal(CMIMTransformer().transform(SMILES), expected.h)
    both = CMIMTransformer("z+h").fit_transform(pd.Series(SMILES))
    np.testing.assert_array_equal(both, np.hstack([expected.z, expected.h]))
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[0], both[2])


def test_clone_pickle_and_names():
    transformer = CMIMTransformer("z", problems="nan")
    copy = pickle.loads(pickle.dumps(clone(transformer)))
    assert copy.get_params() == transformer.get_params()
    check_is_fitted(copy)
    names = copy.get_feature_names_out()
    assert names[0] == "z0" and len(names) == copy.transform(["CCO"]).shape[1]


def test_one_column_of_a_frame():
    frame = pd.DataFrame({"mw": [46.0, 122.0, 46.0], "smiles": SMILES})
    features = make_column_transformer((CMIMTransformer(), ["smiles"]), remainder="passthrough")
    model = make_pipeline(features, Ridge()).fit(frame, [0.0, 1.0, 0.0])
    assert model.predict(frame).shape == (3,)


def test_bad_rows_are_named_or_nan():
    bad = ["CCO", "C1CC", None]
    with pytest.raises(InputError, match=r"row 1: .*ring.*row 2: .*nan"):
        CMIMTransformer().transform(bad)
    rows = CMIMTransformer(problems="nan").transform(bad)
    assert np.isnan(rows).all(axis=1).tolist() == [False, True, True]


@pytest.mark.parametrize("wrong", [{"kind": "x"}, {"problems": "drop"}])
def test_wrong_parameters_are_told_on_use(wrong):
    with pytest.raises(InputError, match="choose"):
        CMIMTransformer(**wrong).fit(SMILES)


def test_two_columns_are_refused():
    with pytest.raises(InputError, match="give one column"):
        CMIMTransformer().transform([["CCO", "C"], ["C", "C"]])


def test_readme_example_for_scikit_learn():
    assert re.fullmatch(r"\[-?\d+\.\d+\]\n", run(snippet("GridSearchCV")))


def test_featurizer_marks_what_cannot_be_read(caplog):
    from cmim_chem.featurizer import CMIMFeaturizer

    with caplog.at_level("WARNING", logger="cmim_chem"):
        rows = CMIMFeaturizer().featurize(["CCO", "C1CC"])
    assert [row.shape for row in rows] == [(768,), (0,)]
    assert "row 1 is left out: 'C1CC'" in caplog.text


@pytest.mark.needs_data
def test_readme_example_for_deepchem(data_dir, tmp_path, monkeypatch):
    shutil.copy(data_dir / "moleculenet" / "delaney-processed.csv", tmp_path)
    monkeypatch.setenv("DEEPCHEM_DATA_DIR", str(tmp_path))
    assert run(snippet("deepchem")) == "(902, 768)\n"


@pytest.mark.needs_data
def test_a_loader_leaves_out_what_cannot_be_read(data_dir, tmp_path):
    import deepchem as dc

    from cmim_chem.featurizer import CMIMFeaturizer

    table = pd.read_csv(data_dir / "moleculenet" / "delaney-processed.csv").head(20)
    table.loc[3, "smiles"] = "C1CC"
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    target = "measured log solubility in mols per litre"
    loader = dc.data.CSVLoader([target], CMIMFeaturizer("z"), feature_field="smiles")
    dataset = loader.create_dataset(str(path))
    assert dataset.X.shape == (19, 256)
    assert "C1CC" not in dataset.ids
