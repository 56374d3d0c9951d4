"""The page and the figure of `benchmarks.generation`, from its lines alone.

python -m benchmarks.generation_report --results benchmarks/results/generation/lines.jsonl
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.tables import markdown

Line = dict[str, Any]

PUBLISHED = Path(__file__).with_name("published_moses.toml")
METRICS = (
    "validity",
    "uniqueness",
    "novelty",
    "filters",
    "fcd",
    "snn",
    "frag",
    "scaf",
    "int_div",
)
HEAD = """# What the decoder makes

Written by `python -m benchmarks.generation_report` from the lines of `benchmarks.generation`.
Samples begin at random molecules of MOSES' training set; seeds, pairs and references are of its
test set.
"""
MOSES = """## Without a seed, by MOSES' metrics

Of one sample per training molecule, z = mu + radius * spread of noise; 0.5 is about what training
adds. FCD, SNN, Frag and Scaf are against 10,000 molecules of the test set, the published ones
({source}) against all of it, of 30,000 samples. Small samples have too high an FCD. A model that
begins at training molecules is not asked to have learned their distribution: read novelty first.
"""
AROUND = """## Around seeds

![Similarity and validity by radius]({figure})

Ten samples of each seed; validity and uniqueness as the decoder writes, before `cmim generate
sample` leaves out what is invalid, repeated or the seed. Novel is a molecule that is not in the
corpus. Rescued is with `--rescue 8`: where no molecule is written, eight beams are searched, and if
none of them is one, the same with three quarters and with half of the noise (dashed).
"""
PATHS = """## Between pairs

Ten steps, the ends included; the similarity of neighbors is that of molecules next to each other.
Rescued is the straight line once more, as `cmim generate interpolate` has it: where no molecule is
written, eight beams are searched, and if none of them is one, a third of a step to either side.
"""
SEARCH = """## Optimization

CMA-ES from each seed, similarity to it at least 0.4. Calls are molecules whose property was
computed, decoded are codes, both per seed. QED: seeds of 0.7 to 0.8, success is 0.9 or more.
Penalized logP: seeds of -2 or less, not scaled to a data set.
"""


def write_page(lines: Sequence[Line], figure: str) -> str:
    """The page in Markdown.

    Parameters
    ----------
    lines : sequence of dict
        What `benchmarks.generation` wrote.
    figure : str
        Name of the picture, beside the page.

    Returns
    -------
    str
        Sections without lines are left out.
    """
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    parts = [HEAD]
    if unseeded := [*_pick(lines, "unseeded"), *_pick(lines, "unseeded_far")]:
        names = [f"{one['name']}, radius {one['radius']}, n = {one['n']:,}" for one in unseeded]
        rows = [[name, *(_show(one.get(m)) for m in METRICS)]
                for name, one in zip(names, unseeded, strict=True)]  # fmt: skip
        rows += [[f"{name} (published)", *(f"{v:.3f}" for v in values)]
                 for name, values in published["models"].items()]  # fmt: skip
        parts += [MOSES.format(source=published["source"]), markdown(["model", *METRICS], rows)]
    if prior := _pick(lines, "prior"):
        text = ", ".join(f"{one['name']} {one['validity']:.3f}" for one in prior)
        parts += [f"Validity of samples from N(0, I), which only a VAE is trained for: {text}."]
    if around := _pick(lines, "around"):
        keys = ("radius", "validity", "uniqueness", "not_the_seed", "novelty", "similarity",
                "rescued_validity", "rescued_uniqueness")  # fmt: skip
        rows = [[f"{one['name']}, {one['seeds']} seeds", *(_show(point.get(k)) for k in keys)]
                for one in around for point in one["by_radius"]]  # fmt: skip
        parts += [AROUND.format(figure=figure), markdown(["model", *keys], rows)]
    if paths := _pick(lines, "paths"):
        keys = ("validity", "similarity_of_neighbors", "similarity_of_ends")
        rows = [[f"{one['name']}, {one['pairs']} pairs", way, *(_show(one[way][k]) for k in keys)]
                for one in paths for way in ("linear", "slerp", "rescued")]  # fmt: skip
        parts += [PATHS, markdown(["model", "path", *keys], rows)]
    if search := [one for task in ("qed", "plogp") for one in _pick(lines, task)]:
        keys = ("seeds", "success", "best", "gain", "calls", "decoded")
        rows = [[one["name"], one["task"], *(_show(one.get(k)) for k in keys)] for one in search]
        parts += [SEARCH, markdown(["model", "property", *keys], rows)]
        parts += [
            f"Success of {one['name']} by codes that a search may decode: "
            + ", ".join(f"{int(n):,}: {_show(s)}" for n, s in one["success_within"].items())
            + "."
            for one in search
            if "success_within" in one
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _pick(lines: Sequence[Line], task: str) -> list[Line]:
    """Lines of a task, of each model only those of most molecules."""
    found = [one for one in lines if one["task"] == task]
    largest = {
        one["name"]: max(o["size"] for o in found if o["name"] == one["name"]) for one in found
    }
    return [one for one in found if one["size"] == largest[one["name"]]]


def _show(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)


def draw(lines: Sequence[Line], out: Path) -> None:
    """Similarity and validity by radius, one color per model, dashed what is rescued.

    Parameters
    ----------
    lines : sequence of dict
        As for `write_page`.
    out : Path
        The picture.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), dpi=120, layout="constrained")
    for one in _pick(lines, "around"):
        radius = [point["radius"] for point in one["by_radius"]]
        for axis, key in zip(axes, ("similarity", "validity"), strict=True):
            values = [point[key] for point in one["by_radius"]]
            (drawn,) = axis.plot(radius, values, marker="o", ms=3, label=one["name"])
            rescued = [point.get(f"rescued_{key}") for point in one["by_radius"]]
            if None not in rescued:
                axis.plot(radius, rescued, "--", lw=1, color=drawn.get_color())
    for axis, label in zip(axes, ("Tanimoto similarity to the seed", "validity"), strict=True):
        axis.set(xlabel="radius (spreads of the codes)", ylabel=label, ylim=(0, 1.02))
        axis.grid(alpha=0.3)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(out)
    plt.close(figure)


def main() -> None:
    """Read the arguments, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--results", type=Path, default=Path("benchmarks/results/generation/lines.jsonl")
    )
    args = parser.parse_args()
    text = args.results.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    figure = args.results.with_name("generation.png")
    draw(lines, figure)
    args.results.with_name("generation.md").write_text(
        write_page(lines, figure.name), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
