"""Tables as SDF records: a drawn molecule, and every column as a property.

The inverse of `sdf`: what is written here is read back there with the same rows in the same order,
and by other programs. A row without a molecule becomes a record without atoms. Which columns there
are is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor

from cmim_chem.chem.columns import find_identifier, find_smiles_column

#: The column that is drawn if it is there: what the numbers belong to.
STANDARDIZED = "standardized_smiles"

_NO_ATOMS = "{title}\n  cmim-chem\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"
# A line that begins so would end a record or begin a property.
_MARKS = ("$$$$", ">", "M  END")
_LONGEST_TITLE = 80  # characters, by the format


def write_records(frame: pd.DataFrame) -> str:
    """Write a table as SDF.

    Parameters
    ----------
    frame : pandas.DataFrame
        n rows. The molecule comes from `standardized_smiles`, else from the column that looks like
        SMILES by its name; the title from the column that names the molecules.

    Returns
    -------
    str
        n records; empty for n = 0.
    """
    columns = [str(name) for name in frame.columns]
    source = STANDARDIZED if STANDARDIZED in columns else find_smiles_column(columns, ())
    namer = find_identifier(columns)
    names = [" ".join(name.split()) for name in columns]
    records = []
    for cells in frame.itertuples(index=False, name=None):
        texts = [_to_text(cell) for cell in cells]
        smiles = texts[columns.index(source)] if source is not None else ""
        title = texts[columns.index(namer)] if namer is not None else ""
        records.append(_write_record(smiles, title, names, texts))
    return "".join(records)


def _write_record(smiles: str, title: str, names: Sequence[str], texts: Sequence[str]) -> str:
    title = _guard(" ".join(title.split())[:_LONGEST_TITLE])
    properties = "".join(
        f"> <{name}>\n{_fold(text)}\n" for name, text in zip(names, texts, strict=True)
    )
    return f"{_draw(smiles, title)}{properties}$$$$\n"


def _draw(smiles: str, title: str) -> str:
    """Mol block with flat coordinates; without atoms if there is no molecule."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
        if molecule is None or not molecule.GetNumAtoms():
            return _NO_ATOMS.format(title=title)
        rdDepictor.Compute2DCoords(molecule)
        molecule.SetProp("_Name", title)
        return str(Chem.MolToMolBlock(molecule))


def _to_text(cell: object) -> str:
    # NaN and pandas' NA are missing; only NaN differs from itself, NA cannot be asked.
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return ""
    return str(cell)


def _fold(text: str) -> str:
    """Value of a property: a blank line would end it, so there is none inside."""
    lines = [_guard(line.rstrip()) for line in text.splitlines() if line.strip()]
    return "".join(f"{line}\n" for line in lines)


def _guard(line: str) -> str:
    return f" {line}" if line.startswith(_MARKS) else line
