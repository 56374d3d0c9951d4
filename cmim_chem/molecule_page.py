"""One molecule as a page: a single HTML file with its pictures inside, for mail and archive.

Written from a `Closeup`, which holds the facts. The file asks nothing of any other place: no
script, no font, no picture from outside; its own policy forbids it. Every text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from cmim_chem import __version__
from cmim_chem.chem.depict import svg
from cmim_chem.closeup import Closeup, Fact, Reading, name_source
from cmim_chem.errors import InputError
from cmim_chem.insight import (
    CLIFF,
    LEGEND,
    Insight,
    describe_atoms,
    describe_neighbors,
    draw_atoms,
)
from cmim_chem.report import (
    describe_domain,
    describe_range,
    format_level,
    format_number,
    format_percentile,
)

_STRUCTURE, _CARD = (420, 260), (150, 104)  # pixels
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body {font: 15px/1.45 system-ui, sans-serif; color: #17211f; background: #fff;
      max-width: 60rem; margin: 2rem auto; padding: 0 1rem}
h1 {font-size: 1.7rem; margin: 0} h2 {font-size: 1.15rem; margin: 2rem 0 .5rem}
h3 {font-size: 1rem; margin: 1.5rem 0 0} h4 {font-size: .95rem; margin: .75rem 0 .5rem}
.muted {color: #55625f} .smiles {font-family: monospace; overflow-wrap: anywhere}
.scroll {overflow-x: auto}
table {border-collapse: collapse; width: 100%}
th, td {text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d5dedb;
        vertical-align: top}
th {background: #eef3f1} td.number {text-align: right; white-space: nowrap}
.bar {display: inline-block; width: 90px; height: 8px; background: #dfe7e4;
      border-radius: 4px; margin-right: .5rem}
.bar i {display: block; height: 8px; background: #0f6b5c; border-radius: 4px}
.cards {display: flex; flex-wrap: wrap; gap: .75rem}
.card {border: 1px solid #d5dedb; border-radius: 8px; padding: .6rem; width: 150px;
       font-size: .85rem; overflow-wrap: anywhere}
svg {max-width: 100%; height: auto}
@media print {body {margin: 0; max-width: none} h2 {break-after: avoid} .card {break-inside: avoid}}
"""


def write_page(closeup: Closeup, insights: Sequence[Insight] = ()) -> str:
    """Write a molecule as HTML.

    Parameters
    ----------
    closeup : Closeup
        What is known of it.
    insights : sequence of Insight
        Properties of it that were looked at in depth.

    Returns
    -------
    str
        A whole HTML document.
    """
    name = escape(closeup.name)
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="muted">{escape(closeup.formula)}</p>',
        _draw(closeup.smiles, _STRUCTURE, f"Structure of {closeup.name}"),
        f'<p class="smiles">{escape(closeup.smiles)}</p>',
        f"<p>{escape(_capitalize(closeup.note))}.</p>" if closeup.note else "",
        *_write_predictions(closeup),
        *_write_insights(insights),
        *_write_profile(closeup),
        *_write_neighbors(closeup),
        *_write_foot(closeup),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _write_predictions(closeup: Closeup) -> Iterable[str]:
    yield "<h2>Predicted properties</h2>"
    heads: tuple[str, ...] = ("Property", "Value", "Unit", "How sure")
    if closeup.is_sure:
        heads = (*heads, "Domain")
    if closeup.drugs:
        heads = (*heads, f"Percentile of {closeup.drugs:,} approved drugs")
    rows = [_reading_cells(one, closeup.is_sure, closeup.drugs > 0) for one in closeup.readings]
    yield _table(heads, rows)
    yield f'<p class="muted">{_explain_predictions(closeup)}</p>'


def _explain_predictions(closeup: Closeup) -> str:
    words = [
        "± is the typical error of the model on held-out molecules (RMSE), the same for every "
        "molecule; ROC-AUC says how well a probability ranks held-out molecules: 0.5 is chance, 1 "
        "is perfect."
    ]
    if closeup.is_sure:
        level = format_level(closeup.level)
        words.append(
            f"A range holds the true value of {level} of molecules like those the model was "
            "fitted on; active or inactive means that the other class is excluded at this level, "
            "undecided that it is not. Outside the domain, trust neither."
        )
    words.append("A probability is the model's opinion, not the chance of a clinical outcome.")
    return " ".join(words)


