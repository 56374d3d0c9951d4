"""How a text table is written: its delimiter, whether it has a header, the names of its columns.

Decided once per table from its ending and its first lines. A SMILES contains none of the
delimiters, so where the cells of a column parse as SMILES the split is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cmim_chem.chem.columns import is_smiles_name, make_unique, smiles_share
from cmim_chem.chem.delimited import NO_DELIMITER, Layout, Lookahead, read_record

_SAMPLE_LINES = 40
_DELIMITERS = frozenset(",;\t|")
# White space before the tab: a .smi file is SMILES, white space, name. A table of three or more
# columns separated by tabs is recognized as such before.
_CANDIDATES: dict[str, tuple[str | None, ...]] = {
    "csv": (",", ";", "\t", "|"),
    "tsv": ("\t", ",", ";", "|"),
    "smi": (None, "\t", ",", ";", "|"),
    "txt": (None, "\t", ",", ";", "|"),
    "text": (None, "\t", ",", ";", "|"),
}
_ENOUGH = 0.3  # mean likeness from which a column is taken for SMILES


def detect_layout(lines: Lookahead, kind: str) -> Layout:
    """Find out how a text table is written.

    Parameters
    ----------
    lines : Lookahead
        The lines of the table; blank ones before the first row are taken, no other.
    kind : str
        Ending of the file, or "text" if unknown.

    Returns
    -------
    Layout
        Delimiter, column names, header or not.
    """
    while _is_blank(lines.peek(1)):
        next(lines)
    sample = [line for line in lines.peek(_SAMPLE_LINES) if line.strip("\r\n ")]
    if not sample:
        return Layout(NO_DELIMITER, ("smiles",), False)
    delimiter = _choose_delimiter(sample, kind)
    table = _split_all(sample, delimiter)
    header, *rows = table
    if _is_header(header, rows, strict=delimiter is None):
        names = [name.strip() for name in header]
        names += [""] * (_usual_width(rows) - len(names))
        if delimiter is None and len(names) == 1:
            names.append("name")
        layout = Layout(delimiter, tuple(make_unique(names)), True)
    else:
        layout = Layout(delimiter, tuple(_name_columns(table, delimiter, kind)), False)
    if delimiter is not None and len(layout.columns) == 1:
        return Layout(NO_DELIMITER, layout.columns, layout.has_header)
    return layout


def _is_blank(lines: list[str]) -> bool:
    return bool(lines) and not lines[0].strip("\r\n ")


def _choose_delimiter(sample: list[str], kind: str) -> str | None:
    """Choose the candidate that explains the sample best, the first one of equals."""
    candidates = _CANDIDATES[kind]
    usable = [one for one in candidates if one is None or one in "".join(sample)]
    if not usable:
        return candidates[0]

    def score(delimiter: str | None) -> tuple[float, ...]:
        table = _split_all(sample, delimiter)
        width = len(table[0])
        agreement = sum(len(row) == width for row in table) / len(table) if width > 1 else 0.0
        is_table = delimiter is not None and width > 2 and agreement == 1
        named = any(is_smiles_name(name) and not _DELIMITERS & set(name) for name in table[0])
        content = max((smiles_share(column) for column in _transpose(table)), default=0.0)
        return named, round(content, 1), is_table, agreement

    return max(usable, key=score)


def _split_all(sample: list[str], delimiter: str | None) -> list[list[str]]:
    lines = Lookahead(sample)
    return [read_record(line, lines, delimiter, None)[0] for line in lines]


def _is_header(header: Sequence[str], rows: list[list[str]], strict: bool) -> bool:
    """Whether the first line names columns; `strict` asks for a name that means SMILES."""
    if any(is_smiles_name(name, strict) for name in header):
        return True
    if strict:
        return False
    shares = [smiles_share(column) for column in _transpose(rows)]
    best = max(range(len(shares)), key=lambda at: shares[at], default=None)
    if best is not None and shares[best] >= _ENOUGH and best < len(header):
        return smiles_share([header[best]]) < _ENOUGH
    return all(smiles_share([name]) < _ENOUGH for name in header)


def _usual_width(rows: list[list[str]]) -> int:
    """Width that nine in ten rows share, counting only what is filled; 0 if there is none."""
    widths = Counter(max((at for at, cell in enumerate(row, 1) if cell), default=0) for row in rows)
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return width if len(rows) > 1 and count >= 0.9 * len(rows) else 0


def _name_columns(table: list[list[str]], delimiter: str | None, kind: str) -> list[str]:
    """Names for a table without a header: `smiles`, and `name` beside it in a list of molecules."""
    if delimiter is None:
        return ["smiles", "name"]
    width = max(len(table[0]), _usual_width(table))
    shares = [smiles_share(column) for column in _transpose(table)]
    names = [f"column_{at}" for at in range(1, width + 1)]
    names[max(range(min(width, len(shares))), key=lambda at: shares[at])] = "smiles"
    if width == 2 and names[0] == "smiles" and kind != "csv":
        names[1] = "name"
    return names


def _transpose(table: list[list[str]]) -> list[list[str]]:
    """List the columns of a ragged table."""
    width = max((len(row) for row in table), default=0)
    return [[row[at] for row in table if at < len(row)] for at in range(width)]
