"""The step of a game: a discriminator learns to tell restored images from true ones, the generator to prevent it."""

import torch
from torch import nn

from SuperResolutionLib.training.data import Sampler
from SuperResolutionLib.training.discriminator import Discriminator
from SuperResolutionLib.training.image_losses import Content
from SuperResolutionLib.training.optimiser import Learner, optimisers
from SuperResolutionLib.training.schedule import factor
from SuperResolutionLib.training.state import Phase, Place, Run


class Adversarial:
    """Alternating steps, by the recipe's image losses and its game (Goodfellow 2014; Ledig 2017)."""

    def __init__(self, run: Run, phase: Phase, place: Place, sampler: Sampler) -> None:
        assert run.recipe.adversarial is not None
        self.run, self.phase, self.place, self.sampler = run, phase, place, sampler
        self.game = game = run.recipe.adversarial
        self.content = Content(run.recipe, place.device)
        self.discriminator = Discriminator(game, place)
        own = optimisers(run.network, game.generator_optimiser, game.generator_rate, momentum=game.momentum)
        self.learner = Learner(run.network, own)
        self.optimisers = [*own, *self.discriminator.optimisers]
        self.others: dict[str, nn.Module] = {"discriminator": self.discriminator.network}
        keep_statistics(run.network)

    def step(self) -> dict[str, float]:
        """Learn once; the losses of both sides."""
        run, game = self.run, self.game
        step, steps = self.phase.count(run.step)
        rate, settling = factor(step, steps, game), step < game.settle * steps
        run.seed_step(self.place)
        coarse, fine = self.place.take(self.sampler.batch(run.step, self.place.rank))
        restored = self._restore(coarse)
        figures: dict[str, float] = {}
        if settling or step % game.generator_steps == 0:
            figures = self.discriminator.learn(fine, restored, rate)
            for draw in range(1, game.discriminator_steps):
                figures = self._learn_more(draw, rate)
        terms = {**self.content.terms(restored, fine), "game": self.discriminator.judge(fine, restored)}
        weight = game.weight * run.ease
        loss, losses = self.content.weighted(terms, {"game": weight})
        if not settling:
            self.learner.learn(loss, rate, run.recipe.clip)
            run.follow(step)
        return {**losses, "weight": weight, **figures}

    def _restore(self, coarse: torch.Tensor) -> torch.Tensor:
        with self.place.autocast():
            restored: torch.Tensor = self.run.trainee(coarse)
        return restored.float()

    def _learn_more(self, draw: int, rate: float) -> dict[str, float]:
        """Another step of the discriminator, on images of its own."""
        coarse, fine = self.place.take(self.sampler.batch(self.run.step, self.place.rank, draw))
        with torch.no_grad():
            restored = self._restore(coarse)
        return self.discriminator.learn(fine, restored, rate)


def keep_statistics(generator: nn.Module) -> None:
    """Let batch normalisation use the twin's statistics from now on: a slice must not depend on its batch."""
    for layer in generator.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
