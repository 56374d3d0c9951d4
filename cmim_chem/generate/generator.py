"""Making molecules: reconstruct, sample around a seed or without one, walk from one to another.

A `Generator` is a predictor and a bank of codes. Every molecule that leaves has been parsed and
standardized; samples are also unique and other than their seed. What is known of a molecule is
added by `cmim_chem.generate.labels`, the search for better ones is `cmim_chem.generate.optimize`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.chem.standardize import Standardized
from cmim_chem.errors import InputError
from cmim_chem.generate.bank import FILE, Bank, load_bank
from cmim_chem.generate.results import Samples, Way
from cmim_chem.generate.writing import list_along, list_nearer, write_first
from cmim_chem.model.decoding import GREEDY, Decoding
from cmim_chem.predictor import SHIPPED, Predictor

MAX_RADIUS = 5.0
# How many codes are decoded at most for each molecule wanted.
_TRIES = 20
_FEWEST_PER_ROUND = 32


@dataclass(frozen=True)
class Generator:
    """The generative half of the model.

    Attributes
    ----------
    predictor : Predictor
        Embeds, predicts and knows the neighbors.
    bank : Bank
        Codes to start from, and the unit of the radius.
    """

    predictor: Predictor
    bank: Bank = field(repr=False)

    @classmethod
    def load(cls, folder: Path | None = None, extra_probes: Sequence[Path] = ()) -> Generator:
        """Load a folder with ``encoder/``, ``probes/*/``, ``index/`` and ``bank.safetensors``.

        Parameters
        ----------
        folder : Path, optional
            The weights; those that ship with the package if not given.
        extra_probes : sequence of Path
            Probe folders made by ``cmim fit``.

        Returns
        -------
        Generator
            Ready.

        Raises
        ------
        ArtifactError
            If a part is missing, damaged or made for another encoder.
        """
        predictor = Predictor.load(folder, extra_probes)
        bank = load_bank((folder or SHIPPED) / FILE, predictor.embedder.digest)
        return cls(predictor, bank)

    def decode(
        self, z: NDArray[np.floating[Any]], how: Decoding = GREEDY, seed: int = 0
    ) -> tuple[Standardized, ...]:
        """Write codes and standardize what was written.

        Parameters
        ----------
        z : ndarray
            Shape (n, d_z); a row that is not finite becomes a problem.
        how : Decoding
            Greedy if not given.
        seed : int
            Fixes what a temperature leaves to chance.

        Returns
        -------
        tuple of Standardized
            n molecules or problems.
        """
        return write_first(self.predictor.embedder, [z], how, seed)

    def reconstruct(
        self, raw: Sequence[object], how: Decoding = GREEDY
    ) -> tuple[tuple[Standardized, ...], tuple[Standardized, ...]]:
        """Read molecules and write them down again, from mu.

        Parameters
        ----------
        raw : sequence of object
            n cells, normally SMILES.
        how : Decoding
            Greedy if not given.

        Returns
        -------
        read, written : tuple of Standardized
            n rows each; where a cell could not be read, both have its problem.
        """
        read, embedded = self.predictor.embed(raw, with_h=False)
        written = self.decode(embedded.z, how)
        return read, tuple(w if r.smiles else r for r, w in zip(read, written, strict=True))

    def encode(self, *smiles: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Standardized SMILES and codes of molecules that must be readable.

        Parameters
        ----------
        *smiles : str
            n molecules.

        Returns
        -------
        smiles : tuple of str
            n standardized SMILES.
        z : ndarray
            mu, shape (n, d_z), float32.

        Raises
        ------
        InputError
            If one cannot be read.
        """
        read, embedded = self.predictor.embed(smiles, with_h=False)
        for text, one in zip(smiles, read, strict=True):
            if one.smiles is None:
                raise InputError(f"{text[:80]!r}: {one.problem}")
        return tuple(str(one.smiles) for one in read), embedded.z

    def sample(
        self,
        n: int,
        around: str | None = None,
        radius: float = 1.0,
        how: Decoding = GREEDY,
        seed: int = 0,
    ) -> Samples:
        """Molecules near a seed, or near random molecules of the corpus.

        Each code is z = mu + radius * spread * e, with e standard normal; mu is that of the seed,
        or without one that of a random molecule of the bank.

        Parameters
        ----------
        n : int
            Molecules wanted.
        around : str, optional
            SMILES of the seed.
        radius : float
            In units of the spread of the codes, from 0 to `MAX_RADIUS`.
        how : Decoding
            Greedy if not given.
        seed : int
            Fixes everything.

        Returns
        -------
        Samples
            At most n molecules.

        Raises
        ------
        InputError
            If a number makes no sense or the seed cannot be read.
        """
        if n < 1:
            raise InputError(f"{n} molecules were asked for: ask for at least one")
        if not 0.0 <= radius <= MAX_RADIUS:
            raise InputError(f"radius {radius}: give a number from 0 to {MAX_RADIUS:g}")
        chance = np.random.default_rng(seed)
        start = None if around is None else self.encode(around)
        found: dict[str, None] = {}
        tried = valid = 0
        while len(found) < n and tried < _TRIES * n:
            # As many as seem to be needed, with some to spare.
            rate = max(len(found) / tried, 0.05) if tried else 0.5
            size = max(
                _FEWEST_PER_ROUND, min(int(1.2 * (n - len(found)) / rate), _TRIES * n - tried)
            )
            mu = self.bank.draw(size, chance) if start is None else start[1]
            noise = (
                radius * self.bank.spread * chance.standard_normal((size, self.bank.codes.shape[1]))
            )
            choices, drawn = list_nearer(mu, noise), int(chance.integers(2**31))
            for one in write_first(self.predictor.embedder, choices, how, drawn):
                tried += 1
                if one.smiles is not None:
                    valid += 1
                    if start is None or one.smiles != start[0][0]:
                        found.setdefault(one.smiles)
        smiles = tuple(found)[:n]
        alike = np.full(len(smiles), np.nan) if start is None else tanimoto(start[0][0], smiles)
        return Samples(smiles, alike, tried, valid)

    def interpolate(self, first: str, last: str, steps: int = 10, how: Decoding = GREEDY) -> Way:
        """Molecules on the straight line between the codes of two.

        Parameters
        ----------
        first, last : str
            SMILES of the ends, which are returned as they are.
        steps : int
            Molecules wanted, the ends included; at least 2.
        how : Decoding
            Greedy if not given.

        Returns
        -------
        Way
            `steps` rows.

        Raises
        ------
        InputError
            If an end cannot be read or there are too few steps.
        """
        if steps < 2:
            raise InputError(f"{steps} steps: two are the least, the ends")
        ends, z = self.encode(first, last)
        share = np.linspace(0.0, 1.0, steps)
        choices = list_along(z[:1], z[1:], share[1:-1])
        between = write_first(self.predictor.embedder, choices, how)
        molecules = (Standardized(ends[0]), *between, Standardized(ends[1]))
        alike = np.full((steps, 2), np.nan)
        good = [i for i, one in enumerate(molecules) if one.smiles is not None]
        smiles = [str(molecules[i].smiles) for i in good]
        for column, end in enumerate(ends):
            alike[good, column] = tanimoto(end, smiles)
        return Way(share, molecules, alike)
