"""How many steps of a training fit into a time, beside all else that it takes."""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from SuperResolutionLib.physics.recognition import SLICES
from SuperResolutionLib.training.any_recipe import AnyRecipe
from SuperResolutionLib.training.data import Stack
from SuperResolutionLib.training.recipe import Recipe

SHORTEST_EPOCH = 50  # steps
FEW = 5  # steps that take as long as a validation, for which an epoch has one step of its own
MARGIN = 1.1  # for checkpoints, curves, and a machine that is not always as fast
SIDE = 128  # voxels of the slice by which a network is timed


@dataclass(frozen=True)
class Costs:
    """Seconds of a training on this machine: of a step of each phase, of a validation, and of publishing the model."""

    steps: tuple[float, ...]
    validation: float
    publishing: float

    def of(self, counts: Sequence[int], epoch: int) -> float:
        """Of so many steps of each phase, validated at the end of every epoch; the stored model is validated twice."""
        learning = math.fsum(n * each for n, each in zip(counts, self.steps, strict=True))
        return MARGIN * (learning + (2 + math.ceil(sum(counts) / epoch)) * self.validation + self.publishing)


def cut(wanted: Sequence[int], recipe: AnyRecipe[Any], costs: Costs, seconds: float) -> tuple[list[int], int]:
    """The steps of each phase that fit into the seconds, and those of an epoch; every phase loses the same share.

    wanted: the steps of the recipe's phases. A game is watched, and eased, at the end of an epoch: a short one needs
    short epochs, but none so short that it is validated longer than it learns. No phase gets shorter than its warm-up.
    costs: of this machine.
    """
    low, high = 0.0, 1.0
    if costs.of(*_shortened(wanted, recipe, costs, high)) <= seconds:
        return _shortened(wanted, recipe, costs, high)
    for _ in range(40):
        middle = (low + high) / 2
        fits = costs.of(*_shortened(wanted, recipe, costs, middle)) <= seconds
        low, high = (middle, high) if fits else (low, middle)
    return _shortened(wanted, recipe, costs, low)


def _shortened(wanted: Sequence[int], recipe: AnyRecipe[Any], costs: Costs, share: float) -> tuple[list[int], int]:
    counts = [min(n, max(recipe.warm_up, int(n * share))) for n in wanted]
    total = sum(counts)
    least = max(SHORTEST_EPOCH, math.ceil(FEW * costs.validation / max(costs.steps)))
    return counts, max(recipe.epoch * total // recipe.steps, min(recipe.epoch, least))


def too_long(needed: float, given: float) -> str:
    """A word where a training needs more seconds than were given; "" where it does not."""
    if needed <= given:
        return ""
    return f"the shortest training takes about {needed / 60:.1f} minutes here, more than were given"


def publishing(network: nn.Module, recipe: Recipe, stacks: Sequence[Stack]) -> float:
    """About how many seconds it takes to learn, on the CPU, which forward models the network's errors tell.

    stacks: those that it is trained on.
    """
    if not recipe.recognise:
        return 0.0
    shapes = {(stack.name, stack.fine.shape) for stack in stacks}
    voxels = sum(min(SLICES, n) * h * w for _, (n, h, w) in shapes) / recipe.scale**2
    return voxels * len(recipe.recognise) * recipe.turns * _seconds_a_voxel(network, recipe)


@torch.no_grad()
def _seconds_a_voxel(network: nn.Module, recipe: Recipe) -> float:
    trial = copy.deepcopy(network).cpu().eval()
    x = torch.full((1, recipe.slices + len(recipe.guides), SIDE, SIDE), 0.5).contiguous(
        memory_format=torch.channels_last
    )
    trial(x)
    began = time.monotonic()
    trial(x)
    return (time.monotonic() - began) / SIDE**2
