"""What every training goes through: pairs in, a network and its moving average out; stops and goes on at any step."""

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.claims import claimed_folder
from SuperResolutionLib.methods.devices import choose_device, choose_precision
from SuperResolutionLib.training import checkpoint, guard
from SuperResolutionLib.training.ahead import made_ahead
from SuperResolutionLib.training.begin import CHECKPOINT, Begin, check_free, check_published, or_full, or_refuse
from SuperResolutionLib.training.cycle_game import Cycle
from SuperResolutionLib.training.data import Sampler, training_stacks
from SuperResolutionLib.training.game import Adversarial
from SuperResolutionLib.training.history import write_history
from SuperResolutionLib.training.optimiser import DivergedError
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.samples import write_samples
from SuperResolutionLib.training.state import (
    Log,
    Method,
    Phase,
    Place,
    Run,
    load_fitting,
    phases,
    restore_method,
)
from SuperResolutionLib.training.supervised import Supervised
from SuperResolutionLib.training.time_left import Costs, cut, publishing, too_long
from SuperResolutionLib.training.validation import Case, apart, cases, measure, restore, validate

METHODS: dict[str, Callable[[Run, Phase, Place, Sampler], Method]] = {
    "supervised": Supervised,
    "adversarial": Adversarial,
    "cycle": Cycle,
}


@dataclass(frozen=True)
class Setting:
    """What a training works with and never changes: data, place, folder, log."""

    sampler: Sampler
    held: list[Case]
    place: Place
    out: Path
    log: Log


def train(
    recipe: Recipe,
    data: Path,
    out: Path,
    begin: Begin | None = None,
    device: str = "auto",
    log: Log = print,
) -> dict[str, Any]:
    """Train by a recipe; returns the kept epoch: its weights (moving average) and validation figures.

    data: the folder of training volumes. out: where checkpoint, curves, samples and log lines go. begin: afresh, from
    given weights, or where another training stopped. A game also returns its twin,
    under "twin". Under torchrun every process draws its own batches and gradients are averaged; the first one logs,
    keeps and returns the best epoch, the others return nothing.
    device: where it runs.
    Raises InputError for data that does not fit the recipe, or `out` already in use without `resume` or now.
    """
    where = choose_device(device)
    rank, processes = _join(where)
    place = Place(where, choose_precision(recipe.precision, where), rank, processes)
    if processes > 1 and recipe.adversarial is not None:
        raise InputError(f"The game of '{recipe.name}' is played in one process; start it without torchrun.")
    log = log if rank == 0 else _silent
    begin = (begin or Begin()).now()
    with claimed_folder(out) if rank == 0 else nullcontext():
        return _train(recipe, data, out, begin, place, log)


def _train(recipe: Recipe, data: Path, out: Path, begin: Begin, place: Place, log: Log) -> dict[str, Any]:
    """`train` in a folder that is ours alone."""
    resume, budget, start = begin.resume, begin.budget, begin.start
    where, rank, processes = place.device, place.rank, place.processes
    check_free(out, resume)
    if rank == 0:
        check_published(recipe.name, out)
    sampler = Sampler(training_stacks(data, recipe), recipe)
    held = cases(data, recipe) if rank == 0 else []
    saved = checkpoint.load(out / CHECKPOINT, where, log) if resume else None
    if saved is not None:
        begun = json.loads(saved["recipe"])
        recipe = replace(recipe, steps=begun["steps"], twin_steps=begun.get("twin_steps", 0), epoch=begun["epoch"])
    elif start is not None and recipe.twin_steps:
        recipe = replace(recipe, steps=recipe.steps - recipe.twin_steps, twin_steps=0)
    run = Run(recipe, where)
    if saved is None and start is not None:
        log(f"starting from {load_fitting(run, start)} of {len(start)} given tensors")
    late = ""
    if budget is not None and saved is None:
        run.recipe, late = _within(begin, run, Setting(sampler, held, place, out, log))
        recipe = run.recipe
    out.mkdir(parents=True, exist_ok=True)
    log(
        f"{recipe.name}: {recipe.steps} steps on {where} in {place.precision}; "
        f"{len(sampler.stacks)} training stacks, {len(held)} validation cases"
    )
    if late:
        log(late)
    with _flushing(), made_ahead(sampler, None if where.type == "cuda" else 0) as drawn:
        _all_phases(run, saved, Setting(drawn, held, place, out, log))
    if processes > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    if run.best is None or rank > 0:
        return {}
    return run.best if run.twin is None else {**run.best, "twin": run.twin}


