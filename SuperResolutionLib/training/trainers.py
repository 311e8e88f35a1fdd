"""What trains, publishes and times each kind of recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.training import loop, publish
from SuperResolutionLib.training.any_recipe import AnyRecipe
from SuperResolutionLib.training.through_plane import thick_loop, thick_publish
from SuperResolutionLib.training.through_plane.thick_recipe import ThickRecipe


@dataclass(frozen=True)
class Trainer:
    """The functions for one kind of recipe: those of `loop` and `publish`, or what stands for them."""

    train: Callable[..., dict[str, Any]]
    publish: Callable[..., Path]
    minutes: Callable[..., float]


SLICES = Trainer(loop.train, publish.publish, loop.minutes)
THICK = Trainer(thick_loop.train, thick_publish.publish, thick_loop.minutes)


def trainer_for(recipe: AnyRecipe[Any]) -> Trainer:
    """The one for a recipe."""
    return THICK if isinstance(recipe, ThickRecipe) else SLICES
