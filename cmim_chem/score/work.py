"""What is to become of each batch of a library, and doing it: the same on every engine.

`score_batch` is the whole work of a worker, here or on another computer: rows in, the rows of the
output and their counts out. It reads no file and writes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from cmim_chem.chem.read import Batch, join_columns, merge_problems
from cmim_chem.chem.sdf_write import write_records
from cmim_chem.predictor import Predictor
from cmim_chem.report import prediction_columns
from cmim_chem.score.best import Best
from cmim_chem.score.tally import Tally
from cmim_chem.score.where import read_condition

#: Columns of every output, after those of the input.
ADDED_COLUMNS = ("standardized_smiles", "problem")
#: Column with the number of the row in the input, from 1, where rows are left out.
ROW = "row"
#: Column with the name of the input file, where rows of several are left out.
FILE = "file"
#: Rows as text, or as a table.
Rows: TypeAlias = "str | pa.Table"


@dataclass(frozen=True)
class Work:
    """What is wanted of every row.

    Attributes
    ----------
    properties : tuple of str
        Columns to write, in order.
    where : str
        Condition for a row to be written; "" writes all.
    top : int
        Number of best rows to write; 0 writes all.
    by : str
        Property that says which rows are best; one of `properties`.
    smallest : bool
        Whether the smallest numbers are the best.
    float32 : bool
        Whether numbers are written in single precision.
    form : str
        What rows become: text as `csv` or `sdf`, or a table for `parquet`.
    several_files : bool
        Whether a row needs the name of its file to be found again.
    level : float or None
        Of intervals; None for values only.
    details : bool
        Whether it is told class by class and probe by probe how sure they are.
    columns : tuple of str
        The columns of the properties, as `cmim_chem.report.list_columns` names them; the
        properties alone if it is empty.
    """

    properties: tuple[str, ...]
    where: str = ""
    top: int = 0
    by: str = ""
    smallest: bool = False
    float32: bool = False
    form: str = "csv"
    several_files: bool = False
    level: float | None = None
    details: bool = False
    columns: tuple[str, ...] = ()

    @property
    def computed(self) -> tuple[str, ...]:
        """Properties that are needed: those to write and those of the condition."""
        names = read_condition(self.where).names if self.where else ()
        return tuple(dict.fromkeys((*self.properties, *names)))

    @property
    def added(self) -> tuple[str, ...]:
        """Columns that stand to the right of the input's."""
        chosen = bool(self.where or self.top)
        places = ((FILE,) if self.several_files else ()) + (ROW,)
        return (*(places if chosen else ()), *ADDED_COLUMNS, *(self.columns or self.properties))


@dataclass(frozen=True)
class Piece:
    """What a batch became.

    Attributes
    ----------
    rows : str or pyarrow.Table
        The rows to write, without a header.
    kept : int
        How many they are.
    tally : Tally
        Counts over all rows of the batch.
    """

    rows: Rows
    kept: int
    tally: Tally


def score_batch(predictor: Predictor, work: Work, batch: Batch, file: str = "") -> Piece:
    """Score a batch.

    Parameters
    ----------
    predictor : Predictor
        Gives the numbers.
    work : Work
        What is wanted.
    batch : Batch
        n rows.
    file : str
        Name of the file they are from.

    Returns
    -------
    Piece
        At most n rows, in order (with `Work.top`, the best first).
    """
    computed = work.computed
    predictions = predictor.score(batch.smiles, properties=computed, level=work.level)
    found = prediction_columns(predictions, work.details)
    problems = merge_problems(found["problem"].tolist(), batch.problems)
    tally = Tally()
    tally.add(problems)
    columns: dict[str, object] = {
        FILE: pd.array([file] * len(found), dtype="str"),
        ROW: np.arange(batch.first_row + 1, batch.first_row + len(found) + 1),
        "standardized_smiles": found["standardized_smiles"].astype("str"),
        "problem": pd.array(problems, dtype="str"),
    }
    kind = np.float32 if work.float32 else np.float64
    for name in work.columns or work.properties:
        is_number = pd.api.types.is_numeric_dtype(found[name].dtype)
        columns[name] = found[name].astype(kind if is_number else "str")
    frame = join_columns(batch.frame, pd.DataFrame({name: columns[name] for name in work.added}))
    if work.where:
        condition = read_condition(work.where)
        numbers = {name: found[name].to_numpy(np.float64) for name in condition.names}
        frame = frame[condition.meet(numbers)]
    if not work.top:
        return Piece(pack(frame, work.form), len(frame), tally)
    best = Best(work.top, work.by, work.smallest)
    best.add(pa.Table.from_pandas(frame, preserve_index=False))
    return Piece(best.sorted(), len(frame), tally)


def pack(frame: pd.DataFrame, form: str) -> Rows:
    """Turn rows into what is written of them.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows.
    form : str
        As `Work.form`.

    Returns
    -------
    str or pyarrow.Table
        Without a header.
    """
    if form == "csv":
        return frame.to_csv(index=False, header=False, lineterminator="\n")
    if form == "sdf":
        return write_records(frame)
    return pa.Table.from_pandas(frame, preserve_index=False)
