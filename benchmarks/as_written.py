"""What charges and counterions as they are written in a table tell about its labels.

    CMIM_DATA=... python -m benchmarks.as_written clintox bbbp    # three small sets without a name

The suite reads standardized molecules: salts removed, charges neutralized. Many published scores
are of molecules as written, and where the classes of a table come from different sources the
spelling gives them away. h and ECFP counts of both readings go through the heads of the suite on
the scaffold split, the best head by validation. One JSON line per set and reading; this explains
figures, it chooses nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from threadpoolctl import threadpool_limits

from benchmarks.cells import Cell
from benchmarks.datasets import Dataset, load_dataset
from benchmarks.heads.table import HEADS, MEAN
from benchmarks.run import fit_cell
from benchmarks.scaling import scale
from benchmarks.splits import Parts, load_parts
from cmim_chem.chem.descriptors import ecfp_counts
from cmim_chem.embed import Embedder
from cmim_chem.errors import DataError
from cmim_chem.metrics import score_tasks
from cmim_chem.predictor import SHIPPED

SETS = ("clintox", "bbbp", "bace")

FloatMatrix = NDArray[np.float32]


def read_both(dataset: Dataset) -> dict[str, list[str]]:
    """The molecules as the suite reads them and as written, in RDKit's canonical spelling."""
    with rdBase.BlockLogs():
        written = [Chem.MolToSmiles(Chem.MolFromSmiles(raw)) for raw in dataset.raw]
    return {"standardized": list(dataset.smiles), "as written": written}


def describe(smiles: Sequence[str], embedder: Embedder) -> dict[str, FloatMatrix]:
    """H and ECFP counts, each (n, d) float32.

    Raises
    ------
    DataError
        When the encoder cannot read a molecule.
    """
    embedded = embedder.embed(smiles)
    for text, problem in zip(smiles, embedded.problems, strict=True):
        if problem:
            raise DataError(f"{text}: {problem}")
    return {"h": embedded.h, "ecfp": ecfp_counts(smiles)}


def score_best(table: tuple[Dataset, Parts], name: str, block: FloatMatrix) -> dict[str, object]:
    """Test score of the head that is best on the validation rows."""
    dataset, parts = table
    x = scale({name: block}, parts.train)
    found = []
    for head in HEADS:
        if head != MEAN:
            fitted = fit_cell(Cell(dataset.name, "scaffold", 0, name, head), table, x)
            test = score_tasks(dataset.metric, fitted.y, fitted.predicted, dataset.tasks).mean
            found.append((fitted.choice.valid, head, test))
    valid, head, test = max(found)
    return {"head": head, "valid": round(valid, 4), "test": round(test, 4)}


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    embedder = Embedder.load(SHIPPED / "encoder")
    with threadpool_limits(1):
        for name in sys.argv[1:] or SETS:
            dataset = load_dataset(name)
            table = (dataset, load_parts(dataset, "scaffold", 0))
            both = read_both(dataset)
            differ = sum(a != b for a, b in zip(*both.values(), strict=True))
            for reading, smiles in both.items():
                blocks = describe(smiles, embedder)
                scores = {key: score_best(table, key, block) for key, block in blocks.items()}
                line = {"set": name, "molecules": len(smiles), "written otherwise": differ}
                sys.stdout.write(json.dumps({**line, "read": reading, **scores}) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
