"""Figures that others have published, from `published.toml`, and how near ours must come.

The rule for the fingerprint baseline, fixed before the first run: ECFP counts with a random forest
on the scaffold split land within 2 points of ROC-AUC of the published ECFP (count) forest on at
least five of the seven sets. It shows that sets, splits, labels and metric mean the same.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

TOLERANCE = 0.02
NEEDED = 5
BASELINE = ("ECFP (count), rf", "ecfp", "forest")


@dataclass(frozen=True)
class Publication:
    """One table of published scores.

    Attributes
    ----------
    title, source : str
    caveats : tuple of str
        What to mind when comparing.
    sets : tuple of str
        Datasets, in the order of the scores.
    scores : dict of str to dict of str to float
        Method to dataset to score; NaN where none was published.
    """

    title: str
    source: str
    caveats: tuple[str, ...]
    sets: tuple[str, ...]
    scores: dict[str, dict[str, float]]

    def best_heads(self) -> dict[str, float]:
        """Mean over all sets of the best head per set, by representation, best first."""
        heads: dict[str, list[dict[str, float]]] = {}
        for method, scores in self.scores.items():
            heads.setdefault(method.rpartition(", ")[0], []).append(scores)
        means = {
            name: float(np.mean([np.nanmax([s[one] for s in many]) for one in self.sets]))
            for name, many in heads.items()
        }
        return dict(sorted(means.items(), key=lambda item: -item[1]))


@cache
def load_published() -> dict[str, Publication]:
    """All tables by their key in `published.toml`."""
    path = Path(__file__).with_name("published.toml")
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        key: Publication(
            one["title"],
            one["source"],
            tuple(one["caveats"]),
            tuple(one["sets"]),
            {m: dict(zip(one["sets"], row, strict=True)) for m, row in one["scores"].items()},
        )
        for key, one in facts.items()
    }
