"""Slices -> batches -> device -> volume: runs a model over a volume and tells how far it is.

A network is known here only as a callable from (n, slices + guides, h, w) to (n, 1, s h, s w), with a `radius`: how
far an output voxel can see. Progress is a generator, so that whoever draws a bar, prints lines or stops in between
needs no callback.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch

from SuperResolutionLib import recognition, separable, zoo
from SuperResolutionLib.consistency import consistent as make_consistent
from SuperResolutionLib.degradation import gaussian_matrix
from SuperResolutionLib.devices import autocast, choose_device, choose_precision
from SuperResolutionLib.diffusion import guides, log_euclidean, predicted
from SuperResolutionLib.diffusion.joint import restore_jointly
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry import empty_like, single_slice, stacking_axis, stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.interpolation import refine
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.slices import neighbours
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels, signal_only

Network = Callable[[torch.Tensor], torch.Tensor]
BATCH_VOXELS = 2**17  # output voxels a batch on the CPU: more gains nothing there and costs memory
GPU_BATCH_VOXELS = 2**22
TILE_VOXELS = 2**20  # input voxels of a slice above which it is cut into tiles
POOL = 1.0  # voxels of the Gaussian over which variances are averaged
TURNS = tuple((quarter, mirror) for quarter in range(4) for mirror in (False, True))  # of the ensemble
NO_GUIDES = np.empty((0, 1, 1, 1), np.float32)


@dataclass(frozen=True)
class Settings:
    """How to run a network: where, in which precision, and how much at once."""

    device: torch.device
    precision: str
    batch: int
    tile: int | None = None
    ensemble: bool = False


def enhance(
    volume: Volume,
    model: str | zoo.Model | None = None,
    scale: int | None = None,
    plane: str = "native",
    ensemble: bool = False,
    consistent: bool = False,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    only: int | None = None,
) -> Volume:
    """The volume with every slice refined by a trained network; same field of view, same voxel type.

    A diffusion series without negative voxels gets none either: tensors are fitted to the logarithm of the signal.
    Tensors stay positive definite: see `_enhancing_tensors`.
    model: a name, a path or a loaded model; by default the blind one of `scale` (2), for a diffusion series the one
    made for diffusion. ensemble: average the eight flips and quarter turns. consistent: put the scan's k-space centre
    back. only: this slice alone, counted from 0 in voxel order along the plane's stacking axis; it is the slice of the
    whole result, in its place.
    Raises InputError for a model, scale, plane, device, precision or slice that cannot be used.
    """
    return finish(enhancing(volume, model, scale, plane, ensemble, consistent, device, precision, threads, only))


def enhancing_with_spread(
    volume: Volume,
    model: str | zoo.Model | None = None,
    scale: int | None = None,
    plane: str = "native",
    consistent: bool = False,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    only: int | None = None,
) -> Generator[Progress, None, tuple[Volume, Volume]]:
    """`enhancing` with the ensemble; returns the volume, and how far the eight turns disagree about each voxel.

    The spread is the standard deviation of the eight, float32, in the scan's units, on the grid of the result, before
    `consistent` or anything else is done to their mean. Variances are averaged over about a voxel (`pooled`): eight
    values say little of the spread of one. A network that treats all orientations alike has none.
    Raises InputError as `enhance` does, and for tensors.
    """
    model = choose_model(model, scale, guides.is_diffusion(volume))
    signal_only(volume, "given an uncertainty map")
    if threads is not None:
        torch.set_num_threads(threads)
    axis = stacking_axis(volume, plane)
    run = _Run(model, axis, device, precision, True, only)
    part = volume if only is None else single_slice(volume, axis, only)
    spread = replace(empty_like(part, axis, model.card.scale, np.float32), gradients=None)
    result = yield from _enhancing_signals(volume, run, spread=spread)
    return (yield from _finishing(volume, run, result, plane, consistent)), spread


def enhancing(
    volume: Volume,
    model: str | zoo.Model | None = None,
    scale: int | None = None,
    plane: str = "native",
    ensemble: bool = False,
    consistent: bool = False,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    only: int | None = None,
) -> Generator[Progress, None, Volume]:
    """`enhance` as a generator of progress, which returns the volume; close it to stop between batches."""
    model = choose_model(model, scale, guides.is_diffusion(volume))
    if threads is not None:
        torch.set_num_threads(threads)
    axis = stacking_axis(volume, plane)
    run = _Run(model, axis, device, precision, ensemble, only)
    if volume.quantity == TENSOR:
        if consistent:
            raise InputError("Tensors have no k-space to be consistent with; leave --consistent out.")
        return (yield from _enhancing_tensors(volume, run))
    result = yield from _enhancing_signals(volume, run)
    return (yield from _finishing(volume, run, result, plane, consistent))


@dataclass(frozen=True, eq=False)
class _Run:
    """What is run, over which slices, and how."""

    model: zoo.Model
    axis: int
    device: str
    precision: str
    ensemble: bool
    only: int | None


def _finishing(
    volume: Volume, run: _Run, result: Volume, plane: str, consistent: bool
) -> Generator[Progress, None, Volume]:
    """What is done to signals after the network: brought into agreement with their scan; of a series none below 0."""
    card = run.model.card
    if guides.is_diffusion(volume) and card.guides:
        restore_jointly(volume, result, run.axis, card.scale, run.only)
    elif card.recognition and not consistent:
        yield from _putting_back(volume, run, result)
    if consistent:
        part = volume if run.only is None else single_slice(volume, run.axis, run.only)
        result = make_consistent(part, result, card.scale, plane)
    if guides.is_diffusion(volume) and volume.voxels.min() >= 0:
        np.maximum(result.voxels, 0, out=result.voxels)
    return result


def _putting_back(volume: Volume, run: _Run, result: Volume) -> Generator[Progress, None, None]:
    """Put what was measured back into each 3-D volume, in place, where the network's errors tell its forward model.

    Of one slice too the model is that of the whole volume, so some others are restored to see it.
    """
    recogniser, scale, began = (
        recognition.Recogniser.of(run.model.card.recognition),
        run.model.card.scale,
        time.monotonic(),
    )
    sources, targets = stacks(volume, run.axis), stacks(result, run.axis)
    chosen = recognition.shown(len(sources[0]))
    if run.only is None:
        seen = [target[chosen] for target in targets]
        parts = sources
    else:
        alone = [finish(_enhancing_signals(volume, replace(run, only=int(k)))) for k in chosen]
        seen = [np.concatenate(slices) for slices in zip(*(stacks(one, run.axis) for one in alone), strict=True)]
        parts = [source[run.only : run.only + 1] for source in sources]
    names = []
    for source, part, target, fine in zip(sources, parts, targets, seen, strict=True):
        unit = np.float32(data_range(source))
        name = recogniser.model_of(fine / unit, source[chosen] / unit, scale)
        names.append(name)
        if name is not None:
            recognition.put_back(part, target, name, unit, scale)
    done = sum(len(target) for target in targets)
    yield Progress(done, done, time.monotonic() - began, _verdict(names))


def _verdict(names: list[str | None]) -> str:
    """What was recognised, in words."""
    known = sorted({name for name in names if name is not None})
    if not known:
        return "forward model: not recognised, the network's result is left as it is"
    return f"forward model: {', '.join(known)}; what the scan measured is put back"


def _enhancing_signals(
    volume: Volume, run: _Run, common: float | None = None, spread: Volume | None = None
) -> Generator[Progress, None, Volume]:
    """Each 3-D volume by its own intensity scale, or all by a `common` one; fills `spread` where it is given."""
    model, only = run.model, run.only
    part = volume if only is None else single_slice(volume, run.axis, only)
    sources = stacks(volume, run.axis)  # whole even for one slice: its neighbours and the range are needed
    result = empty_like(part, run.axis, model.card.scale, volume.voxels.dtype)
    beside = _guide_maker(volume, model.card, sources)
    settings = choose_settings(model, sources[0], run.device, run.precision, run.ensemble)
    network = model.network.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    targets = stacks(result, run.axis)
    spreads = stacks(spread, run.axis) if spread is not None else [None] * len(targets)
    total = sum(len(target) for target in targets)
    began, finished = time.monotonic(), 0
    yield Progress(0, total, 0.0, f"{model.card.name} on {settings.device} in {settings.precision}")
    for index, (source, target, wide) in enumerate(zip(sources, targets, spreads, strict=True)):
        scale = np.float32(common or data_range(source))
        for done, message in _restore(network, model.card, source, beside(index), target, wide, settings, scale, only):
            yield Progress(finished + done, total, time.monotonic() - began, message)
        finished += len(target)
    return result


def _enhancing_tensors(volume: Volume, run: _Run) -> Generator[Progress, None, Volume]:
    """The log-Euclidean mean of what the network makes of the tensors' signals and of their cubic B-spline.

    The network is shown the six signals that the tensors predict, all with one intensity scale: of logarithms it takes
    the fine structure for noise. It restores sizes and anisotropies that interpolation loses, and blunts directions;
    half and half, FA, MD and direction are all nearer to the truth than with the spline alone. The six directions stand
    for all: turning the tensors turns the result only nearly, as far as the network is no linear function.
    """
    scale = run.model.card.scale
    logs = log_euclidean.logarithms(volume)
    restored = predicted.logarithms((yield from _enhancing_signals(predicted.signals(logs.series), run, common=1.0)))
    part = logs if run.only is None else logs.slice(run.axis, run.only)
    smooth = refine(part.series, "bspline", scale, run.axis)
    return part.undone(smooth.with_voxels((smooth.voxels + restored.voxels) / 2), run.axis, scale)


def choose_model(model: str | zoo.Model | None, scale: int | None = None, diffusion: bool = False) -> zoo.Model:
    """The loaded model that is meant: by default the blind one of the scale, or the one for diffusion series.

    Raises InputError for a scale that the model, or no installed model, has.
    """
    if model is None:
        scales = sorted({zoo.read_card(path).scale for path in zoo.installed().values()})
        if scale is not None and scale not in scales:
            have = ", ".join(map(str, scales)) or "none, no model is installed"
            raise InputError(f"There is no model for scale {scale}; the installed models have: {have}.")
        model = zoo.default_name(scale or 2, diffusion)
    if isinstance(model, str):
        model = zoo.load(model)
    if scale is not None and scale != model.card.scale:
        raise InputError(
            f"Model '{model.card.name}' has scale {model.card.scale}, not {scale}; "
            f"leave --scale out, or choose a model of scale {scale}."
        )
    return model


def _guide_maker(volume: Volume, card: zoo.Card, sources: list[np.ndarray]) -> Callable[[int], np.ndarray]:
    """What makes the guides of volume i: (guides, n, h, w) float32, each divided by its own range."""
    if not card.guides:
        return lambda index: NO_GUIDES
    rows = guides.weights(volume, card.guides, f"Model '{card.name}'")

    def make(index: int) -> np.ndarray:
        made = guides.combine(sources, rows[index])
        return np.stack([guide / np.float32(data_range(guide)) for guide in made])

    return make


def choose_settings(
    model: zoo.Model, source: np.ndarray, device: str, precision: str, ensemble: bool = False
) -> Settings:
    """Device and precision by capability, then by a timed slice; a batch that fits the device."""
    where = choose_device(device)
    kind = choose_precision(precision, where)
    _, h, w = source.shape
    most = GPU_BATCH_VOXELS if where.type == "cuda" else BATCH_VOXELS
    batch = max(1, most // (h * w * model.card.scale**2))
    settings = Settings(where, kind, batch, 1024 if h * w > TILE_VOXELS else None, ensemble)
    if precision == "auto" and kind != "float32":
        plain = replace(settings, precision="float32")
        settings = min((settings, plain), key=lambda choice: _seconds_a_slice(model, source, choice))
    return settings


def _seconds_a_slice(model: zoo.Model, source: np.ndarray, settings: Settings) -> float:
    """Time the middle slice in these settings, after one run to warm up."""
    network = model.network.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    middle = source[neighbours(len(source) // 2, len(source), model.card.slices)][None]
    middle = np.pad(middle, [(0, 0), (0, len(model.card.guides)), (0, 0), (0, 0)])
    settings = replace(settings, ensemble=False)
    try:
        run_network(network, middle, settings)
        began = time.monotonic()
        run_network(network, middle, settings)
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        return float("inf")
    return time.monotonic() - began


def _restore(
    network: Network,
    card: zoo.Card,
    source: np.ndarray,
    beside: np.ndarray,
    target: np.ndarray,
    spread: np.ndarray | None,
    settings: Settings,
    scale: np.float32,
    only: int | None,
) -> Iterator[tuple[int, str]]:
    """Restore one stack (n, h, w) into `target` (n, s h, s w), batch by batch; yields slices done and a message.

    beside: (guides, n, h, w). spread: as target, for the ensemble's standard deviation. scale: what intensities are
    divided by. only: just this slice, into a target of one.
    """
    done = 0
    while done < len(target):
        # A network may round differently in another batch: one slice is taken out of the batch it always has.
        first = done if only is None else only - only % settings.batch
        kept = slice(None) if only is None else slice(only - first, only - first + 1)
        wanted = np.arange(first, min(first + settings.batch, len(source)))
        windows = source[neighbours(wanted, len(source), card.slices)].astype(np.float32) / scale
        if len(beside):
            windows = np.concatenate([windows, beside[:, wanted].swapaxes(0, 1)], axis=1)
        try:
            if spread is None:
                fine, wide = run_network(network, windows, settings), None
            else:
                fine, wide = run_ensemble(network, windows, settings)
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            settings, message = _smaller(settings, source.shape)
            yield done, message
            continue
        count = len(wanted[kept])
        target[done : done + count] = cast_voxels(fine[kept] * scale, target.dtype)
        if spread is not None and wide is not None:
            spread[done : done + count] = pooled(wide[kept]) * scale
        done += count
        yield done, ""


def run_network(network: Network, coarse: np.ndarray, settings: Settings) -> np.ndarray:
    """Run a batch (n, slices, h, w) float32 -> (n, s h, s w) float32; small slices are padded by reflection."""
    turns = TURNS if settings.ensemble else TURNS[:1]
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


def pooled(spread: np.ndarray) -> np.ndarray:
    """Standard deviations (n, h, w) with their variances averaged over a Gaussian of one voxel in plane."""
    rows, columns = (gaussian_matrix(n, POOL) for n in spread.shape[1:])
    pooled: np.ndarray = np.sqrt(separable.apply(rows, columns, np.square(spread))).astype(np.float32)
    return pooled


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
    """Run a network tile by tile, each seeing `radius` voxels more on every side: the same as running it whole."""
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


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or ("memory" in text and "alloc" in text)


def _smaller(settings: Settings, shape: tuple[int, ...]) -> tuple[Settings, str]:
    """Settings that need half the memory: half the batch, then tiles, each half as large as before."""
    if settings.device.type == "cuda":
        torch.cuda.empty_cache()
    if settings.batch > 1:
        settings = replace(settings, batch=settings.batch // 2)
        return settings, f"out of memory: going on with {settings.batch} slices at a time"
    tile = (settings.tile or max(shape[1:])) // 2
    if tile < 16:
        raise InputError("There is too little memory even for a small tile; close other programs or use --device cpu.")
    return replace(settings, tile=tile), f"out of memory: going on with tiles of {tile} voxels"
