"""Batches that other processes make ahead are those that one process makes when it comes to them."""

import numpy as np

from SuperResolutionLib.training.ahead import Ahead, made_ahead
from SuperResolutionLib.training.data import Sampler, training_stacks


def same(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_batches_are_the_same_whoever_makes_them(scans, recipe):
    sampler = Sampler(training_stacks(scans("a", "b"), recipe()), recipe())
    with made_ahead(sampler, processes=2) as ahead:
        assert isinstance(ahead, Ahead)
        assert ahead.stacks is sampler.stacks
        for step in (0, 1, 2, 7, 3):
            assert same(ahead.batch(step), sampler.batch(step))
        assert same(ahead.batch(8, rank=1), sampler.batch(8, rank=1))
        assert same(ahead.batch(8, draw=1), sampler.batch(8, draw=1))
        assert len(ahead.begun) < 12


def test_without_processes_it_is_the_sampler_itself(scans, recipe):
    sampler = Sampler(training_stacks(scans("a"), recipe()), recipe())
    with made_ahead(sampler, processes=0) as ahead:
        assert ahead is sampler
