"""Page The model: what predicts here, how good it is, on which data, and what it cannot do.

Streamlit runs this file as a page. All numbers come from the cards that ship with the weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import glossary, resources
from app.state import current_session
from app.table import shorten_titles
from app.widgets import plain
from cmim_chem import __version__

if TYPE_CHECKING:
    from cmim_chem.predictor import Predictor
    from cmim_chem.probes.card import ProbeCard

_ENTRIES = {
    "ships": "What ships",
    "constant": "Constant",
    "ecfp": "ECFP counts",
    "descriptors": "Descriptors",
    "h": "h alone",
}
_LIMITS = (
    "The scores are on the test part of a scaffold split: ring systems that the probe never saw. "
    "Your own chemistry may be further away still.",
    "The data sets are small, public and old. They have duplicates and contradictory labels, and "
    "are used as they are, because that is what published scores refer to.",
    "A probability is the model's opinion, not the chance of a clinical outcome. Toxic in Tox21 is "
    "a signal in one cell assay.",
    "Salts and solvents are removed, charges neutralized, isotopes dropped, stereo kept. Tautomers "
    "stay as drawn and may get different predictions.",
    "Not for decisions about patients.",
)
_CITATION = """\
cmim-chem: molecular property prediction with a contrastive mutual information machine.
M. Livne. cMIM: A Contrastive Mutual Information Framework for Unified Generative and
Discriminative Representation Learning. arXiv 2502.19642, 2025.
M. Livne. Contrastive Mutual Information Learning: Toward Robust Representations without
Positive-Pair Augmentations. arXiv 2509.21511, 2025.
Z. Wu et al. MoleculeNet: a benchmark for molecular machine learning. Chem. Sci. 2018, 9, 513."""


def render() -> None:
    """Draw the page."""
    st.title("The model", anchor=False)
    st.markdown(
        "A small language model of SMILES, trained from scratch as a contrastive mutual "
        "information machine (cMIM), turns each molecule into numbers, the embedding h. Simple "
        "models, the probes, turn h, descriptors and fingerprints into properties. A probe is the "
        "mean of several heads, the setting of each chosen on validation molecules. The columns "
        "beside it are a constant and each part alone, with the head that did best there."
    )
    with st.spinner("Loading the model, once per server…"):
        predictor = current_session().predictor or resources.load_predictor()
    _show_scores(predictor)
    _show_sets(predictor)
    st.subheader("What the words mean", anchor=False)
    st.markdown("\n".join(f"* **{term}.** {meaning}" for term, meaning in glossary.TERMS))
    st.subheader("What it cannot do", anchor=False)
    st.markdown("\n".join(f"* {limit}" for limit in _LIMITS))
    _show_sources(predictor)
    st.subheader("Citation", anchor=False)
    st.code(_CITATION, language=None, wrap_lines=True)


def _show_scores(predictor: Predictor) -> None:
    from cmim_chem.probes.card import METRIC_WORDS

    st.subheader("How good it is", anchor=False)
    st.caption(
        "Held-out test molecules of a scaffold split. RMSE in the unit of the set, lower is "
        "better; ROC-AUC as the mean over properties, higher is better, 0.5 is chance."
    )
    short = shorten_titles([probe.card.title for probe in predictor.probes])
    rows = []
    for card in (probe.card for probe in predictor.probes):
        about = f"{len(card.tasks)} properties" if len(card.tasks) > 1 else card.units[0]
        about = "" if about == "probability" else f", {about.split(' (')[0]}"
        scores = {words: card.scores.get(entry, {}) for entry, words in _ENTRIES.items()}
        rows.append(
            {"Data set": short[card.title], "Molecules": card.rows}
            | {"Score": f"{METRIC_WORDS[card.metric]}{about}"}
            | {words: score.get("value") for words, score in scores.items()}
            | {"Features": card.features, "Head": card.head}
        )
    score = st.column_config.NumberColumn(format="%.3f", width=84)
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={words: score for words in _ENTRIES.values()}
        | {"Molecules": st.column_config.NumberColumn(format="localized", width=84)},
        alt="Held-out scores of every data set",
    )


def _show_sets(predictor: Predictor) -> None:
    st.subheader("Each data set", anchor=False)
    for probe in predictor.probes:
        with st.expander(plain(probe.card.title)):
            _show_card(probe.card)


def _show_card(card: ProbeCard) -> None:
    from cmim_chem.probes.card import METRIC_WORDS

    metric = METRIC_WORDS[card.metric]
    values = card.scores.get("ships", {}).get("tasks", {})
    rows = zip(card.tasks, card.task_titles, card.units, card.labels, strict=True)
    frame = pd.DataFrame(
        [
            {
                "Property": title,
                "Column": name,
                "Unit": unit,
                "Labels": int(labels["n"]),
                "Of class 1": labels.get("n_class_1"),
                "Lowest": labels.get("min"),
                "Highest": labels.get("max"),
                metric: values.get(name),
            }
            for name, title, unit, labels in rows
        ]
    )
    numbers = ["Lowest", "Highest", metric]
    st.dataframe(
        frame.dropna(axis=1, how="all"),
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.2f") for name in numbers},
        alt=f"Properties of {card.title}",
    )
    split = " / ".join(map(str, card.split_rows))
    st.caption(plain(f"Split: {card.split}; {split} molecules to train, validate and test.", 600))
    for note in card.notes:
        st.caption(plain(note, 600))
    if card.citation:
        st.caption(plain(f"Data: {card.citation}", 600))


def _show_sources(predictor: Predictor) -> None:
    st.subheader("Encoder and known molecules", anchor=False)
    if card := resources.load_encoder_card():
        with st.expander("Card of the encoder"):
            st.markdown(card)
    for source, credit in predictor.credits.items():
        st.caption(f"{plain(source)}: {plain(credit, 600)}")
    digests = predictor.digests
    shown = ", ".join(
        f"{name} {digests[name][:12]}" for name in ("encoder", "index") if name in digests
    )
    st.caption(f"cmim-chem {__version__}, {shown}")


render()
