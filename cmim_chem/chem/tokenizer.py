"""SMILES to token ids and back: atom-level tokens, with glyphs for what is rare.

A bracket atom that is frequent in the corpus is one token; a rare one is spelled in glyphs
(``[``, isotope digits, element, chirality, H count, charge, ``]``). Decoding is concatenation, so
``decode(encode(s)) == s`` for every string that `split_tokens` accepts, and there is no unknown
token. Whether a string is a sensible molecule is `cmim_chem.chem.standardize`'s business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cmim_chem.errors import ArtifactError, InputError

PAD, BOS, EOS = 0, 1, 2
SPECIAL = ("<pad>", "<bos>", "<eos>")

_ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br"
    " Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho"
    " Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es"
    " Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
).split()
_AROMATIC = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")
_CHIRALITY = ("@@", "@", "TH", "AL", "SP", "TB", "OH")
_BONDS = ("-", "=", "#", "$", ":", "/", "\\", "~", "->", "<-")
_PUNCTUATION = ("(", ")", ".", "%", "[", "]", "*", "+")

# Every glyph a SMILES can be spelled with: the floor of any vocabulary.
GLYPHS: tuple[str, ...] = tuple(
    dict.fromkeys([*"0123456789", *_BONDS, *_PUNCTUATION, *_CHIRALITY, *_AROMATIC, *_ELEMENTS])
)

_OUTSIDE = re.compile(r"\[[^\[\]]*\]|Br|Cl|->|<-|[BCNOPSFIbcnops]|[-=#$:/\\~().%*]|[0-9]")
_INSIDE = re.compile(
    r"\[(?P<isotope>\d*)(?P<symbol>[A-Z][a-z]?|[a-z]{1,2}|\*)"
    r"(?P<chirality>@@|@(?:(?:TH|AL|SP|TB|OH)\d+)?|)"
    r"(?P<hydrogens>H\d*|)(?P<charge>[+-]+\d*|)(?P<map>:\d+|)\]"
)
_GLYPH = re.compile("|".join(re.escape(g) for g in sorted(GLYPHS, key=lambda g: (-len(g), g))))


def split_tokens(smiles: str) -> list[str]:
    """Split a SMILES into atom-level tokens; a bracket atom stays in one piece.

    Parameters
    ----------
    smiles : str
        One SMILES without white space.

    Returns
    -------
    list of str
        Tokens whose concatenation is `smiles`.

    Raises
    ------
    InputError
        If a character cannot be part of a SMILES; names the position.
    """
    tokens, position = [], 0
    while position < len(smiles):
        match = _OUTSIDE.match(smiles, position)
        if match is None:
            raise InputError(
                f"cannot read character {smiles[position]!r} at position {position + 1}"
            )
        tokens.append(match.group())
        position = match.end()
    return tokens


def spell_bracket(token: str) -> list[str]:
    """Spell a bracket atom in glyphs.

    Parameters
    ----------
    token : str
        A bracket atom, such as ``[13C@@H2+]``.

    Returns
    -------
    list of str
        Glyphs whose concatenation is `token`.

    Raises
    ------
    InputError
        If the bracket does not hold an OpenSMILES atom.
    """
    match = _INSIDE.fullmatch(token)
    if match is None or match["symbol"] not in _SYMBOLS:
        raise InputError(f"cannot read the bracket atom {token}")
    rest = match["chirality"] + match["hydrogens"] + match["charge"] + match["map"]
    # The symbol is one glyph as written: greedy matching would read [Sc] for [S] + c elsewhere.
    return ["[", *match["isotope"], match["symbol"], *_GLYPH.findall(rest), "]"]


_SYMBOLS = frozenset([*_ELEMENTS, *_AROMATIC, "*"])


class Tokenizer:
    """A frozen vocabulary and the two directions through it.

    Parameters
    ----------
    bracket_atoms : sequence of str
        Bracket atoms that are one token each; all others are spelled in glyphs.
    """

    def __init__(self, bracket_atoms: Sequence[str] = ()) -> None:
        self.bracket_atoms = tuple(bracket_atoms)
        organic = ("<pad>", "<bos>", "<eos>", *GLYPHS)
        self.vocabulary = (*organic, *self.bracket_atoms)
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        if len(self._ids) != len(self.vocabulary):
            raise ArtifactError("the vocabulary lists a token twice: rebuild it from the corpus")

    def __len__(self) -> int:
        """Number of tokens, the special ones included."""
        return len(self.vocabulary)

    @classmethod
    def build(cls, counts: Mapping[str, int], min_count: int = 200) -> Tokenizer:
        """Make the vocabulary of a corpus.

        Parameters
        ----------
        counts : mapping of str to int
            How often each token of `split_tokens` occurs in the corpus.
        min_count : int
            A bracket atom seen at least this often becomes one token.
        """
        frequent = [t for t, n in counts.items() if t.startswith("[") and n >= min_count]
        return cls(sorted(frequent, key=lambda t: (-counts[t], t)))

    def encode(self, smiles: str) -> list[int]:
        """Token ids of a SMILES, without begin and end marks.

        Raises
        ------
        InputError
            If the string cannot be a SMILES.
        """
        ids: list[int] = []
        for token in split_tokens(smiles):
            known = self._ids.get(token)
            if known is not None:
                ids.append(known)
            else:
                ids.extend(self._ids[glyph] for glyph in spell_bracket(token))
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Write token ids as text, up to the first end mark; pads and begin marks are skipped."""
        pieces = []
        for i in ids:
            if i == EOS:
                break
            if i not in (PAD, BOS):
                pieces.append(self.vocabulary[i])
        return "".join(pieces)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        text = json.dumps({"bracket_atoms": self.bracket_atoms}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a vocabulary written by `save`.

        Raises
        ------
        ArtifactError
            If the file is missing or is not a vocabulary.
        """
        try:
            atoms = json.loads(path.read_text(encoding="utf-8"))["bracket_atoms"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path}: not a vocabulary file; restore the checkpoint") from error
        return cls(tuple(atoms))
