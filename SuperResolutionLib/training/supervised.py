"""The supervised step: the network's image against the truth."""

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

from SuperResolutionLib.networks.residual import smooth
from SuperResolutionLib.training.data import Sampler
from SuperResolutionLib.training.image_losses import Content
from SuperResolutionLib.training.losses.late_loss import SECOND_LOSSES
from SuperResolutionLib.training.optimiser import Learner, optimisers
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.schedule import factor
from SuperResolutionLib.training.state import Phase, Place, Run


class Supervised:
    """Batches of pairs; L1, then mean square error, or the losses of the recipe."""

    def __init__(self, run: Run, phase: Phase, place: Place, sampler: Sampler) -> None:
        recipe = run.recipe
        self.run, self.phase, self.place, self.sampler = run, phase, place, sampler
        self.optimisers = optimisers(run.network, recipe.optimiser, recipe.learning_rate, recipe.muon_rate)
        self.others: dict[str, nn.Module] = {}
        self.learner = Learner(run.network, self.optimisers)
        self.model = nn.parallel.DistributedDataParallel(run.trainee) if place.processes > 1 else run.trainee
        # The losses of a game are its generator's; before it they are those of every twin.
        self.content = Content(recipe, place.device) if recipe.losses and recipe.adversarial is None else None

    def step(self) -> dict[str, float]:
        """Learn once. Returns the loss, every image loss of the recipe, and the residual's energy.

        residual: as a share of that of the error it mends; 0 if the skip does all the work.
        """
        run, recipe, place = self.run, self.run.recipe, self.place
        step, steps = self.phase.count(run.step)
        run.seed_step(place)
        coarse, fine = place.take(self.sampler.batch(run.step, place.rank))
        with place.autocast():
            restored = self.model(coarse)
        restored = restored.float()
        if self.content is not None:
            loss, losses = self.content.weighted(self.content.terms(restored, fine))
        else:
            late = step >= recipe.mse_from * steps
            loss = SECOND_LOSSES[recipe.second_loss](restored, fine) if late else l1_loss(restored, fine)
            losses = {"loss": float(loss.detach())}
        self.learner.learn(loss, factor(step, steps, recipe), recipe.clip)
        run.follow(step)
        return {**losses, "residual": _residual_share(restored.detach(), coarse, fine, recipe)}


def _residual_share(restored: torch.Tensor, coarse: torch.Tensor, fine: torch.Tensor, recipe: Recipe) -> float:
    if recipe.skip is None:
        return 1.0
    baseline = smooth(coarse, recipe.scale, recipe.beside)
    return float(mse_loss(restored, baseline) / (mse_loss(fine, baseline) + 1e-12))
