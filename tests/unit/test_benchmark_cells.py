"""Cells, shards and scaling: everything asked for once, nothing learned from test rows."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cells import Selection, list_cells
from benchmarks.clock import format_time
from benchmarks.datasets import DATASETS
from benchmarks.representations import Encoders, list_blocks
from benchmarks.scaling import scale
from cmim_chem.errors import InputError


def test_the_full_suite_has_every_combination_once():
    cells = list_cells(Selection())
    # Six representations, six heads, and the mean of heads for what ships.
    assert len(cells) == len(set(cells)) == (11 + 3 * 5) * (6 * 6 + 1)
    assert {cell.representation for cell in cells if cell.head == "mean"} == {"shipped"}
    assert {cell.dataset for cell in cells if cell.split == "random"} == {
        "esol", "freesolv", "lipophilicity"
    }  # fmt: skip
    assert list(dict.fromkeys(cell.dataset for cell in cells)) == list(DATASETS)


def test_what_ships_is_also_averaged_without_h():
    cells = list_cells(Selection(representations=("ecfp", "descriptors+ecfp"), heads=("mean",)))
    assert {cell.representation for cell in cells} == {"descriptors+ecfp"}
    assert set(list_blocks("shipped")) - set(list_blocks("descriptors+ecfp")) == {"cmim:h"}


@pytest.mark.parametrize("n", [1, 3, 7])
def test_shards_share_out_all_cells(n):
    shards = [list_cells(Selection(), (i, n)) for i in range(n)]
    assert sorted(cell for shard in shards for cell in shard) == sorted(list_cells(Selection()))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"datasets": ("esol", "qm9")}, "'qm9'.*freesolv"),
        ({"heads": ("gnn",)}, "'gnn'.*linear"),
        ({"splits": ("cold",)}, "'cold'.*scaffold"),
        ({"seeds": (9,)}, "9.*0, 1"),
        ({"representations": ("cmim:q",)}, "'cmim:q'.*ecfp"),
        ({"datasets": ()}, "no dataset"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(wrong, words):
    with pytest.raises(InputError, match=words):
        Selection(**wrong)


@pytest.mark.parametrize("shard", [(2, 2), (0, 0)])
def test_a_shard_that_is_not_one_is_refused(shard):
    with pytest.raises(InputError, match="counts from 0"):
        list_cells(Selection(), shard)


def test_random_splits_of_a_classification_set_are_nothing_to_run():
    with pytest.raises(InputError, match="nothing to run"):
        list_cells(Selection(datasets=("bbbp",), splits=("random",)))


def test_names_of_representations():
    assert list_blocks("mim:z+h") == ("mim:z", "mim:h")
    assert list_blocks("shipped") == ("cmim:h", "descriptors", "ecfp")
    with pytest.raises(InputError, match="--encoder mim=FOLDER"):
        Encoders().digest("mim:h")
    with pytest.raises(InputError, match="another name"):
        Encoders({"cmim": None})


def test_scaling_learns_from_the_training_rows_only():
    generator = np.random.default_rng(0)
    blocks = {
        "descriptors": generator.normal(5, 3, (30, 4)).astype(np.float32),
        "ecfp": generator.integers(0, 4, (30, 6)).astype(np.float32),
    }
    blocks["descriptors"][:, 3] = 7  # constant
    blocks["ecfp"][:20, 5] = 1  # constant in train
    blocks["descriptors"][2, 0] = np.nan
    train = np.arange(20)
    x = scale(blocks, train)
    assert x.shape == (30, 3 + 5)
    assert np.isfinite(x).all()
    assert x[2, 0] == 0
    np.testing.assert_allclose(x[train, 1:3].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x[train, 1:3].std(axis=0), 1, atol=1e-5)
    assert (x[train, 3:].var(axis=0).mean() - 1) ** 2 < 1e-8
    changed = {name: np.where(np.arange(30)[:, None] < 20, b, b + 1) for name, b in blocks.items()}
    assert np.array_equal(scale(changed, train)[train], x[train])


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (420, "7 min"), (7500, "2 h 05 min"), (-1, "0 s")]
)
def test_time_left_in_words(seconds, words):
    assert format_time(seconds) == words
