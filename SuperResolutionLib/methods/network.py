"""A network as a method: slices -> batches -> volume, and what was measured put back.

Progress is a generator, so that whoever draws a bar, prints lines or stops in between needs no callback.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import Normalisation, told_noise
from SuperResolutionLib.methods import checks, extracted, measured, through_signals, zoo
from SuperResolutionLib.methods.batches import (
    Network,
    Settings,
    choose_settings,
    interpolated,
    out_of_memory,
    placed,
    run_ensemble,
    run_network,
    smaller,
)
from SuperResolutionLib.methods.in_view import in_view
from SuperResolutionLib.methods.method import Record, Restoration, Runtime
from SuperResolutionLib.physics import agreement, directional_contrast, kernels, recognition
from SuperResolutionLib.physics.shrinking import gaussian_matrix
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels, signal_only

POOL = 1.0  # voxels of the Gaussian over which variances are averaged
Refining: TypeAlias = Callable[[int | None], Generator[Progress, None, Restoration]]
"""What refines a measured matrix, or one slice of it."""
NO_GUIDES = np.empty((0, 1, 1, 1), np.float32)


@dataclass(frozen=True, eq=False)
class NetworkMethod:
    """A loaded model that restores every slice; same field of view, same voxel type.

    put_back: the policy for what was measured (`physics.agreement`); "auto" takes "series" for a diffusion series and a
    model made for these, "recognised" where the model's card can, else "none", the network alone.
    uncertainty: also tell how far the eight flips and quarter turns disagree about each voxel; averages all eight.
    denoise: the share of the scan's noise that stays out, from 0 to 1, where a scan is put back by what its scanner
    shows of each frequency.
    Raises InputError for a policy that does not exist, and for another share.
    """

    model: zoo.Model
    put_back: str = "auto"
    uncertainty: bool = False
    denoise: float = 1.0
    classical = False

    def __post_init__(self) -> None:
        agreement.check_policy(self.put_back)
        if not 0 <= self.denoise <= 1:
            raise InputError(
                f"The share of noise to leave out is {self.denoise:g}; give a number from 0 (none) to 1 (all)."
            )

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.card.name

    def unusual(self, volume: Volume, sampling: Sampling) -> list[str]:
        """What of the scan the model has not seen in training, before any work is done."""
        card, plane = self.model.card, sampling.plane
        return checks.unusual(volume, card, plane) + measured.unusual(volume, card, plane)

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress a restoration has: one for each slice of each volume."""
        return volume.count * volume.size[stacking_axis(volume, sampling.plane)]

    def grids(self, volume: Volume, sampling: Sampling) -> Grids:
        """The grids that are meant, where this network can make them. Raises InputError where it cannot."""
        card = self.model.card
        grids = sampling.usually(card.scale).finer(volume)
        if grids.in_plane != card.scale:
            asked = " x ".join(f"{factor:.4g}" for factor in np.divide(grids.given.spacing, grids.exact))
            raise InputError(
                f"Model '{card.name}' makes slices {card.scale} times finer in plane, and {asked} along x, y, z is "
                "asked for; choose another model or grid, or a classical method, which takes any."
            )
        return grids

    def policy(self, volume: Volume) -> str:
        """How what was measured is put back into this volume. Raises InputError for a policy that does not fit it."""
        card, series = self.model.card, guides.is_diffusion(volume)
        if volume.quantity == TENSOR:
            if self.put_back not in ("auto", "none"):
                raise InputError("Tensors have no k-space to be consistent with; put nothing back.")
            return "none"
        if self.put_back == "auto":
            return "series" if series and card.guides else "recognised" if card.recognition else "none"
        if self.put_back == "series" and not series:
            raise InputError("The scan is no diffusion series; choose another way to put back what was measured.")
        if self.put_back == "recognised" and not card.recognition:
            raise InputError(f"Model '{card.name}' cannot recognise forward models; put back k_space, or none.")
        return self.put_back

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Restore a volume or series, tensors too; everything that can be refused is refused at once.

        A scan that its scanner interpolated is restored from the matrix that it measured (`measured`). No voxel of a
        diffusion series gets lower than its lowest: tensors are fitted to the logarithm of the signal.
        Raises InputError for a grid, policy, device or slice that cannot be used, and for an uncertainty map of
        tensors.
        """
        if self.uncertainty:
            signal_only(volume, "given an uncertainty map")
            runtime = replace(runtime, ensemble=True)
        grids, policy = self.grids(volume, sampling), self.policy(volume)
        card, scan = self.model.card, measured.measured_of(volume, grids.axis)
        odd = checks.unusual(volume, card, sampling.plane) + measured.sentences(card, scan)
        if scan is None or (name := measured.model_for(card, scan)) is None:
            return self._as_it_is(volume, grids, policy, runtime, odd)
        inner = self if name == card.name else replace(self, model=zoo.load(name))
        low = measured.truncated(volume, scan)

        def refining(only: int | None) -> Generator[Progress, None, Restoration]:
            finer = inner.grids(low, measured.refined(low, scan, inner.model.card.scale, only))
            return inner._as_it_is(low, finer, policy, runtime, odd)

        return self._from_measured(volume, grids, refining, refining(grids.only))

    def _as_it_is(
        self, volume: Volume, grids: Grids, policy: str, runtime: Runtime, odd: list[str]
    ) -> Generator[Progress, None, Restoration]:
        """Restore a volume whose matrix counts as measured whole. odd: what is unusual about it, for the record."""
        with runtime.limited():
            settings = choose_settings(self.model, stacks(volume, grids.axis)[0], runtime)
        run = _Run(self.model, grids, settings, placed(self.model.network, settings), self.denoise, tuple(odd))
        return runtime.running(self._restoring(volume, run, policy))

    def _from_measured(
        self, volume: Volume, grids: Grids, refining: Refining, work: Generator[Progress, None, Restoration]
    ) -> Generator[Progress, None, Restoration]:
        """What becomes of a scan's measured matrix, on the wanted grid. work: of `refining`, for what is wanted."""
        made = yield from work
        result = measured.onto(made.volume, volume, grids)
        if made.record.put_back == "recognised":
            self._put_all_back(volume, grids, refining, result)
        spread = made.uncertainty and measured.onto(made.uncertainty, made.uncertainty, grids, "linear")
        notes = list(made.record.notes)
        if made.record.put_back != "k_space":
            notes += extracted.kept_outside(volume, result, spread, grids)
        return Restoration(result, spread, replace(made.record, sampling=grids.record(), notes=tuple(notes)))

    def _put_all_back(self, volume: Volume, grids: Grids, refining: Refining, result: Volume) -> None:
        """What a scan shows beyond its measured matrix, back into the result, in place: k-space may end in a taper.

        Of one slice too it is told by some slices of the volume.
        """
        axis, chosen = grids.axis, recognition.shown(volume.size[grids.axis])
        if grids.only is None:
            looked_at = [target[chosen] for target in stacks(result, axis)]
        else:
            alone = [replace(grids, asked=replace(grids.asked, only=int(k))) for k in chosen]
            others = [measured.onto(finish(refining(one.only)).volume, volume, one) for one in alone]
            looked_at = [np.concatenate(slices) for slices in zip(*(stacks(one, axis) for one in others), strict=True)]
        found = []
        levels = guides.background_levels(volume)
        for source, fine, level in zip(stacks(volume, axis), looked_at, levels, strict=True):
            shown = Normalisation.of(source, level).shown
            found.append(replace(Transfer.between(shown(fine), shown(source[chosen])), denoise=self.denoise))
        agreement.put_back(volume, result, axis, found, "recognised", grids.only)

    def _restoring(self, volume: Volume, run: "_Run", policy: str) -> Generator[Progress, None, Restoration]:
        began = time.monotonic()
        spread = None
        if volume.quantity == TENSOR:
            result = yield from through_signals.tensors(
                volume, run.grids, lambda signals: _signals(signals, run, common=Normalisation())
            )
        else:
            if self.uncertainty:
                spread = replace(run.grids.empty(volume, np.float32), gradients=None)
                if spread.header is not None:
                    spread = replace(spread, header=spread.header.of_a_map(series=volume.voxels.ndim == 4))
            result = yield from _signals(volume, run, spread=spread)
        names = yield from _putting_back(volume, run, result, policy)
        if guides.is_diffusion(volume):
            np.maximum(result.voxels, volume.voxels.min(), out=result.voxels)
        # asked for the scan's own k-space, all of it is kept, and that rings past a mask
        if volume.quantity != TENSOR and policy != "k_space":
            run.notes.extend(extracted.kept_outside(volume, result, spread, run.grids))
        card, settings = self.model.card, run.settings
        record = Record(
            method=card.name,
            model_sha256=card.sha256,
            sampling=run.grids.record(),
            put_back=policy,
            recognised=tuple(names),
            turns=settings.turns,
            device=str(settings.device),
            precision=settings.precision,
            seconds=time.monotonic() - began,
            unusual=run.unusual,
            notes=(*guides.lacking(volume), *run.notes),
        )
        return Restoration(result, spread, record)


