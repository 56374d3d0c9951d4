"""What the service does for a batch of rows, or for one long request; knows nothing of HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cmim_chem.errors import InputError
from cmim_chem.generate.generator import Generator
from cmim_chem.generate.optimize import Goal, Optimized, Search, optimize
from cmim_chem.generate.oracles import find_oracle
from cmim_chem.model.decoding import Decoding
from cmim_chem.predictor import Predictor
from cmim_chem.report import describe_problem
from cmim_chem.serve import schemas

INDEX_SOURCE = {"all": None, "drugs": "approved drug", "zinc": "ZINC"}


class Worker:
    """The short jobs, which share batches.

    Parameters
    ----------
    generator : Generator
        The model.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def work(self, key: Any, items: list[Any]) -> Sequence[Any]:  # noqa: ANN401 - keys differ by job
        """Do one job for n items.

        Parameters
        ----------
        key : tuple
            Name of the job, then its arguments.
        items : list
            n SMILES or codes.

        Returns
        -------
        sequence
            n results.
        """
        jobs: dict[str, Callable[..., Sequence[Any]]] = {
            "embed": self._embed,
            "predict": self._predict,
            "neighbors": self._find_neighbors,
            "decode": self._decode,
        }
        name, *arguments = key
        return jobs[name](items, *arguments)

    def _embed(self, items: list[str]) -> Sequence[Any]:
        standardized, embedded = self._generator.predictor.embed(items)
        return list(zip((s.problem for s in standardized), embedded.z, embedded.h, strict=True))

    def _decode(self, items: list[Any]) -> Sequence[Any]:
        return self._generator.decode(np.array(items, dtype=np.float32))

    def _predict(self, items: list[str], names: tuple[str, ...]) -> Sequence[schemas.Prediction]:
        found = self._generator.predictor.score(items, names)
        return [
            schemas.Prediction(
                smiles=text,
                standardized_smiles=one.smiles,
                problem=describe_problem(one),
                values={n: to_number(v) for n, v in zip(names, values, strict=True)},
            )
            for text, one, values in zip(items, found.standardized, found.values, strict=True)
        ]

    def _find_neighbors(self, items: list[str], k: int, source: str) -> Sequence[Any]:
        table = self._generator.predictor.neighbors(items, k, INDEX_SOURCE[source])
        answers: list[tuple[str, list[schemas.Neighbor]]] = []
        for _, part in table.groupby("query", sort=True):
            rows = part.to_dict("records")
            problem = str(rows[0]["problem"])
            answers.append((problem, [] if problem else [_to_neighbor(row) for row in rows]))
        return answers


def _to_neighbor(row: dict[Any, Any]) -> schemas.Neighbor:
    year = row["year"]
    return schemas.Neighbor(
        name=row["name"],
        smiles=row["smiles"],
        source=row["source"],
        chembl_id=row["chembl_id"],
        year=int(year) if isinstance(year, int | np.integer | float) and year == year else None,
        cosine=float(row["cosine"]),
        tanimoto=float(row["tanimoto"]),
    )


def to_number(value: float) -> float | None:
    """A number that JSON can write; None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def sample_around(
    generator: Generator, request: schemas.SamplingRequest, seed: int, stop: Callable[[], bool]
) -> schemas.SamplingAnswer:
    """Sample around every seed of a request.

    Parameters
    ----------
    generator : Generator
        The model.
    request : SamplingRequest
        n seeds.
    seed : int
        Fixes the noise.
    stop : callable
        True when there is no time left; the seeds that remain get a problem.

    Returns
    -------
    SamplingAnswer
        n rows.
    """
    answer = schemas.SamplingAnswer(generated=[], problems=[])
    how = Decoding(beams=request.beam_size)
    for row, smiles in enumerate(request.sequences):
        made: tuple[str, ...] = ()
        problem = "no time was left" if stop() else ""
        if not problem:
            try:
                made = generator.sample(
                    request.num_molecules, smiles, request.scaled_radius, how, seed + row
                ).smiles
            except InputError as error:
                problem = str(error)
        answer.generated.append(list(made))
        answer.problems.append(problem)
    return answer


def generate(
    generator: Generator, request: schemas.GenerateRequest, seed: int, stop: Callable[[], bool]
) -> schemas.GenerateAnswer:
    """Sample around a seed or improve it.

    Parameters
    ----------
    generator : Generator
        The model.
    request : GenerateRequest
        What is wanted.
    seed : int
        Fixes the noise.
    stop : callable
        True ends a search with what it has found so far.

    Returns
    -------
    GenerateAnswer
        At most as many molecules as asked for.
    """
    direction = "down" if request.minimize else "up"
    goal = Goal(request.property_name, direction, request.min_similarity)
    if request.algorithm == "CMA-ES":
        search = Search(
            request.particles, request.iterations, max(request.scaled_radius, 0.01), seed
        )
        found = optimize(generator, request.smi, goal, search, stop)
    else:
        found = _sample_scored(generator, request, seed)
    details = [
        schemas.Made(smiles=smiles, score=to_number(value), similarity=float(alike))
        for smiles, value, alike in zip(found.smiles, found.value, found.similarity, strict=True)
    ][: request.num_molecules]
    return schemas.GenerateAnswer(
        molecules=json.dumps([{"sample": one.smiles, "score": one.score} for one in details]),
        score_type=request.property_name,
        generated=[one.smiles for one in details],
        details=details,
        calls=found.calls,
    )


def _sample_scored(generator: Generator, request: schemas.GenerateRequest, seed: int) -> Optimized:
    _, oracle = find_oracle(generator.predictor, request.property_name)
    made = generator.sample(request.num_molecules, request.smi, request.scaled_radius, seed=seed)
    value = oracle(made.smiles) if made.smiles else np.zeros(0)
    cosine = np.full(len(value), np.nan)
    return Optimized(made.smiles, value, made.similarity, cosine, math.nan, len(value), 0)


def choose_names(predictor: Predictor, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the properties of a request, in the predictor's order.

    Parameters
    ----------
    predictor : Predictor
        Knows the properties.
    wanted : sequence of str or None
        As in the request; None is all.

    Returns
    -------
    tuple of str
        Each once, so that requests for the same properties can share a batch.

    Raises
    ------
    InputError
        If one is not known.
    """
    chosen = {one.name for one in predictor.select(wanted)}
    return tuple(one.name for one in predictor.properties if one.name in chosen)
