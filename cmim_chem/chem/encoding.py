"""What the first bytes of a stream say: is it a table at all, and how its text is encoded.

Called by `source` on the head of each input. It never reads a stream itself.
"""

from __future__ import annotations

_OTHER_FILES = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
)
_TEXT_CONTROLS = b"\t\n\v\f\r\x1a\x1b"


def is_blank(head: bytes) -> bool:
    """Whether there is nothing but byte-order marks and white space."""
    return not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")


def name_other_file(head: bytes) -> str:
    """Say what a stream is that cannot be a table, "" if it may be one."""
    found = [what for magic, what in _OTHER_FILES if head.startswith(magic)]
    if found:
        return found[0]
    if detect_encoding(head).startswith(("utf-16", "utf-32")):
        return ""
    control = sum(head.count(code) for code in range(32) if code not in _TEXT_CONTROLS)
    return "binary data" if control > max(3, 0.02 * len(head)) else ""


def has_mol_block(head: bytes) -> bool:
    """Whether the text looks like an SDF."""
    return any(mark in head for mark in (b"V2000", b"V3000", b"M  END", b"\n$$$$"))


def detect_encoding(head: bytes) -> str:
    """Name the codec of a text: UTF-8 unless a mark or the zeros of UTF-16 say otherwise.

    Parameters
    ----------
    head : bytes
        The first bytes.

    Returns
    -------
    str
        A codec name. What turns out not to be UTF-8 is for `decode_latin`, line by line.
    """
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Mostly ASCII text in UTF-16 without its mark: every other byte is zero.
    even, odd, half = head[::2].count(0), head[1::2].count(0), max(1, len(head) // 2)
    if odd > 0.5 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.5 * half and odd < 0.05 * half:
        return "utf-16-be"
    return "utf-8-sig"


def is_well_encoded(line: str) -> bool:
    """Whether a line decoded with `surrogateescape` was valid UTF-8."""
    if line.isascii():
        return True
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def decode_latin(line: str) -> str:
    """Decode a whole line again that was not UTF-8, as Windows or ISO Latin-1.

    Parameters
    ----------
    line : str
        Text decoded as UTF-8 with `surrogateescape`.

    Returns
    -------
    str
        The same bytes as Latin-1; no byte is lost.
    """
    raw = line.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("cp1252")  # what Windows calls Latin-1: adds curly quotes and dashes
    except UnicodeDecodeError:
        return raw.decode("latin-1")
