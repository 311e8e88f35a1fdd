"""What discriminator and generator minimise, told from the discriminator's scores before any sigmoid."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from SuperResolutionLib.errors import InputError


@dataclass(frozen=True)
class Adversarial:
    """One kind of game between a discriminator and a generator.

    Both methods take the scores of true (`real`) and restored (`fake`) images: logits, the batch first, (n, 1) or
    a map of patches, and give one number to minimise. In the generator's step the scores of the true images are
    constants: compute them without gradient. penalty: the weight of `gradient_penalty` in the discriminator's
    loss, which the training loop adds; 0 for none.
    """

    penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.penalty < 0:
            raise InputError(f"A gradient penalty of {self.penalty} is a reward; give 0 or more.")

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The discriminator's loss."""
        raise NotImplementedError

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The generator's loss."""
        raise NotImplementedError


@dataclass(frozen=True)
class Labelled(Adversarial):
    """A game with labels: 1 for real, 0 for fake.

    smoothing: the discriminator's label for real becomes 1 - smoothing, that for fake stays 0 (one-sided,
    Salimans 2016, section 3.4), so that it does not grow too sure; the generator's labels stay 1 and 0.
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.smoothing < 0.5:
            raise InputError(f"Labels cannot be smoothed by {self.smoothing}; give 0 or more, below 0.5.")


@dataclass(frozen=True)
class NonSaturating(Labelled):
    """Binary cross-entropy; the generator maximises log D(fake) (Goodfellow 2014, section 3; Ledig 2017, eq. 6)."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return _cross_entropy(real, 1 - self.smoothing) + _cross_entropy(fake, 0)

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return _cross_entropy(fake, 1)


@dataclass(frozen=True)
class RelativisticAverage(Labelled):
    """Is a real image more real than the average fake one? (Jolicoeur-Martineau 2018; Wang 2018, ESRGAN, eq. 1, 2)."""

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return self._relative(real, fake, 1 - self.smoothing)

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return self._relative(fake, real, 1)

    def _relative(self, better: torch.Tensor, worse: torch.Tensor, label: float) -> torch.Tensor:
        above, below = better.float() - worse.float().mean(), worse.float() - better.float().mean()
        return _cross_entropy(above, label) + _cross_entropy(below, 0)


@dataclass(frozen=True)
class SmoothL1Labels(Labelled):
    """Smooth-L1 between sigmoid(score) and label: work C's game.

    Unlike a cross-entropy it is flat where the discriminator is sure and wrong: sigmoid' goes to 0, the distance
    only to 1. So a generator that is far behind learns nothing, which work C saw as vanishing gradients.
    """

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return _smooth_l1(real, 1 - self.smoothing) + _smooth_l1(fake, 0)

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return _smooth_l1(fake, 1)


@dataclass(frozen=True)
class WassersteinGP(Adversarial):
    """Wasserstein distance with a gradient penalty; the scores are a critic's (Gulrajani 2017, eq. 3).

    The critic minimises E[D(fake)] - E[D(real)] + penalty x gradient_penalty, the last of which the training loop
    adds; the generator -E[D(fake)].
    """

    penalty: float = 10.0

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return fake.float().mean() - real.float().mean()

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return -fake.float().mean()


def gradient_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor],
    real: torch.Tensor,
    fake: torch.Tensor,
    rng: torch.Generator | None = None,
) -> torch.Tensor:
    """How far the critic's slope is from 1 between real and fake images: E[(|grad D(x)| - 1)^2], without weight.

    real, fake: (n, ...) of one shape; x is drawn evenly between the two of each pair, by `rng` (on the CPU, so
    that the draws are the same on every device). The score of an image is the mean of its map. The gradient
    reaches the critic's weights and nothing else. The critic must not normalise by batch: the penalty is one
    image's (Gulrajani 2017, eq. 3 and section 4).
    """
    share = torch.rand(len(real), *[1] * (real.ndim - 1), generator=rng).to(real.device)
    mixed = torch.lerp(fake.detach().float(), real.detach().float(), share).requires_grad_()
    scores = critic(mixed).float().reshape(len(mixed), -1).mean(dim=1)
    (slopes,) = torch.autograd.grad(scores.sum(), mixed, create_graph=True)
    return (slopes.flatten(1).norm(dim=1) - 1).square().mean()


def _cross_entropy(scores: torch.Tensor, label: float) -> torch.Tensor:
    return binary_cross_entropy_with_logits(scores.float(), torch.full_like(scores, label, dtype=torch.float32))


def _smooth_l1(scores: torch.Tensor, label: float) -> torch.Tensor:
    chances = torch.sigmoid(scores.float())
    return smooth_l1_loss(chances, torch.full_like(chances, label))
