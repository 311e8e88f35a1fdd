"""The training loop for thick slices: patches in, a network and its moving average out; stopped and gone on with."""

import copy
import json
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.claims import claimed_folder
from SuperResolutionLib.networks import build_through_plane
from SuperResolutionLib.networks.through_plane import ThroughPlane
from SuperResolutionLib.training import checkpoint, guard
from SuperResolutionLib.training.begin import CHECKPOINT, Begin, check_free, check_published, or_full, or_refuse
from SuperResolutionLib.training.history import write_history
from SuperResolutionLib.training.losses.late_loss import SECOND_LOSSES
from SuperResolutionLib.training.optimiser import DivergedError, Learner, optimisers
from SuperResolutionLib.training.state import Log, follow, load_fitting
from SuperResolutionLib.training.through_plane.draw import Patches, Sampler, Size
from SuperResolutionLib.training.through_plane.scans import training_scans
from SuperResolutionLib.training.through_plane.thick_recipe import ThickRecipe
from SuperResolutionLib.training.through_plane.ways import Case, cases, validate
from SuperResolutionLib.training.time_left import Costs, cut, too_long

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """What a training works with and never changes: data, folder, log. reading: seconds that reading the data took."""

    sampler: Sampler
    held: list[Case]
    reading: float
    out: Path
    log: Log


class Training:
    """The state of one training: network, moving average, optimisers, step, history, and the best epoch."""

    def __init__(self, recipe: ThickRecipe) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.network = network_of(recipe)
        self.average = copy.deepcopy(self.network)
        chosen = optimisers(self.network, "muon", recipe.learning_rate, recipe.muon_rate)
        self.learner = Learner(self.network, chosen)
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.stopped: str | None = None

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on as if never stopped."""
        return {
            "recipe": json.dumps(asdict(self.recipe)),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.learner.optimisers],
            "step": self.step,
            "history": self.history,
            "best": self.best,
            "stopped": self.stopped,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.learner.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.history = state["step"], state["history"]
        self.best, self.stopped = state["best"], state["stopped"]

    def learn(self, batch: list[Patches], progress: float) -> float:
        """One step; progress: the share of the training that is done. Returns the loss. Raises DivergedError."""
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
        second, losses = SECOND_LOSSES[self.recipe.second_loss], []
        for part, own in zip(batch, coefficients.split([len(p.told) for p in batch]), strict=True):
            waves, begun, truth, trust = map(torch.from_numpy, (part.series, part.starts, part.truth, part.trust))
            error = (self.network.between(own, waves, begun) - truth) * trust
            losses.append(second(error, torch.zeros_like(error)) if late else error.abs().mean())
        return torch.stack(losses).mean()

    def size(self, progress: float) -> Size:
        """Of the patches at that share of the training."""
        r = self.recipe
        if progress < r.mse_from:
            return Size(r.rows, r.columns, r.batch, r.together)
        return Size(r.late_rows, r.late_columns, r.late_batch, r.together)

    def mark(self, figures: dict[str, float]) -> dict[str, Any]:
        """This step, its figures and a copy of the average's weights."""
        weights = {name: tensor.clone() for name, tensor in self.average.state_dict().items()}
        return {"step": self.step, "figures": figures, "weights": weights}


def network_of(recipe: ThickRecipe) -> ThroughPlane:
    """The recipe's network with fresh weights."""
    network = build_through_plane(recipe.architecture, recipe.network)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def train(
    recipe: ThickRecipe,
    data: Path,
    out: Path,
    begin: Begin | None = None,
    device: str = "auto",
    log: Log = print,
) -> dict[str, Any]:
    """Train by a recipe, on the CPU; returns the kept epoch: its weights (moving average) and validation figures.

    data: the folder of training volumes. out: where checkpoint and curves go. begin: afresh, from given weights, or
    where another training stopped. device: "auto" or "cpu". log: takes each line.
    Raises InputError for another device or several processes, data that does not fit the recipe, or `out` already in
    use without `resume` or now.
    """
    _check_place(device)
    begin = (begin or Begin()).now()
    with claimed_folder(out):
        return _train(recipe, data, out, begin, log)


