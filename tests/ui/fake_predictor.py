"""A predictor without a network: the interface of the real one, numbers from the SMILES alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd

from cmim_chem.chem.standardize import standardize
from cmim_chem.predictions import Predictions, Property

TITLES = {
    "esol": "ESOL: solubility in water",
    "bbbp": "BBBP: crossing of the blood-brain barrier",
    "bace": "BACE: inhibition of human beta-secretase 1 (class)",
    "bace_pic50": "BACE: inhibition of human beta-secretase 1 (pIC50)",
    "tox21": "Tox21: nuclear receptor and stress response assays",
}
PROPERTIES = (
    Property(
        "esol", "Solubility in water (log S)", "log10 mol/L", "regression", "esol", "rmse", 0.7
    ),
    Property(
        "bace_pic50",
        "Potency against beta-secretase 1 (BACE-1)",
        "pIC50 (-log10 mol/L)",
        "regression",
        "bace_pic50",
        "rmse",
        None,
    ),
    *(
        Property(name, title, "probability", "classification", probe, "roc_auc", 0.75)
        for name, title, probe in (
            ("bbbp", "Crosses the blood-brain barrier", "bbbp"),
            ("bace", "Inhibits beta-secretase 1 (BACE-1)", "bace"),
            ("tox21_nr_ar", "Androgen receptor", "tox21"),
            ("tox21_nr_er", "Estrogen receptor alpha", "tox21"),
            ("tox21_sr_are", "Antioxidant response element", "tox21"),
            ("tox21_sr_mmp", "Mitochondrial membrane potential", "tox21"),
            ("tox21_sr_p53", "Tumor protein p53", "tox21"),
        )
    ),
)
KNOWN = {
    "approved drug": [
        ("ASPIRIN", "CC(=O)Oc1ccccc1C(=O)O", "CHEMBL25", 1950),
        ("CAFFEINE", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CHEMBL113", 1948),
        ("DIAZEPAM", "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21", "CHEMBL12", 1963),
        ("METFORMIN", "CN(C)C(=N)NC(=N)N", "CHEMBL1431", 1995),
    ],
    "ZINC": [("ZINC000000000053", "CC(=O)Oc1ccccc1C(N)=O", "", None)],
}


class FakePredictor:
    """Counts its calls, so that a test can tell what was scored again."""

    def __init__(self) -> None:
        self.properties = PROPERTIES
        self.probes = tuple(
            SimpleNamespace(card=SimpleNamespace(name=name, title=title))
            for name, title in TITLES.items()
        )
        self.digests = {"encoder": "0" * 64}
        self.credits: Mapping[str, str] = {"approved drug": "ChEMBL, CC BY-SA 3.0"}
        self.sources = tuple(KNOWN)
        self.scored: list[object] = []

    def score(
        self, raw: Sequence[object], properties: Sequence[str] | None = None, workers: int = 1
    ) -> Predictions:
        self.scored.extend(raw)
        standardized = tuple(standardize(cell) for cell in raw)
        values = np.full((len(raw), len(PROPERTIES)), np.nan)
        for row, one in enumerate(standardized):
            for column, known in enumerate(PROPERTIES):
                if one.smiles is not None:
                    share = zlib.crc32(f"{known.name} {one.smiles}".encode()) / 2**32
                    is_chance = known.kind == "classification"
                    values[row, column] = share if is_chance else 6 * share - 5
        return Predictions(tuple(raw), standardized, PROPERTIES, values)

    def neighbors(
        self, raw: Sequence[object], k: int = 10, source: str | None = None
    ) -> pd.DataFrame:
        names = [source] if source else list(KNOWN)
        rows = [(*known, name) for name in names for known in KNOWN[name]][:k]
        table = pd.DataFrame(rows, columns=["name", "smiles", "chembl_id", "year", "source"])
        table.insert(0, "query", 0)
        table.insert(1, "rank", range(1, len(table) + 1))
        table["cosine"] = np.linspace(0.97, 0.61, len(table), dtype=np.float32)
        table["tanimoto"] = np.linspace(0.9, 0.2, len(table))
        table["problem"] = ""
        return table
