"""The eleven MoleculeNet sets as the suite uses them: molecules that every method can read, labels.

Rows that RDKit, the standardization or the tokenizer cannot take are removed here, once, before
anything is split, and each with its reason: so all methods are judged on the same rows. Facts and
raw tables come from `cmim_chem.sources`; splits are made in `benchmarks.splits`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from cmim_chem.chem import standardize as standardization
from cmim_chem.chem.tokenizer import split_tokens
from cmim_chem.sources.facts import Source, get_source
from cmim_chem.sources.moleculenet import fetch, load_moleculenet

log = logging.getLogger("cmim_chem.benchmarks")  # below the logger that the command line shows

# In the order they are run: the cheap ones first.
DATASETS = (
    "freesolv",
    "esol",
    "bbbp",
    "bace",
    "clintox",
    "sider",
    "lipophilicity",
    "tox21",
    "hiv",
    "muv",
    "toxcast",
)
# What every preset of the network can read (`ModelConfig.max_tokens`, marks not counted).
MAX_TOKENS = 250
CACHE_FORMAT = 1


@dataclass(frozen=True)
class Dataset:
    """One set, ready to be split.

    Attributes
    ----------
    source : Source
        Its facts: name, kind, unit, citation.
    tasks : tuple of str
        The t task names.
    rows : (n,) int64
        Rows of the raw file (counted from 0) that are used.
    raw : tuple of str
        n SMILES as written in the file.
    smiles : tuple of str
        n standardized SMILES.
    y : (n, t) float64
        Labels in the unit of the source, or 0 and 1; NaN where missing.
    dropped : dict of int to str
        Rows of the raw file that are not used, with the reason in words.
    digest : str
        sha256 of SMILES and labels, hexadecimal.
    """

    source: Source
    tasks: tuple[str, ...]
    rows: NDArray[np.int64]
    raw: tuple[str, ...]
    smiles: tuple[str, ...]
    y: NDArray[np.float64]
    dropped: dict[int, str]
    digest: str

    @property
    def name(self) -> str:
        """Key of `cmim_chem.sources`."""
        return self.source.name

    @property
    def metric(self) -> str:
        """Metric of the suite: as in the peers' table also for MUV."""
        return metric_of(self.source.kind)


def metric_of(kind: str) -> str:
    """Name of the metric: "rmse" for regression, "roc_auc" for classification."""
    return "rmse" if kind == "regression" else "roc_auc"


def load_dataset(name: str, data_dir: Path | None = None, cache: Path | None = None) -> Dataset:
    """Read one set; download it when it is missing.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    data_dir : Path or None
        Data folder, see `cmim_chem.sources.facts.find_data_dir`.
    cache : Path or None
        Folder for standardized SMILES, which take minutes for the large sets; None to do without.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        For an unknown name.
    DataError
        When the table is missing and cannot be fetched, or is not the one expected.
    """
    source = get_source(name)
    fetch([name], data_dir)
    table = load_moleculenet(name, data_dir)
    pairs = _standardize(source, table.smiles, cache)
    reasons = [_judge(smiles, problem) for smiles, problem in pairs]
    dropped = {row: reason for row, reason in enumerate(reasons) if reason}
    rows = np.array([row for row, reason in enumerate(reasons) if not reason], dtype=np.int64)
    raw = tuple(table.smiles[row] for row in rows)
    smiles = tuple(str(pairs[row][0]) for row in rows)
    y = table.y[rows]
    digest = digest_rows(rows, [*raw, *smiles], y)
    return Dataset(source, table.tasks, rows, raw, smiles, y, dropped, digest)


def digest_rows(rows: NDArray[np.int64], texts: Sequence[str], y: NDArray[np.float64]) -> str:
    """sha256 of which rows are used, their SMILES and their labels."""
    sha = hashlib.sha256(rows.astype("<i8").tobytes())
    sha.update("\n".join(texts).encode())
    sha.update(np.nan_to_num(y, nan=-1e9).astype("<f8").tobytes())
    return sha.hexdigest()


def _judge(smiles: str | None, problem: str) -> str:
    """Why a row is not used; empty if it is."""
    if smiles is None:
        return problem
    tokens = len(split_tokens(smiles))
    return f"more than {MAX_TOKENS} tokens: {tokens}" if tokens > MAX_TOKENS else ""


def _standardize(
    source: Source, raw: Sequence[str], cache: Path | None
) -> list[tuple[str | None, str]]:
    """Standardized SMILES or problem of every row, from the cache if nothing has changed."""
    if cache is None:
        return _standardize_afresh(raw)
    code = Path(standardization.__file__).read_bytes()
    facts = f"{CACHE_FORMAT} {rdBase.rdkitVersion} {hashlib.sha256(code).hexdigest()}"
    key = hashlib.sha256("\n".join([facts, *raw]).encode()).hexdigest()[:16]
    path = cache / f"{source.name}-smiles-{key}.json"
    if path.is_file():
        return [(smiles, problem) for smiles, problem in json.loads(path.read_text("utf-8"))]
    pairs = _standardize_afresh(raw)
    cache.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{key}.part")
    fresh.write_text(json.dumps(pairs), encoding="utf-8")
    fresh.replace(path)
    return pairs


def _standardize_afresh(raw: Sequence[str]) -> list[tuple[str | None, str]]:
    log.info("standardizing %d molecules", len(raw))
    settled = standardization.standardize_many(raw)
    return [(one.smiles, one.problem) for one in settled]
