"""Records of an SDF as rows: SMILES, title and properties; a record that cannot be read stays.

Second stage of reading, beside `delimited`. Records are split at `$$$$` here, because RDKit's own
suppliers drop or merge what they cannot parse. The molecule is only written as SMILES;
standardization comes later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rdkit import Chem, rdBase

from cmim_chem.chem.columns import make_unique
from cmim_chem.chem.delimited import Row

#: Columns that are not properties.
SMILES, TITLE = "smiles", "name"

#: Longest mol block that is read, in lines: some thousand atoms. RDKit would take minutes for more.
MAX_LINES = 10_000

_PROPERTY = re.compile(r"^>[^<]*<(.*)>")


@dataclass
class SdfRecord:
    """One record as text.

    Attributes
    ----------
    line : int
        Number of its first line in the file, from 1.
    block : list of str
        Lines of the mol block, without line ends.
    properties : dict of str to str
        Values as they stand, several lines joined by a line feed.
    """

    line: int
    block: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


def scan_properties(lines: Iterable[str]) -> tuple[list[str], bool]:
    """Read through an SDF once to collect the names of its properties.

    Parameters
    ----------
    lines : iterable of str
        All lines.

    Returns
    -------
    tuple of list of str and bool
        Names in order of appearance, and whether anything looked like an SDF record.
    """
    names: dict[str, None] = {}
    is_sdf = False
    for line in lines:
        if line.startswith(">"):
            found = _PROPERTY.match(line)
            if found:
                names[found.group(1)] = None
        elif not is_sdf:
            is_sdf = line.startswith(("$$$$", "M  END"))
    return list(names), is_sdf


def name_columns(properties: Iterable[str]) -> dict[str, str]:
    """Columns for properties, none of which may hide the SMILES or the title.

    Parameters
    ----------
    properties : iterable of str
        Names of properties.

    Returns
    -------
    dict of str to str
        Property to column; a property `smiles` becomes `smiles_property`.
    """
    properties = list(properties)
    wanted = [f"{name}_property" if name in (SMILES, TITLE) else name for name in properties]
    unique = make_unique([SMILES, TITLE, *wanted])[2:]
    return dict(zip(properties, unique, strict=True))


def read_records(lines: Iterable[str]) -> Iterator[SdfRecord]:
    """Split an SDF into records; the last one may lack its `$$$$`.

    Parameters
    ----------
    lines : iterable of str
        All lines.

    Yields
    ------
    SdfRecord
        In the order of the file.
    """
    record = SdfRecord(1)
    body: list[str] = []
    number = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("$$$$"):
            yield _finish(record, body)
            record, body = SdfRecord(number + 1), []
        else:
            body.append(line.rstrip("\r\n"))
    if any(text.strip() for text in body):
        yield _finish(record, body)


def convert_record(record: SdfRecord, properties: Iterable[str]) -> Row:
    """Turn a record into a row.

    Parameters
    ----------
    record : SdfRecord
        One record.
    properties : iterable of str
        Names of the properties of the table, in order.

    Returns
    -------
    Row
        SMILES ("" if there is no molecule), title and properties; and why there is no molecule.
    """
    smiles, reason = _write_smiles(record)
    title = record.block[0].strip() if record.block else ""
    return [smiles, title, *(record.properties.get(name, "") for name in properties)], reason


def _finish(record: SdfRecord, body: list[str]) -> SdfRecord:
    """Sort the lines of a record into mol block and properties."""
    ends = [at for at, line in enumerate(body) if line.startswith("M  END")]
    starts = [at for at, line in enumerate(body) if _PROPERTY.match(line)]
    end = ends[0] + 1 if ends else min(starts, default=len(body))
    record.block = body[:end]
    name = None
    for line in body[end:]:
        header = _PROPERTY.match(line) if name is None else None
        if header:
            name = header.group(1)
            values = [record.properties[name]] if name in record.properties else []
        elif name is not None and line.strip():
            values.append(line)
        if name is not None:
            record.properties[name] = "\n".join(values)
        if not line.strip():
            name = None
    return record


def _write_smiles(record: SdfRecord) -> tuple[str, str]:
    place = f"record at line {record.line}"
    if not any(line.strip() for line in record.block):
        return "", f"cannot read the {place}: it is empty"
    if len(record.block) > MAX_LINES:
        lines = f"{len(record.block):,} lines"
        return "", f"cannot read the {place}: {lines}, a mol block of at most {MAX_LINES:,} is read"
    if not any(line.startswith("M  END") for line in record.block):
        return "", f"cannot read the {place}: no 'M  END', the mol block is cut off"
    with rdBase.BlockLogs():
        block = "\n".join(record.block) + "\n"
        mol = Chem.MolFromMolBlock(block)
        if mol is not None:
            return str(Chem.MolToSmiles(mol)), ""
        raw = Chem.MolFromMolBlock(block, sanitize=False)
        problems = Chem.DetectChemistryProblems(raw) if raw is not None else ()
    if problems:
        return "", f"impossible molecule in the {place}: {problems[0].Message().strip()[:150]}"
    return "", f"cannot read the {place}: its atom or bond lines do not match the counts line"
