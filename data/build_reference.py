"""What is usual among the approved drugs, measured with everything else that ships.

    python -m data.build_reference [--weights cmim_chem/weights]

Predicts every property of the drugs in the neighbor index, computes their profile, and lays the
map of chemical space through them. `data.build_weights` does it at the end; alone it renews the
reference of weights that are there.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from pathlib import Path

import numpy as np

from cmim_chem.chem.profile import QUANTITIES, profile
from cmim_chem.errors import DataError
from cmim_chem.landscape import list_drugs, measure_drugs
from cmim_chem.predictor import SHIPPED, Predictor
from cmim_chem.reference import DRUGS, Distribution, Reference, measure_map
from cmim_chem.reference_files import ReferenceContent, save_reference_content

log = logging.getLogger("build_reference")

#: Molecules of ZINC that are drawn on the map behind the drugs.
ZINC_LANDMARKS = 1_000


def ship_reference(weights: Path) -> str:
    """Measure the drugs of a folder of weights; write ``reference/`` and return its digest."""
    folder = weights / "reference"
    shutil.rmtree(folder, ignore_errors=True)  # an older one would not load with newer weights
    predictor = Predictor.load(weights)
    if predictor.index is None:
        raise DataError(f"{weights}: no index/ here, so there are no drugs to measure")
    index = predictor.index
    is_drug = (index.table["source"] == DRUGS).to_numpy()
    drugs = np.flatnonzero(is_drug)
    others = np.random.default_rng(0).permutation(np.flatnonzero(~is_drug))[:ZINC_LANDMARKS]
    rows = np.concatenate([drugs, np.sort(others)])
    h = predictor.embedder.embed(list(index.table["smiles"].iloc[rows])).h
    chart = measure_map(h, index.mean, np.arange(len(drugs)))
    columns = zip(QUANTITIES, profile(list_drugs(predictor)).T, strict=True)
    measured = measure_drugs(predictor)
    content = ReferenceContent(
        encoder_digest=predictor.digests["encoder"],
        index_digest=predictor.digests["index"],
        probe_digests={probe.card.name: probe.digest for probe in predictor.probes},
        size=len(drugs),
        properties={name: one.quantiles for name, one in measured.items()},
        profile={one.name: Distribution.measure(values).quantiles for one, values in columns},
        map={
            "offset": chart.offset,
            "center": chart.center,
            "axes": chart.axes,
            "explained": chart.explained,
            "rows": rows.astype(np.int64),
            "points": chart.points,
        },
    )
    save_reference_content(content, folder)
    # It can be read back.
    return Reference.load(folder, content.encoder_digest, content.index_digest).digest


def note_digest(weights: Path, digest: str) -> None:
    """Name the reference in the manifest that `cmim --version` reads."""
    path = weights / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"reference": digest}
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    digest = ship_reference(args.weights)
    note_digest(args.weights, digest)
    log.info("reference %s", digest)


if __name__ == "__main__":
    main()
