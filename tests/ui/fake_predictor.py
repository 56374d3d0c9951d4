"""The real predictor around a fake encoder and fake probes: no network, numbers from the SMILES."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from cmim_chem.chem.profile import QUANTITIES, profile
from cmim_chem.embed import Embeddings
from cmim_chem.index import NeighborIndex, build_index
from cmim_chem.predictions import Predictions, Property
from cmim_chem.predictor import Predictor
from cmim_chem.probes.card import ProbeCard
from cmim_chem.probes.domain import Nearness
from cmim_chem.probes.sureness import LEVEL, Assessment
from cmim_chem.probes.words import (
    ACTIVE,
    BORDERLINE,
    INACTIVE,
    INSIDE,
    NO_CALL,
    OUTSIDE,
    UNDECIDED,
)
from cmim_chem.reference import Distribution, Reference, measure_map

ENCODER = "0" * 64
WIDTH = 8
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
KNOWN = pd.DataFrame(
    [
        ("ASPIRIN", "CC(=O)Oc1ccccc1C(=O)O", "CHEMBL25", 1950, "approved drug"),
        ("CAFFEINE", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CHEMBL113", 1948, "approved drug"),
        ("DIAZEPAM", "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21", "CHEMBL12", 1963, "approved drug"),
        ("METFORMIN", "CN(C)C(=N)NC(=N)N", "CHEMBL1431", 1995, "approved drug"),
        ("", "CC(=O)Oc1ccccc1C(N)=O", "", None, "ZINC"),
    ],
    columns=["name", "smiles", "chembl_id", "year", "source"],
)
CREDITS = {"approved drug": "ChEMBL, CC BY-SA 3.0", "ZINC": "ZINC, free to use"}


class FakeEmbedder:
    """Random vectors, the same for the same SMILES."""

    digest = ENCODER
    d_z, d_h = 4, WIDTH

    def embed(self, smiles: Sequence[str | None], *, with_h: bool = True) -> Embeddings:
        del with_h
        h = np.full((len(smiles), WIDTH), np.nan, dtype=np.float32)
        for row, text in enumerate(smiles):
            if text is not None:
                h[row] = np.random.default_rng(zlib.crc32(text.encode())).normal(size=WIDTH)
        return Embeddings(h[:, : self.d_z], h, ("",) * len(smiles))

    def check(self, smiles: Sequence[str | None]) -> tuple[str, ...]:
        return ("",) * len(smiles)


class FakeDomain:
    """Nothing was learned from."""

    bits = np.zeros((0, 256), dtype=np.uint8)

    def _distance(self, h: np.ndarray) -> np.ndarray:
        return np.zeros(len(h))


class FakeProbe:
    """Numbers that depend on the fingerprint and on the name of the task alone.

    A sure one has intervals of +-1 at 80 % and +-2 at 90 %, and calls by thresholds. It knows large
    molecules best; only bbbp knows them all.
    """

    blocks = ("ecfp",)
    encoder_files: ClassVar[dict[str, bytes]] = {}
    domain = FakeDomain()

    def __init__(self, name: str, members: Sequence[Property], is_sure: bool = False) -> None:
        self.sureness = self if is_sure else None
        first = members[0]
        scores = {one.name: one.score for one in members if one.score is not None}
        mean = float(np.mean(list(scores.values()))) if scores else None
        entry = {"value": mean, "head": "linear", "rows": 10, "tasks": scores, "skipped": {}}
        classes = {"n": 100, "n_class_0": 60, "n_class_1": 40}
        numbers = {"n": 100, "mean": -2.0, "std": 1.5, "min": -5.0, "max": 1.0}
        self.digest = f"digest of {name}"
        self.card = ProbeCard(
            name=name,
            title=TITLES[name],
            kind=first.kind,
            tasks=tuple(one.name for one in members),
            task_titles=tuple(one.title for one in members),
            units=tuple(one.unit for one in members),
            metric=first.metric,
            rows=100,
            features="h",
            head="linear",
            params={"alpha": 1.0},
            scores={"ships": entry, "constant": entry | {"value": 0.5, "head": "constant"}},
            labels=(classes if first.kind == "classification" else numbers,) * len(members),
            encoder_digest=ENCODER,
            seed=0,
            citation="A. Author, J. Imaginary Chem. 2018, 1, 1",
            split="Bemis-Murcko scaffold, 80/10/10",
            split_rows=(80, 10, 10),
        )

    def assess(self, features, predicted, level, near=None) -> Assessment | None:
        if self.sureness is None:
            return None
        n = len(predicted)
        is_number = self.card.kind == "regression"
        half = 10 * level - 7 if is_number else np.nan
        classes = np.where(predicted < 0.3, INACTIVE, np.where(predicted > 0.7, ACTIVE, UNDECIDED))
        calls = np.full_like(classes, NO_CALL) if is_number else classes
        # Small molecules have few fragments: they are the strange ones here.
        similarity = np.minimum(1.0, features["ecfp"].sum(axis=1) / 40)
        codes = np.where(similarity < 0.2, OUTSIDE, np.where(similarity < 0.5, BORDERLINE, INSIDE))
        codes = codes if self.card.name != "bbbp" else np.zeros(n)
        return Assessment(
            predicted - half,
            predicted + half,
            calls.astype(np.int8),
            Nearness(similarity, np.zeros(n)),
            codes.astype(np.int8),
        )

    def predict(self, features: dict[str, np.ndarray]) -> np.ndarray:
        columns = []
        for task in self.card.tasks:
            bits = features["ecfp"].astype(float)
            weights = np.random.default_rng(zlib.crc32(task.encode())).normal(size=bits.shape[1])
            share = 1 / (1 + np.exp(-(bits @ weights) / 3))
            columns.append(share if self.card.kind == "classification" else 6 * share - 5)
        return np.column_stack(columns)


def make_index(embedder: FakeEmbedder) -> NeighborIndex:
    with tempfile.TemporaryDirectory() as folder:
        h = embedder.embed(KNOWN["smiles"].tolist()).h
        return build_index(h, KNOWN, ENCODER, Path(folder), CREDITS)


def make_reference(
    index: NeighborIndex, probes: Sequence[FakeProbe], embedder: FakeEmbedder
) -> Reference:
    """Drugs between -5 and 1, or between 0 and 1; the profile of the five known molecules."""
    ranges = {"classification": np.linspace(0, 1, 50), "regression": np.linspace(-5, 1, 50)}
    properties = {
        task: Distribution.measure(ranges[probe.card.kind])
        for probe in probes
        for task in probe.card.tasks
    }
    columns = zip(QUANTITIES, profile(KNOWN["smiles"].tolist()).T, strict=True)
    h = embedder.embed(KNOWN["smiles"].tolist()).h
    chart = measure_map(h, np.array(index.mean), np.arange(4))
    return Reference(
        digest="reference",
        size=4,
        probe_digests={probe.card.name: probe.digest for probe in probes},
        properties=properties,
        profile={one.name: Distribution.measure(values) for one, values in columns},
        map=chart,
    )


class FakePredictor(Predictor):
    """Remembers what it was asked for, so that a test can tell what was scored again."""

    def __init__(self, has_reference: bool = True, is_sure: bool = False) -> None:
        embedder = FakeEmbedder()
        members = groupby(PROPERTIES, key=lambda one: one.probe)
        probes = [FakeProbe(name, tuple(group), is_sure) for name, group in members]
        index = make_index(embedder)
        reference = make_reference(index, probes, embedder) if has_reference else None
        super().__init__(embedder, probes, index, reference)
        self.scored: list[object] = []

    def score(
        self,
        raw: Sequence[object],
        properties: Sequence[str] | None = None,
        workers: int = 1,
        *,
        level: float | None = LEVEL,
    ) -> Predictions:
        self.scored.extend(raw)
        return super().score(raw, properties, workers, level=level)
