"""Everything known of one molecule, put side by side: predictions, percentiles, profile, kin.

What the depth view of the app shows and `cmim_chem.molecule_page` writes; free of both. Scoring
has been done before: a row of its table comes in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cmim_chem.chem.alerts import find_alerts
from cmim_chem.chem.profile import (
    QUANTITIES,
    Quantity,
    Verdict,
    check_rules,
    count_formula,
    profile,
)
from cmim_chem.errors import InputError
from cmim_chem.landscape import list_distributions
from cmim_chem.predictions import Property
from cmim_chem.predictor import Predictor
from cmim_chem.probes.sureness import LEVEL
from cmim_chem.reference import Distribution
from cmim_chem.report import CALL, LOWER, NOTE, PROBE_DOMAIN, PROBE_SIMILARITY, UPPER

#: Columns of a scored table that are not properties.
SMILES, PROBLEM = "standardized_smiles", "problem"
_SOURCES = {"approved drug": "approved drugs", "ZINC": "ZINC molecules"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One predicted property of a molecule.

    Attributes
    ----------
    property : Property
        What was predicted.
    value : float
        In its unit.
    lower, upper : float
        Ends of its interval; NaN if there is none.
    percentile : float
        Percentage of approved drugs with a lower value, from 0 to 100; NaN if not known.
    call : str
        Class that is left at the level: ``active``, ``inactive`` or ``undecided``; empty for
        numbers and where nothing is known.
    domain : str
        ``in``, ``borderline`` or ``outside`` what its probe knows; empty if that is not known.
    similarity : float
        Tanimoto similarity to the nearest molecule its probe was fitted on; NaN if not known.
    """

    property: Property
    value: float
    lower: float
    upper: float
    percentile: float
    call: str = ""
    domain: str = ""
    similarity: float = math.nan


@dataclass(frozen=True, slots=True)
class Fact:
    """One computed number of a molecule.

    Attributes
    ----------
    quantity : Quantity
        What was computed.
    value : float
        In its unit.
    percentile : float
        Percentage of approved drugs with a lower value, from 0 to 100; NaN if not known.
    """

    quantity: Quantity
    value: float
    percentile: float


@dataclass(frozen=True, slots=True, eq=False)
class Closeup:
    """One molecule in depth.

    Attributes
    ----------
    name : str
        As its table calls it.
    smiles : str
        Standardized SMILES: what was predicted for.
    formula : str
        Molecular formula.
    note : str
        What standardization changed, in words; empty if nothing.
    readings : tuple of Reading
        Predicted properties, in the order of the predictor.
    facts : tuple of Fact
        The profile.
    verdicts : tuple of Verdict
        How it stands to each rule of thumb.
    alerts : tuple of str
        Substructures that chemists are warned of.
    neighbors : tuple of tuple of str and DataFrame
        Each source of known molecules, and the nearest of them, nearest first.
    credits : mapping of str to str
        License and attribution of the sources.
    drugs : int
        Number of approved drugs behind the percentiles; 0 if there are none.
    encoder_digest : str
        Of the model that predicted.
    level : float
        Of intervals and calls.
    """

    name: str
    smiles: str
    formula: str
    note: str
    readings: tuple[Reading, ...]
    facts: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]
    alerts: tuple[str, ...]
    neighbors: tuple[tuple[str, pd.DataFrame], ...]
    credits: Mapping[str, str]
    drugs: int
    encoder_digest: str
    level: float

    @property
    def is_sure(self) -> bool:
        """Whether a probe says how sure it is."""
        return any(one.domain for one in self.readings)


def describe_molecule(
    predictor: Predictor,
    name: str,
    row: Mapping[str, object],
    neighbors: int = 10,
    level: float = LEVEL,
) -> Closeup:
    """Gather what is known of one molecule.

    Parameters
    ----------
    predictor : Predictor
        That scored it.
    name : str
        How its table calls it.
    row : mapping of str to object
        Cells of a scored table: ``standardized_smiles``, ``problem``, the properties, and what
        tells how sure they are, in detail, as `cmim_chem.report.prediction_columns` names it.
    neighbors : int
        Known molecules wanted of each source.
    level : float
        That the row was scored at.

    Returns
    -------
    Closeup
        Of the standardized molecule.

    Raises
    ------
    InputError
        If the row has no molecule.
    """
    smiles = str(row[SMILES] or "")
    if not smiles:
        raise InputError(f"{name}: there is no molecule in this row to look at")
    values = profile([smiles])[0]
    reference = predictor.reference
    usual = {} if reference is None else reference.profile
    return Closeup(
        name=name,
        smiles=smiles,
        formula=count_formula(smiles),
        note=str(row.get(PROBLEM) or "").removeprefix(NOTE),
        readings=_read_properties(predictor, row),
        facts=tuple(
            Fact(one, float(value), _place(usual, one.name, value))
            for one, value in zip(QUANTITIES, values, strict=True)
        ),
        verdicts=check_rules(values),
        alerts=find_alerts(smiles),
        neighbors=tuple(_find_neighbors(predictor, smiles, neighbors)),
        credits=predictor.credits,
        drugs=0 if reference is None else reference.size,
        encoder_digest=predictor.digests["encoder"],
        level=level,
    )


def name_source(source: str) -> str:
    """The molecules of a source in words, such as ``approved drugs``."""
    return _SOURCES.get(source, f"molecules of {source}")


def _read_properties(predictor: Predictor, row: Mapping[str, object]) -> tuple[Reading, ...]:
    known = list_distributions(predictor)
    return tuple(
        Reading(
            one,
            _number(row.get(one.name)),
            _number(row.get(one.name + LOWER)),
            _number(row.get(one.name + UPPER)),
            _place(known, one.name, _number(row.get(one.name))),
            str(row.get(one.name + CALL) or ""),
            str(row.get(one.probe + PROBE_DOMAIN) or ""),
            _number(row.get(one.probe + PROBE_SIMILARITY)),
        )
        for one in predictor.properties
        if one.name in row
    )


def _find_neighbors(predictor: Predictor, smiles: str, k: int) -> list[tuple[str, pd.DataFrame]]:
    found = []
    for source in predictor.sources:
        table = predictor.neighbors([smiles], k=k, source=source)
        found.append((source, table[table["smiles"].notna()]))
    return found


def _place(known: Mapping[str, Distribution], name: str, value: float) -> float:
    return float(known[name].percentiles(value)) if name in known else math.nan


def _number(cell: object) -> float:
    return float(cell) if isinstance(cell, int | float) else math.nan
