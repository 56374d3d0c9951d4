"""The N best rows of a stream, without keeping the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


class Best:
    """The rows with the largest (or smallest) numbers in one column.

    Rows of equal numbers stand in the order in which they came, and the earlier is better. Rows
    without a number are never among the best.

    Parameters
    ----------
    size : int
        Rows to keep.
    column : str
        The column that counts.
    smallest : bool
        Whether the smallest numbers are the best.
    """

    def __init__(self, size: int, column: str, smallest: bool = False) -> None:
        self._size = size
        self._column = column
        self._smallest = smallest
        self._parts: list[pa.Table] = []
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Consider more rows.

        Parameters
        ----------
        rows : pyarrow.Table
            Of the same columns each time.
        """
        self._parts.append(rows)
        self._rows += len(rows)
        # Sorting now and then keeps the memory small and costs next to nothing per row.
        if self._rows > 2 * self._size + 100_000:
            self._parts = [self.sorted()]
            self._rows = len(self._parts[0])

    def sorted(self) -> pa.Table:
        """Sort the rows, the best first; `add` must have been called.

        Returns
        -------
        pyarrow.Table
            At most `size` rows.
        """
        table = pa.concat_tables(self._parts)
        numbers = table[self._column].to_numpy().astype(np.float64)
        known = np.flatnonzero(~np.isnan(numbers))
        key = numbers[known] if self._smallest else -numbers[known]
        return table.take(known[np.argsort(key, kind="stable")][: self._size])