@dataclass(frozen=True, eq=False)
class _Run:
    """What is run, onto which grid, and how; notes are what happened meanwhile, in words.

    network: the model's, where it runs. denoise: as of `NetworkMethod`. unusual: what is unusual about the scan.
    """

    model: zoo.Model
    grids: Grids
    settings: Settings
    network: Network
    denoise: float = 1.0
    unusual: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def _putting_back(
    volume: Volume, run: _Run, result: Volume, policy: str
) -> Generator[Progress, None, list[str | None]]:
    """What was measured, back into the result, in place; returns the forward models that were found."""
    axis, only = run.grids.axis, run.grids.only
    if policy == "recognised":
        return (yield from _recognising(volume, run, result))
    names: list[str | None] = []
    if policy == "series" or (policy == "k_space" and guides.is_diffusion(volume) and run.model.card.guides):
        names = agreement.put_back_series(volume, result, axis, only)
    if policy == "series":
        found = directional_contrast.keep_contrast(volume, result, axis, names, only, run.denoise)
        run.notes.extend(filter(None, [directional_contrast.in_words(found)]))
    if policy == "k_space":
        names = ["k_space"] * volume.count
        agreement.put_back(volume, result, axis, names, policy, only)
    return names


def _recognising(volume: Volume, run: _Run, result: Volume) -> Generator[Progress, None, list[str | None]]:
    """Recognise each 3-D volume by the errors that the network leaves, and put what was measured back.

    Of one slice too the model is that of the whole volume, so some others are restored to see it.
    """
    began, axis, only = time.monotonic(), run.grids.axis, run.grids.only
    recogniser = recognition.Recogniser.of(run.model.card.recognition)
    sources, targets = stacks(volume, axis), stacks(result, axis)
    chosen = recognition.shown(len(sources[0]))
    looked_at = [target[chosen] for target in targets] if only is None else _some(volume, run, chosen, targets)
    found: list[str | Transfer | None] = []
    for source, fine, level in zip(sources, looked_at, guides.background_levels(volume), strict=True):
        scan = Normalisation.of(source, level)
        model = recognised(recogniser, scan.shown(fine), scan.shown(source[chosen]))
        found.append(replace(model, denoise=run.denoise) if isinstance(model, Transfer) else model)
    agreement.put_back(volume, result, axis, found, "recognised", only)
    names = [recognition.name_of(model) for model in found]
    run.notes.append(_verdict(names))
    done = sum(len(target) for target in targets)
    yield Progress(done, done, time.monotonic() - began, run.notes[-1])
    return names


