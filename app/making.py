"""What the page Make asks of the model, and the tables that it keeps; free of Streamlit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from app.download import guard_frame

if TYPE_CHECKING:
    from cmim_chem.generate.generator import Generator

MOST = 50  # molecules at a time
SECONDS = 60.0  # a search ends with what it has found by then
#: Columns of a table of made molecules that the page shows first, before the predictions, and those
#: that only the download has.
SHOWN = ("smiles", "score", "similarity", "qed", "plogp", "nearest", "nearest_tanimoto")
HIDDEN = ("nearest_source", "known", "cosine")


@dataclass(frozen=True)
class Wish:
    """What a visitor wants to have made.

    Attributes
    ----------
    smiles : str
        The molecule to start from; empty for random molecules of the corpus.
    count : int
        Molecules wanted.
    radius : float
        How far from it, in spreads of the codes; of a search, its first step.
    goal : str
        Property that is to become better; empty for samples.
    direction : str
        ``up`` or ``down``.
    min_similarity : float
        Of a search: least Tanimoto similarity to the seed.
    seed : int
        Fixes everything.
    """

    smiles: str
    count: int = 12
    radius: float = 1.0
    goal: str = ""
    direction: str = "up"
    min_similarity: float = 0.4
    seed: int = 0


@dataclass
class Making:
    """What a visitor had made.

    Attributes
    ----------
    table : DataFrame or None
        The molecules made last, with their labels.
    told : str
        How it went, in words.
    basket : DataFrame
        The molecules that were kept, each once.
    """

    table: pd.DataFrame | None = None
    told: str = ""
    basket: pd.DataFrame = field(default_factory=pd.DataFrame)

    def keep(self, rows: list[int]) -> None:
        """Put rows of the table into the basket."""
        if self.table is not None:
            both = pd.concat([self.basket, self.table.iloc[rows]], ignore_index=True)
            self.basket = both.drop_duplicates("smiles", ignore_index=True)


def make_molecules(generator: Generator, wish: Wish) -> tuple[pd.DataFrame, str]:
    """Make molecules and label them.

    Parameters
    ----------
    generator : Generator
        The model.
    wish : Wish
        What is wanted.

    Returns
    -------
    table : DataFrame
        Molecules, the best or first made first.
    told : str
        How it went, in words.
    """
    from cmim_chem.generate import labels
    from cmim_chem.generate.optimize import Goal, Search, optimize

    if not wish.goal:
        around = wish.smiles or None
        found = generator.sample(wish.count, around, wish.radius, seed=wish.seed)
        share = found.valid / max(found.tried, 1)
        told = f"{found.tried:,} codes decoded, {share:.0%} of them molecules."
        return labels.tabulate_samples(generator, found), told
    end = time.monotonic() + SECONDS
    goal = Goal(wish.goal, wish.direction, wish.min_similarity)
    search = Search(radius=wish.radius, seed=wish.seed)
    best = optimize(generator, wish.smiles, goal, search, lambda: time.monotonic() > end)
    told = (
        f"The seed has {best.start:.3g}; {len(best.smiles):,} molecules within the limits were "
        f"found, {best.calls:,} were measured."
    )
    return labels.tabulate_optimized(generator, best, wish.count), told


def write_basket(basket: pd.DataFrame) -> bytes:
    """The basket as CSV that starts no formula in a spreadsheet.

    Parameters
    ----------
    basket : DataFrame
        Kept molecules.

    Returns
    -------
    bytes
        UTF-8.
    """
    return guard_frame(basket).to_csv(index=False, lineterminator="\n").encode()
