"""What a job is and what it comes to: input, work, cut, and what must not change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cmim_chem.score.library import Library
from cmim_chem.score.manifest import Shard
from cmim_chem.score.tally import Tally
from cmim_chem.score.tasks import Cut, Key, Origin, Reading
from cmim_chem.score.work import Work

#: Told after every batch: rows scored since the last call, share of the input read or None.
Watch = Callable[[int, float | None], None]


@dataclass(frozen=True)
class Job:
    """What is to be scored, and how.

    Attributes
    ----------
    library : Library
        The input.
    work : Work
        What is wanted of every row.
    cut : Cut
        Batches, shards, and which of them.
    smiles_column : str or None
        Column of the SMILES; found if not given.
    model : mapping of str to str
        Digests of the encoder and the probes.
    software : mapping of str to str
        Versions that the numbers may depend on.
    """

    library: Library
    work: Work
    cut: Cut
    smiles_column: str | None
    model: Mapping[str, str]
    software: Mapping[str, str]

    def describe(self) -> dict[str, Any]:
        """What must not change while the job is not done, as plain values."""
        files = range(len(self.library.files))
        options = {
            **vars(self.work),
            "properties": list(self.work.properties),
            "columns": list(self.work.columns),
            "smiles_column": self.smiles_column,
            "batch_rows": self.cut.batch_rows,  # numbers differ by it, in their last digits
            "shard_rows": self.cut.shard_rows,
            "jobs": self.cut.jobs,
        }
        # Not every one of many jobs can read the whole library first: they compare the rows of the
        # shards that they find, which every job does.
        is_alone = self.cut.jobs == 1
        return {
            "input": [self.library.identify(file, with_digest=is_alone) for file in files],
            "model": dict(self.model),
            "software": dict(self.software),
            "options": options,
        }

    def read(self, done: Mapping[Key, Origin]) -> Reading:
        """Begin a pass over the input.

        Parameters
        ----------
        done : mapping
            What the shards that were finished before are made of.
        """
        return Reading(self.library, self.cut, self.smiles_column, self.work.added, done)


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    tally : Tally
        Counts over all rows of the job, those of earlier runs included.
    kept : int
        Rows of the output.
    earlier : int
        Rows that were scored by earlier runs.
    """

    tally: Tally
    kept: int
    earlier: int


def sum_up(shards: Iterable[Shard], earlier: Iterable[Shard]) -> Outcome:
    """Add up what shards say.

    Parameters
    ----------
    shards : iterable of Shard
        All of a job.
    earlier : iterable of Shard
        Those that an earlier run had finished.
    """
    tally, kept = Tally(), 0
    for shard in shards:
        tally.include(shard.tally)
        kept += shard.kept
    return Outcome(tally, kept, sum(shard.tally.rows for shard in earlier))
