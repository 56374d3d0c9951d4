"""The manifest of a folder that ships, and checksums: for the files of index and reference.

What a manifest must hold is said by the module whose folder it describes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmim_chem.errors import ArtifactError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of folder.

    Attributes
    ----------
    name : str
        What messages call it.
    format : str
        What its manifest says under "format".
    remedy : str
        What to do when it is missing or damaged.
    is_whole : callable
        Whether a manifest, as parsed, has the fields of this kind; may raise KeyError or TypeError
        for one that is no manifest at all.
    """

    name: str
    format: str
    remedy: str
    is_whole: Callable[[dict[str, Any]], bool]

    def read_manifest(self, folder: Path) -> tuple[dict[str, Any], str]:
        """Return the manifest and its sha256, hexadecimal.

        Raises
        ------
        ArtifactError
            If it is missing, damaged or of another kind.
        """
        path = folder / MANIFEST
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArtifactError(f"{folder}: no {self.name} here; {self.remedy}") from error
        try:
            manifest = json.loads(content)
            is_ours = manifest["format"] == self.format and self.is_whole(manifest)
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path}: damaged; {self.remedy}") from error
        if not is_ours:
            raise ArtifactError(f'{path}: not a "{self.format}"; {self.remedy}')
        return manifest, hashlib.sha256(content).hexdigest()

    def hash_file(self, path: Path) -> str:
        """Return the sha256 of a file of the folder, hexadecimal.

        Raises
        ------
        ArtifactError
            If it cannot be read.
        """
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise ArtifactError(f"{path}: missing or unreadable; {self.remedy}") from error
