"""Fine-tuning: the head and its gaps, when to stop, and that a seed fixes the weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from cmim_chem.embed import Embedder
from cmim_chem.finetune.head import SupervisedHead
from cmim_chem.finetune.schedule import EarlyStopping, Schedule
from cmim_chem.finetune.training import finetune
from cmim_chem.probes.data import TrainingData
from cmim_chem.probes.folds import predict_out_of_fold
from cmim_chem.probes.select import Trial

NAN = float("nan")
SMILES = ["C" * n + end for n in range(2, 10) for end in ("O", "N", "Cl", "S")]
SHORT = Schedule(epochs=2, batch_size=8)


def make_data(embedder: Embedder, kind="regression") -> TrainingData:
    y = np.column_stack([[len(one) for one in SMILES], [one.count("O") for one in SMILES]]) * 1.0
    if kind == "classification":
        y = (y > np.median(y, axis=0)).astype(float)
    y[::5, 1] = NAN
    rows = np.random.default_rng(0).permutation(len(SMILES))
    split = (rows[:20], rows[20:26], rows[26:])
    found = embedder.embed(SMILES)
    return TrainingData({"z": found.z, "h": found.h}, y, ("a", "b"), kind, split)


# ---------------------------------------------------------------------------- when to stop


def run_epochs(scores, lower_is_better=True, patience=2):
    """Epochs until it stops; the weight of the network is the number of the epoch."""
    network, stopping = nn.Linear(1, 1), EarlyStopping(lower_is_better, patience)
    for epoch, score in enumerate(scores, start=1):
        nn.init.constant_(network.weight, epoch)
        if stopping.update(epoch, score, network):
            break
    return epoch, stopping.best_epoch, float(stopping.best["weight"])


def test_the_best_epoch_is_kept_and_patience_ends_it():
    assert run_epochs([5, 4, 3, 3, 6, 1]) == (5, 3, 3.0)
    assert run_epochs([0.5, 0.7, 0.6, 0.9, 0.8], lower_is_better=False) == (5, 4, 4.0)
    assert run_epochs([5, 4, 3]) == (3, 3, 3.0)


def test_an_undefined_score_is_never_better():
    assert run_epochs([NAN, NAN, NAN, 1.0]) == (3, 1, 1.0)
    assert run_epochs([NAN, 4.0, NAN, 3.0]) == (4, 4, 4.0)


def test_rates_rise_for_an_epoch_and_fall_to_nothing():
    schedule = Schedule(epochs=5)
    shares = [schedule.scale(epoch) for epoch in (0.0, 0.5, 1.0, 3.0, 5.0)]
    assert shares == [0.0, 0.5, 1.0, 0.5, 0.0]


# ---------------------------------------------------------------------------- the head


def test_missing_labels_count_nothing_and_numbers_are_gaussian():
    h = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    head = SupervisedHead(h, 2, "regression")
    nn.init.normal_(head.linear.weight)
    nn.init.constant_(head.log_sigma, 0.3)
    y = torch.tensor([[1.0, NAN], [NAN, 2.0], [NAN, NAN], [0.0, 1.0], [3.0, -1.0], [0.5, NAN]])
    found = head.log_likelihood(h, y)
    expected = norm.logpdf(y, head(h).detach(), np.exp(0.3)) + 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found.detach(), np.nansum(expected, axis=1), rtol=1e-5)
    assert found[2] == 0
    found[2].backward()
    assert not head.linear.weight.grad.abs().any()


def test_classes_are_bernoulli():
    head = SupervisedHead(torch.randn(5, 2), 1, "classification")
    nn.init.constant_(head.linear.bias, 1.0)
    found = head.log_likelihood(torch.zeros(2, 2), torch.tensor([[1.0], [0.0]])).exp()
    p = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(found.detach(), [p, 1 - p], rtol=1e-5)


def test_the_head_finds_what_is_linear_in_h():
    h = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    y = h[:, :1] * 0.5
    head = SupervisedHead(h, 1, "regression")
    head.fit(h, y)
    assert (head(h) - y).abs().max() < 0.1


# ---------------------------------------------------------------------------- the training


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_same_seed_is_the_same_encoder_and_the_first_stays_as_it_was(embedder, kind):
    data = make_data(embedder, kind)
    one, two, other = (finetune(embedder, SMILES, data, seed, SHORT) for seed in (0, 0, 1))
    assert one.files == two.files
    assert one.scores == two.scores
    assert len(one.scores) == 3
    assert other.files["model.safetensors"] != one.files["model.safetensors"]
    assert len({one.embedder.digest, other.embedder.digest, embedder.digest}) == 3
    np.testing.assert_array_equal(embedder.embed(SMILES).h, data.features["h"])
    assert np.isfinite(one.embedder.embed(SMILES).h).all()


def test_test_rows_and_missing_labels_are_not_read(embedder):
    data = make_data(embedder)
    y = data.y.copy()
    y[data.split[2]] = 1e6
    other = finetune(embedder, SMILES, replace(data, y=y), 0, SHORT)
    assert other.files == finetune(embedder, SMILES, data, 0, SHORT).files


def test_what_is_stored_is_what_embeds(embedder, tmp_path: Path):
    found = finetune(embedder, SMILES, make_data(embedder), 0, SHORT)
    for name, content in found.files.items():
        (tmp_path / name).write_bytes(content)
    again = Embedder.load(tmp_path)
    assert again.digest == found.embedder.digest
    np.testing.assert_array_equal(again.embed(SMILES).h, found.embedder.embed(SMILES).h)
    # Half precision: two bytes for each of the weights.
    weights = sum(one.numel() for one in again.copy_network().state_dict().values())
    assert len(found.files["model.safetensors"]) < 2.2 * weights


def test_out_of_fold_leaves_out_what_the_encoder_has_learned_from():
    rng = np.random.default_rng(0)
    features = {
        "h": rng.normal(size=(60, 4)).astype(np.float32),
        "ecfp": rng.poisson(0.5, size=(60, 32)).astype(np.float32),
    }
    rows = np.arange(60)
    split = (rows[:40], rows[40:50], rows[50:])
    data = TrainingData(features, features["h"][:, :1] * 1.0, ("y",), "regression", split)
    trial = Trial("h", "linear", {"alpha": 10.0}, 0.0)
    every = predict_out_of_fold(data, trial, rows[:50])
    unseen = predict_out_of_fold(replace(data, seen=split[0]), trial, rows[:50])
    assert unseen.rows.tolist() == list(range(40, 50))
    np.testing.assert_array_equal(unseen.predicted, every.predicted[40:])
    np.testing.assert_array_equal(unseen.near.distance, every.near.distance[40:])
