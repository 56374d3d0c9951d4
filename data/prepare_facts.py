"""Compute what the chemistry factors predict, for every molecule of a corpus, into ``facts/``.

    python -m data.prepare_facts --corpus data/processed

Takes about 1.5 ms per molecule and process; stopped and called again, it goes on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from cmim_chem.pretrain.corpus import Corpus
from cmim_chem.pretrain.facts import build_facts


def main() -> None:
    """Read the arguments and compute."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/processed"))
    parser.add_argument("--workers", type=int, default=1, help="processes")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    build_facts(Corpus(args.corpus), args.workers)


if __name__ == "__main__":
    main()
