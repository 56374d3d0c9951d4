"""The card of a probe: what it predicts, from what, how well, and for which encoder.

Written beside the numbers as `card.json` (read back) and `card.md` (for people). Holds facts only;
the folder and its checksums are `probes.artifact`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cmim_chem.errors import ArtifactError
from cmim_chem.probes.model import Kind

METRIC_WORDS = {"rmse": "RMSE", "roc_auc": "ROC-AUC"}
ENTRY_WORDS = {
    "ships": "this probe",
    "h": "h alone, best head",
    "descriptors": "descriptors alone, best head",
    "ecfp": "ECFP counts alone, best head",
    "constant": "constant predictor",
}

#: What the card says of intervals and probabilities, in words.
SURE_WORDS = {
    "coverage": "share inside the interval",
    "width": "median width",
    "ece_before": "calibration error before",
    "ece_after": "after",
    "undecided": "share undecided",
    "right": "share right of the decided",
}
_CLASS_COLUMNS = ("ece_before", "ece_after", "undecided", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCard:
    """Facts of one probe.

    Attributes
    ----------
    name : str
        Folder name.
    title, citation : str
        The table in words, and where it is published.
    kind : "regression" or "classification"
    tasks, task_titles, units : tuple of str
        One per task: column name of `cmim score`, words, unit ("probability" for classification).
    metric : str
        "rmse" (in the unit) or "roc_auc".
    rows : int
        Molecules the shipped numbers were fitted on.
    features, head : str
        E.g. "h+descriptors+ecfp" and "mean".
    params : dict of str to float
        Of the head; those of the members of a mean are named as in "lightgbm.rounds".
    scores : dict of str to dict
        Held-out test scores of the model fitted on train only, per entry of `ENTRY_WORDS`: `value`
        (mean over tasks or None), `head`, `rows`, `tasks`, `skipped`.
    validation : dict of str to float or None
        Best validation score per "features / head".
    labels : tuple of dict
        Per task: n, and mean, std, min, max in the unit, or n_class_0 and n_class_1.
    encoder_digest : str
        sha256 of the only encoder whose z and h may be passed.
    seed : int
    split : str
    split_rows : tuple of int
        Train, validation and test rows behind `scores`.
    created : str
        ISO date, or empty.
    notes : tuple of str
    sureness : dict
        What intervals, calibrated probabilities and the domain came to on the test rows, as
        `probes.trust.check_sureness` reports it; empty for a probe that has none.
    finetuning : dict
        What fine-tuning the encoder came to: ``kept``, validation scores ``frozen`` and
        ``finetuned`` (None if not defined), ``epochs`` done and the ``best_epoch``; empty if it was
        not tried.
    """

    name: str
    title: str
    kind: Kind
    tasks: tuple[str, ...]
    task_titles: tuple[str, ...]
    units: tuple[str, ...]
    metric: str
    rows: int
    features: str
    head: str
    params: dict[str, float]
    scores: dict[str, dict[str, Any]]
    labels: tuple[dict[str, float], ...]
    encoder_digest: str
    seed: int
    citation: str = ""
    split: str = ""
    split_rows: tuple[int, ...] = ()
    created: str = ""
    validation: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sureness: dict[str, Any] = field(default_factory=dict)
    finetuning: dict[str, Any] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Feature blocks in the order they are joined, e.g. ("h", "descriptors", "ecfp")."""
        return tuple(self.features.split("+"))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready mapping; `from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ProbeCard:
        """Rebuild from `to_json`.

        Raises
        ------
        ArtifactError
            When a field is absent or unknown.
        """
        known = {one.name: one.type for one in fields(cls)}
        unknown = sorted(set(content) - set(known))
        if unknown:
            raise ArtifactError(f"card.json has unknown fields {unknown}: update cmim-chem")
        tuples = {name for name, kind in known.items() if str(kind).startswith("tuple")}
        try:
            values: dict[str, Any] = {k: tuple(v) if k in tuples else v for k, v in content.items()}
            return cls(**values)
        except TypeError as error:
            raise ArtifactError(
                f"card.json is incomplete ({error}): fit the probe again"
            ) from error

    def to_markdown(self) -> str:
        """Return the card as a page for people."""
        parts = [self._head(), self._score_table(), self._task_table()]
        parts += [self._sureness_table(), self._foot()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _head(self) -> str:
        params = ", ".join(f"{name} {value:g}" for name, value in self.params.items())
        return (
            f"# {self.title}\n\n"
            f"`{self.name}`: {self.kind}, {len(self.tasks)} task(s), fitted on {self.rows}"
            f" molecules.\nFeatures {self.features}, head {self.head} ({params}), seed {self.seed},"
            " settings chosen on the validation split."
            + (f"\n\n{self.tell_finetuning()}" if self.finetuning else "")
        )

    def tell_finetuning(self) -> str:
        """Say in words what fine-tuning came to; empty if it was not tried."""
        if not self.finetuning:
            return ""
        found, metric = self.finetuning, METRIC_WORDS.get(self.metric, self.metric)
        verdict = (
            "kept: this probe brings its own encoder"
            if found["kept"]
            else "not kept: it did not validate better"
        )
        return (
            f"Fine-tuning of the encoder was {verdict}. Validation {metric}"
            f" {_number(found['finetuned'])} with it, {_number(found['frozen'])} without; epoch"
            f" {found['best_epoch']} of {found['epochs']} was the best."
        )

    def _score_table(self) -> str:
        train, valid, test = self.split_rows or (0, 0, 0)
        lines = [
            f"Held-out test scores ({self.split}; {train}/{valid}/{test} rows). They come from"
            " models fitted\non the training rows only; the numbers shipped were then fitted on all"
            " rows.",
            "",
            f"| what | head | test {METRIC_WORDS.get(self.metric, self.metric)} |",
            "|---|---|---|",
        ]
        for entry, words in ENTRY_WORDS.items():
            if entry in self.scores:
                score = self.scores[entry]
                lines.append(f"| {words} | {score['head']} | {_number(score['value'])} |")
        return "\n".join(lines)

    def _task_table(self) -> str:
        shipped = self.scores.get("ships", {})
        values, skipped = shipped.get("tasks", {}), shipped.get("skipped", {})
        lines = ["| column | what | unit | labels | test |", "|---|---|---|---|---|"]
        rows = zip(self.tasks, self.task_titles, self.units, self.labels, strict=True)
        for task, title, unit, labels in rows:
            score = _number(values[task]) if task in values else skipped.get(task, "not scored")
            lines.append(f"| {task} | {title} | {unit} | {_labels(labels)} | {score} |")
        return "\n".join(lines)

    def _sureness_table(self) -> str:
        if not self.sureness:
            return ""
        level = f"{100 * self.sureness['level']:g} %"
        lines = [
            f"How sure it is, at {level}, learned from {self.sureness['calibration_rows']} rows out"
            " of fold and checked on the test\nrows: intervals should hold"
            f" {level} of the molecules, decided classes should be right.",
            "",
        ]
        is_number = self.kind == "regression"
        columns = ("coverage", "width") if is_number else _CLASS_COLUMNS
        lines += [f"| column | {' | '.join(SURE_WORDS[one] for one in columns)} |"]
        lines += ["|---" * (len(columns) + 1) + "|"]
        for task, found in self.sureness["tasks"].items():
            lines.append(f"| {task} | {' | '.join(_number(found[one]) for one in columns)} |")
        lines += ["", "| domain | share of test rows | RMSE there |", "|---|---|---|"]
        for word, part in self.sureness["domain"].items():
            lines.append(f"| {word} | {_number(part['share'])} | {_number(part['error'])} |")
        return "\n".join(lines)

    def _foot(self) -> str:
        lines = [f"- {note}" for note in self.notes]
        if self.citation:
            lines.append(f"- Data: {self.citation}")
        verb = "Brings its own" if self.finetuning.get("kept") else "Needs the"
        lines.append(f"- {verb} encoder {self.encoder_digest}")
        return "\n".join(lines)


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _labels(labels: Mapping[str, float]) -> str:
    if "n_class_1" in labels:
        return f"{labels['n']:g} ({labels['n_class_1']:g} in class 1)"
    if "mean" in labels:
        low, high = labels["min"], labels["max"]
        return f"{labels['n']:g}, {low:.4g} to {high:.4g}, mean {labels['mean']:.4g}"
    return f"{labels['n']:g}"
