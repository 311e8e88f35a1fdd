"""How a finished network's errors tell the forward model of a scan: learnt from the training scans."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.diffusion.guides import has_contrast
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods.batches import Settings, run_network
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.recognition import Recogniser, profile, shown
from SuperResolutionLib.training import split
from SuperResolutionLib.training.data import Stack, View, stacks_of, with_noise
from SuperResolutionLib.training.recipe import Recipe

RIDGE = 0.3  # dB^2 added to each variance: so few scans do not show all that there is


def learn(network: nn.Module, recipe: Recipe, data: Path) -> Recogniser:
    """The recogniser of a network, for the models in `recipe.recognise`.

    Every structural training scan, in the first plane of its group, goes through each model; the network restores a few
    slices, and the profiles of its errors are averaged. Raises InputError for data that does not fit the recipe.
    """
    found = np.array([_profiles(network, recipe, stack) for stack in _stacks(data, recipe)])
    return fitted(recipe.recognise, found)


def fitted(models: tuple[str, ...], found: np.ndarray) -> Recogniser:
    """From the profiles (scans, true models, models) in dB: their means, and the inverse of their common covariance."""
    means = found.mean(axis=0)
    away = (found - means).reshape(-1, len(models))
    covariance = away.T @ away / (len(away) - len(models)) + RIDGE * np.eye(len(models))
    return Recogniser(models, means, np.linalg.inv(covariance))


def _stacks(data: Path, recipe: Recipe) -> Iterator[Stack]:
    """Each structural scan in the first plane of its group. Series have models of their own."""
    for path, group in split.training_files(data, recipe):
        volume = split.read(path, recipe)
        if not has_contrast(volume):
            yield from stacks_of(split.stem(path), volume, recipe, View(group.planes[0]))


def _profiles(network: nn.Module, recipe: Recipe, stack: Stack) -> np.ndarray:
    """The errors that the network leaves, by true model and candidate: (models, models) in dB."""
    rng, count = np.random.default_rng(0), len(stack.fine)
    settings = Settings(torch.device("cpu"), "float32", 1, turns=recipe.turns)
    rows = []
    for name in recipe.recognise:
        coarse = by_name(name).slices(stack.fine, recipe.scale, stack.level, rng)
        coarse /= np.float32(data_range(coarse))
        windows = [with_noise(coarse[neighbours(int(k), count, recipe.slices)], recipe)[None] for k in shown(count)]
        fine = np.concatenate([run_network(network, window, settings) for window in windows])
        rows.append(profile(fine, coarse[shown(count)], recipe.recognise))
    return np.array(rows)
