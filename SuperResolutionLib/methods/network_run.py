"""A network over a volume: guides beside slices, slices with their neighbours, batches, air interpolated.

Progress is a generator, so that whoever draws a bar, prints lines or stops in between needs no callback.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.intensity import Normalisation, background_level, told_noise
from SuperResolutionLib.methods import forecast, zoo
from SuperResolutionLib.methods.batches import (
    Network,
    Settings,
    interpolated,
    out_of_memory,
    run_ensemble,
    run_network,
    smaller,
)
from SuperResolutionLib.methods.in_view import in_view
from SuperResolutionLib.physics import kernels
from SuperResolutionLib.physics.shrinking import gaussian_matrix
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.progress import Progress
from SuperResolutionLib.volume import Volume, cast_voxels

EVERY = 8  # slices one is looked at, to tell how much of them is air
POOL = 1.0  # voxels of the Gaussian over which variances are averaged
NO_GUIDES = np.empty((0, 1, 1, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Run:
    """What is run, onto which grid, and how; notes are what happened meanwhile, in words.

    network: the model's, where it runs. denoise: as of `NetworkMethod`. unusual: what is unusual about the scan.
    found: the forward model of each 3-D volume; empty until somebody has looked.
    """

    model: zoo.Model
    grids: Grids
    settings: Settings
    network: Network
    denoise: float = 1.0
    unusual: tuple[str, ...] = ()
    found: list[str | Transfer | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def signals(
    volume: Volume, run: Run, common: Normalisation | None = None, spread: Volume | None = None
) -> Generator[Progress, None, Volume]:
    """What the network makes of each 3-D volume, from the level of all and by its own unit, or by `common` ones.

    volume: the scan. run: with what, and onto which grid. spread: filled with how far the turns disagree, where given.
    """
    axis, card, only = run.grids.axis, run.model.card, run.grids.only
    slices = None if only is None else [only]
    result = run.grids.empty(volume)
    given = _stacks(volume, run, common)
    targets = stacks(result, axis)
    spreads = stacks(spread, axis) if spread is not None else [None] * len(targets)
    total = sum(len(target) for target in targets)
    began, finished = time.monotonic(), 0
    where = f"{card.name} on {run.settings.device} in {run.settings.precision}"
    yield Progress(0, total, 0.0, where, expected=None if only is not None else _expected(volume, run))
    for stack, target, wide in zip(given, targets, spreads, strict=True):
        for done, message in _restore(run, stack, target, wide, slices):
            yield Progress(finished + done, total, time.monotonic() - began, message)
        finished += len(target)
    return result


def _expected(volume: Volume, run: Run) -> float | None:
    """About how many seconds the network will take for a whole volume or series, of which air is not restored."""
    some = stacks(volume, run.grids.axis)[0][::EVERY]
    rows, columns = in_view(Normalisation.of(some, background_level(some)).shown(some))
    seen = some[0, rows, columns].size / some[0].size
    work = forecast.multiply_adds(run.model.card.parameters, seen * volume.voxels.size, run.settings.turns)
    return forecast.seconds(work, run.settings.device, run.settings.precision)


def some_slices(volume: Volume, run: Run, chosen: np.ndarray, like: list[np.ndarray]) -> list[np.ndarray]:
    """Some slices of each 3-D volume, each batch that holds any of them restored once; in the form and type of `like`.

    volume: the scan. run: with what, and onto which grid. chosen: the slices, ascending.
    """
    found = [np.empty((len(chosen), *one.shape[1:]), one.dtype) for one in like]
    for stack, target in zip(_stacks(volume, run), found, strict=True):
        for _done, _message in _restore(run, stack, target, None, chosen.tolist()):
            pass
    return found


def _stacks(volume: Volume, run: Run, common: Normalisation | None = None) -> Iterator["_Stack"]:
    """What the network is given of each 3-D volume: whole even for one slice, whose neighbours and range it needs."""
    card, levels = run.model.card, guides.background_levels(volume)
    sources = stacks(volume, run.grids.axis)
    beside = _guide_maker(volume, card, sources, levels[0])

    def make(index: int) -> _Stack:
        source = sources[index]
        intensities = common or Normalisation.of(source, levels[index])
        noise = told_noise(intensities.shown(source)) if card.told_noise else None
        return _Stack(source, beside(index), intensities, noise)

    return map(make, range(len(sources)))


def _guide_maker(
    volume: Volume, card: zoo.Card, sources: list[np.ndarray], level: float
) -> Callable[[int], np.ndarray]:
    """What makes the guides of volume i: (guides, n, h, w) float32, each by its own unit."""
    if not card.guides:
        return lambda index: NO_GUIDES
    rows = guides.weights(volume, card.guides, f"Model '{card.name}'")
    series = Normalisation(level)

    def make(index: int) -> np.ndarray:
        made = guides.combine((series.above(source) for source in sources), rows[index])
        return np.stack([Normalisation.of(guide, 0).shown(guide) for guide in made])

    return make


@dataclass(frozen=True, eq=False)
class _Stack:
    """What a network is given of one 3-D volume: (n, h, w), its guides (guides, n, h, w) as shown, its intensities.

    noise: what it is told of the volume's noise, None for a network that is not.
    """

    source: np.ndarray
    beside: np.ndarray
    intensities: Normalisation
    noise: float | None = None

    def windows(self, wanted: np.ndarray, channels: int) -> np.ndarray:
        """Slices with their neighbours, guides and noise: (len(wanted), channels + beside, h, w) float32."""
        source = self.source
        windows = self.intensities.shown(source[neighbours(wanted, len(source), channels)]).astype(np.float32)
        if len(self.beside):
            windows = np.concatenate([windows, self.beside[:, wanted].swapaxes(0, 1)], axis=1)
        if self.noise is not None:
            windows = np.pad(windows, [(0, 0), (0, 1), (0, 0), (0, 0)], constant_values=self.noise)
        return windows


def _restore(
    run: Run, stack: _Stack, target: np.ndarray, spread: np.ndarray | None, slices: list[int] | None
) -> Iterator[tuple[int, str]]:
    """Restore one stack into `target` (n, s h, s w), batch by batch; yields slices done and a message.

    spread: as target, for the ensemble's standard deviation. slices: those that target has, ascending; None for all.
    """
    done, places = 0, range(len(stack.source)) if slices is None else slices
    while done < len(target):
        # A network may round differently in another batch: a slice is taken out of the batch it always has.
        first = done if slices is None else slices[done] - slices[done] % run.settings.batch
        wanted = np.arange(first, min(first + run.settings.batch, len(stack.source)))
        kept = [k - first for k in places[done:] if k <= wanted[-1]]
        try:
            fine, wide = _made(run, stack, wanted, spread is not None)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            settings, message = smaller(run.settings, stack.source.shape)
            run = replace(run, settings=settings)
            run.notes.append(message)
            yield done, message
            continue
        count = len(kept)
        target[done : done + count] = cast_voxels(stack.intensities.undone(fine[kept]), target.dtype)
        if spread is not None and wide is not None:
            spread[done : done + count] = pooled(wide[kept]) * np.float32(stack.intensities.unit)
        done += count
        yield done, ""


def _made(run: Run, stack: _Stack, wanted: np.ndarray, with_spread: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """What the network makes of a batch of slices, (n, s h, s w), and how far its turns disagree; air interpolated."""
    windows = stack.windows(wanted, run.model.card.slices)
    middle = windows[:, run.model.card.slices // 2]
    rows, columns = in_view(middle)
    seen, wide = windows[:, :, rows, columns], None
    if with_spread:
        fine, wide = run_ensemble(run.network, seen, run.settings)
    else:
        fine = run_network(run.network, seen, run.settings)
    if seen.shape == windows.shape:
        return fine, wide
    scale = run.model.card.scale
    where = (slice(None), *(slice(scale * part.start, scale * part.stop) for part in (rows, columns)))
    whole = interpolated(middle, scale)
    whole[where] = fine
    if wide is not None:
        around = np.zeros_like(whole)
        around[where] = wide
        wide = around
    return whole, wide


def pooled(spread: np.ndarray) -> np.ndarray:
    """Standard deviations (n, h, w) with their variances averaged over a Gaussian of one voxel in plane."""
    rows, columns = (gaussian_matrix(n, POOL) for n in spread.shape[1:])
    pooled: np.ndarray = np.sqrt(kernels.apply(rows, columns, np.square(spread))).astype(np.float32)
    return pooled