def _check_place(device: str) -> None:
    if device not in ("auto", "cpu"):
        raise InputError(f"Models for thick slices are trained on the CPU, not on '{device}'; leave --device out.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("Models for thick slices are trained in one process; start it without torchrun.")


def _train(recipe: ThickRecipe, data: Path, out: Path, begin: Begin, log: Log) -> dict[str, Any]:
    """`train` in a folder that is ours alone."""
    check_free(out, begin.resume)
    check_published(recipe.name, out)
    training = Training(recipe)
    before = time.monotonic()
    sampler, held = Sampler(training_scans(data, recipe), recipe, training.network), cases(data, recipe)
    setting = Setting(sampler, held, time.monotonic() - before, out, log)
    saved = checkpoint.load(out / CHECKPOINT, CPU, log) if begin.resume else None
    late = ""
    if saved is not None:
        begun = json.loads(saved["recipe"])
        training.recipe = replace(recipe, steps=begun["steps"], epoch=begun["epoch"])
        or_refuse(partial(training.restore, saved), out)
    elif begin.start is not None:
        log(f"starting from {load_fitting(training, begin.start)} of {len(begin.start)} given tensors")
    if begin.budget is not None and saved is None:
        training.recipe, late = _within(begin, training, setting)
    out.mkdir(parents=True, exist_ok=True)
    log(
        f"{recipe.name}: {training.recipe.steps} steps on cpu in float32; "
        f"{len(setting.sampler.scans)} training scans, {len(setting.held)} validation cases"
    )
    if late:
        log(late)
    _steps(training, setting)
    return training.best or {}


def _steps(training: Training, setting: Setting) -> None:
    """The steps that are left to do."""
    recipe = training.recipe
    began, losses = time.monotonic(), []
    while training.step < recipe.steps and training.stopped is None:
        progress = training.step / recipe.steps
        try:
            batch = setting.sampler.batch(training.step, training.size(progress))
            losses.append(training.learn(batch, progress))
            if training.step % recipe.epoch == 0 or training.step == recipe.steps:
                now = time.monotonic()  # a validation counts among the time of the epoch after it
                seconds, began = (now - began) / len(losses), now
                _end_epoch(training, {"loss": math.fsum(losses) / len(losses), "seconds": seconds}, setting)
                _write(training, setting.out)
                losses = []
        except DivergedError as error:
            if training.best is None or not setting.held:
                raise guard.diverged(training.step) from error
            setting.log(guard.stop(training, guard.NOT_FINITE))
            _write(training, setting.out)


def _end_epoch(training: Training, means: dict[str, float], setting: Setting) -> None:
    """Validate, keep or not, stop or not, and say so. Where nobody chooses the epoch the last one is kept."""
    recipe, figures = training.recipe, validate(training.average, setting.held)
    if not math.isfinite(figures["gain"]):
        raise DivergedError
    training.history.append({"step": training.step, **means, "threads": torch.get_num_threads(), **figures})
    each = " ".join(f"{value:+.2f}" for name, value in figures.items() if name.startswith("gain "))
    reached = f"  gain {figures['gain']:+.3f} ({each})" if setting.held else ""
    left = means["seconds"] * (recipe.steps - training.step) / 60
    setting.log(f"step {training.step}/{recipe.steps}  loss {means['loss']:.4g}{reached}  {left:.0f} min left")
    if not setting.held or guard.keep_best(training.best, figures):
        training.best = training.mark(figures)
    reason = guard.fallen(figures, training.history[0], guard.FALL)
    if reason is not None:
        setting.log(guard.stop(training, reason))


def _write(training: Training, out: Path) -> None:
    checkpoint.save(training.state(), out / CHECKPOINT)
    or_full(partial(write_history, training.history, out), out)


# ---------------------------------------------------------------- the time it takes


def minutes(recipe: ThickRecipe, data: Path, device: str = "auto") -> float:
    """How long all steps of a recipe take on this machine, by a few of each kind; without validation.

    data: the folder of training volumes. device: "auto" or "cpu".
    """
    _check_place(device)
    sampler = Sampler(training_scans(data, recipe), recipe, network_of(recipe))
    return recipe.steps * _seconds_a_step(recipe, sampler) / 60


def _within(begin: Begin, training: Training, setting: Setting) -> tuple[ThickRecipe, str]:
    """The recipe with no more steps than this machine does in what is left of the minutes; a word where that is none.

    begin: with a budget. training: not begun yet; it is left as it is.
    """
    recipe, step = training.recipe, _seconds_a_step(training.recipe, setting.sampler)
    now = time.monotonic()
    validate(training.average, setting.held)
    costs = Costs((step,), time.monotonic() - now, publishing=setting.reading)  # which reads the scans again
    assert begin.budget is not None
    passed, given = begin.passed(), 60 * begin.budget
    counts, epoch = cut([recipe.steps], recipe, costs, given - passed)
    return replace(recipe, steps=sum(counts), epoch=epoch), too_long(passed + costs.of(counts, epoch), given)


def _seconds_a_step(recipe: ThickRecipe, sampler: Sampler) -> float:
    """The mean over the steps by the first loss and those by the second, of a few of each.

    Measured on a network of its own, so that the training itself is untouched.
    """
    trial, parts = Training(recipe), ((0.0, recipe.mse_from), (recipe.mse_from, 1 - recipe.mse_from))
    return math.fsum(share * _timed(trial, sampler, begin) for begin, share in parts if share)


def _timed(trial: Training, sampler: Sampler, progress: float) -> float:
    """Seconds of a step at that share of the training."""
    for step in range(8):
        if step == 3:
            began = time.monotonic()
        trial.learn(sampler.batch(step, trial.size(progress)), progress)
    return (time.monotonic() - began) / 5
