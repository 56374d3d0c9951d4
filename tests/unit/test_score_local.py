"""Work in forked processes: in order, inherited, and a death is said."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from cmim_chem.errors import InputError, WorkerError
from cmim_chem.score.local import map_forked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def test_results_come_in_order_from_as_many_processes() -> None:
    done = list(map_forked(square, range(40), 2))
    assert [item for item, _ in done] == list(range(40))
    assert [result for _, (result, _) in done] == [number**2 for number in range(40)]
    places = {place for _, (_, place) in done}
    assert os.getpid() not in places
    assert len(places) <= 2


def test_what_cannot_be_sent_is_inherited() -> None:
    model = {"weights": (weight for weight in ())}  # a generator cannot be pickled
    found = [result for _, result in map_forked(lambda one: one * len(model), [5, 6, 7], 2)]
    assert found == [5, 6, 7]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_single_item_is_worth_no_process(workers: int) -> None:
    assert list(map_forked(square, [3], workers)) == [(3, (9, os.getpid()))]
    assert list(map_forked(square, [], workers)) == []


def test_damage_comes_after_what_was_read_before_it() -> None:
    def read():
        yield from range(5)
        raise InputError("cut off")

    done = map_forked(square, read(), 2)
    assert [next(done)[0] for _ in range(5)] == list(range(5))
    with pytest.raises(InputError, match="cut off"):
        next(done)


def test_a_worker_that_dies_is_said() -> None:
    def die(number: int) -> int:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(WorkerError, match="fewer --workers"):
        list(map_forked(die, range(8), 2))
