"""How a learning rate goes: up to its height, along it, and down."""

import math
from typing import Protocol

SCHEDULES = ("cosine", "linear")


class Plan(Protocol):
    """What a schedule is made of; the settings of a recipe, or of its game."""

    @property
    def schedule(self) -> str:
        """How it falls: "cosine" or "linear"."""

    @property
    def warm_up(self) -> int:
        """Steps to its height."""

    @property
    def hold(self) -> float:
        """The share of the steps before it falls."""

    @property
    def final(self) -> float:
        """The share of its height at which it ends."""


def factor(step: int, steps: int, plan: Plan) -> float:
    """The rate of a step as a share of the full one: a linear warm-up, the full rate, then down to `final`."""
    progress = max(0.0, min(1.0, step / steps) - plan.hold) / (1 - plan.hold)
    height = 0.5 * (1 + math.cos(math.pi * progress)) if plan.schedule == "cosine" else 1 - progress
    return min(1.0, (step + 1) / plan.warm_up) * (plan.final + (1 - plan.final) * height)
