"""One standardization for training, probe fitting and inference alike.

Cleanup, largest organic fragment, neutral charges, no isotopes, stereo kept, canonical SMILES: all
by RDKit's ``rdMolStandardize``. Every input cell comes back as a `Standardized`, with a molecule or
with a `problem` in words, and with a `note` of what was changed. Files and tables are
`cmim_chem.chem.read`'s business; whether the model can read the length is `cmim_chem.embed`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.MolStandardize import rdMolStandardize

from cmim_chem.chem.graph import list_atoms
from cmim_chem.chem.syntax import explain

MAX_CHARACTERS = 2_000
_PLAIN_ELEMENTS = frozenset((5, 6, 7, 8, 9, 14, 16, 17, 35, 53))
# Two charges that no step moves: the nitrogen has no hydrogen, and its charge is beside the other.
_NITRO = Chem.MolFromSmarts("[#6,#7,#8;+0]-[NX3+](=[OX1;+0])-[OX1-]")


@dataclass(frozen=True, slots=True)
class Standardized:
    """What became of one input cell.

    Attributes
    ----------
    smiles : str or None
        Canonical SMILES of the standardized molecule; None if there is none.
    problem : str
        Why there is no molecule, in words; empty if there is one.
    note : str
        What was changed, such as ``salt removed: Cl``; empty if nothing but the spelling.
    """

    smiles: str | None
    problem: str = ""
    note: str = ""


def standardize(raw: object) -> Standardized:
    """Standardize one cell of a table.

    Parameters
    ----------
    raw : object
        Normally a SMILES; None, NaN, numbers and blanks are answered with a problem.

    Returns
    -------
    Standardized
        The molecule, or the problem in words.
    """
    return standardize_molecule(raw)[0]


def standardize_molecule(raw: object) -> tuple[Standardized, Chem.Mol | None]:
    """Standardize one cell and keep what its SMILES parses to.

    Parameters
    ----------
    raw : object
        As of `standardize`.

    Returns
    -------
    Standardized
        The molecule as SMILES, or the problem in words.
    rdkit.Chem.Mol or None
        What RDKit makes of that SMILES; None with a problem.
    """
    # NaN is the one float that differs from itself.
    if raw is None or raw != raw:
        return Standardized(None, "empty: no SMILES in this row"), None
    text = str(raw).strip()
    if not text:
        return Standardized(None, "empty: no SMILES in this row"), None
    if len(text) > MAX_CHARACTERS:
        long = f"{len(text):,} characters: a SMILES of at most {MAX_CHARACTERS:,} is read"
        return Standardized(None, long), None
    with rdBase.BlockLogs():
        return _standardize_text(text)


def standardize_many(raw: Sequence[object], workers: int = 1) -> list[Standardized]:
    """Standardize many cells, in order, optionally in several processes.

    Parameters
    ----------
    raw : sequence of object
        n cells.
    workers : int
        Number of processes; 1 works in this one.

    Returns
    -------
    list of Standardized
        n results, in the order of `raw`.
    """
    if workers <= 1 or len(raw) < 2_000:
        return [standardize(cell) for cell in raw]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(standardize, raw, chunksize=500))


def _standardize_text(text: str) -> tuple[Standardized, Chem.Mol | None]:
    molecule = Chem.MolFromSmiles(text)
    if molecule is None:
        return Standardized(None, explain(text)), None
    if molecule.GetNumAtoms() == 0:
        return Standardized(None, "empty: no atoms in this SMILES"), None
    if not is_plain(molecule):
        return standardize_fully(molecule)
    smiles = Chem.MolToSmiles(molecule)
    if smiles == text:  # then reading and writing it once more gives the same
        return Standardized(smiles), molecule
    smiles, molecule = _settle(smiles)
    return Standardized(smiles), molecule


def is_plain(molecule: Chem.Mol) -> bool:
    """Tell whether no step of the full standardization can change a molecule.

    True for one organic fragment of unlabelled, closed-shell non-metals, neutral but for nitro
    groups, in which no atom can start a rule of RDKit's normalizer (three-bonded sulfur,
    over-bonded nitrogen, phosphorus). Tests compare the short cut with the full road over the
    corpora.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        A sanitized molecule.
    """
    has_carbon = False
    charged = 0
    for atom in list_atoms(molecule):
        element = atom.GetAtomicNum()
        if element == 6:
            has_carbon = True
        elif (
            element not in _PLAIN_ELEMENTS
            or (element == 16 and atom.GetDegree() == 3)
            or (element in (17, 35, 53) and atom.GetDegree() > 1)
        ):
            return False
        if atom.GetFormalCharge():
            charged += 1
        elif element == 7 and atom.GetTotalValence() > 3:
            return False
        if atom.GetIsotope() or atom.GetNumRadicalElectrons() or atom.GetAtomMapNum():
            return False
    if charged and charged != 2 * len(molecule.GetSubstructMatches(_NITRO)):
        return False
    return has_carbon and len(Chem.GetMolFrags(molecule)) == 1


def standardize_fully(molecule: Chem.Mol) -> tuple[Standardized, Chem.Mol | None]:
    """Run every step of the standardization on a sanitized molecule.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        A sanitized molecule with at least one atom.

    Returns
    -------
    Standardized
        The parent molecule, or the problem that there is none.
    rdkit.Chem.Mol or None
        What RDKit makes of its SMILES; None with a problem.
    """
    try:
        clean = _steps().clean(molecule)
        notes = ["functional groups normalized"] if _differs(molecule, clean) else []
        parent = _steps().choose(clean)
        if not _has_carbon(parent):
            nothing = "no organic fragment: nothing in this row contains carbon"
            return Standardized(None, nothing), None
        notes = _describe_removed(clean, parent) or notes
        neutral = _steps().uncharge(parent)
        if _charges(neutral) != _charges(parent):
            notes.append("charges neutralized")
        if any(atom.GetIsotope() for atom in neutral.GetAtoms()):
            rdMolStandardize.IsotopeParentInPlace(neutral, skipStandardize=True)
            notes.append("isotope labels removed")
        for atom in neutral.GetAtoms():
            atom.SetAtomMapNum(0)
        if any(atom.GetAtomicNum() == 0 for atom in neutral.GetAtoms()):
            notes.append("attachment point * read as an unknown atom")
        smiles, settled = _settle(Chem.MolToSmiles(neutral))
        return Standardized(smiles, note="; ".join(notes)), settled
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unknown reason"
        return Standardized(None, f"cannot be standardized: {reason}"), None


class _Steps:
    """RDKit's steps with their default settings, whose rules take longer to read than to apply."""

    def __init__(self) -> None:
        self._disconnector = rdMolStandardize.MetalDisconnector()
        self._normalizer = rdMolStandardize.Normalizer()
        self._reionizer = rdMolStandardize.Reionizer()
        self.choose = rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose
        self.uncharge = rdMolStandardize.Uncharger(True).uncharge

    def clean(self, molecule: Chem.Mol) -> Chem.Mol:
        """Do what ``rdMolStandardize.Cleanup`` does."""
        clean = Chem.RemoveHs(molecule)
        self._disconnector.DisconnectInPlace(clean)
        self._normalizer.normalizeInPlace(clean)
        self._reionizer.reionizeInPlace(clean)
        Chem.AssignStereochemistry(clean, cleanIt=True, force=True)
        return clean


