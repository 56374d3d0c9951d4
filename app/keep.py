"""What a visitor takes home: the whole table in the format of choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from app.download import write_csv, write_parquet, write_sdf
from app.results import Results

Writer = Callable[[pd.DataFrame], bytes]
_FORMATS: tuple[tuple[str, str, str, Writer], ...] = (
    ("CSV", ".csv", "text/csv", write_csv),
    ("SDF", ".sdf", "chemical/x-mdl-sdfile", write_sdf),
    ("Parquet", ".parquet", "application/vnd.apache.parquet", write_parquet),
)


def show_downloads(results: Results, rows: Sequence[int]) -> None:
    """Draw a button for each format.

    Parameters
    ----------
    results : Results
        n rows.
    rows : sequence of int
        Rows that are shown at the moment; if these are not all, the visitor may choose them.
    """
    some = False
    if len(rows) < results.upload.rows:
        some = st.checkbox(f"Download only the {len(rows):,} rows shown", key="download_shown")
    for at, (label, ending, mime, write) in enumerate(_FORMATS):
        st.download_button(
            f"Download {label}",
            _make(results, rows if some else None, write),
            file_name=f"predictions{ending}",
            mime=mime,
            icon=":material/download:",
            type="secondary" if at else "primary",
            key=f"download_{label}",
            on_click="ignore",
        )


def _make(results: Results, rows: Sequence[int] | None, write: Writer) -> Callable[[], bytes]:
    """Something that writes the file when it is asked for, not before."""
    return lambda: write(results.table if rows is None else results.table.iloc[list(rows)])
