"""A scored upload, to be shown and downloaded: one frame, its rows in the upload's order.

Free of Streamlit; the same can be done in a notebook. The numbers come from `app.scoring`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.upload import Upload
from cmim_chem.chem.columns import find_identifier
from cmim_chem.chem.read import NOTE
from cmim_chem.report import list_columns

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor
    from cmim_chem.reference import Distribution

SMILES = "standardized_smiles"
PROBLEM = "problem"
#: Columns that come before the properties.
ADDED_COLUMNS = (SMILES, PROBLEM)


@dataclass(frozen=True, eq=False)
class Results:
    """A scored upload.

    Attributes
    ----------
    upload : Upload
        n rows as they were read.
    added : pandas.DataFrame
        n rows in the same order: `ADDED_COLUMNS`, then one column per property, NaN where there is
        no number, with the ends of its interval beside it and domain and similarity at the end for
        those that say how sure they are: the columns of `cmim score`.
    details : pandas.DataFrame
        n rows: calls, and domain and similarity probe by probe; the columns that
        `cmim score --details` adds to those.
    properties : tuple of Property
        In the order of their columns.
    distributions : mapping of str to Distribution
        How a property is distributed over the approved drugs, by name, where that is known.
    drugs : int
        Number of those drugs; 0 if nothing is known of them.
    level : float
        Of intervals and calls.
    """

    upload: Upload
    added: pd.DataFrame
    details: pd.DataFrame
    properties: tuple[Property, ...]
    distributions: Mapping[str, Distribution]
    drugs: int
    level: float

    @cached_property
    def table(self) -> pd.DataFrame:
        """The download: all columns of the upload, then the added ones."""
        return pd.concat([self.upload.batch.frame, self.added], axis=1)

    @cached_property
    def percentiles(self) -> pd.DataFrame:
        """Percentage of approved drugs with a lower value, from 0 to 100; n rows."""
        columns = {
            name: known.percentiles(self.added[name]) for name, known in self.distributions.items()
        }
        return pd.DataFrame(columns, index=self.added.index)

    @cached_property
    def failed(self) -> list[int]:
        """Rows without a prediction."""
        return [row for row, text in self._problems() if text and not text.startswith(NOTE)]

    @cached_property
    def noted(self) -> list[int]:
        """Rows that were predicted after a change worth knowing, such as a removed salt."""
        return [row for row, text in self._problems() if text.startswith(NOTE)]

    def cells(self, row: int) -> dict[str, object]:
        """All added cells and details of a row, by column."""
        frames = (self.details, self.added)
        return {str(name): frame.at[row, name] for frame in frames for name in frame}

    def standardized(self, row: int) -> str | None:
        """SMILES that was scored in a row, None if it failed."""
        cell = self.added.at[row, SMILES]
        return cell if isinstance(cell, str) and cell else None

    def problem(self, row: int) -> str:
        """Problem or note of a row in words, empty if there is none."""
        cell = self.added.at[row, PROBLEM]
        return cell if isinstance(cell, str) else ""

    def name(self, row: int) -> str:
        """Identifier of a row if a column gives one, else its number, counted from 1."""
        frame = self.upload.batch.frame
        column = find_identifier(self.upload.columns)
        cell = None if column is None else frame.at[row, column]
        text = "" if cell is None or pd.isna(cell) else str(cell).strip()
        return text or f"Row {row + 1}"

    def _problems(self) -> Iterator[tuple[int, str]]:
        return ((row, self.problem(row)) for row in range(len(self.added)))


def added_names(predictor: Predictor) -> tuple[str, ...]:
    """Names of all columns that scoring adds.

    Parameters
    ----------
    predictor : Predictor
        Knows the properties.

    Returns
    -------
    tuple of str
        In the order of the columns.
    """
    return (*ADDED_COLUMNS, *list_columns(predictor.properties))


def join_parts(
    predictor: Predictor, upload: Upload, parts: Sequence[pd.DataFrame], level: float = 0.9
) -> Results:
    """Put the finished parts together.

    Parameters
    ----------
    predictor : Predictor
        That gave them.
    upload : Upload
        n rows.
    parts : sequence of pandas.DataFrame
        n rows together, as `app.scoring.score_parts` makes them.
    level : float
        That they were scored at.

    Returns
    -------
    Results
        Of the whole upload.
    """
    from cmim_chem.landscape import list_distributions

    found = pd.concat(parts).sort_index()
    added = list(added_names(predictor))
    return Results(
        upload,
        found[added],
        found.drop(columns=added),
        tuple(predictor.properties),
        list_distributions(predictor),
        0 if predictor.reference is None else predictor.reference.size,
        level,
    )


def place_molecules(
    predictor: Predictor, results: Results
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Place the molecules on the map of chemical space.

    Parameters
    ----------
    predictor : Predictor
        Holds the map.
    results : Results
        n rows.

    Returns
    -------
    tuple of pandas.DataFrame and ndarray
        The known molecules with their places; and those of the rows, (n, 2) float32, NaN for a row
        without a molecule.
    """
    from cmim_chem.landscape import list_landmarks, locate

    smiles = [results.standardized(row) for row in range(results.upload.rows)]
    return list_landmarks(predictor), locate(predictor, smiles)


def group_properties(predictor: Predictor) -> dict[str, list[Property]]:
    """Group the properties by the probe they come from.

    Parameters
    ----------
    predictor : Predictor
        Knows probes and properties.

    Returns
    -------
    dict of str to list of Property
        Title of each probe and its properties, in order.
    """
    titles = {probe.card.name: probe.card.title for probe in predictor.probes}
    groups: dict[str, list[Property]] = {}
    for one in predictor.properties:
        groups.setdefault(titles.get(one.probe, one.probe), []).append(one)
    return groups
