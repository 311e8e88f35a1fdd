"""Slices -> batches -> volume: runs a model over a volume and tells how far it is.

Progress is a generator, so that whoever draws a bar, prints lines or stops in between needs no callback.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from SuperResolutionLib.diffusion import guides, log_euclidean, tensor_signals
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import empty_like, single_slice, stacking_axis, stacks
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.batches import (
    Network,
    Settings,
    choose_settings,
    out_of_memory,
    run_ensemble,
    run_network,
    smaller,
)
from SuperResolutionLib.methods.classical import refine
from SuperResolutionLib.physics import kernels, recognition
from SuperResolutionLib.physics.agreement import consistent as make_consistent
from SuperResolutionLib.physics.series_agreement import restore_jointly
from SuperResolutionLib.physics.shrinking import gaussian_matrix
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels, signal_only

POOL = 1.0  # voxels of the Gaussian over which variances are averaged
NO_GUIDES = np.empty((0, 1, 1, 1), np.float32)


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
    run = _Run(model, axis, _settings(model, volume, axis, device, precision, True), only)
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
    run = _Run(model, axis, _settings(model, volume, axis, device, precision, ensemble), only)
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
    settings: Settings
    only: int | None


def _settings(model: zoo.Model, volume: Volume, axis: int, device: str, precision: str, ensemble: bool) -> Settings:
    """What suits the machine and the volume's slices."""
    return choose_settings(model, stacks(volume, axis)[0], device, precision, ensemble)


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
    settings = run.settings
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
    restored = tensor_signals.logarithms(
        (yield from _enhancing_signals(tensor_signals.signals(logs.series), run, common=1.0))
    )
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
            if not out_of_memory(error):
                raise
            settings, message = smaller(settings, source.shape)
            yield done, message
            continue
        count = len(wanted[kept])
        target[done : done + count] = cast_voxels(fine[kept] * scale, target.dtype)
        if spread is not None and wide is not None:
            spread[done : done + count] = pooled(wide[kept]) * scale
        done += count
        yield done, ""


def pooled(spread: np.ndarray) -> np.ndarray:
    """Standard deviations (n, h, w) with their variances averaged over a Gaussian of one voxel in plane."""
    rows, columns = (gaussian_matrix(n, POOL) for n in spread.shape[1:])
    pooled: np.ndarray = np.sqrt(kernels.apply(rows, columns, np.square(spread))).astype(np.float32)
    return pooled
