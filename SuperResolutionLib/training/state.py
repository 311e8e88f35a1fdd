"""What all loops share: the state of a training, where it runs, and its phases."""

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods.devices import autocast
from SuperResolutionLib.networks import build
from SuperResolutionLib.networks.edsr import EDSR
from SuperResolutionLib.networks.residual import Residual, adds_to_baseline, start_at_zero
from SuperResolutionLib.training.any_recipe import AnyRecipe
from SuperResolutionLib.training.begin import Weights
from SuperResolutionLib.training.recipe import Recipe

Log = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a training runs: device and precision, and which of how many processes this is."""

    device: torch.device
    precision: str
    rank: int = 0
    processes: int = 1

    def autocast(self) -> torch.autocast:
        """The context in which networks run."""
        return autocast(self.device, self.precision)

    def take(self, pair: tuple[np.ndarray, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch as tensors on the device."""
        coarse, fine = (torch.from_numpy(part).to(self.device) for part in pair)
        return coarse.contiguous(memory_format=torch.channels_last), fine


@dataclass(frozen=True)
class Phase:
    """The steps from `begin` to `end` of a training, and the method they are made by."""

    method: str
    begin: int
    end: int

    def count(self, step: int) -> tuple[int, int]:
        """How many of its steps are done at that step of the training, and how many it has."""
        return step - self.begin, self.end - self.begin


def phases(recipe: Recipe) -> list[Phase]:
    """Supervised steps alone, or those of the twin and then a game."""
    if recipe.adversarial is None:
        return [Phase("supervised", 0, recipe.steps)]
    game = Phase("cycle" if recipe.cycle else "adversarial", recipe.twin_steps, recipe.steps)
    return [Phase("supervised", 0, recipe.twin_steps), game] if recipe.twin_steps else [game]


class Method(Protocol):
    """One kind of step. Its optimisers, and the networks it has beside the one that is trained, are kept with it."""

    optimisers: list[torch.optim.Optimizer]
    others: dict[str, nn.Module]

    def step(self) -> dict[str, float]:
        """Learn once; the losses for the curves. Raises DivergedError."""


class Run:
    """The state of one training: network, moving average, step, history, the best epoch, and the twin of a game."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        network = build(recipe.architecture, recipe.arguments(), recipe.skip, beside=recipe.beside)
        if adds_to_baseline(network):
            start_at_zero(network.network)  # type: ignore[arg-type]
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average: nn.Module = copy.deepcopy(self.network)
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.twin: dict[str, Any] | None = None
        self.ease = 1.0  # what is left of the game's weight
        self.stopped: str | None = None

    @property
    def trainee(self) -> nn.Module:
        """The network as it is called in training: without its interpolation where patches are interpolated."""
        network: nn.Module = self.network.network if self.recipe.given_on_fine_grid() else self.network
        return network

    def state(self, method: Method) -> dict[str, Any]:
        """Everything that is needed to go on as if never stopped."""
        return {
            "recipe": json.dumps(asdict(self.recipe)),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in method.optimisers],
            "others": {name: other.state_dict() for name, other in method.others.items()},
            "step": self.step,
            "history": self.history,
            "best": self.best,
            "twin": self.twin,
            "ease": self.ease,
            "stopped": self.stopped,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.step, self.history, self.best = state["step"], state["history"], state["best"]
        self.twin, self.ease, self.stopped = state.get("twin"), state.get("ease", 1.0), state.get("stopped")

    def seed_step(self, place: Place) -> None:
        """Let what a step draws (dropout, the gradient penalty) depend on seed, step and rank alone, as its batch."""
        key = np.random.SeedSequence((self.recipe.seed, self.step, place.rank))
        torch.manual_seed(int(key.generate_state(1)[0]))

    def follow(self, step: int) -> None:
        """Bring the moving average after the network; `step` counts from the beginning of the phase."""
        follow(self.average, self.network, min(self.recipe.ema, (step + 1) / (step + 10)))

    def mark(self, figures: dict[str, float]) -> dict[str, Any]:
        """This step, its figures and a copy of the average's weights."""
        weights = {name: tensor.detach().cpu().clone() for name, tensor in self.average.state_dict().items()}
        return {"step": self.step, "figures": figures, "weights": weights}


def restore_method(method: Method, state: dict[str, Any]) -> None:
    """Give a method its saved optimisers and networks back."""
    for optimiser, saved in zip(method.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    for name, other in method.others.items():
        other.load_state_dict(state["others"][name])


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Bring a moving average of weights one step after a network, in place."""
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


class Trained(Protocol):
    """A training: the network, the moving average of its weights, and the recipe that names its architecture."""

    @property
    def network(self) -> nn.Module:
        """What learns."""

    @property
    def average(self) -> nn.Module:
        """What is validated and published."""

    @property
    def recipe(self) -> AnyRecipe[Any]:
        """What it is trained by."""


def load_fitting(run: Trained, start: Weights) -> int:
    """Begin with given weights where name and shape fit; returns how many. Raises InputError where most do not.

    A network that can take those of a shallower one begins as that one. Those of another architecture may fit here
    and there by chance; a training begun with these few would seem to begin with the model.
    """
    own, wanted = run.network.state_dict(), _deepened(run.network, start)
    fitting = {k: f for k, v in wanted.items() if k in own and (f := _fitted(v.float(), own[k])) is not None}
    count = len(fitting) - (len(wanted) - len(start))
    if 2 * count < len(start):
        raise InputError(
            f"Only {count} of the {len(start)} weight tensors to begin with fit '{run.recipe.architecture}' as this "
            "recipe builds it; name a model of the same architecture and size."
        )
    run.network.load_state_dict({**own, **fitting})
    run.average.load_state_dict(run.network.state_dict())
    return count


def _deepened(network: nn.Module, start: Weights) -> Weights:
    """The weights for a deeper network where its kind knows how; names are those inside the wrapper that adds."""
    inner, prefix = (network.network, "network.") if isinstance(network, Residual) else (network, "")
    if not isinstance(inner, EDSR) or not all(name.startswith(prefix) for name in start):
        return start
    given = inner.deepened({name.removeprefix(prefix): value for name, value in start.items()})
    return {prefix + name: value for name, value in given.items()}


def _fitted(given: torch.Tensor, own: torch.Tensor) -> torch.Tensor | None:
    """The given tensor if it fits; a convolution of fewer input channels takes no notice of the further ones."""
    if given.shape == own.shape:
        return given
    if given.ndim != 4 or given.shape[:1] + given.shape[2:] != own.shape[:1] + own.shape[2:]:
        return None
    more = own.shape[1] - given.shape[1]
    return torch.cat([given, given.new_zeros(given.shape[0], more, *given.shape[2:])], dim=1) if more > 0 else None
