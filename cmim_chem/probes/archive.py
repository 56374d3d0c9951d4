"""A probe as one zip file, to be carried home from the app.

Unpacked, it is the folder that `probes.artifact` writes and `cmim score --probe` takes. Nothing is
read back from a zip here: what strangers send is not loaded.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from pathlib import Path

from cmim_chem.probes.artifact import Probe, save_probe

# The earliest time a zip can hold: the same probe gives the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
_LONGEST_NAME = 60


def name_folder(name: str) -> str:
    """Folder name for a probe, safe on any system.

    Parameters
    ----------
    name : str
        Name of the probe, perhaps a column of somebody's table.

    Returns
    -------
    str
        Letters, digits, dots, dashes and underscores; ``probe`` if nothing is left.
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:_LONGEST_NAME] or "probe"


def pack_probe(probe: Probe) -> bytes:
    """Write a probe as a zip file with one folder in it.

    Parameters
    ----------
    probe : Probe
        Fitted probe with its card.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    ArtifactError
        If there is no room for temporary files.
    """
    name = name_folder(probe.card.name)
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / name
        save_probe(probe, folder)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                within = path.relative_to(folder).as_posix()
                entry = zipfile.ZipInfo(f"{name}/{within}", _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
