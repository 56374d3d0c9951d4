"""Why RDKit cannot read a string as a molecule, in a few words that a chemist can act on."""

from __future__ import annotations

import re

from rdkit import Chem


def explain(text: str) -> str:
    """Say why RDKit makes no molecule of a string, as the text of a problem.

    Parameters
    ----------
    text : str
        A string that ``Chem.MolFromSmiles`` rejects.
    """
    molecule = Chem.MolFromSmiles(text, sanitize=False)
    if molecule is None:
        return f"cannot parse: {explain_syntax(text)}"
    return f"impossible molecule: {_explain_chemistry(molecule)}"


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
