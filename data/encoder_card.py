"""The card that ships with an encoder: what it was trained on, how long, and how well it writes."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.reconstruction import measure
from cmim_chem.model.checkpoint import load_checkpoint
from cmim_chem.pretrain.corpus import Corpus

_CURVE_ROWS = 12
MOLECULES = 500

_LIMITS = """## What it is bad at

- Molecules of more than 250 tokens are refused; above some 60 tokens it has seen few.
- Metals, salts and mixtures: only the largest organic part is read.
- Isotopes are removed before reading, tautomers and protonation states are not enumerated.
- An embedding is no measurement: nothing here was trained on assay labels.
"""


def write_card(folder: Path, corpus: Corpus, log: Path) -> None:
    """Measure the shipped encoder and write ``card.md``, ``reconstruction.json``, ``curve.jsonl``.

    Parameters
    ----------
    folder : Path
        The encoder as it ships.
    corpus : Corpus
        What it was trained on, with the hold-outs.
    log : Path
        ``log.jsonl`` of the run.
    """
    model, tokenizer = load_checkpoint(folder)
    scores = list(measure(model, tokenizer, corpus, MOLECULES))
    (folder / "reconstruction.json").write_text(
        "".join(json.dumps(line) + "\n" for line in scores), encoding="utf-8"
    )
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    curve = [line for line in lines if "token_accuracy" in line]
    (folder / "curve.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in curve), encoding="utf-8"
    )
    losses = [line for line in lines if "loss" in line][-20:]
    training = json.loads((folder / "config.json").read_text(encoding="utf-8"))["training"]
    parameters = sum(p.numel() for p in model.parameters())
    parts = [
        _describe_training(training, parameters, corpus),
        _table(
            ["hold-out", "molecules", "token accuracy", "exact", "exact from a random spelling"],
            [list(s.values()) for s in scores],
        ),
        "Last losses (nats per molecule, mean of the last "
        f"{len(losses)} log lines): " + _mean_terms(losses),
        "## Learning curve (MOSES test, first 512 molecules)",
        _table(
            ["step", "molecules seen", "minutes", "token accuracy", "exact"],
            [
                [
                    c["step"],
                    c["molecules"],
                    round(c["seconds"] / 60),
                    c["token_accuracy"],
                    c["exact"],
                ]
                for c in curve[:: max(1, len(curve) // _CURVE_ROWS)] + curve[-1:]
            ],
        ),
        _LIMITS,
    ]
    (folder / "card.md").write_text("\n\n".join(parts), encoding="utf-8")


def _describe_training(training: dict[str, object], parameters: int, corpus: Corpus) -> str:
    sources = corpus.manifest["sources"]
    removed = sum(int(s.get("benchmark", 0)) for s in sources.values())
    rows = [
        [name, s["read"], s.get("kept", 0), s.get("held_out", 0), s.get("benchmark", 0)]
        for name, s in sources.items()
    ]
    table = _table(["source", "read", "trained on", "held out", "removed as benchmark"], rows)
    return (
        f"# Encoder: {training['preset']} {training['objective']}\n\n"
        f"{parameters:,} parameters, {training['step']:,} steps of {training['batch_size']}"
        f" molecules: {training['molecules']:,} molecules read in"
        f" {float(str(training['seconds'])) / 60:.0f} minutes on two CPU cores. Learning rate"
        f" {training['learning_rate']}, linear decay over the last"
        f" {float(str(training['decay_fraction'])):.0%} of the steps, tau {training['tau']}, seed"
        f" {training['seed']}. {_describe_switches(training)}\n\n"
        f"## Data\n\nEvery molecule whose InChIKey connectivity layer"
        f" occurs in one of the eleven MoleculeNet tables was removed ({removed:,}).\n\n{table}\n\n"
        f"## Reconstruction, from mu (`python -m benchmarks.reconstruction --n {MOLECULES}`)"
    )


def _describe_switches(training: dict[str, object]) -> str:
    told = {
        "chemistry": "chemistry factors {chemistry} predicted from {chemistry_from}",
        "random_spelling": "{random_spelling:.0%} of the molecules read in a random spelling",
        "blank_tokens": "{blank_tokens:.0%} of the decoder's past tokens blanked",
        "average": "weights averaged over steps with a decay of {average}",
        "init": "started from the encoder {init:.12}",
    }
    used = [text.format(**training) for key, text in told.items() if training.get(key)]
    if training.get("chemistry") == "none":
        used = [text for text in used if not text.startswith("chemistry")]
    return ("Switches: " + "; ".join(used) + ".") if used else "No switches."


def _mean_terms(lines: list[dict[str, float]]) -> str:
    counters = ("step", "molecules", "seconds", "gradient_norm", "rate")
    names = [name for name in lines[0] if name not in counters] if lines else []
    return ", ".join(
        f"{name} {sum(line[name] for line in lines) / len(lines):.3f}" for name in names
    )


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
