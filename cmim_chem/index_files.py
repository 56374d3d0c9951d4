"""The files of a neighbor index: written in one go, read only when whole and of the right encoder.

A folder with ``vectors.safetensors`` (one byte per number), ``table.parquet`` and
``manifest.json``, which holds the checksums of the other two, the digest of the encoder and the
credits of the sources. What the numbers mean and how they are searched is `cmim_chem.index`'s
business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cmim_chem.errors import ArtifactError
from cmim_chem.manifests import MANIFEST, Kind

COLUMNS = ("name", "smiles", "chembl_id", "year", "source")

_VECTORS, _TABLE = "vectors.safetensors", "table.parquet"
_REMEDY = "install the package again, or rebuild the index with `make weights`"


def _is_whole(manifest: dict[str, Any]) -> bool:
    return (
        set(manifest["files"]) == {_VECTORS, _TABLE}
        and isinstance(manifest["encoder_digest"], str)
        and isinstance(manifest["credits"], dict)
    )


_KIND = Kind("neighbor index", "cmim-chem neighbor index, version 1", _REMEDY, _is_whole)


@dataclass(frozen=True, slots=True, eq=False)
class IndexContent:
    """What the files of an index hold.

    Attributes
    ----------
    encoder_digest : str
        sha256 of the encoder that made the vectors.
    credits : dict of str to str
        License and attribution of each source.
    mean : (d,) float32
        What was subtracted from h.
    vectors : (n, d) float32
        Centered h of each molecule: of length 1 to be written; of the same direction, up to the
        rounding, but of another length when read.
    table : DataFrame
        n rows with the columns `COLUMNS`.
    digest : str
        sha256 of the manifest, and so of everything in the index; empty before it is written.
    """

    encoder_digest: str
    credits: dict[str, str]
    mean: NDArray[np.float32]
    vectors: NDArray[np.float32]
    table: pd.DataFrame
    digest: str = ""


def save_content(content: IndexContent, folder: Path) -> None:
    """Write the files of an index, in place of those that are there.

    Parameters
    ----------
    content : IndexContent
        What to write.
    folder : Path
        Where to; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Until the new manifest is there, the folder holds no index.
    (folder / MANIFEST).unlink(missing_ok=True)
    save_file({"mean": content.mean, "vectors": _round(content.vectors)}, folder / _VECTORS)
    table = _unify_types(content.table)
    table.to_parquet(folder / _TABLE, index=False, compression="zstd")
    manifest = {
        "format": _KIND.format,
        "similarity": "cosine of h after subtracting the mean of the index",
        "molecules": len(table),
        "dimensions": len(content.mean),
        "encoder_digest": content.encoder_digest,
        "files": {name: _KIND.hash_file(folder / name) for name in (_VECTORS, _TABLE)},
        "credits": content.credits,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_bytes(text.encode())


def load_content(folder: Path, encoder_digest: str) -> IndexContent:
    """Read the files of an index and check that they are whole and belong to the encoder.

    Parameters
    ----------
    folder : Path
        What `save_content` wrote.
    encoder_digest : str
        Digest of the encoder in use.

    Returns
    -------
    IndexContent
        What was written, the vectors rounded.

    Raises
    ------
    ArtifactError
        If a file is missing or changed, or the index was built with another encoder.
    """
    manifest, digest = _KIND.read_manifest(folder)
    if manifest["encoder_digest"] != encoder_digest:
        raise ArtifactError(
            f"{folder}: this index was built with encoder {manifest['encoder_digest'][:12]}, "
            f"the encoder loaded is {encoder_digest[:12]}; rebuild it with `make weights`"
        )
    for name, expected in manifest["files"].items():
        if _KIND.hash_file(folder / name) != expected:
            raise ArtifactError(f"{folder / name}: not the file that was built; {_REMEDY}")
    try:
        arrays = load_file(folder / _VECTORS)
        mean, vectors = arrays["mean"], arrays["vectors"].astype(np.float32)
        table = _unify_types(pd.read_parquet(folder / _TABLE))
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{folder}: damaged ({error}); {_REMEDY}") from error
    if vectors.shape != (len(table), len(mean)):
        raise ArtifactError(f"{folder}: vectors and table are of different sizes; {_REMEDY}")
    return IndexContent(encoder_digest, manifest["credits"], mean, vectors, table, digest)


def _round(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Keep the direction of each row, whose largest number becomes 127: cosines err by 0.0004."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    return np.rint(vectors * (127.0 / np.where(largest > 0, largest, 1.0))).astype(np.int8)


def _unify_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the index with one type each, whatever wrote or read them."""
    table = table.loc[:, list(COLUMNS)].reset_index(drop=True)
    text = [column for column in COLUMNS if column != "year"]
    table[text] = table[text].astype("object").fillna("").astype("str")
    table["year"] = table["year"].astype("Int64")
    return table