@contextmanager
def _flushing() -> Iterator[None]:
    """Tiny numbers count as 0 meanwhile: as activations they would make CPU convolutions many times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)  # it is the whole thread's setting, not ours to leave behind


def _all_phases(run: Run, saved: dict[str, Any] | None, setting: Setting) -> None:
    if saved is not None:
        or_refuse(partial(run.restore, saved), setting.out)
    for phase in phases(run.recipe):
        if run.step > phase.end:
            continue
        game = phase.method != "supervised"
        if game and run.twin is None and not run.stopped:
            _begin_game(run, setting)
        run.seed_step(setting.place)  # a discriminator begins the same, whether or not the training was stopped before
        method = METHODS[phase.method](run, phase, setting.place, setting.sampler)
        if saved is not None and saved["step"] > phase.begin:
            or_refuse(partial(restore_method, method, saved), setting.out)
        _steps(run, phase, method, setting)
    if run.twin is not None and run.best is not None and run.best["step"] == run.twin["step"]:
        setting.log("no epoch of the game stayed near enough to the twin and above bicubic; the twin is kept")


def _begin_game(run: Run, setting: Setting) -> None:
    """The game begins with its twin: the best epoch of the supervised steps, or the weights that were given."""
    if run.best is None:
        figures = {"gain": -math.inf}
        if setting.held:
            figures = measure(setting.held, restore(run.average, setting.held, setting.place.autocast()))
            run.history.append({"step": run.step, **figures})
        run.best = run.mark(figures)
    run.twin = run.best
    run.average.load_state_dict(run.twin["weights"])
    run.network.load_state_dict(run.twin["weights"])
    setting.log(f"the game begins at step {run.step} with the twin  {_line(run.twin['figures'])}")


def _steps(run: Run, phase: Phase, method: Method, setting: Setting) -> None:
    """The steps of a phase that are left to do."""
    beside = _restored_by_twin(run, setting)
    began, rows = time.monotonic(), []
    while run.step < phase.end and run.stopped is None:
        try:
            rows.append(method.step())
            run.step += 1
            if run.step % run.recipe.epoch == 0 or run.step == phase.end:
                if setting.place.rank == 0:
                    now = time.monotonic()  # a validation counts among the time of the epoch after it
                    means = {**_means(rows), "seconds": (now - began) / len(rows), "threads": torch.get_num_threads()}
                    began = now
                    _end_epoch(run, means, beside, setting)
                    _write(run, method, setting)
                rows = []
                if _agree(int(run.stopped is not None), setting.place):  # the others must not wait for this process
                    return
        except DivergedError as error:
            if run.best is None or not setting.held:
                raise guard.diverged(run.step) from error
            setting.log(guard.stop(run, guard.NOT_FINITE))
            _write(run, method, setting)


def _restored_by_twin(run: Run, setting: Setting) -> list[np.ndarray] | None:
    if run.twin is None or not setting.held:
        return None
    twin = copy.deepcopy(run.average)
    twin.load_state_dict(run.twin["weights"])
    return restore(twin, setting.held, setting.place.autocast())


def _end_epoch(run: Run, means: dict[str, float], beside: list[np.ndarray] | None, setting: Setting) -> None:
    """Validate, keep or not, stop or not, and say so."""
    recipe, held = run.recipe, setting.held
    figures = {"gain": -means["loss"]}
    if held:
        images = restore(run.average, held, setting.place.autocast())
        if not all(np.isfinite(image).all() for image in images):
            raise DivergedError
        figures = measure(held, images)
        if beside is not None:
            figures["apart"] = apart(images, beside)
        picture = setting.out / "samples" / f"step-{run.step:06}.png"
        or_full(partial(write_samples, held, images, picture), setting.out)
    run.history.append({"step": run.step, **means, **figures})
    left = means["seconds"] * (recipe.steps - run.step) / 60
    setting.log(f"step {run.step}/{recipe.steps}  {_line(run.history[-1])}  {left:.0f} min left")
    if run.twin is None or recipe.adversarial is None:
        if guard.keep_best(run.best, figures):
            run.best = run.mark(figures)
        reason = guard.fallen(figures, run.history[0], guard.FALL)
    else:
        most, twin = recipe.adversarial.guard, run.twin["figures"]
        if guard.keep_last(twin, figures, most):
            run.best = run.mark(figures)
        run.ease = guard.eased(run.ease, twin, run.history[-2:][0], figures, most)
        reason = guard.fallen(figures, twin, most)
    if reason is not None:
        setting.log(guard.stop(run, reason))


def _write(run: Run, method: Method, setting: Setting) -> None:
    checkpoint.save(run.state(method), setting.out / CHECKPOINT)
    or_full(partial(write_history, run.history, setting.out), setting.out)


def minutes(recipe: Recipe, data: Path, device: str = "auto") -> float:
    """How long all steps of a recipe take on this machine, by a few of each kind; without validation."""
    where = choose_device(device)
    place = Place(where, choose_precision(recipe.precision, where), 0, 1)
    sampler = Sampler(training_stacks(data, recipe), recipe)
    parts = phases(recipe)
    return math.fsum((p.end - p.begin) * _seconds_a_step(recipe, p, sampler, place) for p in parts) / 60


def _within(begin: Begin, run: Run, setting: Setting) -> tuple[Recipe, str]:
    """The recipe with no more steps than this machine does in what is left of the minutes; a word where that is none.

    begin: with a budget, and since when it passes. run: not begun yet; it is left as it is.
    """
    recipe, sampler, place = run.recipe, setting.sampler, setting.place
    parts = phases(recipe)
    steps = tuple(_seconds_a_step(recipe, phase, sampler, place) for phase in parts)
    now = time.monotonic()
    if setting.held:
        validate(run.average, setting.held, place.autocast())
    costs = Costs(steps, time.monotonic() - now, publishing(run.average, recipe, sampler.stacks))
    assert begin.budget is not None
    passed = begin.passed()
    counts, epoch = cut([part.end - part.begin for part in parts], recipe, costs, 60 * begin.budget - passed)
    counts, epoch = [_agree(n, place) for n in counts], _agree(epoch, place)
    recipe = replace(recipe, steps=sum(counts), twin_steps=sum(counts) - counts[-1], epoch=epoch)
    return recipe, too_long(passed + costs.of(counts, epoch), 60 * begin.budget)


def _seconds_a_step(recipe: Recipe, phase: Phase, sampler: Sampler, place: Place) -> float:
    """Measured on a copy, so that the run itself is untouched."""
    trial = Run(recipe, place.device)
    trial.step = max(phase.begin, phase.end - 8)  # when every network learns
    method = METHODS[phase.method](trial, phase, replace(place, rank=0, processes=1), sampler)
    for step in range(8):
        if step == 3:
            began = time.monotonic()
        method.step()
        trial.step += 1
    return (time.monotonic() - began) / 5


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


def _agree(number: int, place: Place) -> int:
    """The first process's number, for all: processes of unequal steps would wait for each other for ever."""
    if place.processes == 1:
        return number
    shared = torch.tensor(number, device=place.device)
    torch.distributed.broadcast(shared, 0)
    return int(shared)


def _silent(_line: str) -> None:
    """What the other processes of a group have to say."""


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of every loss, over the steps that had it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _mean([row[name] for row in rows if name in row]) for name in names}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / max(1, len(values))


def _line(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "step")
