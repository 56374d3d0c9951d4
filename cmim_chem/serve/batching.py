"""Requests that arrive while others are worked on are worked on together.

One thread does the work, so that concurrent requests do not fight over the processor. What waits is
bounded: beyond it a request is refused at once instead of being forgotten later. Rows do not depend
on the batch they are in, so nobody can tell who else was there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cmim_chem.errors import CmimError

Work = Callable[[Any, list[Any]], Sequence[Any]]


class BusyError(CmimError):
    """Too much is waiting already."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    key: Hashable
    items: list[Any]
    answer: asyncio.Future[Sequence[Any]]


class Batcher:
    """Joins the items of requests that want the same.

    Parameters
    ----------
    work : callable
        Takes the key and n items of one or more requests, and gives n results.
    batch : int
        Items worked on at a time, unless one request has more.
    queue : int
        Items that may wait.
    """

    def __init__(self, work: Work, batch: int, queue: int) -> None:
        self._work = work
        self._batch = batch
        self._room = queue
        self._waiting: list[_Waiting] = []
        self._pump: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "model")

    async def submit(self, key: Hashable, items: Sequence[Any]) -> Sequence[Any]:
        """Have items worked on.

        Parameters
        ----------
        key : hashable
            What is wanted; items of equal keys can share a batch.
        items : sequence
            n items.

        Returns
        -------
        sequence
            n results.

        Raises
        ------
        BusyError
            If too much is waiting.
        """
        if sum(len(one.items) for one in self._waiting) + len(items) > self._room:
            raise BusyError("too many requests are waiting: try again in a few seconds")
        answer: asyncio.Future[Sequence[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(key, list(items), answer))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        return await answer

    def close(self) -> None:
        """End the thread when its work is done."""
        self._thread.shutdown(cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._take():
            items = [item for one in batch for item in one.items]
            try:
                results = await loop.run_in_executor(self._thread, self._work, batch[0].key, items)
            except Exception as error:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            start = 0
            for one in batch:
                if not one.answer.done():
                    one.answer.set_result(results[start : start + len(one.items)])
                start += len(one.items)

    def _take(self) -> list[_Waiting]:
        """The oldest request and those that can go with it; removed from what waits."""
        # Who has left (or run out of time) is not worked for.
        self._waiting = [one for one in self._waiting if not one.answer.done()]
        taken: list[_Waiting] = []
        size = 0
        for one in self._waiting:
            if not taken or (one.key == taken[0].key and size + len(one.items) <= self._batch):
                taken.append(one)
                size += len(one.items)
        self._waiting = [one for one in self._waiting if one not in taken]
        return taken