def _some(volume: Volume, run: _Run, chosen: np.ndarray, like: list[np.ndarray]) -> list[np.ndarray]:
    """Some slices of each 3-D volume, each batch that holds any of them restored once; in the form and type of `like`.

    chosen: ascending.
    """
    found = [np.empty((len(chosen), *one.shape[1:]), one.dtype) for one in like]
    for stack, target in zip(_stacks(volume, run), found, strict=True):
        for _done, _message in _restore(run, stack, target, None, chosen.tolist()):
            pass
    return found


def recognised(recogniser: recognition.Recogniser, fine: np.ndarray, coarse: np.ndarray) -> str | Transfer | None:
    """The forward model of slices: by name, or of a scanner that has none what it shows of each frequency.

    fine (n, H, W): what a network made of coarse (n, h, w), range 1. None for slices that seem to be shrunk in the
    image, but by no model that is known.
    """
    name = recogniser.model_of(fine, coarse)
    if name is not None:
        return name
    transfer = Transfer.between(fine, coarse)
    return transfer if transfer.agreement(fine, coarse) >= recognition.nearest_resized(fine, coarse) else None


def _verdict(names: list[str | None]) -> str:
    """What was recognised, in words."""
    known = sorted({name for name in names if name is not None})
    if not known:
        return "forward model: not recognised, the network's result is left as it is"
    if known == [recognition.SCANNER]:
        return "forward model: a scanner's; what it shows of each frequency is put back, as far as noise allows"
    return f"forward model: {', '.join(known)}; what the scan measured is put back"


def _signals(
    volume: Volume, run: _Run, common: Normalisation | None = None, spread: Volume | None = None
) -> Generator[Progress, None, Volume]:
    """Each 3-D volume from the level of all and by its own unit, or by `common` ones; fills `spread` where given."""
    axis, card, only = run.grids.axis, run.model.card, run.grids.only
    slices = None if only is None else [only]
    result = run.grids.empty(volume)
    given = _stacks(volume, run, common)
    targets = stacks(result, axis)
    spreads = stacks(spread, axis) if spread is not None else [None] * len(targets)
    total = sum(len(target) for target in targets)
    began, finished = time.monotonic(), 0
    yield Progress(0, total, 0.0, f"{card.name} on {run.settings.device} in {run.settings.precision}")
    for stack, target, wide in zip(given, targets, spreads, strict=True):
        for done, message in _restore(run, stack, target, wide, slices):
            yield Progress(finished + done, total, time.monotonic() - began, message)
        finished += len(target)
    return result


def _stacks(volume: Volume, run: _Run, common: Normalisation | None = None) -> Iterator["_Stack"]:
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
    run: _Run, stack: _Stack, target: np.ndarray, spread: np.ndarray | None, slices: list[int] | None
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


def _made(run: _Run, stack: _Stack, wanted: np.ndarray, with_spread: bool) -> tuple[np.ndarray, np.ndarray | None]:
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
