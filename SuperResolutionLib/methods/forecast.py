"""How long a network will take, before it runs: what it computes, and how fast this computer is at that."""

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from SuperResolutionLib.methods.method import Runtime

if TYPE_CHECKING:
    import torch

SHORT = 2e11  # multiply-adds: below them a run is over sooner than it is worth to be reckoned
CHANNELS, SIDE, TIMED = 48, 128, 0.2  # of the convolution that is timed, and for how many seconds


def multiply_adds(parameters: int, voxels: float, turns: int) -> float:
    """What a convolutional network computes: for each voxel that it is given as much as it has weights.

    parameters: its weights. voxels: that it is given, of all volumes. turns: how often it looks at each.
    """
    return float(parameters) * voxels * turns


def seconds(work: float, device: "torch.device", precision: str) -> float | None:
    """About how long so many multiply-adds take here, with the threads that torch has now; None for a short work."""
    if work < SHORT:
        return None
    import torch

    return work / _pace(device, precision, torch.get_num_threads())


def expected(parameters: int, voxels: float, turns: int, runtime: Runtime) -> float:
    """About how long a network takes, in seconds, 0 for a short time.

    parameters, voxels, turns: as of `multiply_adds`. runtime: where, and how. Raises InputError for a device that
    cannot be used.
    """
    from SuperResolutionLib.methods.devices import choose_device, choose_precision

    device = choose_device(runtime.device)
    with runtime.limited():
        work = multiply_adds(parameters, voxels, turns)
        return seconds(work, device, choose_precision(runtime.precision, device)) or 0.0


@lru_cache
def _pace(device: "torch.device", precision: str, _threads: int) -> float:
    """Multiply-adds a second, of convolutions as networks have them."""
    import torch

    from SuperResolutionLib.methods.devices import autocast

    image = torch.zeros(1, CHANNELS, SIDE, SIDE, device=device).to(memory_format=torch.channels_last)
    layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode(), autocast(device, precision):
        layer(image).sum().item()  # the first is slower
        began, done = time.monotonic(), 0
        while time.monotonic() - began < TIMED:
            layer(image).sum().item()  # which waits until a GPU has it
            done += 1
    return multiply_adds(layer.weight.numel(), SIDE * SIDE, done) / (time.monotonic() - began)
