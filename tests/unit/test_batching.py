"""Concurrent requests share batches, get their own rows, and are bounded."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cmim_chem.serve.batching import Batcher, BusyError


class Recorder:
    """Doubles numbers; waits with the first batch until it may go on."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.batches: list[tuple[object, list[int]]] = []

    def work(self, key, items):
        self.batches.append((key, items))
        self.go.wait(10)
        if key == "bad":
            raise ValueError("bad")
        return [2 * one for one in items]


def run(scenario, batch=10, queue=100):
    recorder = Recorder()

    async def main():
        batcher = Batcher(recorder.work, batch, queue)
        try:
            await asyncio.wait_for(scenario(batcher, recorder), 20)
        finally:
            recorder.go.set()
            batcher.close()

    # In a thread of its own: the browser tests leave an event loop running in the main one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, main()).result()
    return recorder


def test_requests_share_a_batch_and_get_their_own_rows():
    async def scenario(batcher, recorder):
        first = asyncio.create_task(batcher.submit("a", [0]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.submit("a", [i, i + 1])) for i in range(4)]
        await asyncio.sleep(0.05)
        recorder.go.set()
        assert await first == [0]
        assert await asyncio.gather(*others) == [[2 * i, 2 * i + 2] for i in range(4)]

    recorder = run(scenario)
    assert [len(items) for _, items in recorder.batches] == [1, 8]


def test_what_differs_is_not_mixed_and_batches_are_bounded():
    async def scenario(batcher, recorder):
        tasks = [asyncio.create_task(batcher.submit(key, [1] * 4)) for key in "abaab"]
        await asyncio.sleep(0.05)
        recorder.go.set()
        await asyncio.gather(*tasks)

    recorder = run(scenario, batch=8)
    assert [(key, len(items)) for key, items in recorder.batches] in (
        [("a", 8), ("b", 8), ("a", 4)],
        [("a", 4), ("b", 8), ("a", 8)],
    )


def test_too_much_is_refused_and_an_error_stays_with_its_request():
    async def scenario(batcher, recorder):
        bad = asyncio.create_task(batcher.submit("bad", [1]))
        good = asyncio.create_task(batcher.submit("a", [1, 2]))
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await batcher.submit("a", [1] * 4)
        recorder.go.set()
        with pytest.raises(ValueError, match="bad"):
            await bad
        assert await good == [2, 4]

    run(scenario, queue=5)


def test_nobody_works_for_those_who_left():
    async def scenario(batcher, recorder):
        first = asyncio.create_task(batcher.submit("a", [0]))
        left = asyncio.create_task(batcher.submit("a", [1]))
        await asyncio.sleep(0.05)
        if len(recorder.batches[0][1]) == 1:
            left.cancel()
            await asyncio.sleep(0)
            recorder.go.set()
            await first
            await asyncio.sleep(0.05)
            assert len(recorder.batches) == 1

    run(scenario, batch=1)
