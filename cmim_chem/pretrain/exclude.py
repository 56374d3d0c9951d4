"""Which molecules must not be trained on: those of the benchmarks, by connectivity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash

from cmim_chem.chem.standardize import standardize

_CHUNK = 2_000


@dataclass(frozen=True)
class Exclusion:
    """Molecules that must not be trained on, known by connectivity.

    Attributes
    ----------
    skeletons : frozenset of str
        Bare element graphs: a cheap necessary condition for equal connectivity.
    connectivity : frozenset of str
        First blocks (connectivity layer) of InChIKeys.
    """

    skeletons: frozenset[str]
    connectivity: frozenset[str]

    @classmethod
    def of(cls, smiles: Iterable[str], workers: int = 1) -> Exclusion:
        """Collect the connectivity of benchmark molecules.

        Parameters
        ----------
        smiles : iterable of str
            Raw SMILES; those that do not parse are skipped.
        workers : int
            Number of processes.
        """
        with ProcessPoolExecutor(workers) as pool:
            found = [
                pair for chunk in pool.map(_fingerprint_chunk, chunks(smiles)) for pair in chunk
            ]
        return cls(frozenset(s for s, _ in found), frozenset(k for _, k in found))

    def __contains__(self, record: tuple[str, str]) -> bool:
        """Tell whether (SMILES, skeleton) has the connectivity of an excluded molecule."""
        smiles, skeleton = record
        return skeleton in self.skeletons and connectivity_key(smiles) in self.connectivity


def connectivity_key(smiles: str) -> str:
    """First block of the InChIKey: which atoms are bonded, without stereo, isotopes and charge.

    Parameters
    ----------
    smiles : str
        A valid SMILES.
    """
    with rdBase.BlockLogs():
        return str(Chem.MolToInchiKey(Chem.MolFromSmiles(smiles))).split("-")[0]


def skeleton_key(smiles: str) -> str:
    """Element graph of a molecule: atoms and bonds without order, charge, hydrogens and stereo.

    Parameters
    ----------
    smiles : str
        A valid SMILES.
    """
    molecule = Chem.MolFromSmiles(smiles)
    Chem.RemoveStereochemistry(molecule)  # the hash alone would tell enantiomers apart
    return str(rdMolHash.MolHash(molecule, rdMolHash.HashFunction.ElementGraph))


def chunks(smiles: Iterable[str]) -> Iterator[list[str]]:
    """Cut a stream of SMILES into pieces worth sending to another process."""
    iterator = iter(smiles)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _fingerprint_chunk(chunk: Sequence[str]) -> list[tuple[str, str]]:
    settled = [standardize(raw).smiles for raw in chunk]
    return [(skeleton_key(s), connectivity_key(s)) for s in settled if s]
