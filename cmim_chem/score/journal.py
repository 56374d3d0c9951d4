"""What a job has done so far: one small file beside each finished shard, and one for the job.

`_manifest.json` says what the job was begun with: input, model, options. A shard counts once its
own `_part-....json` is there, which is written after the shard and holds its checksum and the rows
it is made of. So a job can be killed at any moment, and go on from there: with what it was begun
with, or not at all. When all is done, the manifest takes in what the small files say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cmim_chem.errors import OutputError
from cmim_chem.score.manifest import FORMAT, Manifest, Shard
from cmim_chem.score.store import Store
from cmim_chem.score.tasks import Key

MANIFEST = "_manifest.json"
_PART, _JOB = "_part-", "_job-"


@dataclass(frozen=True)
class Journal:
    """The notes of a job in its folder.

    Attributes
    ----------
    store : Store
        The folder.
    """

    store: Store

    def manifest(self) -> Manifest | None:
        """What the job was begun with, None if there was none yet.

        Raises
        ------
        OutputError
            If it is damaged or of another version.
        """
        if MANIFEST not in self.store.names():
            return None
        content = self._load(MANIFEST)
        if content.get("format") != FORMAT:
            raise OutputError(
                f"{self.store.place}: was begun by another version; start over with --restart"
            )
        return Manifest.from_json(content)

    def save(self, manifest: Manifest) -> None:
        """Write the manifest in place of the one that is there."""
        self._save(MANIFEST, manifest.to_json())

    def add(self, shard: Shard) -> None:
        """Note that a shard is finished."""
        self._save(_name_note(shard.key), shard.to_json())

    def end_job(self, job: int, jobs: int, keys: Iterable[Key]) -> None:
        """Note that a job is done, and the shards that were its share."""
        self._save(f"{_JOB}{job:05}-of-{jobs:05}.json", {"jobs": jobs, "shards": sorted(keys)})

    def finished(self, takes: Callable[[Key], bool] = lambda _: True) -> dict[Key, Shard]:
        """Shards whose files are there and whole; what is said of others is forgotten.

        Parameters
        ----------
        takes : callable
            Says which shards are asked for.

        Returns
        -------
        dict of tuple of int to Shard
            By key.
        """
        names = self.store.names()
        shards = self.partial(takes)
        good = {
            shard.key: shard
            for shard in shards
            if shard.is_whole and shard.name in names and self._hash(shard.name) == shard.sha256
        }
        self.store.remove(_name_note(one.key) for one in shards if one.key not in good)
        return good

    def partial(self, takes: Callable[[Key], bool] = lambda _: True) -> list[Shard]:
        """Shards that are noted, in order, the last perhaps cut off with its input.

        Parameters
        ----------
        takes : callable
            Says which shards are asked for.

        Returns
        -------
        list of Shard
            By key.
        """
        keys = sorted(_read_key(n) for n in self.store.names() if n.startswith(_PART))
        return [Shard.from_json(self._load(_name_note(key))) for key in keys if takes(key)]

    def close(self) -> Manifest:
        """Take the notes of all jobs into the manifest, if they are done.

        Returns
        -------
        Manifest
            With all shards in order.

        Raises
        ------
        OutputError
            If there is no job here or some of it is missing; the message says what.
        """
        manifest = self.manifest()
        if manifest is None:
            raise OutputError(f"{self.store.place}: no scored library here; check the path")
        if manifest.is_done:
            return manifest
        names = sorted(self.store.names())
        ended = [self._load(name) for name in names if name.startswith(_JOB)]
        jobs = manifest.begun_with["options"]["jobs"]
        if len(ended) < jobs:
            raise OutputError(
                f"{self.store.place}: {len(ended)} of {jobs} jobs are done; run the others to "
                "their end first"
            )
        keys = sorted({(file, number) for one in ended for file, number in one["shards"]})
        done = self.finished()
        if missing := [key for key in keys if key not in done]:
            raise OutputError(
                f"{self.store.place}: {name_shard(missing[0])} and {len(missing) - 1} more shards "
                "are missing or damaged; run the same jobs again"
            )
        whole = replace(manifest, shards=tuple(done[key] for key in keys), is_done=True)
        self.save(whole)
        self.store.remove(name for name in names if name.startswith((_JOB, _PART)))
        return whole

    def _hash(self, name: str) -> str:
        with self.store.open(name) as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
            return digest.hexdigest()

    def _save(self, name: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        self.store.write(name, [text.encode("utf-8", "surrogatepass")])

    def _load(self, name: str) -> dict[str, Any]:
        with self.store.open(name) as stream:
            try:
                content: dict[str, Any] = json.loads(stream.read())
                return content
            except ValueError:
                raise OutputError(
                    f"{self.store.place}/{name}: damaged; start over with --restart"
                ) from None


def name_shard(key: Key) -> str:
    """Name of a shard's file, without its ending; sorts as the rows do."""
    return f"part-{key[0]:05}-{key[1]:06}"


def _name_note(key: Key) -> str:
    return f"_{name_shard(key)}.json"


def _read_key(note: str) -> Key:
    file, _, number = note.removeprefix(_PART).removesuffix(".json").partition("-")
    return int(file), int(number)
