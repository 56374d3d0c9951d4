"""What a user asks of `cmim fit`: target, candidates, split. What does not exist is rejected."""

from __future__ import annotations

from dataclasses import dataclass

from cmim_chem.assay_finetune import list_readers
from cmim_chem.errors import InputError
from cmim_chem.features import BLOCKS
from cmim_chem.probes.heads import HEADS
from cmim_chem.probes.model import Kind
from cmim_chem.probes.select import FEATURE_SETS

#: How rows may be split; or `time:COLUMN`.
SPLITS = ("scaffold", "random")


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What to fit, and how.

    Attributes
    ----------
    target : str
        Column of the labels.
    name : str
        Name of the predicted property, and so of its column in `cmim score`; "" takes `target`.
    unit : str
        Unit of a regression target, in words.
    task : "regression", "classification" or None
        None tells by the labels.
    head : str or None
        One of `cmim_chem.probes.heads.HEADS`; None takes the mean of several.
    features : str or None
        Blocks joined by "+", of `BLOCKS`; None joins h, descriptors and ECFP counts.
    seed : int
        Fixes everything random.
    created : str
        ISO date for the card, or "".
    split : str
        "scaffold", "random", or "time:COLUMN" for a column of dates or numbers.
    more_targets : tuple of str
        Further columns, predicted by the same probe; each may have gaps.
    finetune : bool
        Whether a fine-tuned copy of the encoder is tried, and kept if it validates better.

    Raises
    ------
    InputError
        If head, features or split are unknown, or fine-tuning would change nothing.
    """

    target: str
    name: str = ""
    unit: str = "as in the table"
    task: Kind | None = None
    head: str | None = None
    features: str | None = None
    seed: int = 0
    created: str = ""
    split: str = "scaffold"
    more_targets: tuple[str, ...] = ()
    finetune: bool = False

    def __post_init__(self) -> None:
        """Reject what does not exist."""
        if self.head is not None and self.head not in HEADS:
            raise InputError(f"--head {self.head}: choose auto, {', '.join(HEADS)}")
        blocks = self.features.split("+") if self.features is not None else ["h"]
        if len(set(blocks)) < len(blocks) or not set(blocks) <= set(BLOCKS):
            raise InputError(
                f"--features {self.features}: choose auto, or join {', '.join(BLOCKS)} with +"
            )
        if self.finetune and not list_readers(self.feature_sets):
            raise InputError(
                f"--finetune changes z and h, which --features {self.features} does not read"
            )
        if self.split not in SPLITS and not self.time_column:
            raise InputError(f"--split {self.split}: choose scaffold, random or time:COLUMN")

    @property
    def time_column(self) -> str:
        """Column that a split by time goes by; empty for other splits."""
        return self.split[5:] if self.split.startswith("time:") else ""

    @property
    def feature_sets(self) -> tuple[str, ...]:
        """Feature sets to try."""
        return FEATURE_SETS if self.features is None else (self.features,)

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads to try."""
        return tuple(HEADS) if self.head is None else (self.head,)
