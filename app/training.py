"""What the page Train does between clicks: fit in turn, extend the predictor, tell what came out.

Layout is in `app.views.train`; learning itself is `cmim_chem.assay`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import fit_charts, resources
from app.state import Assay, Session
from app.widgets import page_colors, plain
from cmim_chem.report import format_number

if TYPE_CHECKING:
    from cmim_chem.assay import FitRequest, FittedAssay
    from cmim_chem.chem.read import Batch
    from cmim_chem.predictor import Predictor
    from cmim_chem.probes.card import ProbeCard

#: Probes of one visitor that can be in use at once: every one costs time with every molecule.
MOST_PROBES = 3
#: Unit of a target whose unit nobody said.
NO_UNIT = "as in the table"


def fit_in_turn(predictor: Predictor, table: Batch, request: FitRequest, assay: Assay) -> None:
    """Fit with a bar of progress, one visitor at a time, and keep what came out.

    Parameters
    ----------
    predictor : Predictor
        Its encoder makes the features.
    table : Batch
        n rows.
    request : FitRequest
        What to fit.
    assay : Assay
        Receives the probe.
    """
    from cmim_chem.assay import fit_assay
    from cmim_chem.probes.archive import pack_probe

    bar = st.progress(0.0, "Reading the molecules…")

    def show(done: int, total: int) -> None:
        # Drawing also lets Streamlit end the work when the visitor has left.
        bar.progress(done / total, f"Tried {done} of {total} models")

    with _take_turn():
        assay.fitted = fit_assay(predictor, table, request, show)
    assay.packed = pack_probe(assay.fitted.probe)
    bar.empty()


def use_probe(session: Session, shared: Predictor, fitted: FittedAssay) -> None:
    """Predict with a fitted probe from now on, on the page Predict.

    Parameters
    ----------
    session : Session
        Receives the larger predictor.
    shared : Predictor
        That of all visitors, which stays as it is.
    fitted : FittedAssay
        What was fitted.
    """
    from cmim_chem.landscape import add_probe
    from cmim_chem.measured import keep_fitted

    name = fitted.probe.card.name
    with resources.compute_slot():
        larger = add_probe(session.predictor or shared, fitted.probe)
    session.use_predictor(larger, session.measured | {name: keep_fitted(fitted)})


def make_request(target: str, name: str, unit: str, kind: str) -> FitRequest:
    """Put what the visitor chose into words that fitting knows."""
    from cmim_chem.assay import FitRequest

    return FitRequest(
        target=target,
        name=name.strip(),
        unit=unit.strip() or NO_UNIT,
        task="classification" if kind == "classification" else "regression",
        created=date.today().isoformat(),
    )


def show_scores(fitted: FittedAssay) -> None:
    """Say how good the probe is on molecules that it had not seen.

    Parameters
    ----------
    fitted : FittedAssay
        Probe and held-out predictions.
    """
    from cmim_chem.probes.card import ENTRY_WORDS, METRIC_WORDS

    card = fitted.probe.card
    metric = METRIC_WORDS[card.metric]
    unit = _unit(card)
    value = card.scores["ships"]["value"]
    low, high = (format_number(end) for end in fitted.interval)
    where = "held-out molecules" if card.split.startswith("random") else "held-out scaffolds"
    with st.container(horizontal=True, gap="large"):
        st.metric(
            f"{metric} on {where}",
            "not defined" if value is None else f"{value:.2f}{unit}",
            width="content",
        )
        st.metric("95 % interval of that score", f"{low} to {high}", width="content")
        st.metric("Molecules held out", f"{len(fitted.measured):,}", width="content")
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_held_out(fitted)
    with right:
        rows = [
            (words, card.scores[entry]["value"], card.scores[entry]["head"])
            for entry, words in ENTRY_WORDS.items()
            if entry in card.scores
        ]
        st.dataframe(
            pd.DataFrame(rows, columns=["Model", f"{metric}{unit}", "Head"]),
            hide_index=True,
            column_config={f"{metric}{unit}": st.column_config.NumberColumn(format="%.3f")},
            alt="Held-out score of this probe beside simpler models",
        )
        better = "Lower" if card.metric == "rmse" else "Higher"
        st.caption(
            f"{better} is better. Features {card.features}, head {card.head}, its settings chosen "
            f"on validation rows. Split: {plain(card.split)}; "
            f"{' / '.join(map(str, card.split_rows))} molecules. "
            "The probe itself was then fitted on all of them."
        )
        for note in card.notes:
            st.info(plain(note), icon=":material/info:")


def show_held_out(fitted: FittedAssay) -> None:
    """Draw what the model said of the held-out molecules: parity plot or ROC curve."""
    card = fitted.probe.card
    if card.kind == "regression":
        points = pd.DataFrame(
            {
                "smiles": fitted.smiles,
                "measured": fitted.measured,
                "predicted": fitted.predicted,
            }
        )
        chart = fit_charts.draw_parity(points, _unit(card).strip(), page_colors())
        words = "Measured against predicted values"
    else:
        false, true = fitted.roc()
        if not len(false):
            st.caption("The held-out molecules are of one class, so there is no curve to draw.")
            return
        chart = fit_charts.draw_roc(pd.DataFrame({"false": false, "true": true}), page_colors())
        words = "ROC curve"
    st.altair_chart(chart, alt=f"{words} of {len(fitted.measured)} held-out molecules")


def _unit(card: ProbeCard) -> str:
    """Unit of a number after a blank; empty for a score without one."""
    is_known = card.kind == "regression" and card.units[0] != NO_UNIT
    return f" {card.units[0]}" if is_known else ""


@contextmanager
def _take_turn() -> Iterator[None]:
    """Wait until no other visitor fits; leaving the page ends the waiting."""
    slot = resources.training_slot()
    note = st.empty()
    while not slot.acquire(timeout=0.5):
        note.caption("Somebody else's model is being fitted; yours is next.")
    note.empty()
    try:
        yield
    finally:
        slot.release()
