"""One batch of slices through a network: where, in which precision, how many at once, whole, turned or in tiles.

A network is known here only as a callable from (n, slices + guides, h, w) to (n, 1, s h, s w), with a `radius`: how
far an output voxel can see.
"""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.devices import autocast, choose_device, choose_precision
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.networks.residual import smooth

Network = Callable[[torch.Tensor], torch.Tensor]
BATCH_VOXELS = 2**17  # output voxels a batch on the CPU: more gains nothing there and costs memory
GPU_BATCH_VOXELS = 2**22
TILE_VOXELS = 2**20  # input voxels of a slice above which it is cut into tiles
TURNS = tuple((quarter, mirror) for mirror in (False, True) for quarter in range(4))  # all eight: the ensemble


@dataclass(frozen=True)
class Settings:
    """How to run a network: where, in which precision, how much at once; `turns`: how many of TURNS are averaged."""

    device: torch.device
    precision: str
    batch: int
    tile: int | None = None
    turns: int = 1


def placed(network: nn.Module, settings: Settings) -> nn.Module:
    """A copy of the network where it is to run, laid out as convolutions like it; the given one stays as it is."""
    return copy.deepcopy(network).to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def choose_settings(model: zoo.Model, source: np.ndarray, runtime: Runtime) -> Settings:
    """Device and precision by capability, then by a timed slice; a batch that fits the device; the turns.

    source: (n, h, w), the slices to come.
    """
    where = choose_device(runtime.device)
    kind = choose_precision(runtime.precision, where)
    _, h, w = source.shape
    most = GPU_BATCH_VOXELS if where.type == "cuda" else BATCH_VOXELS
    batch = max(1, most // (h * w * model.card.scale**2))
    tile = 1024 if h * w > TILE_VOXELS else None
    settings = Settings(where, kind, batch, tile, turns_of(model.card, runtime))
    if runtime.precision == "auto" and kind != "float32":
        plain = replace(settings, precision="float32")
        settings = min((settings, plain), key=lambda choice: _seconds_a_slice(model, source, choice))
    return settings


def turns_of(card: zoo.Card, runtime: Runtime) -> int:
    """In how many of TURNS each slice is restored."""
    if runtime.ensemble is None:
        return card.turns
    return len(TURNS) if runtime.ensemble else 1


def _seconds_a_slice(model: zoo.Model, source: np.ndarray, settings: Settings) -> float:
    """Time the middle slice in these settings, after one run to warm up."""
    network = placed(model.network, settings)
    middle = source[neighbours(len(source) // 2, len(source), model.card.slices)][None]
    middle = np.pad(middle, [(0, 0), (0, model.card.beside), (0, 0), (0, 0)])
    settings = replace(settings, turns=1)
    try:
        run_network(network, middle, settings)
        began = time.monotonic()
        run_network(network, middle, settings)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return float("inf")
    return time.monotonic() - began


def run_network(network: Network, coarse: np.ndarray, settings: Settings) -> np.ndarray:
    """Run a batch (n, slices, h, w) float32 -> (n, s h, s w) float32; small slices are padded by reflection."""
    turns = TURNS[: settings.turns]
    with torch.inference_mode(), autocast(settings.device, settings.precision):
        total = reduce(torch.add, _turned_runs(network, coarse, settings, turns))
    return (total[:, 0] / len(turns)).cpu().numpy()


def run_ensemble(network: Network, coarse: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The mean of a batch's eight flips and quarter turns, as `run_network` has it, and their standard deviation.

    One pass, which holds three images at a time. Squares are summed of differences to the first turn: those of the
    images themselves would cancel in single precision.
    """
    with torch.inference_mode(), autocast(settings.device, settings.precision):
        runs = _turned_runs(network, coarse, settings, TURNS)
        first = next(runs)
        total, away, squares = first.clone(), torch.zeros_like(first), torch.zeros_like(first)
        for restored in runs:
            total += restored
            restored -= first
            away += restored
            squares += restored.square_()
        count = len(TURNS)
        variance = (squares / count - (away / count).square()).clamp_min(0)
    return (total[:, 0] / count).cpu().numpy(), variance.sqrt()[:, 0].cpu().numpy()


def interpolated(coarse: np.ndarray, scale: int) -> np.ndarray:
    """Slices (n, h, w) as networks that add to an interpolation have it: bicubic, (n, s h, s w) float32."""
    fine = smooth(torch.from_numpy(np.ascontiguousarray(coarse, dtype=np.float32))[:, None], scale)
    result: np.ndarray = fine[:, 0].numpy()
    return result


def _turned_runs(
    network: Network, coarse: np.ndarray, settings: Settings, turns: tuple[tuple[int, bool], ...]
) -> Iterator[torch.Tensor]:
    """What the network makes of a batch that is turned and mirrored, turned back: (n, 1, s h, s w) float32 each."""
    x = torch.from_numpy(np.ascontiguousarray(coarse, dtype=np.float32)).to(settings.device)
    for quarter, mirror in turns:
        turned = torch.rot90(x.flip(3) if mirror else x, quarter, (2, 3))
        restored = torch.rot90(_whole(network, turned, settings).float(), -quarter, (2, 3))
        yield restored.flip(3) if mirror else restored


def _whole(network: Network, x: torch.Tensor, settings: Settings) -> torch.Tensor:
    """One pass over whole slices, padded up to the network's radius and cropped again, or in tiles."""
    h, w = x.shape[2:]
    radius = int(getattr(network, "radius", 0))
    grow = [max(0, radius - n) for n in (h, w)]
    if any(grow):
        x = _pad(x, grow)
    x = x.contiguous(memory_format=torch.channels_last)
    if settings.tile and max(x.shape[2:]) > settings.tile:
        restored = tiled(network, x, settings.tile, radius)
    else:
        restored = network(x)
    scale = restored.shape[2] // x.shape[2]
    return restored[:, :, : h * scale, : w * scale]


def _pad(x: torch.Tensor, grow: list[int]) -> torch.Tensor:
    """Continue slices at the far end by reflection, again and again where they are very small."""
    for axis, more in ((2, grow[0]), (3, grow[1])):
        size = x.shape[axis]
        period = torch.cat([torch.arange(size), torch.arange(size).flip(0)])
        index = period.repeat(more // (2 * size) + 2)[: size + more]
        x = x.index_select(axis, index.to(x.device))
    return x


def tiled(network: Network, x: torch.Tensor, tile: int, radius: int) -> torch.Tensor:
    """Run a network tile by tile, each seeing `radius` voxels more on every side: the same as running it whole.

    x: (n, slices + guides, h, w). tile: coarse voxels along its side.
    """
    h, w = x.shape[2:]
    result: torch.Tensor | None = None
    for top in range(0, h, tile):
        for left in range(0, w, tile):
            bottom, right = min(top + tile, h), min(left + tile, w)
            y0, x0 = max(0, top - radius), max(0, left - radius)
            piece = network(x[:, :, y0 : min(bottom + radius, h), x0 : min(right + radius, w)])
            s = piece.shape[2] // (min(bottom + radius, h) - y0)
            if result is None:
                result = piece.new_empty((x.shape[0], 1, h * s, w * s))
            inner = piece[:, :, (top - y0) * s : (bottom - y0) * s, (left - x0) * s : (right - x0) * s]
            result[:, :, top * s : bottom * s, left * s : right * s] = inner
    assert result is not None
    return result


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the CPU or on a GPU."""
    text = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or ("memory" in text and "alloc" in text)


def smaller(settings: Settings, shape: tuple[int, ...]) -> tuple[Settings, str]:
    """Settings that need half the memory: half the batch, then tiles, each half as large as before."""
    if settings.device.type == "cuda":
        torch.cuda.empty_cache()
    if settings.batch > 1:
        settings = replace(settings, batch=settings.batch // 2)
        return settings, f"out of memory: going on with {settings.batch} slices at a time"
    tile = (settings.tile or max(shape[1:])) // 2
    if tile < 16:
        raise InputError("There is too little memory even for a small tile; close other programs or use the CPU.")
    return replace(settings, tile=tile), f"out of memory: going on with tiles of {tile} voxels"
