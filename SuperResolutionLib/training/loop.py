"""The supervised loop: pairs in, a network and its moving average out; stops and goes on at any step."""

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

from SuperResolutionLib.devices import autocast, choose_device, choose_precision
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.networks import build
from SuperResolutionLib.networks.residual import adds_to_baseline, smooth, start_at_zero
from SuperResolutionLib.training.data import Sampler, training_stacks
from SuperResolutionLib.training.history import write_history
from SuperResolutionLib.training.optimiser import optimisers
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.validation import Case, cases, validate

Log = Callable[[str], None]


class Run:
    """The state of one training: network, moving average, optimiser, step, history and the best epoch."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        network = build(recipe.architecture, recipe.arguments(), recipe.skip, guides=len(recipe.guides))
        if adds_to_baseline(network):
            start_at_zero(network.network)  # type: ignore[arg-type]
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average: nn.Module = copy.deepcopy(self.network)
        self.optimisers = optimisers(self.network, recipe.optimiser, recipe.learning_rate, recipe.muon_rate)
        self.rates = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]
        self.step = 0
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on as if never stopped."""
        return {
            "recipe": json.dumps(asdict(self.recipe)),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "history": self.history,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.history, self.best = state["step"], state["history"], state["best"]


def train(
    recipe: Recipe,
    data: Path,
    out: Path,
    resume: bool = False,
    budget: float | None = None,
    start: dict[str, torch.Tensor] | None = None,
    device: str = "auto",
    log: Log = print,
) -> dict[str, Any]:
    """Train by a recipe; returns the best epoch: its weights (moving average) and validation figures.

    data: the folder of training volumes. out: where checkpoint, curves and log lines go. budget: minutes;
    the number of steps is cut to what this machine does in that time. start: weights to begin from, taken
    where name and shape fit. Under torchrun every process draws its own batches and gradients are averaged; the
    first one logs, keeps and returns the best epoch, the others return nothing.
    Raises InputError for data that does not fit the recipe, or `out` already in use without `resume`.
    """
    where = choose_device(device)
    rank, processes = _join(where)
    log = log if rank == 0 else _silent
    precision = choose_precision(recipe.precision, where)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists() and not resume:
        raise InputError(f"{out} already holds a training; give --resume to go on with it, or another --out.")
    sampler = Sampler(training_stacks(data, recipe), recipe)
    held = cases(data, recipe) if rank == 0 else []
    saved = _load(checkpoint, where, log) if resume else None
    if saved is not None:
        recipe = replace(recipe, steps=json.loads(saved["recipe"])["steps"])
    run = Run(recipe, where)
    if saved is not None:
        _restore(run, saved, out)
    elif start is not None:
        log(f"starting from {_load_fitting(run, start)} of {len(start)} given tensors")
    if budget is not None and saved is None:
        affordable = _agree(_affordable(run, sampler, where, precision, budget), where, processes)
        run.recipe = recipe = replace(recipe, steps=min(recipe.steps, affordable))
    out.mkdir(parents=True, exist_ok=True)
    log(
        f"{recipe.name}: {recipe.steps} steps on {where} in {precision}; "
        f"{len(sampler.stacks)} training stacks, {len(held)} validation cases"
    )
    model = nn.parallel.DistributedDataParallel(run.network) if processes > 1 else run.network
    with _flushing():
        _steps(run, model, sampler, held, rank, where, precision, out, log)
    if processes > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    return run.best if run.best is not None and rank == 0 else {}


@contextmanager
def _flushing() -> Iterator[None]:
    """Tiny numbers count as 0 meanwhile: as activations they would make CPU convolutions many times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)  # it is the whole thread's setting, not ours to leave behind


def _steps(
    run: Run,
    model: nn.Module,
    sampler: Sampler,
    held: list[Case],
    rank: int,
    device: torch.device,
    precision: str,
    out: Path,
    log: Log,
) -> None:
    recipe = run.recipe
    began, first, losses, shares = time.monotonic(), run.step, [], []
    while run.step < recipe.steps:
        loss, share = _step(run, model, sampler.batch(run.step, rank), device, precision)
        losses.append(loss)
        shares.append(share)
        run.step += 1
        if run.step % recipe.epoch == 0 or run.step == recipe.steps:
            if rank == 0:
                figures = (
                    validate(run.average, held, autocast(device, precision)) if held else {"gain": -math.fsum(losses)}
                )
                seconds = (time.monotonic() - began) / (run.step - first)
                run.history.append(
                    {
                        "step": run.step,
                        "loss": _mean(losses),
                        "residual": _mean(shares),
                        "seconds": seconds,
                        **figures,
                    }
                )
                _keep(run, figures)
                _save(run.state(), out / "checkpoint.pt")
                write_history(run.history, out)
                left = seconds * (recipe.steps - run.step) / 60
                log(f"step {run.step}/{recipe.steps}  {_line(run.history[-1])}  {left:.0f} min left")
            losses, shares = [], []


def _step(
    run: Run, model: nn.Module, pair: tuple[Any, Any], device: torch.device, precision: str
) -> tuple[float, float]:
    """One optimiser step; returns the loss and the energy of the residual as a share of the error it mends."""
    recipe = run.recipe
    coarse, fine = (torch.from_numpy(part).to(device) for part in pair)
    groups = [group for optimiser in run.optimisers for group in optimiser.param_groups]
    for group, rate in zip(groups, run.rates, strict=True):
        group["lr"] = rate * _schedule(run.step, recipe)
    with autocast(device, precision):
        restored = model(coarse.contiguous(memory_format=torch.channels_last))
    restored = restored.float()
    late = run.step >= recipe.mse_from * recipe.steps
    # The factor gives the squared error gradients of the size the absolute error had, for the clipping.
    loss = 10 * mse_loss(restored, fine) if late else l1_loss(restored, fine)
    if not torch.isfinite(loss):
        raise InputError(f"Training diverged at step {run.step}: the loss is not finite; lower the learning rate.")
    for optimiser in run.optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), recipe.clip)
    for optimiser in run.optimisers:
        optimiser.step()
    _follow(run.average, run.network, min(recipe.ema, (run.step + 1) / (run.step + 10)))
    return float(loss.detach()), _residual_share(restored.detach(), coarse, fine, recipe)


def _schedule(step: int, recipe: Recipe) -> float:
    """Linear warm-up, the full rate, then a cosine to zero."""
    progress = max(0.0, min(1.0, step / recipe.steps) - recipe.hold) / (1 - recipe.hold)
    return min(1.0, (step + 1) / recipe.warm_up) * 0.5 * (1 + math.cos(math.pi * progress))


def _residual_share(restored: torch.Tensor, coarse: torch.Tensor, fine: torch.Tensor, recipe: Recipe) -> float:
    """How much of what interpolation misses the network adds, in energy: 0 if the skip does all the work."""
    if recipe.skip is None:
        return 1.0
    baseline = smooth(coarse, recipe.scale, len(recipe.guides))
    return float(mse_loss(restored, baseline) / (mse_loss(fine, baseline) + 1e-12))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


def _keep(run: Run, figures: dict[str, float]) -> None:
    if run.best is None or figures["gain"] > run.best["figures"]["gain"]:
        weights = {name: tensor.detach().cpu().clone() for name, tensor in run.average.state_dict().items()}
        run.best = {"step": run.step, "figures": figures, "weights": weights}


def _save(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename; the checkpoint from before is kept as well, in case this one is damaged.

    Raises InputError where the disk refuses; the checkpoint that is there stays.
    """
    beside = path.with_suffix(".tmp")
    try:
        torch.save(state, beside)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
        reason = str(error).splitlines()[0]
        raise InputError(
            f"The checkpoint in {path.parent} could not be written ({reason}); free some space, "
            "then go on with --resume from the one before."
        ) from error
    if path.exists():
        os.replace(path, _before(path))
    os.replace(beside, path)


def _before(path: Path) -> Path:
    return path.with_suffix(".before.pt")


def _load(path: Path, device: torch.device, log: Log) -> dict[str, Any] | None:
    """The newest checkpoint that can be read, None where there is none. Raises InputError if all are damaged."""
    there = [p for p in (path, _before(path)) if p.exists()]
    for candidate in there:
        try:
            state: dict[str, Any] = torch.load(candidate, map_location=device, weights_only=True)
        except (RuntimeError, EOFError, OSError, UnpicklingError) as error:
            log(f"{candidate.name} cannot be read ({str(error).splitlines()[0]})")
            continue
        return state
    if there:
        raise InputError(f"No checkpoint in {path.parent} can be read; begin again in another folder (--out).")
    return None


def _load_fitting(run: Run, start: dict[str, torch.Tensor]) -> int:
    own = run.network.state_dict()
    fitting = {k: f for k, v in start.items() if k in own and (f := _fitted(v.float(), own[k])) is not None}
    if start and not fitting:
        raise InputError(
            f"None of the {len(start)} weight tensors to begin with fits '{run.recipe.architecture}' as this recipe "
            "builds it; name a model of the same architecture and size."
        )
    run.network.load_state_dict({**own, **fitting})
    run.average.load_state_dict(run.network.state_dict())
    return len(fitting)


def _fitted(given: torch.Tensor, own: torch.Tensor) -> torch.Tensor | None:
    """The given tensor if it fits; a convolution of fewer input channels takes no notice of the further ones."""
    if given.shape == own.shape:
        return given
    if given.ndim != 4 or given.shape[:1] + given.shape[2:] != own.shape[:1] + own.shape[2:]:
        return None
    more = own.shape[1] - given.shape[1]
    return torch.cat([given, given.new_zeros(given.shape[0], more, *given.shape[2:])], dim=1) if more > 0 else None


def _affordable(run: Run, sampler: Sampler, device: torch.device, precision: str, minutes: float) -> int:
    """How many steps this machine does in the time: measured on a copy, so that the run itself is untouched."""
    trial = Run(run.recipe, device)
    for step in range(8):
        if step == 3:
            began = time.monotonic()
        _step(trial, trial.network, sampler.batch(step), device, precision)
    seconds = (time.monotonic() - began) / 5
    return max(run.recipe.warm_up, int(minutes * 60 / (seconds * 1.05)))


def _restore(run: Run, saved: dict[str, Any], out: Path) -> None:
    try:
        run.restore(saved)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"The training in {out} was begun by another recipe, with another network or optimiser; "
            "go on with that recipe, or give another --out."
        ) from error


def _join(device: torch.device) -> tuple[int, int]:
    """This process's rank and how many there are; joins the group where torchrun started several.

    Each process takes a GPU of its own.
    """
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        return 0, 1
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return torch.distributed.get_rank(), processes


def _agree(steps: int, device: torch.device, processes: int) -> int:
    """The first process's number of steps, for all: unequal ones would wait for each other for ever."""
    if processes == 1:
        return steps
    shared = torch.tensor(steps, device=device)
    torch.distributed.broadcast(shared, 0)
    return int(shared)


def _silent(_line: str) -> None:
    """What the other processes of a group have to say."""


def _mean(values: list[float]) -> float:
    return math.fsum(values) / max(1, len(values))


def _line(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "step")
