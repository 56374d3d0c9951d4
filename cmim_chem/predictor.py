"""The parts put together: raw SMILES in, predictions, embeddings and neighbors out.

The only composition root: command line, app and tests all go through `Predictor`. Loaded once, it
is never changed; what a request wants is an argument. n rows in are n rows out, in order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cmim_chem.chem.distinct import find_molecules, find_texts
from cmim_chem.chem.standardize import Standardized, standardize_many
from cmim_chem.embed import Embedder, Embeddings
from cmim_chem.encoders import Encoders
from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.evaluate import Request, evaluate, read_matrix
from cmim_chem.index import NeighborIndex
from cmim_chem.nearest import list_neighbors
from cmim_chem.predictions import Predictions, Property, list_properties
from cmim_chem.probes.artifact import Probe, load_probe
from cmim_chem.probes.sureness import LEVEL
from cmim_chem.reference import Reference

SHIPPED = Path(__file__).parent / "weights"
# Rows whose features are in memory at the same time: about 20 MB of them.
_ROWS_AT_ONCE = 2_048


class Predictor:
    """A frozen encoder with its probes and its index of known molecules.

    Parameters
    ----------
    embedder : Embedder
        The encoder.
    probes : sequence of Probe
        Fitted on this encoder, or with their own.
    index : NeighborIndex, optional
        Built with this encoder.
    reference : Reference, optional
        What is usual among the approved drugs of that index.

    Raises
    ------
    ArtifactError
        If two probes predict a property of the same name, or bring an encoder that is not theirs.
    """

    def __init__(
        self,
        embedder: Embedder,
        probes: Sequence[Probe],
        index: NeighborIndex | None = None,
        reference: Reference | None = None,
    ) -> None:
        self._probes = tuple(probes)
        self.encoders = Encoders(embedder, self._probes)
        self.index, self.reference = index, reference
        self.properties = tuple(p for probe in self._probes for p in list_properties(probe))
        for names in ([p.name for p in self.properties], [p.card.name for p in self._probes]):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ArtifactError(
                    f"two probes predict {', '.join(twice)}: load one of them, or fit the other"
                    " again under another name"
                )

    @classmethod
    def load(
        cls, folder: Path | None = None, extra_probes: Sequence[Path] = (), known: bool = True
    ) -> Predictor:
        """Load a folder with ``encoder/``, ``probes/*/``, and perhaps ``index/``, ``reference/``.

        Parameters
        ----------
        folder : Path, optional
            The weights; those that ship with the package if not given.
        extra_probes : sequence of Path
            Probe folders made by ``cmim fit``.
        known : bool
            Load the index and the reference too, if they are there; to score needs neither.

        Raises
        ------
        ArtifactError
            If a part is missing, damaged or made for another encoder.
        """
        folder = SHIPPED if folder is None else folder
        if not (folder / "encoder").is_dir():
            raise ArtifactError(f"{folder}: no encoder/ in this folder; give a folder of weights")
        embedder = Embedder.load(folder / "encoder")
        shipped = sorted(p.parent for p in folder.glob("probes/*/manifest.json"))
        order = _read_order(folder)
        shipped.sort(key=lambda path: order.get(path.name, len(order)))
        probes = [load_probe(path, embedder.digest) for path in [*shipped, *extra_probes]]
        index = reference = None
        if known and (folder / "index").is_dir():
            index = NeighborIndex.load(folder / "index", embedder.digest)
        if index is not None and (folder / "reference").is_dir():
            reference = Reference.load(folder / "reference", embedder.digest, index.digest)
        return cls(embedder, probes, index, reference)

    @property
    def digests(self) -> Mapping[str, str]:
        """sha256 digests: ``encoder``, ``index``, and ``probe:NAME`` for every probe."""
        found = {"encoder": self.encoders.shipped.digest}
        if self.index is not None:
            found["index"] = self.index.digest
        return found | {f"probe:{p.card.name}": p.digest for p in self._probes}

    @property
    def embedder(self) -> Embedder:
        """The frozen encoder of index and embeddings, and of probes that bring none."""
        return self.encoders.shipped

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes, in the order of their properties."""
        return self._probes

    @property
    def credits(self) -> Mapping[str, str]:
        """License and attribution of the sources of neighbors."""
        return {} if self.index is None else self.index.credits

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources that `neighbors` can be limited to."""
        return () if self.index is None else self.index.sources

    def score(
        self,
        raw: Sequence[object],
        properties: Sequence[str] | None = None,
        workers: int = 1,
        *,
        level: float | None = LEVEL,
    ) -> Predictions:
        """Predict every property of every row.

        Parameters
        ----------
        raw : sequence of object
            n cells, normally SMILES.
        properties : sequence of str, optional
            Names of the properties wanted, in the order wanted; all if not given.
        workers : int
            Processes for the standardization.
        level : float, optional
            Of intervals and calls, between 0 and 1; None for values only, which is quicker.

        Returns
        -------
        Predictions
            n rows.

        Raises
        ------
        InputError
            If a property is not known, or the level makes no sense.
        """
        wanted = self.select(properties)
        used = {p.probe for p in wanted}
        probes = tuple(probe for probe in self._probes if probe.card.name in used)
        cells, place = find_texts(raw)
        rows: list[Standardized] = []
        request = Request(wanted, probes, level)
        values = [np.empty((0, request.width))]
        for start in range(0, len(cells), _ROWS_AT_ONCE):
            found = find_molecules(cells[start : start + _ROWS_AT_ONCE], workers)
            problems, numbers = evaluate(self.encoders, found, request)
            rows += _merge(found.standardized, ["" if i < 0 else problems[i] for i in found.place])
            # The row of NaN at the end is that of `NOWHERE`.
            values.append(np.vstack([numbers, np.full(request.width, np.nan)])[found.place])
        standardized = tuple(rows[i] for i in place)
        numbers, certainty = read_matrix(np.concatenate(values)[place], request)
        return Predictions(tuple(raw), standardized, wanted, numbers, certainty)

    def embed(
        self, raw: Sequence[object], *, with_h: bool = True
    ) -> tuple[tuple[Standardized, ...], Embeddings]:
        """Standardize and embed rows.

        Parameters
        ----------
        raw : sequence of object
            n cells, normally SMILES.
        with_h : bool
            Whether h is wanted, which takes more than half of the time.

        Returns
        -------
        standardized : tuple of Standardized
            n results; a molecule that the model cannot read has become a problem.
        embeddings : Embeddings
            n rows, NaN for problems.
        """
        first = standardize_many(raw)
        embedded = self.encoders.shipped.embed([s.smiles for s in first], with_h=with_h)
        return tuple(_merge(first, embedded.problems)), embedded

    def neighbors(
        self, raw: Sequence[object], k: int = 10, source: str | None = None
    ) -> pd.DataFrame:
        """Nearest known molecules of every row, in h-space.

        Parameters
        ----------
        raw : sequence of object
            n cells, normally SMILES.
        k : int
            Neighbors per row.
        source : str, optional
            One of `sources`; all if not given.

        Returns
        -------
        DataFrame
            Long table: ``query`` (row number from 0), ``rank`` (from 1), ``name``, ``smiles``,
            ``source``, ``chembl_id``, ``year``, ``cosine``, ``tanimoto`` (ECFP4 bits) and
            ``problem``. A row that failed has one line, with its problem.

        Raises
        ------
        InputError
            If `k` is not positive or the source is not known.
        ArtifactError
            If no index was loaded.
        """
        if self.index is None:
            raise ArtifactError("these weights have no index/: neighbors cannot be looked up")
        if k < 1:
            raise InputError(f"k = {k}: ask for at least one neighbor")
        standardized, embedded = self.embed(raw)
        found = self.index.query(embedded.h, k, source)
        return list_neighbors(standardized, found, self.index.table)

    def select(self, names: Sequence[str] | None) -> tuple[Property, ...]:
        """Find properties by name.

        Raises
        ------
        InputError
            If a name is not known.
        """
        if names is None:
            return self.properties
        known = {p.name: p for p in self.properties}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InputError(
                f"no property {', '.join(unknown)}: `cmim score --list` shows what there is"
            )
        return tuple(known[name] for name in names)


def _merge(rows: Sequence[Standardized], problems: Sequence[str]) -> list[Standardized]:
    """Turn a molecule that the model cannot read into a problem."""
    return [
        replace(one, smiles=None, problem=problem) if problem else one
        for one, problem in zip(rows, problems, strict=True)
    ]


def _read_order(folder: Path) -> dict[str, int]:
    path = folder / "manifest.json"
    names = json.loads(path.read_text(encoding="utf-8"))["order"] if path.is_file() else []
    return {name: i for i, name in enumerate(names)}
