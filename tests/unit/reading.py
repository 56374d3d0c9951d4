"""What the tests of the readers share."""

from __future__ import annotations

import io

from rdkit import Chem

from cmim_chem.chem.read import Batch, read_table

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


class Pipe(io.BytesIO):
    """Bytes that can be read once, as from another program."""

    def seekable(self):
        return False


def read(content: str | bytes, name: str | None = "table.csv", **options) -> Batch:
    raw = content.encode() if isinstance(content, str) else content
    return read_table(io.BytesIO(raw), name=name, **options)


def rows(batch: Batch) -> list[list[str]]:
    return batch.frame.to_numpy().tolist()


def write_sdf(*blocks: str) -> str:
    return "".join(f"{block}$$$$\n" for block in blocks)


def mol_block(smiles: str, title: str = "", properties: str = "") -> str:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))
    return title + block[block.index("\n") :] + properties
