"""What is known of generated molecules, and the tables that `cmim generate` writes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cmim_chem.chem.descriptors import tanimoto
from cmim_chem.chem.standardize import Standardized
from cmim_chem.generate.generator import Generator
from cmim_chem.generate.optimize import Optimized
from cmim_chem.generate.oracles import measure_plogp, measure_qed
from cmim_chem.generate.results import Samples, Way
from cmim_chem.index import NO_NEIGHBOR
from cmim_chem.predictor import Predictor
from cmim_chem.report import NOTE, describe_problem


def describe_molecules(
    predictor: Predictor, smiles: Sequence[str], properties: Sequence[str] | None = None
) -> pd.DataFrame:
    """Label molecules.

    Parameters
    ----------
    predictor : Predictor
        Predicts, and knows the neighbors.
    smiles : sequence of str
        n standardized SMILES.
    properties : sequence of str, optional
        Predictions wanted; all if not given, none if empty.

    Returns
    -------
    DataFrame
        n rows: ``qed`` and ``plogp`` (penalized logP); ``nearest`` (name, or SMILES where there is
        no name), ``nearest_source`` and ``nearest_tanimoto`` of the molecule of the index with the
        nearest h; ``known`` (True if it is that molecule); one column per property.
    """
    frame = pd.DataFrame({"qed": measure_qed(smiles), "plogp": measure_plogp(smiles)})
    frame = pd.concat([frame, _find_nearest(predictor, smiles)], axis=1)
    wanted = predictor.select(properties)
    if wanted:
        names = [one.name for one in wanted]
        values = predictor.score(smiles, names).values
        frame = pd.concat([frame, pd.DataFrame(values, columns=names)], axis=1)
    return frame


def _find_nearest(predictor: Predictor, smiles: Sequence[str]) -> pd.DataFrame:
    if predictor.index is None or not smiles:
        blank = {"nearest": "", "nearest_source": "", "nearest_tanimoto": np.nan, "known": False}
        return pd.DataFrame(blank, index=range(len(smiles)))
    rows = predictor.index.query(predictor.embedder.embed(smiles).h, 1).rows[:, 0]
    table = predictor.index.table
    found = table.iloc[np.where(rows == NO_NEIGHBOR, 0, rows)].reset_index(drop=True)
    found.loc[rows == NO_NEIGHBOR, ["name", "smiles", "source"]] = ""
    alike = [
        tanimoto(one, [other])[0] if other else np.nan
        for one, other in zip(smiles, found["smiles"], strict=True)
    ]
    return pd.DataFrame(
        {
            "nearest": found["name"].where(found["name"] != "", found["smiles"]),
            "nearest_source": found["source"],
            "nearest_tanimoto": alike,
            "known": found["smiles"].to_numpy() == np.array(smiles, dtype=object),
        }
    )


def compare_molecules(
    read: Sequence[Standardized], written: Sequence[Standardized]
) -> pd.DataFrame:
    """What was read beside what was written.

    Parameters
    ----------
    read, written : sequence of Standardized
        n molecules or problems each, as by `Generator.reconstruct`.

    Returns
    -------
    DataFrame
        n rows: ``standardized_smiles``, ``written_smiles``, ``exact`` (True where they are the
        same), ``similarity`` (Tanimoto) and ``problem``.
    """
    rows = []
    for one, other in zip(read, written, strict=True):
        both = one.smiles is not None and other.smiles is not None
        rows.append(
            {
                "standardized_smiles": one.smiles or "",
                "written_smiles": other.smiles or "",
                "exact": both and one.smiles == other.smiles,
                "similarity": tanimoto(str(one.smiles), [str(other.smiles)])[0] if both else np.nan,
                "problem": describe_problem(one) if both else other.problem,
            }
        )
    columns = ["standardized_smiles", "written_smiles", "exact", "similarity", "problem"]
    return pd.DataFrame(rows, columns=columns)


def tabulate_samples(
    generator: Generator, samples: Samples, properties: Sequence[str] | None = None
) -> pd.DataFrame:
    """Samples as a table.

    Parameters
    ----------
    generator : Generator
        Labels them.
    samples : Samples
        n molecules.
    properties : sequence of str, optional
        Predictions wanted; all if not given.

    Returns
    -------
    DataFrame
        n rows: ``smiles``, ``similarity`` to the seed, and the labels of `describe_molecules`.
    """
    first = pd.DataFrame({"smiles": list(samples.smiles), "similarity": samples.similarity})
    return _join(first, generator, samples.smiles, properties)


def tabulate_optimized(
    generator: Generator, found: Optimized, n: int, properties: Sequence[str] | None = None
) -> pd.DataFrame:
    """The best molecules of a search as a table.

    Parameters
    ----------
    generator : Generator
        Labels them.
    found : Optimized
        What the search found.
    n : int
        Rows at most.
    properties : sequence of str, optional
        Predictions wanted; all if not given.

    Returns
    -------
    DataFrame
        ``smiles``, ``score`` (the property), ``similarity`` to the seed, ``cosine`` to the nearest
        known molecule, and the labels of `describe_molecules`.
    """
    first = pd.DataFrame(
        {
            "smiles": list(found.smiles[:n]),
            "score": found.value[:n],
            "similarity": found.similarity[:n],
            "cosine": found.cosine[:n],
        }
    )
    return _join(first, generator, found.smiles[:n], properties)


def tabulate_way(
    generator: Generator, way: Way, properties: Sequence[str] | None = None
) -> pd.DataFrame:
    """An interpolation as a table.

    Parameters
    ----------
    generator : Generator
        Labels the molecules.
    way : Way
        n steps.
    properties : sequence of str, optional
        Predictions wanted; all if not given.

    Returns
    -------
    DataFrame
        n rows: ``step`` (from 0), ``share``, ``smiles``, ``problem`` (also where a molecule is that
        of the step before), ``similarity_first``, ``similarity_last``, and the labels of
        `describe_molecules`, missing where there is no molecule.
    """
    good = [i for i, one in enumerate(way.molecules) if one.smiles is not None]
    smiles = [str(way.molecules[i].smiles) for i in good]
    labels = describe_molecules(generator.predictor, smiles, properties)
    labels.index = pd.Index(good)
    names = [one.smiles or "" for one in way.molecules]
    problems = [one.problem for one in way.molecules]
    for i in range(1, len(names)):
        if names[i] and names[i] == names[i - 1]:
            problems[i] = f"{NOTE}as in the step before"
    first = pd.DataFrame(
        {
            "step": np.arange(len(names)),
            "share": way.share,
            "smiles": names,
            "problem": problems,
            "similarity_first": way.similarity[:, 0],
            "similarity_last": way.similarity[:, 1],
        }
    )
    return first.join(labels)


def _join(
    first: pd.DataFrame,
    generator: Generator,
    smiles: Sequence[str],
    properties: Sequence[str] | None,
) -> pd.DataFrame:
    labels = describe_molecules(generator.predictor, smiles, properties)
    return pd.concat([first, labels], axis=1)
