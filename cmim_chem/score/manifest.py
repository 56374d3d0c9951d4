"""What is written down of a job: what it was begun with, and of each shard what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import Key, Origin

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
        return {**vars(self), "origin": asdict(self.origin), "tally": self.tally.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Shard:
        """Read what `to_json` gave."""
        file, number = content["key"]
        origin, tally = Origin(**content["origin"]), Tally.from_json(content["tally"])
        return cls(**{**content, "key": (file, number), "origin": origin, "tally": tally})


@dataclass(frozen=True)
class Manifest:
    """What a job was begun with, and whether it is done.

    Attributes
    ----------
    begun_with : mapping
        Plain values by subject: input, model, software, options. What must not change.
    columns : tuple of str
        Columns of the output.
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
            **vars(self),
            "format": FORMAT,
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


def explain_change(before: Mapping[str, Any], now: Mapping[str, Any], place: str) -> str:
    """Say why a job cannot go on with something else than what it was begun with.

    Parameters
    ----------
    before, now : mapping
        `Manifest.begun_with`.
    place : str
        The folder of the job.

    Returns
    -------
    str
        Empty if nothing changed.
    """
    for subject in ("input", "model", "software", "options"):
        old, new = before[subject], now[subject]
        if old == new:
            continue
        what = f"the {subject}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            names = sorted(n for n in {*old, *new} if old.get(n) != new.get(n))
            what += f" ({', '.join(names)})"
        return (
            f"{place}: was begun with something else: {what} changed since; put that back to go "
            "on, choose another output, or start over with --restart"
        )
    return ""
