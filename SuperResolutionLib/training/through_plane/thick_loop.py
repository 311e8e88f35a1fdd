"""The training loop for thick slices: by steps or by minutes, stopped and gone on with at any epoch."""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.claims import claimed_folder
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training import checkpoint
from SuperResolutionLib.training.losses.late_loss import FLOOR
from SuperResolutionLib.training.optimiser import Learner, optimisers
from SuperResolutionLib.training.state import follow
from SuperResolutionLib.training.through_plane.draw import Patches, Sampler, Size
from SuperResolutionLib.training.through_plane.scans import training_scans
from SuperResolutionLib.training.through_plane.thick_recipe import Recipe
from SuperResolutionLib.training.through_plane.ways import cases, validate

Log = Callable[[str], None]


class Training:
    """The state of one training: network, moving average, optimisers, step, minutes so far, history, best epoch."""

    def __init__(self, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.network = ThroughPlane(Shape(**recipe.network)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network)
        chosen = optimisers(self.network, "muon", recipe.learning_rate, recipe.muon_rate)
        self.learner = Learner(self.network, chosen)
        self.step = 0
        self.minutes = 0.0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        return {
            "recipe": json.dumps(asdict(self.recipe)),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.learner.optimisers],
            "step": self.step,
            "minutes": self.minutes,
            "history": self.history,
            "best": self.best,
        }

    def begin(self, weights: Path) -> None:
        """Take weights to begin with. Raises InputError for a file that holds none of this network."""
        try:
            tensors = {name: tensor.float() for name, tensor in load_file(weights).items()}
            self.network.load_state_dict(tensors)
            self.average.load_state_dict(tensors)
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{weights.name} holds no weights of the recipe's network: {reason}") from error

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.learner.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.minutes = state["step"], state["minutes"]
        self.history, self.best = state["history"], state["best"]

    def learn(self, batch: list[Patches], progress: float) -> float:
        """One step; progress: the share of the training that is done. Returns the loss."""
        recipe = self.recipe
        loss = self._loss(batch, late=progress >= recipe.mse_from)
        warm = min(1.0, (self.step + 1) / recipe.warm_up)
        self.learner.learn(loss, warm * 0.5 * (1 + math.cos(math.pi * progress)), recipe.clip)
        follow(self.average, self.network, min(recipe.ema, (self.step + 1) / (self.step + 10)))
        self.step += 1
        return float(loss.detach())

    def _loss(self, batch: list[Patches], late: bool) -> torch.Tensor:
        slices = torch.from_numpy(np.concatenate([part.slices for part in batch]))
        told = torch.from_numpy(np.concatenate([part.told for part in batch]))
        coefficients = self.network(slices.contiguous(memory_format=torch.channels_last), told)
        losses = []
        for part, own in zip(batch, coefficients.split([len(p.told) for p in batch]), strict=True):
            waves, begun, truth, trust = map(torch.from_numpy, (part.series, part.starts, part.truth, part.trust))
            error = (self.network.between(own, waves, begun) - truth) * trust
            losses.append(_second(error, self.recipe.second_loss) if late else error.abs().mean())
        return torch.stack(losses).mean()

    def size(self, progress: float) -> Size:
        """Of the patches at that share of the training."""
        r = self.recipe
        if progress < r.mse_from:
            return Size(r.rows, r.columns, r.batch, r.together)
        return Size(r.late_rows, r.late_columns, r.late_batch, r.together)


def _second(error: torch.Tensor, name: str) -> torch.Tensor:
    if name == "mse":
        return 10 * error.square().mean()
    return 0.01 * torch.log1p(error.square().mean(dim=(1, 2, 3)) / FLOOR).mean()


CLOCKS = {"wall": time.monotonic, "cpu": time.process_time}


@dataclass(frozen=True)
class Budget:
    """Minutes in which the whole schedule passes, whatever the machine does; None: the recipe's steps.

    clock: "wall", or "cpu", the processor's time, by which designs are compared on a machine that others use too.
    """

    minutes: float | None = None
    clock: str = "wall"

    def progress(self, training: Training) -> float:
        """The share of the training that is done."""
        return training.minutes / self.minutes if self.minutes else training.step / training.recipe.steps


@dataclass(frozen=True)
class Start:
    """How a training starts: resume, where the one in its folder stopped; weights, with those of a safetensors file."""

    resume: bool = False
    weights: Path | None = None


def train(
    recipe: Recipe, data: Path, out: Path, start: Start = Start(), budget: Budget = Budget(), log: Log = print
) -> Training:
    """Train by a recipe; checkpoint and lines of figures go into `out`. Returns the training.

    start: afresh, from weights, or where another stopped. budget: minutes in which the schedule passes. log: takes each
    line.
    Raises InputError for data that does not fit the recipe, `out` in use where nothing is resumed, or weights of
    another network.
    """
    with claimed_folder(out):
        return _train(recipe, data, out, start, budget, log)


def _train(recipe: Recipe, data: Path, out: Path, start: Start, budget: Budget, log: Log) -> Training:
    """`train` in a folder that is ours alone."""
    path = out / "checkpoint.pt"
    if checkpoint.is_there(path) and not start.resume:
        raise InputError(f"{out} already holds a training; give --resume to go on with it, or another --out.")
    training = Training(recipe)
    if start.weights is not None:
        training.begin(start.weights)
    if start.resume and (saved := checkpoint.load(path, torch.device("cpu"), log)):
        training.restore(saved)
    sampler = Sampler(training_scans(data, recipe), recipe, training.network)
    held = cases(data)
    log(f"{len(sampler.scans)} scans, {len(held)} validation cases, {parameters(training.network)} parameters")
    clock, losses = CLOCKS[budget.clock], []
    begun = clock() - 60 * training.minutes
    while (progress := budget.progress(training)) < 1:
        losses.append(training.learn(sampler.batch(training.step, training.size(progress)), progress))
        training.minutes = (clock() - begun) / 60
        if training.step % recipe.epoch == 0:
            _end_epoch(training, held, out, float(np.mean(losses)), log)
            losses = []
    _end_epoch(training, held, out, float(np.mean(losses)) if losses else 0.0, log)
    return training


def _end_epoch(training: Training, held: list[Any], out: Path, loss: float, log: Log) -> None:
    figures = validate(training.average, held)
    line = {"step": training.step, "minutes": round(training.minutes, 2), "loss": loss, **figures}
    training.history.append(line)
    if not held or training.best is None or figures["gain"] > training.best["gain"]:
        weights = {name: tensor.clone() for name, tensor in training.average.state_dict().items()}
        training.best = {"gain": figures["gain"], "step": training.step, "weights": weights}
    checkpoint.save(training.state(), out / "checkpoint.pt")
    with (out / "log.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    gains = " ".join(f"{value:+.2f}" for value in figures.values())
    log(f"step {training.step} {training.minutes:.1f} min loss {loss:.5f} gains {gains}")
