"""What a job has done so far: one small file beside each finished shard, and one for the job.

`_manifest.json` says what the job was begun with: input, model, options. A shard counts once its
own `_part-....json` is there, which is written after the shard and holds its checksum and the rows
it is made of. So a job can be killed at any moment, and go on from there: with what it was begun
with, or not at all. When the job is done, the manifest takes in what the small files say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cmim_chem.errors import OutputError
from cmim_chem.score.store import Store
from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import Cut, Key, Origin

FORMAT = 1


@dataclass(frozen=True)
class Shard:
    """A finished shard.

    Attributes
    ----------
    key : tuple of int
        File and number in it.
    name : str
        Name of the file with its rows.
    sha256 : str
        Digest of that file.
    kept : int
        Rows in it.
    origin : Origin
        The rows of the input it is made of.
    tally : Tally
        What was counted over those.
    is_whole : bool
        False if the input was cut off within it.
    """

    key: Key
    name: str
    sha256: str
    kept: int
    origin: Origin
    tally: Tally
    is_whole: bool = True

    def to_json(self) -> dict[str, Any]:
        """As plain values, the inverse of `from_json`."""
        return {
            "key": list(self.key),
            "name": self.name,
            "sha256": self.sha256,
            "kept": self.kept,
            "origin": asdict(self.origin),
            "tally": self.tally.to_json(),
            "is_whole": self.is_whole,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Shard:
        """Read what `to_json` gave."""
        file, number = content["key"]
        return cls(
            (int(file), int(number)),
            str(content["name"]),
            str(content["sha256"]),
            int(content["kept"]),
            Origin(**content["origin"]),
            Tally.from_json(content["tally"]),
            bool(content["is_whole"]),
        )


@dataclass(frozen=True)
class Manifest:
    """What a job was begun with, and whether it is done.

    Attributes
    ----------
    begun_with : mapping
        Plain values by subject: input, model, software, options. What must not change.
    columns : tuple of str
        Columns of the output; empty until the input has been opened.
    is_damaged : bool
        Whether the input was cut off: then another input may go on, if its rows begin the same.
    shards : tuple of Shard
        All shards, once the job is done.
    is_done : bool
        Whether it is.
    """

    begun_with: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    is_damaged: bool = False
    shards: tuple[Shard, ...] = ()
    is_done: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain values, the inverse of `from_json`."""
        return {
            "format": FORMAT,
            "begun_with": dict(self.begun_with),
            "columns": list(self.columns),
            "is_damaged": self.is_damaged,
            "is_done": self.is_done,
            "shards": [shard.to_json() for shard in self.shards],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """Read what `to_json` gave."""
        return cls(
            content["begun_with"],
            tuple(content["columns"]),
            bool(content["is_damaged"]),
            tuple(Shard.from_json(one) for one in content["shards"]),
            bool(content["is_done"]),
        )
