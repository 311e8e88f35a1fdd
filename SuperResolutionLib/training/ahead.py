"""Batches made ahead by other processes, so that a GPU need not wait for them."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

import numpy as np

from SuperResolutionLib.training.data import Sampler

Batch = tuple[np.ndarray, np.ndarray]
MOST = 16  # processes: more than a large network needs

_sampler: Sampler | None = None  # of this process and of those that are forked from it, which then share its scans


class Ahead(Sampler):
    """A sampler whose batches of the next steps are already being made; the batches are the same.

    A batch depends on seed, step, rank and draw alone, so it does not matter who makes it, or when.
    """

    def __init__(self, sampler: Sampler, pool: ProcessPoolExecutor, processes: int) -> None:
        vars(self).update(vars(sampler))
        self.pool, self.processes = pool, processes
        self.begun: dict[tuple[int, int, int], Future[Batch]] = {}

    def batch(self, step: int, rank: int = 0, draw: int = 0) -> Batch:
        """As of `Sampler`; begins with those of the next steps, and forgets those that were passed over.

        step, rank, draw: as there.
        """
        for later in range(step, step + self.processes):
            if (later, rank, draw) not in self.begun:
                self.begun[later, rank, draw] = self.pool.submit(_made, later, rank, draw)
        result = self.begun.pop((step, rank, draw)).result()
        for key in [key for key in self.begun if key[0] < step]:
            self.begun.pop(key).cancel()
        return result


@contextmanager
def made_ahead(sampler: Sampler, processes: int | None = None) -> Iterator[Sampler]:
    """The sampler with processes that work ahead of it: one for each core but one, none where processes are not forked.

    processes: another number; 0 for none.
    """
    count = min(MOST, (os.cpu_count() or 1) - 1) if processes is None else processes
    if count < 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield sampler
        return
    global _sampler
    _sampler = sampler
    try:
        with ProcessPoolExecutor(count, multiprocessing.get_context("fork")) as pool:
            yield Ahead(sampler, pool, count)
            pool.shutdown(wait=True, cancel_futures=True)
    finally:
        _sampler = None


def _made(step: int, rank: int, draw: int) -> Batch:
    assert _sampler is not None
    return _sampler.batch(step, rank, draw)
