"""Every SMILES is written back to the letter; there is no unknown token."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmim_chem.chem.tokenizer import BOS, EOS, PAD, Tokenizer, spell_bracket, split_tokens
from cmim_chem.errors import ArtifactError, InputError
from data.prepare_zinc import CORPORA, read_benchmarks, read_smi

HARD = (
    "[13C@@H2+]",
    "C/C=C\\C(=O)[O-].[Na+]",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "C%12CCCC%12",
    "[Pt@SP1](Cl)(Cl)([NH3])[NH3]",
    "F[Sc](F)F",
    "[se]1cccc1",
    "*C(=O)[CH3:7]",
    "[Fe+2]<-N",
    "[OH3+]",
    "[C@TH2](F)(Cl)(Br)I",
)


@pytest.mark.parametrize("smiles", HARD)
def test_hard_smiles_come_back(smiles: str) -> None:
    tokenizer = Tokenizer(["[O-]", "[nH]"])
    ids = tokenizer.encode(smiles)
    assert tokenizer.decode(ids) == smiles
    assert max(ids) < len(tokenizer)


def test_a_frequent_bracket_atom_is_one_token_and_a_rare_one_is_spelled() -> None:
    tokenizer = Tokenizer.build(Counter({"[nH]": 500, "[Hg]": 3, "C": 9}), min_count=200)
    assert tokenizer.bracket_atoms == ("[nH]",)
    assert len(tokenizer.encode("[nH]")) == 1
    assert len(tokenizer.encode("[Hg]")) == 3


def test_two_letter_elements_are_not_split() -> None:
    assert split_tokens("ClCBr") == ["Cl", "C", "Br"]
    assert spell_bracket("[Sc+3]") == ["[", "Sc", "+", "3", "]"]


def test_marks_are_written_as_nothing_and_the_end_mark_ends() -> None:
    tokenizer = Tokenizer()
    ids = tokenizer.encode("CCO")
    assert tokenizer.decode([BOS, *ids, EOS, *ids, PAD]) == "CCO"


@pytest.mark.parametrize("text", ["C C", "CX", "[Zz]", "[C", "日", "C>>O"])
def test_what_is_no_smiles_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Tokenizer().encode(text)


@given(st.text(max_size=40))
def test_any_text_is_read_exactly_or_refused(text: str) -> None:
    tokenizer = Tokenizer(["[nH]"])
    try:
        ids = tokenizer.encode(text)
    except InputError:
        return
    assert tokenizer.decode(ids) == text


def test_vocabulary_survives_its_file(tmp_path: Path) -> None:
    Tokenizer(["[nH]", "[O-]"]).save(tmp_path / "vocab.json")
    assert Tokenizer.load(tmp_path / "vocab.json").bracket_atoms == ("[nH]", "[O-]")
    (tmp_path / "vocab.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="vocabulary"):
        Tokenizer.load(tmp_path / "vocab.json")


@pytest.mark.needs_data
def test_every_molecule_of_moleculenet_and_of_the_corpora_comes_back(data_dir: Path) -> None:
    tokenizer = Tokenizer()
    sources = [read_benchmarks(data_dir / "moleculenet")]
    sources += [read_smi(data_dir / "corpora" / f"{name}.smi.gz") for name in CORPORA]
    read = 0
    for source in sources:
        for cell in source:
            smiles = cell.strip()
            if smiles == "FAIL":  # ToxCast's own word for "no structure"
                continue
            assert tokenizer.decode(tokenizer.encode(smiles)) == smiles
            read += 1
    assert read > 440_000
