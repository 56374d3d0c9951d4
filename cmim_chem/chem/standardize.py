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

MAX_CHARACTERS = 2_000
_PLAIN_ELEMENTS = frozenset((5, 6, 7, 8, 9, 14, 16, 17, 35, 53))


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
    # NaN is the one float that differs from itself.
    if raw is None or raw != raw:
        return Standardized(None, "empty: no SMILES in this row")
    text = str(raw).strip()
    if not text:
        return Standardized(None, "empty: no SMILES in this row")
    if len(text) > MAX_CHARACTERS:
        return Standardized(
            None, f"{len(text):,} characters: a SMILES of at most {MAX_CHARACTERS:,} is read"
        )
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


def _standardize_text(text: str) -> Standardized:
    molecule = Chem.MolFromSmiles(text)
    if molecule is None:
        return Standardized(None, _explain(text))
    if molecule.GetNumAtoms() == 0:
        return Standardized(None, "empty: no atoms in this SMILES")
    if is_plain(molecule):
        return Standardized(_settle(Chem.MolToSmiles(molecule)))
    return standardize_fully(molecule)


def is_plain(molecule: Chem.Mol) -> bool:
    """Tell whether no step of the full standardization can change a molecule.

    True for one organic fragment of neutral, unlabelled, closed-shell non-metals in which no atom
    can start a rule of RDKit's normalizer (three-bonded sulfur, over-bonded nitrogen, phosphorus).
    Tests compare the short cut with the full road over the corpora.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        A sanitized molecule.
    """
    has_carbon = False
    for atom in molecule.GetAtoms():
        element = atom.GetAtomicNum()
        if (
            element not in _PLAIN_ELEMENTS
            or atom.GetFormalCharge()
            or atom.GetIsotope()
            or atom.GetNumRadicalElectrons()
            or atom.GetAtomMapNum()
            or (element == 16 and atom.GetDegree() == 3)
            or (element == 7 and atom.GetTotalValence() > 3)
            or (element in (17, 35, 53) and atom.GetDegree() > 1)
        ):
            return False
        has_carbon = has_carbon or element == 6
    return has_carbon and len(Chem.GetMolFrags(molecule)) == 1


def standardize_fully(molecule: Chem.Mol) -> Standardized:
    """Run every step of the standardization on a sanitized molecule.

    Parameters
    ----------
    molecule : rdkit.Chem.Mol
        A sanitized molecule with at least one atom.

    Returns
    -------
    Standardized
        The parent molecule, or the problem that there is none.
    """
    try:
        clean = rdMolStandardize.Cleanup(molecule)
        notes = ["functional groups normalized"] if _differs(molecule, clean) else []
        parent = _chooser().choose(clean)
        if not any(atom.GetAtomicNum() == 6 for atom in parent.GetAtoms()):
            return Standardized(None, "no organic fragment: nothing in this row contains carbon")
        notes = _describe_removed(clean, parent) or notes
        neutral = rdMolStandardize.Uncharger(True).uncharge(parent)
        if _charges(neutral) != _charges(parent):
            notes.append("charges neutralized")
        if any(atom.GetIsotope() for atom in neutral.GetAtoms()):
            rdMolStandardize.IsotopeParentInPlace(neutral, skipStandardize=True)
            notes.append("isotope labels removed")
        for atom in neutral.GetAtoms():
            atom.SetAtomMapNum(0)
        if any(atom.GetAtomicNum() == 0 for atom in neutral.GetAtoms()):
            notes.append("attachment point * read as an unknown atom")
        return Standardized(_settle(Chem.MolToSmiles(neutral)), note="; ".join(notes))
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unknown reason"
        return Standardized(None, f"cannot be standardized: {reason}")


def explain_syntax(text: str) -> str:
    """Say in a few words why RDKit cannot read a string as SMILES.

    Parameters
    ----------
    text : str
        A string that ``Chem.MolFromSmiles`` rejects.
    """
    if re.search(r"\s", text):
        return "white space inside the SMILES"
    if text.count("[") != text.count("]"):
        return "unbalanced square bracket"
    if text.count("(") != text.count(")"):
        return "unbalanced parenthesis"
    bare = re.sub(r"\[[^\]]*\]", "*", text)
    strange = re.search(r"[^A-Za-z0-9@+\-\[\]()=#$:/\\~.%*<>]", bare)
    if strange:
        return f"character {strange.group()!r} is not SMILES"
    letters = re.search(r"(?!Br|Cl)(?:[^BCNOPSFIbcnopslr\W\d]|(?<!B)r|(?<!C)l)", bare)
    if letters:
        return f"{letters.group()!r} is no atom that can stand outside brackets"
    labels = re.findall(r"%\(\d+\)|%\d\d|\d", bare)
    for label in dict.fromkeys(labels):
        if labels.count(label) % 2:
            return f"unclosed ring {label.strip('%()')}"
    return "not a valid SMILES"


def _explain(text: str) -> str:
    molecule = Chem.MolFromSmiles(text, sanitize=False)
    if molecule is None:
        return f"cannot parse: {explain_syntax(text)}"
    return f"impossible molecule: {_explain_chemistry(molecule)}"


def _explain_chemistry(molecule: Chem.Mol) -> str:
    problems = Chem.DetectChemistryProblems(molecule)
    if not problems:
        return "RDKit cannot sanitize it"
    message = problems[0].Message().strip()
    valence = re.match(r"Explicit valence for atom # (\d+) (\w+), (\d+),", message)
    if valence:
        number, element, bonds = valence.groups()
        return f"atom {int(number) + 1} ({element}) has {bonds} bonds, more than it can"
    if problems[0].GetType() == "KekulizeException":
        return "aromatic ring without a possible Kekule structure"
    return str(message)[:120]


def _settle(smiles: str) -> str:
    # RDKit's canonical SMILES is not always a fixed point; a second pass removes nearly all of the
    # dependence on the spelling that came in.
    again = Chem.MolFromSmiles(smiles)
    if again is None:
        raise ValueError("RDKit cannot read the standardized SMILES back")
    return str(Chem.MolToSmiles(again))


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


@cache
def _chooser() -> rdMolStandardize.LargestFragmentChooser:
    return rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
