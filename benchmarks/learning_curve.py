"""Draw the learning curve of the shipped encoder from the record that ships with it.

python -m benchmarks.learning_curve --out benchmarks/results/learning_curve.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from cmim_chem.predictor import SHIPPED


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/learning_curve.png"))
    args = parser.parse_args()
    record = (SHIPPED / "encoder" / "curve.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in record.splitlines()]
    molecules = [line["molecules"] / 1e3 for line in lines]
    figure, axis = plt.subplots(figsize=(6.4, 3.2), dpi=120, layout="constrained")
    for name, label in (("token_accuracy", "tokens right"), ("exact", "molecules exact")):
        axis.plot(molecules, [line[name] for line in lines], marker="o", ms=3, label=label)
    axis.axhline(0.94, color="0.6", lw=1, ls="--")
    axis.annotate("0.94", (molecules[0], 0.945), color="0.4", fontsize=8)
    axis.set(
        xlabel="molecules seen in pretraining (thousands)",
        ylabel="share, held-out MOSES test",
        ylim=(0, 1.02),
        xlim=(0, None),
    )
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="center right")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out)


if __name__ == "__main__":
    main()
