"""How well what ships does, as a Markdown table, from the cards of the shipped probes alone.

    python -m benchmarks.shipped

Every number was measured by ``make weights`` on the test rows of the scaffold split, by models
fitted on the training rows only. What ships is a mean of heads; of the others the head that did
best on the validation rows is shown.
"""

from __future__ import annotations

import sys

from cmim_chem.predictor import Predictor
from cmim_chem.probes.card import METRIC_WORDS, ProbeCard
from cmim_chem.probes.mean import part_params

HEAD = (
    "set",
    "task",
    "unit",
    "molecules",
    "test score",
    "constant",
    "ECFP counts",
    "descriptors",
    "h alone",
    "what ships",
    "what is averaged",
)


def write_row(card: ProbeCard) -> list[str]:
    """The cells of one probe."""
    tasks = len(card.tasks)
    entries = ("constant", "ecfp", "descriptors", "h", "ships")
    values = [card.scores.get(entry, {}).get("value") for entry in entries]
    best = {"rmse": min, "roc_auc": max}[card.metric](v for v in values if v is not None)
    return [
        f"`{card.name}`",
        card.kind if tasks == 1 else f"{card.kind}, {tasks} tasks",
        card.units[0],
        f"{card.rows:,}",
        METRIC_WORDS[card.metric],
        *("" if v is None else f"**{v:.3f}**" if v == best else f"{v:.3f}" for v in values),
        ", ".join(part_params(card.params)) or card.head,
    ]


def main() -> None:
    """Print the table."""
    rows = [write_row(probe.card) for probe in Predictor.load().probes]
    for line in [list(HEAD), ["---"] * len(HEAD), *rows]:
        sys.stdout.write("| " + " | ".join(line) + " |\n")


if __name__ == "__main__":
    main()
