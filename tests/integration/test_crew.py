"""Processes that score for a server, with the model that ships; some of them are killed."""

from __future__ import annotations

import os
import signal
from threading import Thread

import pytest
from loky import cpu_count

from cmim_chem.errors import WorkerError
from cmim_chem.predictor import Predictor
from cmim_chem.score.crew import Crew
from cmim_chem.score.worker import ModelPath, read_digests

PARTS = [["CCO", "c1ccccc1O"], ["not_a_smiles"], ["CC(=O)Oc1ccccc1C(=O)O", None, "CCO"]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load(known=False)


@pytest.fixture(scope="module")
def crew(predictor) -> Crew:
    return Crew(ModelPath("", (), read_digests(predictor.digests)))


def score(predictor: Predictor, cells: list) -> tuple[int, list]:
    found = predictor.score(cells, ["esol", "bbbp"])
    return os.getpid(), found.values.tolist()


def die(_: Predictor, cells: list) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_it_gives_the_numbers_of_the_model_in_order(crew, predictor):
    found = list(crew.run(score, PARTS * 5))
    assert os.getpid() not in {process for process, _ in found}
    for cells, (_, values) in zip(PARTS * 5, found, strict=True):
        assert len(values) == len(cells)
        expected = score(predictor, cells)[1]
        for row, wanted in zip(values, expected, strict=True):
            assert row == pytest.approx(wanted, abs=1e-4, nan_ok=True)


def test_processes_are_kept_for_the_next_caller_in_whatever_thread(crew):
    used: list[set[int]] = []
    for _ in range(3):
        caller = Thread(target=lambda: used.append({at for at, _ in crew.run(score, PARTS * 5)}))
        caller.start()
        caller.join()
    assert len(used) == 3
    assert len(set.union(*used)) <= min(4, cpu_count()), "new ones each time"


def test_one_that_is_killed_is_told_and_replaced(crew):
    with pytest.raises(WorkerError, match="died"):
        list(crew.run(die, PARTS))
    assert len(list(crew.run(score, PARTS))) == len(PARTS)


def test_a_caller_who_leaves_halfway_stops_nobody(crew):
    begun = crew.run(score, PARTS * 5)
    next(begun)
    begun.close()
    assert len(list(crew.run(score, PARTS))) == len(PARTS)


def test_it_refuses_another_model_than_the_one_it_was_named():
    wrong = Crew(ModelPath("", (), (("encoder", "0" * 64),)))
    with pytest.raises(WorkerError):
        list(wrong.run(score, PARTS))
