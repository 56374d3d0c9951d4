"""A few cells of the suite run afresh and compared with the stored results: `make bench-smoke`.

    python -m benchmarks.smoke    # CMIM_DATA names the raw tables

Exit code 1 when a score differs by more than the tolerance, 2 without data or stored results. Cells
of an encoder that was replaced since are left out; the fingerprints remain.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

from benchmarks.cells import Selection, list_cells
from benchmarks.journal import Record, read_records
from benchmarks.run import identify_record, run_cells
from benchmarks.workshop import Places
from cmim_chem.errors import CmimError, InputError

STORED = Path(__file__).with_name("results")
SELECTION = Selection(
    datasets=("esol",),
    representations=("ecfp", "cmim:h"),
    heads=("linear", "svm", "knn"),
    splits=("scaffold",),
)
# Of an RMSE near 1: other processors add in another order, which may turn a close choice.
TOLERANCE = 0.02


def compare(fresh: list[Record], stored: list[Record]) -> list[tuple[str, float, float]]:
    """Scores of cells that are in both, by name.

    Parameters
    ----------
    fresh, stored : list of dict
        Result lines.

    Returns
    -------
    list of tuple
        Name of the cell, score now, stored score.

    Raises
    ------
    InputError
        When they have no cell in common.
    """
    known = {identify_record(record): record["value"] for record in stored}
    both = [
        (f"{r['dataset']} {r['representation']} {r['head']}", r["value"], known[identify_record(r)])
        for r in fresh
        if identify_record(r) in known
    ]
    if not both:
        raise InputError(f"{STORED} has no result to compare with: run `cmim benchmark` first")
    return both


def main() -> int:
    """Run, compare and print; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        with tempfile.TemporaryDirectory(prefix="bench-smoke-") as folder:
            run_cells(list_cells(SELECTION), Places(Path(folder)), "smoke")
            both = compare(list(read_records(Path(folder))), list(read_records(STORED)))
    except CmimError as error:
        print(f"bench-smoke: {error}", file=sys.stderr)
        return 2
    for name, now, stored in both:
        verdict = "ok" if abs(now - stored) <= TOLERANCE else "DIFFERS"
        print(f"{name:<24} {now:.4f}  stored {stored:.4f}  {verdict}")
    return int(any(abs(now - stored) > TOLERANCE for _, now, stored in both))


if __name__ == "__main__":
    sys.exit(main())