@cache
def _steps() -> _Steps:
    return _Steps()


def _settle(smiles: str) -> tuple[str, Chem.Mol]:
    # RDKit's canonical SMILES is not always a fixed point; a second pass removes nearly all of the
    # dependence on the spelling that came in.
    again = Chem.MolFromSmiles(smiles)
    if again is None:
        raise ValueError("RDKit cannot read the standardized SMILES back")
    settled = str(Chem.MolToSmiles(again))
    return settled, again if settled == smiles else Chem.MolFromSmiles(settled)


def _differs(before: Chem.Mol, after: Chem.Mol) -> bool:
    return bool(Chem.MolToSmiles(before) != Chem.MolToSmiles(after))


def _charges(molecule: Chem.Mol) -> list[int]:
    return [atom.GetFormalCharge() for atom in molecule.GetAtoms()]


def _describe_removed(clean: Chem.Mol, parent: Chem.Mol) -> list[str]:
    fragments = Chem.GetMolFrags(clean, asMols=True, sanitizeFrags=False)
    if len(fragments) == 1:
        return []
    kept = Chem.MolToSmiles(parent)
    removed: dict[str, Chem.Mol] = {}
    copies = 0
    for fragment in fragments:
        smiles = Chem.MolToSmiles(fragment)
        if smiles == kept:
            copies += 1
        else:
            removed[smiles] = fragment
    salts = [_formula(m) for m in removed.values() if not _has_carbon(m)]
    parts = [s for s, m in removed.items() if _has_carbon(m)]
    notes = []
    if salts:
        notes.append(f"salt removed: {', '.join(dict.fromkeys(salts))}")
    if parts:
        notes.append(f"mixture: kept the largest organic part, removed {', '.join(parts)}")
    if copies > 1:
        notes.append(f"kept one of {copies} identical parts")
    return notes


def _has_carbon(molecule: Chem.Mol) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in molecule.GetAtoms())


def _formula(fragment: Chem.Mol) -> str:
    if fragment.GetNumHeavyAtoms() == 1 and fragment.GetAtomWithIdx(0).GetSymbol() not in "ONS":
        return str(fragment.GetAtomWithIdx(0).GetSymbol())
    return re.sub(r"[+-]\d*$", "", rdMolDescriptors.CalcMolFormula(fragment))
