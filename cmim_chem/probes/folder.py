"""Files of a probe's folder: JSON, checksums, and the swap that puts a folder into its place.

What the files mean is known by `probes.artifact`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmim_chem.errors import ArtifactError

#: The encoder that a probe brings along, as `cmim_chem.model.checkpoint` writes it.
ENCODER = "encoder"
ENCODER_FILES = tuple(f"{ENCODER}/{n}" for n in ("config.json", "vocab.json", "model.safetensors"))


def list_files(folder: Path) -> dict[str, str]:
    """List the sha256 of every file, by its name in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in paths}


def write_encoder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the encoder that a probe brings along, if it does."""
    if files:
        (folder / ENCODER).mkdir()
    for name, content in files.items():
        (folder / ENCODER / name).write_bytes(content)


def read_encoder(folder: Path, listed: Mapping[str, str]) -> dict[str, bytes]:
    """Read the encoder that a probe brings along.

    Parameters
    ----------
    folder : Path
        Of the probe; its files have been checked.
    listed : mapping of str to str
        Its files and their checksums.

    Returns
    -------
    dict of str to bytes
        By name; empty for a probe that has none.

    Raises
    ------
    ArtifactError
        When there is a part of one.
    """
    there = [name for name in listed if name in ENCODER_FILES]
    if there and len(there) < len(ENCODER_FILES):
        missing = ", ".join(sorted(set(ENCODER_FILES) - set(there)))
        raise ArtifactError(
            f"{folder}: of the probe's own encoder {missing} is missing: copy the folder again"
        )
    return {Path(name).name: (folder / name).read_bytes() for name in there}


def check_file(folder: Path, name: str, expected: object) -> None:
    """Compare a file with its checksum.

    Raises
    ------
    ArtifactError
        When it is missing, was changed, or is no file of a probe.
    """
    path = folder / name
    is_ours = Path(name).name == name or name in ENCODER_FILES
    if not is_ours or not path.is_file():
        raise ArtifactError(f"{folder}: the file {name} is missing: copy the folder again")
    if hash_file(path) != expected:
        raise ArtifactError(f"{folder}: {name} was changed after it was written: copy it again")


def move_into_place(fresh: Path, folder: Path) -> None:
    """Swap folders by renaming; a crash leaves the old or the new one, never a mixture."""
    old = fresh.with_name(fresh.name + "-old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def is_occupied(folder: Path) -> bool:
    """Whether there is something: a file, or a folder that is not empty."""
    return not folder.is_dir() or any(os.scandir(folder))


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    ArtifactError
        When it is missing or is none.
    """
    path = folder / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} is not a probe folder: it has no {name}") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read ({error}): copy the folder again") from error
    if not isinstance(content, dict):
        raise ArtifactError(f"{path} is not a JSON object: copy the folder again")
    return content


def to_json(content: object) -> str:
    """Write JSON the same way each time."""
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"


def hash_file(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest_files(files: Mapping[str, str]) -> str:
    """sha256 over a list of files and their checksums."""
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
