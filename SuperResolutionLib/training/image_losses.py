"""The image losses of a recipe."""

from collections.abc import Mapping

import torch

from SuperResolutionLib.training.losses import image_loss
from SuperResolutionLib.training.losses.weighted import WeightedSum
from SuperResolutionLib.training.recipe import Recipe


class Content:
    """Every image loss by its name, and their weighted sum."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.weights = recipe.loss_weights()
        self.losses = {name: image_loss(name, **recipe.loss_options(name)).to(device) for name in recipe.losses}

    def terms(self, restored: torch.Tensor, fine: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every image loss: (n, 1, h, w) each -> one number each."""
        return {name: loss(restored, fine) for name, loss in self.losses.items()}

    def weighted(
        self, terms: Mapping[str, torch.Tensor], further: Mapping[str, float] | None = None
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The sum of the terms to learn from; for the curves, it and every term. `further` weighs no image losses."""
        used = {name: weight for name, weight in {**self.weights, **(further or {})}.items() if name in terms}
        loss, parts = WeightedSum(used)(terms)
        return loss, {"loss": float(loss.detach()), **{name: float(part) for name, part in parts.items()}}
