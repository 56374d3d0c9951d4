"""The report: from lines alone, best heads by validation, tests corrected, nothing mixed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks.board import build_boards, keep_current
from benchmarks.compare import compare_all, compare_pair, correct_holm, rank_representations
from benchmarks.figures import find_groups
from benchmarks.published import load_published
from benchmarks.summarize import mean_score, write_report
from cmim_chem.errors import InputError

NAMES = ("cmim:z", "cmim:h", "ecfp")
SETS = ("esol", "bbbp", "bace", "hiv")


def make_line(dataset, name, head, value, **more):
    regression = dataset == "esol"
    line = {
        "dataset": dataset, "split": "scaffold", "seed": 0, "representation": name, "head": head,
        "metric": "rmse" if regression else "roc_auc", "value": value, "n_train": 80, "n_test": 10,
        "tasks": 1, "skipped": {}, "params": {}, "valid": 0.5, "seconds": 1.0, "cpu_seconds": 1.0,
        "protocol": 1, "commit": "abc", "model_digest": "m" if ":" in name else "",
        "data_digest": "d", "split_digest": "s",
        "machine": {"cpu": "some", "cpus": 2, "numpy": "2.4"}, "bootstrap": [value, value + 0.02],
    }  # fmt: skip
    return line | ({} if regression else {"pr_auc": 0.5}) | more


def make_lines():
    """Four scaffold sets, three representations, two heads; and random splits of one set."""
    generator = np.random.default_rng(0)
    lines = []
    for dataset in SETS:
        shared = generator.normal(0, 0.05, 200)
        for place, name in enumerate(NAMES):
            for head, valid in (("linear", 0.9), ("forest", 0.1)):
                value = 0.7 + 0.05 * place + (0.2 if head == "forest" else 0)
                noise = shared + generator.normal(0, 0.002, 200)
                lines.append(make_line(dataset, name, head, value, valid=valid,
                                       bootstrap=list(value + noise)))  # fmt: skip
    for seed in range(5):
        for place, name in enumerate(NAMES):
            value = 0.6 + 0.1 * place + 0.01 * generator.normal()
            lines.append(make_line("esol", name, "linear", value, split="random", seed=seed,
                                   bootstrap=None))  # fmt: skip
    return lines


def test_the_head_is_chosen_by_validation_even_if_another_tests_better():
    board = next(b for b in build_boards(make_lines()) if b.dataset == "bbbp")
    assert {entry.head for entry in board.best.values()} == {"linear"}


def test_what_ships_is_the_mean_of_heads_even_if_one_validates_better():
    lines = [make_line("bbbp", "shipped", "linear", 0.8, valid=0.9),
             make_line("bbbp", "shipped", "mean", 0.7, valid=0.8)]  # fmt: skip
    (board,) = build_boards(lines)
    assert board.best["shipped"].head == "mean"


def test_an_undefined_validation_score_never_wins():
    lines = [make_line("bbbp", "ecfp", "linear", 0.9, valid=None),
             make_line("bbbp", "ecfp", "forest", 0.6, valid=-0.5)]  # fmt: skip
    assert build_boards(lines)[0].best["ecfp"].head == "forest"


def test_intervals_are_percentiles_or_students_t():
    boards = build_boards(make_lines())
    scaffold = next(b for b in boards if b.split == "scaffold").best["ecfp"]
    assert scaffold.interval() == pytest.approx(np.quantile(scaffold.replicates(), [0.025, 0.975]))
    random = next(b for b in boards if b.split == "random").best["ecfp"]
    values = [record["value"] for record in random.records]
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert random.interval() == pytest.approx(expected)


def test_holm_as_in_the_textbook():
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(correct_holm(p), [0.03, 0.06, np.nan, 0.06, 0.02])
    np.testing.assert_allclose(correct_holm(np.array([0.9, 0.8])), [1.0, 1.0])


def test_paired_differences_use_what_the_two_share():
    board = next(b for b in build_boards(make_lines()) if b.dataset == "bbbp")
    one = compare_pair(board, "ecfp", "cmim:z")
    drawn = board.best["ecfp"].replicates() - board.best["cmim:z"].replicates()
    assert one.gain == pytest.approx(0.1)
    assert one.deviation == pytest.approx(drawn.std(ddof=1))
    assert one.deviation < 0.01 < board.best["ecfp"].replicates().std()
    assert compare_pair(board, "cmim:z", "ecfp").gain == pytest.approx(-0.1)


def test_lower_errors_are_gains_and_seeds_are_corrected_for_overlap():
    board = next(b for b in build_boards(make_lines()) if b.split == "random")
    one = compare_pair(board, "cmim:z", "ecfp")
    a, b = ([r["value"] for r in board.best[name].records] for name in ("cmim:z", "ecfp"))
    differences = np.subtract(b, a)
    spread = np.sqrt((1 / 5 + 10 / 80) * differences.var(ddof=1))
    assert one.gain == pytest.approx(differences.mean())
    assert one.p == pytest.approx(2 * stats.t.sf(differences.mean() / spread, 4))


def test_all_comparisons_are_corrected_together():
    found = compare_all(build_boards(make_lines()))
    assert len(found) == 5 * 3
    assert all(one.p_holm >= one.p for one in found)
    assert {one.verdict for one in found if one.board.dataset == "bbbp"} == {-1}  # ecfp is last
    assert {one.verdict for one in found if one.board.dataset == "esol"} == {1}


def test_representations_with_other_seeds_are_not_paired():
    lines = [line for line in make_lines() if line["seed"] < 4 or line["representation"] != "ecfp"]
    found = compare_all(build_boards(lines))
    assert ("cmim:z", "ecfp") not in [
        (one.first, one.second) for one in found if one.board.split == "random"
    ]


def test_ranks_over_sets_and_who_is_not_told_apart():
    ranks = rank_representations(build_boards(make_lines()))
    assert ranks.mean == {"ecfp": 1.5, "cmim:h": 2.0, "cmim:z": 2.5}  # last on esol, an error
    # Demsar 2006, table 5: q is 2.343 for three methods.
    assert ranks.critical == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 4)), abs=1e-3)
    assert find_groups(np.array([1.0, 1.5, 2.4, 4.0]), 1.0) == [(0, 1), (1, 2)]


def test_lines_of_a_replaced_encoder_or_repeated_cells_are_left_out():
    old = make_line("bbbp", "cmim:h", "linear", 0.1, model_digest="old")
    other = make_line("bace", "cmim:h", "linear", 0.2, model_digest="old")
    again = [make_line("bbbp", "ecfp", "linear", value) for value in (0.3, 0.4)]
    kept = keep_current([old, other, *again, make_line("bbbp", "cmim:h", "linear", 0.5)])
    assert sorted(line["value"] for line in kept) == [0.4, 0.5]


def test_a_mean_over_sets_that_are_not_all_there_is_not_given():
    boards = build_boards(make_lines())
    assert mean_score(boards, ("bbbp", "bace"), "ecfp") == pytest.approx(0.8)
    assert np.isnan(mean_score(boards, ("bbbp", "muv"), "ecfp"))


def test_the_report_is_written_from_the_lines_alone(tmp_path: Path):
    text = "".join(json.dumps(line) + "\n" for line in make_lines())
    (tmp_path / "suite-0of1.jsonl").write_text(text)
    written = write_report(tmp_path)
    assert {path.name for path in written} == {
        "summary.md", "scores_scaffold.png", "scores_random.png", "ranks.png"
    }  # fmt: skip
    summary = (tmp_path / "summary.md").read_text()
    assert f"{len(make_lines())} cells" in summary
    assert "**0.800**" in summary  # the best of bbbp, ECFP by its linear head
    assert "0.900" not in summary.split("## Paired")[0].split("## Scaffold")[1].split("## Heads")[0]
    assert "nan" not in summary


def test_a_folder_without_results_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no results"):
        write_report(tmp_path)


def test_published_means_are_those_of_the_peers_table():
    means = load_published()["frozen"].best_heads()
    assert next(iter(means)) == "CLAMP"
    assert means["CLAMP"] == pytest.approx(0.815, abs=5e-4)
    assert means["ECFP (count)"] == pytest.approx(0.763, abs=5e-4)