def _write_insights(insights: Sequence[Insight]) -> Iterable[str]:
    if insights:
        yield f"<h2>Which atoms, and like what</h2>\n<p>{LEGEND}</p>"
    for one in insights:
        words = describe_atoms(one.attribution)
        picture = draw_atoms(one.attribution, _STRUCTURE)
        yield f"<h3>{escape(one.property.title)}</h3>"
        yield _label(picture, f"Atoms that drive {one.property.title}. {words}")
        yield f"<p>{escape(words)}</p>"
        if one.measured is not None:
            yield f"<h4>Nearest measured molecules: {escape(one.table)}</h4>"
            about = "Structure of a measured molecule"
            cards = [_card(smiles, lines, about) for smiles, lines in describe_neighbors(one)]
            yield f'<div class="cards">{"".join(cards)}</div>'
            if (one.measured["cliff"] != "").any():
                yield f'<p class="muted">{escape(CLIFF)}</p>'


def _write_profile(closeup: Closeup) -> Iterable[str]:
    yield "<h2>Physico-chemical profile</h2>"
    heads: tuple[str, ...] = ("Computed from the structure", "Value", "Unit")
    if closeup.drugs:
        heads = (*heads, f"Percentile of {closeup.drugs:,} approved drugs")
    yield _table(heads, [_fact_cells(one, closeup.drugs > 0) for one in closeup.facts])
    rows = [
        [
            _text(f"{one.rule.name}: {one.rule.about}"),
            _text("kept" if one.is_kept else "broken"),
            _text("; ".join(one.broken)),
            _text(one.rule.source),
        ]
        for one in closeup.verdicts
    ]
    yield "<h2>Rules of thumb</h2>"
    yield _table(("Rule", "Verdict", "Outside its range", "Published"), rows)
    alerts = ", ".join(closeup.alerts) or "none of the PAINS and Brenk lists"
    yield f"<p>Structural alerts: {escape(alerts)}.</p>"


def _write_neighbors(closeup: Closeup) -> Iterable[str]:
    for source, table in closeup.neighbors:
        yield f"<h2>Nearest {escape(name_source(source))}</h2>"
        cards = []
        for one in table.to_dict("records"):
            name = str(one["name"] or one["chembl_id"] or one["source"])
            lines = [name, f"cosine {one['cosine']:.2f}", f"Tanimoto {one['tanimoto']:.2f}"]
            cards.append(_card(str(one["smiles"]), lines, f"Structure of {name}"))
        yield f'<div class="cards">{"".join(cards)}</div>'
    if closeup.neighbors:
        yield (
            '<p class="muted">cosine: likeness in the model\'s own space, 1 is the same. '
            "Tanimoto: shared substructures (ECFP4), 1 is the same.</p>"
        )


def _write_foot(closeup: Closeup) -> Iterable[str]:
    yield "<h2>Where this comes from</h2>"
    yield (
        f'<p class="muted">cmim-chem {escape(__version__)}, encoder '
        f"{escape(closeup.encoder_digest[:12])}. Predictions come from small public data sets; a "
        "molecule unlike them may be far off. Not for decisions about patients.</p>"
    )
    for credit in closeup.credits.values():
        yield f'<p class="muted">{escape(credit)}</p>'


def _card(smiles: str, lines: Sequence[str], alt: str) -> str:
    """A molecule and what is said of it, the first line in bold."""
    first, *rest = map(escape, lines)
    words = "<br>".join([f"<b>{first}</b>", *rest])
    return f'<div class="card">{_draw(smiles, _CARD, alt)}{words}</div>'


def _reading_cells(one: Reading, is_sure: bool, has_percentile: bool) -> list[str]:
    cells = [
        _text(one.property.title),
        _figure(format_number(one.value)),
        _text(one.property.unit),
        _figure(describe_range(one.property, one.lower, one.upper, one.call)),
    ]
    if is_sure:
        cells.append(_text(describe_domain(one.domain, one.similarity)))
    return [*cells, _bar(one.percentile)] if has_percentile else cells


def _fact_cells(one: Fact, has_percentile: bool) -> list[str]:
    cells = [
        _text(one.quantity.title),
        _figure(format_number(one.value, one.quantity.digits)),
        _text(one.quantity.unit),
    ]
    return [*cells, _bar(one.percentile)] if has_percentile else cells


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in rows)
    return f'<div class="scroll"><table>\n<tr>{head}</tr>\n{body}</table></div>'


def _text(words: str) -> str:
    return f"<td>{escape(words)}</td>"


def _figure(words: str) -> str:
    return f'<td class="number">{escape(words)}</td>'


def _bar(percentile: float) -> str:
    if math.isnan(percentile):
        return "<td>unknown</td>"
    width = f'<span class="bar"><i style="width: {percentile:.0f}%"></i></span>'
    return f'<td class="number">{width}{format_percentile(percentile)}</td>'


def _draw(smiles: str, size: tuple[int, int], alt: str) -> str:
    try:
        picture = svg(smiles, *size)
    except InputError:
        return '<p class="muted">no picture</p>'
    return _label(picture, alt)


def _label(picture: str, alt: str) -> str:
    label = escape(alt, quote=True)
    return picture.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _capitalize(words: str) -> str:
    return words[:1].upper() + words[1:]
