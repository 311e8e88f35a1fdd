"""Where a training begins: afresh, from weights, or where another stopped; and whether its folder is free."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.training import checkpoint

CHECKPOINT = "checkpoint.pt"
Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Begin:
    """Where a training begins, and how long it may take.

    resume: go on with the one in its folder. budget: minutes; the number of steps is cut to what this machine does in
    that time, reading, validating and publishing among it. start: weights to begin from, taken where name and shape
    fit; those of a game take the place of the steps for its twin. since: when the minutes began to pass
    (time.monotonic()); None: when the training begins.
    """

    resume: bool = False
    budget: float | None = None
    start: Weights | None = None
    since: float | None = None

    def now(self) -> "Begin":
        """The same, of which the minutes pass from now on unless they do already."""
        return self if self.since is not None else replace(self, since=time.monotonic())

    def passed(self) -> float:
        """Seconds since the minutes began to pass."""
        assert self.since is not None
        return time.monotonic() - self.since


def check_free(out: Path, resume: bool) -> None:
    """Raise InputError for a folder that holds a training with which one is not to go on."""
    if checkpoint.is_there(out / CHECKPOINT) and not resume:
        raise InputError(f"{out} already holds a training; give --resume to go on with it, or another --out.")


def check_published(name: str, out: Path) -> None:
    """Raise InputError for a folder that holds a model of this name, but no training of it: it would be replaced."""
    names = (f"{one}{end}" for one in (name, f"{name}-twin") for end in (".safetensors", ".json"))
    taken = [out / one for one in (*names, "curves.csv", "curves.png") if (out / one).exists()]
    if taken and not checkpoint.is_there(out / CHECKPOINT):
        raise InputError(f"{taken[0]} exists already, and {out} holds no training of it; give another --out.")


def or_refuse(restore: Callable[[], None], out: Path) -> None:
    """Give a training its saved state back. Raises InputError where that is of another network or optimiser."""
    try:
        restore()
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(
            f"The training in {out} was begun by another recipe, with another network or optimiser; "
            "go on with that recipe, or give another --out."
        ) from error


def or_full(write: Callable[[], None], out: Path) -> None:
    """Write curves or samples. Raises InputError where the disk refuses."""
    try:
        write()
    except OSError as error:
        raise InputError(
            f"The curves and samples in {out} could not be written ({error.strerror or error}); free some space, "
            "then go on with --resume."
        ) from error
