"""What the page shows and downloads of a scored upload: one frame, its rows in the upload's order.

Free of Streamlit; the same can be done in a notebook. Scoring goes part by part only so that a page
can show progress and go on after an interruption: the numbers are those of one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from app.upload import Upload
from cmim_chem.chem.columns import find_identifier
from cmim_chem.chem.depict import svg_data_uri
from cmim_chem.chem.read import NOTE, merge_problems
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor

SMILES = "standardized_smiles"
PROBLEM = "problem"
#: Columns that come before the properties.
ADDED_COLUMNS = (SMILES, PROBLEM)
PART_ROWS = 256
PICTURE = (160, 96)  # pixels


@dataclass(frozen=True, eq=False)
class Results:
    """A scored upload.

    Attributes
    ----------
    upload : Upload
        n rows as they were read.
    added : pandas.DataFrame
        n rows in the same order: `ADDED_COLUMNS`, then one column per property, NaN where there is
        no number.
    properties : tuple of Property
        In the order of their columns.
    """

    upload: Upload
    added: pd.DataFrame
    properties: tuple[Property, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The download: all columns of the upload, then the added ones."""
        return pd.concat([self.upload.batch.frame, self.added], axis=1)

    @property
    def failed(self) -> list[int]:
        """Rows without a prediction."""
        return [row for row, text in self._problems() if text and not text.startswith(NOTE)]

    @property
    def noted(self) -> list[int]:
        """Rows that were predicted after a change worth knowing, such as a removed salt."""
        return [row for row, text in self._problems() if text.startswith(NOTE)]

    def standardized(self, row: int) -> str | None:
        """SMILES that was scored in a row, None if it failed."""
        cell = self.added[SMILES].iloc[row]
        return cell if isinstance(cell, str) and cell else None

    def problem(self, row: int) -> str:
        """Problem or note of a row in words, empty if there is none."""
        cell = self.added[PROBLEM].iloc[row]
        return cell if isinstance(cell, str) else ""

    def name(self, row: int) -> str:
        """Identifier of a row if a column gives one, else its number, counted from 1."""
        frame = self.upload.batch.frame
        column = find_identifier(self.upload.columns)
        cell = None if column is None else frame[column].iloc[row]
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
    return (*ADDED_COLUMNS, *(one.name for one in predictor.properties))


def score_parts(predictor: Predictor, upload: Upload, parts: list[pd.DataFrame]) -> Iterator[int]:
    """Score the rows that are not in `parts` yet, part by part.

    Parameters
    ----------
    predictor : Predictor
        Gives the predictions.
    upload : Upload
        n rows.
    parts : list of pandas.DataFrame
        Finished parts in order; each new one is appended before it is reported.

    Yields
    ------
    int
        Number of rows scored so far.
    """
    # Here and not above: the page is drawn before the libraries of the model are loaded.
    from cmim_chem.report import prediction_columns

    smiles = upload.batch.smiles
    done = sum(len(part) for part in parts)
    yield done
    while done < len(smiles):
        rows = slice(done, done + PART_ROWS)
        added = prediction_columns(predictor.score(smiles[rows])).reset_index(drop=True)
        read_problems = upload.batch.problems[rows]
        parts.append(
            added.assign(**{PROBLEM: merge_problems(added[PROBLEM].tolist(), read_problems)})
        )
        done += len(parts[-1])
        yield done


def join_parts(predictor: Predictor, upload: Upload, parts: Sequence[pd.DataFrame]) -> Results:
    """Put the finished parts together.

    Parameters
    ----------
    predictor : Predictor
        That gave them.
    upload : Upload
        n rows.
    parts : sequence of pandas.DataFrame
        n rows together.

    Returns
    -------
    Results
        Of the whole upload.
    """
    return Results(upload, pd.concat(parts, ignore_index=True), tuple(predictor.properties))


def draw_pictures(results: Results, dark: bool) -> list[str | None]:
    """Draw the molecule of every row for a table.

    Parameters
    ----------
    results : Results
        n rows.
    dark : bool
        For a dark page.

    Returns
    -------
    list of str or None
        n addresses of pictures, None where there is no molecule.
    """
    drawn: dict[str | None, str | None] = {None: None}
    pictures = []
    for row in range(len(results.added)):
        smiles = results.standardized(row)
        if smiles not in drawn:
            drawn[smiles] = draw_picture(smiles, *PICTURE, dark=dark) if smiles else None
        pictures.append(drawn[smiles])
    return pictures


def draw_picture(smiles: str, width: int, height: int, dark: bool) -> str | None:
    """Draw one molecule.

    Parameters
    ----------
    smiles : str
        SMILES.
    width, height : int
        Size in pixels.
    dark : bool
        For a dark page.

    Returns
    -------
    str or None
        Address of the picture; None if the molecule cannot be drawn, which is no reason to fail.
    """
    try:
        return svg_data_uri(smiles, width, height, dark=dark)
    except InputError:
        return None


def find_neighbors(predictor: Predictor, smiles: str, k: int) -> list[tuple[str, pd.DataFrame]]:
    """Find the known molecules nearest to one.

    Parameters
    ----------
    predictor : Predictor
        Holds the index.
    smiles : str
        SMILES.
    k : int
        Neighbors per source.

    Returns
    -------
    list of tuple of str and pandas.DataFrame
        Each source of the index and at most k of its molecules, nearest first; none if the weights
        have no index.
    """
    found = []
    for source in predictor.sources:
        table = predictor.neighbors([smiles], k=k, source=source)
        found.append((source, table[table["smiles"].notna()]))
    return found


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
