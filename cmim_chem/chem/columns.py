"""Which column of a table holds the SMILES, and how its columns are named.

The readers use it once per table, on the column names and a sample of the rows. RDKit is asked only
"does this cell parse", nothing is standardized and no cell is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from rdkit import Chem, rdBase

from cmim_chem.errors import InputError

#: Names that mean "SMILES here", letters only, best first.
STRONG_NAMES = (
    *("smiles", "canonicalsmiles", "isomericsmiles", "rawsmiles", "inputsmiles", "rdkitsmiles"),
    *("standardizedsmiles", "smilesstring", "smi", "cxsmiles"),
)
#: Names that may also head a column of names or pictures: believed only if the cells agree.
WEAK_NAMES = ("structure", "mol", "molecule", "compound", "drug", "ligand")
#: Names of columns that say which molecule a row is.
IDENTIFIER_NAMES = ("name", "id", "molid", "moleculename", "compoundname", "compoundid", "title")

_LONGEST_CELL = 2_000  # a longer cell is not parsed just to find a column
_LOWEST_SHARE = 0.3  # of the cells of a sample that must look like SMILES
_SAMPLE_CELLS = 100


def normalize_name(name: str) -> str:
    """Letters and digits of a column name, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_smiles_name(name: str, strict: bool = False) -> bool:
    """Whether a column name alone says that the column holds SMILES.

    Parameters
    ----------
    name : str
        Column name.
    strict : bool
        Ask for a well-known name; otherwise any that contains "smiles" will do.

    Returns
    -------
    bool
        True if it does.
    """
    plain = normalize_name(name)
    return plain in STRONG_NAMES or ("smiles" in plain and not strict)


@lru_cache(maxsize=4096)
def smiles_likeness(cell: str) -> float:
    """How far a cell looks like a SMILES: 1 surely, 0 not at all.

    Parameters
    ----------
    cell : str
        Text of one cell.

    Returns
    -------
    float
        0 for numbers, empty and unparsable cells; less than 1 for one to three heavy atoms, since
        words such as "NO", "CNS" or the flag "N" are also valid SMILES.
    """
    text = cell.strip()
    if not text or len(text) > _LONGEST_CELL or _is_number(text):
        return 0.0
    core, _, extension = text.partition(" ")
    if extension and not extension.startswith("|"):  # only CXSMILES has a blank
        return 0.0
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(core)
    atoms = 0 if mol is None else mol.GetNumAtoms()
    if atoms > 3:
        return 1.0
    return (0.0, 0.1, 0.5, 0.5)[atoms]


def smiles_share(cells: Sequence[object]) -> float:
    """Mean likeness to SMILES of the cells that are not empty, 0 if there are none."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()][:_SAMPLE_CELLS]
    return sum(smiles_likeness(text) for text in texts) / len(texts) if texts else 0.0


def find_smiles_column(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str | None:
    """Find the SMILES column by name, then by content.

    Parameters
    ----------
    columns : sequence of str
        Column names.
    rows : sequence of sequences
        A sample of the rows, each with one cell per column.

    Returns
    -------
    str or None
        The column, or None if no name and no content suggests one.
    """
    named = _rank_by_name(columns)
    if named and normalize_name(named[0]) == "smiles":
        return named[0]
    share = {
        name: smiles_share([row[at] for row in rows[:_SAMPLE_CELLS]])
        for at, name in enumerate(columns)
    }
    believed = [name for name in named if share[name] >= _LOWEST_SHARE]
    if believed:
        return believed[0]
    best = max(columns, key=lambda name: share[name], default=None)
    if best is not None and share[best] >= _LOWEST_SHARE:
        return best
    surely = [name for name in named if is_smiles_name(name) or not rows]
    return surely[0] if surely else None


def choose_smiles_column(
    columns: Sequence[str], rows: Sequence[Sequence[object]], wanted: str | None, label: str
) -> str:
    """Take the column that the user wants, else find one.

    Parameters
    ----------
    columns, rows
        As of `find_smiles_column`.
    wanted : str or None
        Column that the user named.
    label : str
        How messages call the table.

    Returns
    -------
    str
        One of `columns`.

    Raises
    ------
    InputError
        If there is no such column, or nothing that looks like SMILES.
    """
    if wanted is not None and wanted not in columns:
        raise InputError(
            f"{label}: there is no column {wanted!r}; its columns are {list_names(columns)}"
        )
    found = wanted or find_smiles_column(columns, rows)
    if found is None:
        raise InputError(
            f"{label}: no column looks like SMILES among {list_names(columns)}; "
            "name it with --smiles-column"
        )
    return found


def make_unique(names: Sequence[str]) -> list[str]:
    """Name nameless columns by their place and number the repeated ones."""
    plain = [name.strip() or f"column_{at}" for at, name in enumerate(names, 1)]
    taken = set(plain)
    seen: set[str] = set()
    result = []
    for name in plain:
        unique = name if name not in seen else _free_name(name, taken)
        seen.add(unique)
        taken.add(unique)
        result.append(unique)
    return result


def rename_reserved(columns: Sequence[str], reserved: Collection[str]) -> dict[str, str]:
    """New names for the input columns that bear the name of a column we add.

    Parameters
    ----------
    columns : sequence of str
        Unique column names of the input.
    reserved : collection of str
        Names of the columns to be added.

    Returns
    -------
    dict of str to str
        Old name to new name (`problem` to `problem_input`), only for those that change.
    """
    taken = set(columns) | set(reserved)
    renamed: dict[str, str] = {}
    for name in columns:
        if name in reserved:
            wanted = f"{name}_input"
            renamed[name] = _free_name(wanted, taken) if wanted in taken else wanted
            taken.add(renamed[name])
    return renamed


def find_identifier(columns: Sequence[str]) -> str | None:
    """Find the column that names the molecules of a table, None if no column name says so."""
    plain = {normalize_name(name): name for name in reversed(columns)}
    found = [plain[name] for name in IDENTIFIER_NAMES if name in plain]
    return found[0] if found else None


def list_names(names: Sequence[str], limit: int = 20) -> str:
    """Write names for a message, the first `limit` of them."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def _rank_by_name(columns: Sequence[str]) -> list[str]:
    """List the columns whose name speaks for SMILES, the clearest first."""
    order = (*STRONG_NAMES, "*", *WEAK_NAMES)

    def place(name: str) -> int:
        plain = normalize_name(name)
        if plain in order:
            return order.index(plain)
        return order.index("*") if "smiles" in plain else len(order)

    return sorted((name for name in columns if place(name) < len(order)), key=place)


def _free_name(name: str, taken: Collection[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
