"""What can be optimized: QED, penalized logP, and every property that a probe predicts.

A high value is not a good drug: both formulas, and the probes outside their domain, can be fooled.
The search that does the fooling, and what stands against it, is in `cmim_chem.generate.optimize`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import QED, Crippen
from rdkit.Contrib.SA_Score import sascorer

from cmim_chem.chem.parse import parse_standardized
from cmim_chem.errors import InputError
from cmim_chem.predictor import Predictor

Oracle = Callable[[Sequence[str]], NDArray[np.float64]]

#: Names of the two that need no probe.
FORMULAS = ("qed", "plogp")


def measure_qed(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Quantitative estimate of drug-likeness (Bickerton et al., Nat. Chem. 2012, 4, 90).

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n,), between 0 and 1.
    """
    return np.array([QED.qed(parse_standardized(one)) for one in smiles], dtype=np.float64)


def measure_plogp(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Penalized logP: logP - SA - max(0, largest ring - 6), as it is, not scaled to a data set.

    Gomez-Bombarelli et al., ACS Cent. Sci. 2018, 4, 268, with Crippen's logP and the synthetic
    accessibility score SA of Ertl and Schuffenhauer, J. Cheminf. 2009, 1, 8.

    Parameters
    ----------
    smiles : sequence of str
        n standardized SMILES.

    Returns
    -------
    ndarray
        Shape (n,), no unit.
    """
    return np.array([_plogp(parse_standardized(one)) for one in smiles], dtype=np.float64)


def _plogp(molecule: Chem.Mol) -> float:
    largest = max(map(len, molecule.GetRingInfo().AtomRings()), default=0)
    return float(Crippen.MolLogP(molecule) - sascorer.calculateScore(molecule)) - max(
        0, largest - 6
    )


def find_oracle(predictor: Predictor, name: str) -> tuple[str, Oracle]:
    """The function that measures a property.

    Parameters
    ----------
    predictor : Predictor
        Knows the probes.
    name : str
        ``qed``, ``plogp`` or a property of `Predictor.properties`; case does not matter.

    Returns
    -------
    name : str
        As it is spelled.
    oracle : callable
        n standardized SMILES to n numbers, shape (n,), float64.

    Raises
    ------
    InputError
        If there is no such property.
    """
    formulas: dict[str, Oracle] = {"qed": measure_qed, "plogp": measure_plogp}
    if name.lower() in formulas:
        return name.lower(), formulas[name.lower()]
    known = {one.name.lower(): one.name for one in predictor.properties}
    if name.lower() in known:
        found = known[name.lower()]
        return found, lambda smiles: predictor.score(smiles, [found]).values[:, 0]
    raise InputError(
        f"no property {name!r} to optimize: take qed, plogp or one of `cmim score --list`"
    )
