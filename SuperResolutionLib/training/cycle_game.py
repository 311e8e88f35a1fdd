"""The step of two generators that undo each other, each with a game of its own (GAN-CIRCLE, You 2018; work D)."""

import math

import torch
from torch import nn

from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.networks.residual import start_at_zero
from SuperResolutionLib.training.data import Sampler
from SuperResolutionLib.training.discriminator import Discriminator
from SuperResolutionLib.training.game import keep_statistics
from SuperResolutionLib.training.image_losses import Content
from SuperResolutionLib.training.losses.cycle import cycle_consistency, identity
from SuperResolutionLib.training.optimiser import Learner, optimisers
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.schedule import factor
from SuperResolutionLib.training.state import Phase, Place, Run


class Cycle:
    """G makes fine slices of interpolated ones, F the reverse; D_Y judges G's images, D_X those of F.

    Where x and y belong together the recipe's image losses compare G(x) with y; where they do not, only the games,
    the cycle and the identity are left. Semi-supervised: every other step has pairs, of the known subjects.
    """

    def __init__(self, run: Run, phase: Phase, place: Place, sampler: Sampler) -> None:
        recipe = run.recipe
        assert recipe.adversarial is not None
        assert recipe.cycle is not None
        self.run, self.phase, self.place, self.sampler = run, phase, place, sampler
        self.game, self.cycle = recipe.adversarial, recipe.cycle
        self.known = Sampler([s for s in sampler.stacks if s.name in _known(sampler, recipe)] or sampler.stacks, recipe)
        self.content = Content(recipe, place.device)
        self.g, self.f = run.trainee, _second_generator(recipe, place)
        both = nn.ModuleList([self.g, self.f])
        own = optimisers(both, self.game.generator_optimiser, self.game.generator_rate, momentum=self.game.momentum)
        self.learner = Learner(both, own)
        self.d_y, self.d_x = Discriminator(self.game, place), Discriminator(self.game, place)
        self.optimisers = [*own, *self.d_y.optimisers, *self.d_x.optimisers]
        self.others: dict[str, nn.Module] = {"f": self.f, "d_y": self.d_y.network, "d_x": self.d_x.network}
        keep_statistics(both)

    def step(self) -> dict[str, float]:
        """Learn once; the losses of all four networks."""
        run, game = self.run, self.game
        step, steps = self.phase.count(run.step)
        rate, settling = factor(step, steps, game), step < game.settle * steps
        self.g.requires_grad_(not settling)  # a cycle through an F that knows nothing misleads G
        run.seed_step(self.place)
        x, y, paired = self._images()
        fine, coarse = self._make(self.g, x), self._make(self.f, y)
        figures: dict[str, float] = {}
        if settling or step % game.generator_steps == 0:
            figures = self._judge(x, y, fine, coarse, rate)
            for draw in range(1, game.discriminator_steps):
                more_x, more_y, _ = self._images(2 * draw)
                with torch.no_grad():
                    made = self._make(self.g, more_x), self._make(self.f, more_y)
                figures = self._judge(more_x, more_y, *made, rate)
        x_cycled, y_cycled = self._make(self.f, fine), self._make(self.g, coarse)
        terms = {
            **(self.content.terms(fine, y) if paired else {}),
            "cycle": cycle_consistency(x, x_cycled, y, y_cycled),
            "identity": identity(x, self._make(self.f, x), y, self._make(self.g, y)),
            "game": self.d_y.judge(y, fine),
            "game_back": self.d_x.judge(x, coarse),
        }
        weight = game.weight * run.ease
        further = {"cycle": self.cycle.weight, "identity": self.cycle.identity, "game": weight, "game_back": weight}
        loss, losses = self.content.weighted(terms, further)
        self.learner.learn(loss, rate, run.recipe.clip)
        run.follow(step)
        return {**losses, "weight": weight, **figures}

    def _images(self, draw: int = 0) -> tuple[torch.Tensor, torch.Tensor, bool]:
        """Interpolated and fine patches, and whether they belong together."""
        share, step, rank = self.cycle.paired, self.run.step, self.place.rank
        if share == 1 or (share > 0 and step % 2 == 0):
            return *self.place.take(self.known.batch(step, rank, draw)), True
        x, _ = self.place.take(self.sampler.batch(step, rank, draw))
        _, y = self.place.take(self.sampler.batch(step, rank, draw + 1))
        return x, y, False

    def _make(self, generator: nn.Module, images: torch.Tensor) -> torch.Tensor:
        with self.place.autocast():
            made: torch.Tensor = generator(images)
        return made.float()

    def _judge(
        self, x: torch.Tensor, y: torch.Tensor, fine: torch.Tensor, coarse: torch.Tensor, rate: float
    ) -> dict[str, float]:
        back = self.d_x.learn(x, coarse, rate)
        return {**self.d_y.learn(y, fine, rate), **{f"{name}_back": value for name, value in back.items()}}


def _known(sampler: Sampler, recipe: Recipe) -> set[str]:
    """The names of the stacks whose subjects are among the first, of which pairs are known."""
    assert recipe.cycle is not None
    subjects = sorted({recipe.subject_of(stack.name) for stack in sampler.stacks})
    first = set(subjects[: math.ceil(recipe.cycle.paired * len(subjects))])
    return {stack.name for stack in sampler.stacks if recipe.subject_of(stack.name) in first}


def _second_generator(recipe: Recipe, place: Place) -> nn.Module:
    """F, of G's architecture; with a shortcut it starts by leaving its input alone."""
    network = NETWORKS[recipe.architecture](**{"channels": 1, **recipe.network})
    if getattr(network, "shortcut", False):
        start_at_zero(network)
    return network.to(place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
