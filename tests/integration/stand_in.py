"""A stand-in for the predictor, whose numbers can be checked by eye, and how commands are run."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from cmim_chem.chem.standardize import standardize_many
from cmim_chem.cli.main import app
from cmim_chem.embed import Embeddings
from cmim_chem.predictions import Predictions, Property

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
THREE_ROWS = f"smiles,name\n{ASPIRIN},aspirin\nnot_a_smiles,bad\n[Na+].[O-]C(=O)c1ccccc1,benzoate\n"
BAD, SALT = 1, 2  # rows of THREE_ROWS


class StandIn:
    """Predicts the length of the standardized SMILES, and knows three molecules."""

    properties = (
        Property("length", "Length", "characters", "regression", "sizes", "rmse", 0.5),
        Property("double", "Twice the length", "characters", "regression", "sizes", "rmse", None),
        Property("toxic", "Toxic", "probability", "classification", "tox", "roc_auc", 0.75),
    )
    sources = ("approved drug", "ZINC")
    digests = {"encoder": "stand-in"}  # noqa: RUF012

    def select(self, names):
        return tuple(p for p in self.properties if names is None or p.name in names)

    def score(self, raw, properties=None, workers=1, level=None):
        standardized = tuple(standardize_many(raw))
        wanted = tuple(p for p in self.properties if properties is None or p.name in properties)
        scale = {"length": 1.0, "double": 2.0, "toxic": 0.0}
        length = np.array([len(s.smiles) if s.smiles else np.nan for s in standardized])
        values = np.array([length * scale[p.name] for p in wanted]).reshape(len(wanted), -1).T
        return Predictions(tuple(raw), standardized, wanted, values)

    def embed(self, raw, *, with_h=True):
        standardized = tuple(standardize_many(raw))
        rows = np.array([[len(s.smiles)] * 4 if s.smiles else [np.nan] * 4 for s in standardized])
        h = rows.astype(np.float32).reshape(len(raw), 4)
        return standardized, Embeddings(h[:, :3] + 100, h, ("",) * len(raw))

    def neighbors(self, raw, k=10, source=None):
        rows = []
        for query, one in enumerate(standardize_many(raw)):
            if one.smiles is None:
                rows.append({"query": query, "problem": one.problem})
            for rank in range(1, k + 1) if one.smiles else ():
                rows.append({"query": query, "rank": rank, "name": f"{source} {rank}",
                             "smiles": "CC", "cosine": 1 / rank, "problem": ""})  # fmt: skip
        return pd.DataFrame(rows, columns=["query", "rank", "name", "smiles", "cosine", "problem"])


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin, prog_name="cmim")


def read_csv(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), keep_default_na=False)
