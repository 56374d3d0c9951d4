"""The files of a reference: written in one go, read only when whole and of the right model.

A folder with ``arrays.safetensors`` and ``manifest.json``, which holds the checksum of the other,
the digests of encoder, index and probes, and the names of the rows. What the numbers mean is
`cmim_chem.reference`'s business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cmim_chem.errors import ArtifactError
from cmim_chem.manifests import MANIFEST, Kind

_ARRAYS = "arrays.safetensors"
_REMEDY = "install the package again, or rebuild it with `python -m data.build_reference`"
_MAP = ("offset", "center", "axes", "explained", "rows", "points")
_FIELDS = {
    "molecules": int,
    "encoder_digest": str,
    "index_digest": str,
    "probe_digests": dict,
    "properties": list,
    "profile": list,
    "sha256": str,
}
_KIND = Kind(
    "reference",
    "cmim-chem reference, version 1",
    _REMEDY,
    lambda manifest: all(isinstance(manifest[name], kind) for name, kind in _FIELDS.items()),
)


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceContent:
    """What the files of a reference hold.

    Attributes
    ----------
    encoder_digest, index_digest : str
        sha256 of the encoder and the neighbor index it was built with.
    probe_digests : dict of str to str
        sha256 of the probes whose predictions were measured, by name.
    size : int
        Number of molecules measured.
    properties, profile : dict of str to (101,) float64
        Quantiles by name.
    map : dict of str to ndarray
        The arrays of `cmim_chem.reference.ChemicalMap`, by name.
    digest : str
        sha256 of the manifest; empty before it is written.
    """

    encoder_digest: str
    index_digest: str
    probe_digests: dict[str, str]
    size: int
    properties: dict[str, NDArray[np.float64]]
    profile: dict[str, NDArray[np.float64]]
    map: dict[str, NDArray[Any]]
    digest: str = ""


def save_reference_content(content: ReferenceContent, folder: Path) -> None:
    """Write the files of a reference, in place of those that are there.

    Parameters
    ----------
    content : ReferenceContent
        What to write.
    folder : Path
        Where to; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Until the new manifest is there, the folder holds no reference.
    (folder / MANIFEST).unlink(missing_ok=True)
    arrays = {f"map.{name}": np.ascontiguousarray(content.map[name]) for name in _MAP}
    for kind, table in (("properties", content.properties), ("profile", content.profile)):
        arrays[kind] = np.stack(list(table.values())).astype(np.float32)
    save_file(arrays, folder / _ARRAYS)
    manifest = {
        "format": _KIND.format,
        "molecules": content.size,
        "encoder_digest": content.encoder_digest,
        "index_digest": content.index_digest,
        "probe_digests": content.probe_digests,
        "properties": list(content.properties),
        "profile": list(content.profile),
        "sha256": _KIND.hash_file(folder / _ARRAYS),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def load_reference_content(
    folder: Path, encoder_digest: str, index_digest: str
) -> ReferenceContent:
    """Read the files of a reference and check that they are whole and belong to the model.

    Parameters
    ----------
    folder : Path
        What `save_reference_content` wrote.
    encoder_digest, index_digest : str
        Of the encoder and the neighbor index in use.

    Returns
    -------
    ReferenceContent
        What was written; quantiles rounded to single precision.

    Raises
    ------
    ArtifactError
        If a file is missing or changed, or it was built with another encoder or index.
    """
    manifest, digest = _KIND.read_manifest(folder)
    if (manifest["encoder_digest"], manifest["index_digest"]) != (encoder_digest, index_digest):
        raise ArtifactError(f"{folder}: built with another encoder or index; {_REMEDY}")
    if _KIND.hash_file(folder / _ARRAYS) != manifest["sha256"]:
        raise ArtifactError(f"{folder / _ARRAYS}: not the file that was built; {_REMEDY}")
    try:
        arrays = load_file(folder / _ARRAYS)
        tables = {
            kind: dict(zip(manifest[kind], arrays[kind].astype(np.float64), strict=True))
            for kind in ("properties", "profile")
        }
        chart = {name: arrays[f"map.{name}"] for name in _MAP}
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{folder}: damaged ({error}); {_REMEDY}") from error
    for array in (*chart.values(), *tables["properties"].values(), *tables["profile"].values()):
        array.flags.writeable = False
    return ReferenceContent(
        encoder_digest,
        index_digest,
        manifest["probe_digests"],
        manifest["molecules"],
        tables["properties"],
        tables["profile"],
        chart,
        digest,
    )
