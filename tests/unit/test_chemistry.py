"""Chemistry factors: the facts against RDKit, each term by hand, and where gradients go."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import AllChem, Crippen, Descriptors, Fragments, rdMolDescriptors

from cmim_chem.chem.facts import BINARY, DESCRIPTORS, GROUPS, REAL, compute_facts
from cmim_chem.chem.tokenizer import EOS
from cmim_chem.errors import DataError, InputError
from cmim_chem.model.chemistry import SIGMA_FLOOR, ChemistryHead, log_bernoulli, log_gaussian
from cmim_chem.model.config import preset
from cmim_chem.model.loss import Batch, objective
from cmim_chem.pretrain.config import FACTS, PretrainConfig
from cmim_chem.pretrain.corpus import Corpus, Source, build_corpus
from cmim_chem.pretrain.exclude import Exclusion
from cmim_chem.pretrain.facts import CLIP, Facts
from cmim_chem.pretrain.network import Network

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "C[C@H](N)C(=O)O", "C[N+](C)(C)CC(=O)[O-]", "[Na]"]


def test_facts_are_those_of_rdkit() -> None:
    found = compute_facts(SMILES, FACTS)
    assert {name: table.shape[1] for name, table in found.items()} == REAL | BINARY
    for row, smiles in enumerate(SMILES):
        molecule = Chem.MolFromSmiles(smiles)
        named = dict(zip(DESCRIPTORS, found["descriptors"][row].tolist(), strict=True))
        assert named["CrippenClogP"] == pytest.approx(Crippen.MolLogP(molecule), abs=1e-4)
        assert named["tpsa"] == pytest.approx(rdMolDescriptors.CalcTPSA(molecule), abs=1e-4)
        assert named["SlogP_VSA2"] == pytest.approx(Descriptors.SlogP_VSA2(molecule), abs=1e-4)
        assert named["MQN1"] == rdMolDescriptors.MQNs_(molecule)[0]
        bits = AllChem.GetMorganFingerprintAsBitVect(molecule, 2, nBits=1024)
        assert found["ecfp"][row].nonzero()[0].tolist() == list(bits.GetOnBits())
        counts = [getattr(Fragments, name)(molecule) for name in GROUPS]
        assert found["groups"][row].tolist() == [count > 0 for count in counts]


def test_a_molecule_that_does_not_parse_is_named() -> None:
    with pytest.raises(InputError, match="C1CC"):
        compute_facts(["C1CC"], FACTS)


def test_log_gaussian_by_hand_and_without_missing_facts() -> None:
    c = torch.tensor([[1.0, -2.0], [0.5, torch.nan]])
    mean, sigma = torch.tensor([[0.0, -1.0], [0.5, 9.0]]), torch.tensor([2.0, 0.5])

    def density(x: float, m: float, s: float) -> float:
        return -((x - m) ** 2) / (2 * s**2) - math.log(s * math.sqrt(2 * math.pi))

    by_hand = [density(1.0, 0.0, 2.0) + density(-2.0, -1.0, 0.5), density(0.5, 0.5, 2.0)]
    assert log_gaussian(c, mean, sigma).tolist() == pytest.approx(by_hand, abs=1e-6)


def test_log_bernoulli_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [-math.log(4.0), 1.0]])
    c = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    by_hand = [math.log(0.5) + math.log(0.25), math.log(0.2) - math.log1p(math.exp(-1.0))]
    assert log_bernoulli(c, logits).tolist() == pytest.approx(by_hand, abs=1e-6)


def test_a_head_sums_its_facts_and_starts_at_unit_variance() -> None:
    torch.manual_seed(0)
    head = ChemistryHead(8, 0, ("descriptors", "groups"))
    vector = torch.randn(3, 8)
    facts = {name: torch.from_numpy(c) for name, c in compute_facts(SMILES[:3], FACTS).items()}
    found = head(vector, facts)
    assert list(found) == ["descriptors", "groups"]
    mean = head.out["descriptors"](vector)
    expected = log_gaussian(facts["descriptors"], mean, torch.ones(REAL["descriptors"]))
    assert torch.allclose(found["descriptors"], expected, rtol=1e-5)
    expected = log_bernoulli(facts["groups"], head.out["groups"](vector))
    assert torch.allclose(found["groups"], expected)
    assert head.out["groups"](torch.zeros(1, 8)).sigmoid().max() < 0.1
    with torch.no_grad():
        head.raw_sigma["descriptors"].fill_(-100.0)
    exact = {**facts, "descriptors": mean.detach()}
    ceiling = -REAL["descriptors"] * math.log(SIGMA_FLOOR * math.sqrt(2 * math.pi))
    assert head(vector, exact)["descriptors"].tolist() == pytest.approx([ceiling] * 3, rel=1e-4)


@pytest.mark.parametrize("place", ["z", "h"])
def test_gradients_of_a_factor_reach_what_it_is_predicted_from(place: str) -> None:
    config = PretrainConfig(
        Path("c"), Path("o"), preset="tiny", chemistry="ecfp+descriptors", chemistry_from=place
    )
    network = Network(config, preset("tiny", 40))
    batch = Batch(torch.tensor([[5, 6, EOS], [7, 8, EOS]]), torch.zeros(2, 64))
    facts = {"ecfp": torch.ones(2, 1024), "descriptors": torch.ones(2, REAL["descriptors"])}
    terms = network(batch, facts)
    assert list(terms)[-2:] == [f"log_ecfp_{place}", f"log_descriptors_{place}"]
    terms[f"log_ecfp_{place}"].sum().backward()
    model = network.model
    assert model.posterior.weight.grad.abs().max() > 0  # the encoder, through z or through h
    reached = [name for name, p in model.named_parameters() if p.grad is not None]
    assert any(name.startswith("decoder.") for name in reached) == (place == "h")
    assert "logits.weight" not in reached
    assert network.heads[place].out["descriptors"].weight.grad is None
    total = -sum(float(term.detach().sum()) for term in network(batch, facts).values()) / 2
    assert objective(network(batch, facts), 2).item() == pytest.approx(total, rel=1e-5)


def test_settings_of_the_factors_that_make_no_sense_are_named() -> None:
    folder = Path("x")
    assert set(FACTS) == set(REAL | BINARY)
    for wrong in ("x", "ecfp+ecfp", "none+ecfp", ""):
        with pytest.raises(InputError, match="--chemistry "):
            PretrainConfig(folder, folder, chemistry=wrong)
    with pytest.raises(InputError, match="--chemistry-from"):
        PretrainConfig(folder, folder, chemistry_from="x")
    with pytest.raises(InputError, match="no decoder"):
        PretrainConfig(folder, folder, objective="infonce", chemistry="ecfp", chemistry_from="h")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    smiles = [f"{'C' * n}{end}" for n in range(1, 13) for end in ("N", "O", "Cl", "c1ccccc1")]
    build_corpus([Source("a", smiles)], tmp_path, Exclusion(frozenset(), frozenset()))
    return Corpus(tmp_path)


def test_facts_of_rows_are_the_computed_ones_standardized(corpus: Corpus) -> None:
    rows = np.array([3, 0, 40])
    found = Facts(corpus, FACTS).rows(rows)
    every = [corpus.tokenizer.decode(corpus[i].tolist()) for i in range(len(corpus))]
    table = compute_facts(every, FACTS)
    for name in BINARY:
        assert np.array_equal(found[name], table[name][rows])
    real = table["descriptors"].astype(np.float64)
    spread = real.std(0)
    scaled = ((real - real.mean(0)) / np.where(spread > 1e-6, spread, 1.0)).clip(-CLIP, CLIP)
    assert np.allclose(found["descriptors"], scaled[rows], atol=1e-5)
    assert found["descriptors"].dtype == np.float32


def test_only_the_facts_that_are_wanted_are_computed(corpus: Corpus) -> None:
    found = Facts(corpus, ("ecfp",)).rows(np.array([1, 2]))
    assert {name: table.shape for name, table in found.items()} == {"ecfp": (2, BINARY["ecfp"])}
    assert not (corpus.folder / "facts.json").exists()


def test_the_scale_of_the_facts_is_measured_once_and_of_this_corpus(
    corpus: Corpus, tmp_path: Path
) -> None:
    first = Facts(corpus, ("descriptors",)).rows(np.array([5]))
    path = corpus.folder / "facts.json"
    stored = json.loads(path.read_text())
    stored["mean"][0] += stored["spread"][0]
    path.write_text(json.dumps(stored))
    moved = Facts(corpus, ("descriptors",)).rows(np.array([5]))["descriptors"]
    assert moved[0, 0] == pytest.approx(first["descriptors"][0, 0] - 1.0, abs=1e-5)
    other = tmp_path / "other"
    build_corpus([Source("a", ["CCO", "CCN"])], other, Exclusion(frozenset(), frozenset()))
    path.rename(other / "facts.json")
    with pytest.raises(DataError, match="another corpus"):
        Facts(Corpus(other), ("descriptors",))
    (other / "facts.json").write_text("{")
    with pytest.raises(DataError, match="not readable"):
        Facts(Corpus(other), ("descriptors",))
