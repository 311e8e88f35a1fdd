"""The other side of a game: a discriminator that learns, and what it tells the generator."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from SuperResolutionLib.networks import build_discriminator
from SuperResolutionLib.training.losses import adversarial_loss
from SuperResolutionLib.training.losses.adversarial import gradient_penalty
from SuperResolutionLib.training.optimiser import Learner, optimisers
from SuperResolutionLib.training.recipe import Game
from SuperResolutionLib.training.state import Place


class Discriminator:
    """A network that judges images of one kind, (n, 1, h, w), and its optimiser."""

    def __init__(self, game: Game, place: Place) -> None:
        network = build_discriminator(game.discriminator, {"channels": 1, **game.network})
        if game.spectral_norm:
            for layer in network.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    spectral_norm(layer)
        self.network = network.to(place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.rules = adversarial_loss(game.rules, **game.options)
        self.optimisers = optimisers(self.network, game.optimiser, game.learning_rate, momentum=game.momentum)
        self.learner = Learner(self.network, self.optimisers)
        self.place = place

    def learn(self, real: torch.Tensor, fake: torch.Tensor, rate: float) -> dict[str, float]:
        """One step against images that a generator made; its losses, and how well it tells them apart.

        separation: the share of the pairs in which the real image has the higher score; 0.5 is guessing.
        """
        fake = fake.detach()
        with self.place.autocast():
            scores = self.network(real).float(), self.network(fake).float()
        loss = self.rules.discriminator(*scores)
        figures = {"discriminator": float(loss.detach())}
        if self.rules.penalty:
            penalty = gradient_penalty(self.network, real, fake)
            figures["penalty"] = float(penalty.detach())
            loss = loss + self.rules.penalty * penalty
        self.learner.learn(loss, rate)
        higher = (scores[0] > scores[1]).float().mean()
        return {**figures, "separation": float(higher)}

    def judge(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The game as the generator's loss; the gradient reaches `fake` and not the discriminator."""
        self.network.requires_grad_(False)
        with self.place.autocast():
            scores = self.network(real), self.network(fake)
        self.network.requires_grad_(True)
        return self.rules.generator(*scores)
