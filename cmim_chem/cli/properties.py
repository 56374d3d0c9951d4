"""The properties that commands predict: which are wanted, and what `--list` shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmim_chem.cli.console import lay_out
from cmim_chem.errors import InputError

if TYPE_CHECKING:
    from cmim_chem.predictions import Property
    from cmim_chem.predictor import Predictor


def describe_properties(predictor: Predictor) -> str:
    """Lay out what `--list` shows.

    Parameters
    ----------
    predictor : Predictor
        Knows the properties.

    Returns
    -------
    str
        One line per property: name, title, unit, held-out score.
    """
    rows = [[one.name, one.title, one.unit, _describe_score(one)] for one in predictor.properties]
    return lay_out(["name", "title", "unit", "held-out score"], rows)


def _describe_score(one: Property) -> str:
    metric = {"rmse": "RMSE", "roc_auc": "ROC-AUC"}.get(one.metric, one.metric)
    return "not defined" if one.score is None else f"{metric} {one.score:.3f}"


def choose_properties(predictor: Predictor, wanted: str | None) -> list[str]:
    """Names of the properties to write, in the order of `--list`.

    Parameters
    ----------
    predictor : Predictor
        Knows all properties.
    wanted : str or None
        Names of properties or of whole probes, separated by commas; None is all.

    Returns
    -------
    list of str
        Column names.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    known = predictor.properties
    if wanted is None:
        return [one.name for one in known]
    asked = {name.strip() for name in wanted.split(",") if name.strip()}
    unknown = asked - {name for one in known for name in (one.name, one.probe)}
    if unknown or not asked:
        bad = ", ".join(sorted(unknown)) or "nothing"
        raise InputError(f"--properties names {bad}; see cmim score --list for what there is")
    return [one.name for one in known if one.name in asked or one.probe in asked]
