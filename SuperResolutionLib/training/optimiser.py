"""Muon for the convolutions inside a network, Adam for the rest.

Muon (Jordan et al. 2024) takes the momentum of a weight matrix and replaces it by the nearest orthogonal one
before stepping, so that no direction of the matrix is neglected.
"""

from typing import Any

import torch
from torch import nn

OPTIMISERS = ("adam", "muon", "sgd")


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised by five Newton-Schulz iterations, on weights seen as (outputs, everything else)."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every weight by lr along its orthogonalised (Nesterov) momentum."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.shape, []).append(weight)
            for shape, weights in alike.items():  # weights of one shape are orthogonalised together
                updates = torch.stack([self._nesterov(w, group["momentum"]).reshape(shape[0], -1) for w in weights])
                directions = orthogonalise(updates) * max(1.0, updates.shape[1] / updates.shape[2]) ** 0.5
                for weight, direction in zip(weights, directions, strict=True):
                    weight.add_(direction.reshape(shape), alpha=-group["lr"])

    def _nesterov(self, weight: nn.Parameter, momentum: float) -> torch.Tensor:
        assert weight.grad is not None
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].mul_(momentum).add_(weight.grad)
        result: torch.Tensor = weight.grad + momentum * state["momentum"]
        return result


def orthogonalise(matrices: torch.Tensor, iterations: int = 5) -> torch.Tensor:
    """Push the singular values of (n, rows, columns) towards 1 by the quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    for _ in range(iterations):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


def optimisers(
    network: nn.Module, name: str, learning_rate: float, muon_rate: float = 0.0, momentum: float = 0.9
) -> list[torch.optim.Optimizer]:
    """The optimisers of a recipe: "adam" or "sgd" for everything, or "muon" for inner convolutions, Adam for the rest.

    Inner: 3x3 kernels between feature maps; the first and last layers, which touch voxels, stay with Adam.
    momentum: SGD's, and Adam's first beta.
    network: what they change. name: of the recipe. learning_rate: the full one; muon_rate: that of "muon".
    """
    if name == "sgd":
        return [torch.optim.SGD(network.parameters(), learning_rate, momentum)]
    if name == "adam":
        return [torch.optim.Adam(network.parameters(), learning_rate, betas=(momentum, 0.99))]
    inner = [w for w in network.parameters() if w.ndim == 4 and min(w.shape[:2]) >= 16]
    chosen = {id(w) for w in inner}
    rest = [w for w in network.parameters() if id(w) not in chosen]
    adam = torch.optim.Adam(rest, learning_rate, betas=(0.9, 0.99))
    return [Muon(inner, muon_rate), adam] if inner else [adam]


class DivergedError(Exception):
    """A loss is not finite; nothing was learnt from it."""


class Learner:
    """The optimisers of what learns together, and their full rates."""

    def __init__(self, network: nn.Module, optimisers: list[torch.optim.Optimizer]) -> None:
        self.network = network
        self.optimisers = optimisers
        self.rates = [group["lr"] for optimiser in optimisers for group in optimiser.param_groups]

    def learn(self, loss: torch.Tensor, factor: float, clip: float | None = None) -> None:
        """One step down the slope of a loss, at `factor` of the rates; clip: the largest norm of the gradient.

        Raises DivergedError where the loss is not finite.
        """
        if not torch.isfinite(loss):
            raise DivergedError
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate * factor
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), clip)
        for optimiser in self.optimisers:
            optimiser.step()
