"""Build the pretraining corpus from MOSES and the ZINC and PubChem files under ``CMIM_DATA``.

MOSES (ZINC Clean Leads) has neither stereo nor charges; the other three files have, so they are
shown twice an epoch. Held out: MOSES test and scaffold test, one in fifty of the rest.

    python -m data.prepare_zinc --out data/processed
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import logging
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.pretrain.corpus import Source, build_corpus
from cmim_chem.pretrain.exclude import Exclusion
from data.wheel import find_wheel

MOLSETS = "molsets==0.3.1"
CORPORA = ("zinc_druglike", "zinc_natural_products", "pubchem_substances")
HOLD_OUT = 0.02
MOSES_HELD_OUT = 20_000  # of each of its two hold-outs: none of the others is trained on either


def read_moses(wheel: Path, part: str) -> Iterator[str]:
    """SMILES of one part of MOSES (train, test, test_scaffolds), straight from the wheel."""
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(f"moses/dataset/data/{part}.csv.gz") as packed,
        gzip.open(packed, "rt", encoding="utf-8") as table,
    ):
        for row in csv.DictReader(table):
            yield row["SMILES"]


def read_smi(path: Path) -> Iterator[str]:
    """First column of a gzipped SMILES file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield line.split()[0]


def read_benchmarks(folder: Path) -> Iterator[str]:
    """SMILES of every table in a MoleculeNet folder, whatever its layout."""
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        for row in csv.DictReader(io.StringIO(text.decode("utf-8"))):
            yield row.get("smiles") or row["mol"]


def main() -> None:
    """Read the arguments and build the corpus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("data/processed"))
    parser.add_argument("--data", type=Path, default=os.environ.get("CMIM_DATA"))
    parser.add_argument("--wheel", type=Path, help=f"the wheel of {MOLSETS}; fetched if not given")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, help="first N molecules of each source, for a trial")
    parser.add_argument("--moses", type=int, help="first N training molecules of MOSES")
    parser.add_argument(
        "--vocabulary", type=Path, help="vocab.json of an encoder that is to be trained further"
    )
    args = parser.parse_args()
    if args.data is None:
        parser.error("set CMIM_DATA or --data to the folder with moleculenet/ and corpora/")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = Path(args.data)
    wheel = find_wheel(MOLSETS, args.wheel)
    excluded = Exclusion.of(read_benchmarks(data / "moleculenet"), args.workers)
    sources = [
        Source("moses_test", islice(read_moses(wheel, "test"), MOSES_HELD_OUT), hold_out=1.0),
        Source(
            "moses_scaffold_test",
            islice(read_moses(wheel, "test_scaffolds"), MOSES_HELD_OUT),
            hold_out=1.0,
        ),
        *(
            Source(name, read_smi(data / "corpora" / f"{name}.smi.gz"), 2, HOLD_OUT)
            for name in CORPORA
        ),
        Source("moses_train", islice(read_moses(wheel, "train"), args.moses)),
    ]
    if args.limit:
        sources = [replace(s, smiles=islice(s.smiles, args.limit)) for s in sources]
    tokenizer = Tokenizer.load(args.vocabulary) if args.vocabulary else None
    build_corpus(sources, args.out, excluded, tokenizer, workers=args.workers)


if __name__ == "__main__":
    main()
