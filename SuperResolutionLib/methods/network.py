"""A network as a method: what it can make, its run over a volume, and what was measured put back."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import Normalisation
from SuperResolutionLib.methods import checks, extracted, forecast, measured, through_signals, zoo
from SuperResolutionLib.methods.batches import choose_settings, placed, turns_of
from SuperResolutionLib.methods.method import Record, Restoration, Runtime
from SuperResolutionLib.methods.network_run import Run, signals, some_slices
from SuperResolutionLib.physics import agreement, directional_contrast, recognition
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.volume import TENSOR, Volume, signal_only

Found = TypeVar("Found")
Refining: TypeAlias = Callable[[int | None], Generator[Progress, None, Restoration]]
"""What refines a measured matrix, or one slice of it."""


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

    def expected(self, voxels: float, runtime: Runtime) -> float:
        """About how many seconds the network takes for so many voxels of any volumes, where none is air; 0: few."""
        return forecast.expected(self.model.card.parameters, voxels, turns_of(self.model.card, runtime), runtime)

    def policy(self, volume: Volume) -> str:
        """How what was measured is put back into this volume. Raises InputError for a policy that does not fit it."""
        card, series = self.model.card, guides.is_diffusion(volume)
        if volume.quantity == TENSOR:
            if self.put_back not in ("auto", "none"):
                raise InputError("Tensors have no k-space to be consistent with; put nothing back.")
            return "none"
        if self.put_back == "auto":
            if series and denoised(volume):
                return "none"
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
            return runtime.running(self._restoring(volume, self._run(volume, grids, runtime, odd), policy))
        inner = self if name == card.name else replace(self, model=zoo.load(name))
        low, found = measured.truncated(volume, scan), list[str | Transfer | None]()

        def refining(only: int | None) -> Generator[Progress, None, Restoration]:
            finer = inner.grids(low, measured.refined(low, scan, inner.model.card.scale, only))
            run = replace(inner._run(low, finer, runtime, odd), found=found)  # which the first slice tells the others
            return runtime.running(inner._restoring(low, run, policy))

        return self._from_measured(volume, grids, refining, refining(grids.only))

    def _run(self, volume: Volume, grids: Grids, runtime: Runtime, odd: list[str]) -> Run:
        """The network, ready to restore a volume. odd: what is unusual about it, for the record."""
        with runtime.limited():
            settings = choose_settings(self.model, stacks(volume, grids.axis)[0], runtime)
        return Run(self.model, grids, settings, placed(self.model.network, settings), self.denoise, tuple(odd))

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

    def _restoring(self, volume: Volume, run: Run, policy: str) -> Generator[Progress, None, Restoration]:
        began = time.monotonic()
        spread = None
        if volume.quantity == TENSOR:
            result = yield from through_signals.tensors(
                volume, run.grids, lambda series: signals(series, run, common=Normalisation())
            )
        else:
            if self.uncertainty:
                spread = replace(run.grids.empty(volume, np.float32), gradients=None)
                if spread.header is not None:
                    spread = replace(spread, header=spread.header.of_a_map(series=volume.voxels.ndim == 4))
            result = yield from signals(volume, run, spread=spread)
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
            notes=(*guides.lacking(volume), *_unmeasured(volume, policy), *run.notes),
        )
        return Restoration(result, spread, record)


def denoised(volume: Volume) -> str:
    """What shows that the noise of a series was taken out; "" where nothing does.

    What is left lies near to forward models that did not make it; put back, it made errors larger (docs/diffusion.md).
    """
    return "" if volume.header is None else volume.header.denoised


def _unmeasured(volume: Volume, policy: str) -> list[str]:
    if policy != "none" or not denoised(volume):
        return []
    return [f"the noise of the series was taken out before ({denoised(volume)}), so nothing of it was put back"]


def _putting_back(volume: Volume, run: Run, result: Volume, policy: str) -> Generator[Progress, None, list[str | None]]:
    """What was measured, back into the result, in place; returns the forward models that were found."""
    axis, only = run.grids.axis, run.grids.only
    if policy == "recognised":
        return (yield from _recognising(volume, run, result))
    names: list[str | None] = []
    if policy == "series" or (policy == "k_space" and guides.is_diffusion(volume) and run.model.card.guides):
        names = yield from _told(agreement.putting_back_series(volume, result, axis, only), result, axis)
    if policy == "series":
        work = directional_contrast.keeping_contrast(volume, result, axis, names, only, run.denoise)
        found = yield from _told(work, result, axis)
        if words := directional_contrast.in_words(found):
            run.notes.append(words)
    if policy == "k_space":
        names = ["k_space"] * volume.count
        agreement.put_back(volume, result, axis, names, policy, only)
    return names


def _told(work: Iterator[Found], result: Volume, axis: int) -> Generator[Progress, None, list[Found]]:
    """What work on each slice position of a restored series finds; it can be stopped between them."""
    began, found = time.monotonic(), list[Found]()
    total = sum(len(target) for target in stacks(result, axis))
    for one in work:
        found.append(one)
        yield Progress(total, total, time.monotonic() - began)
    return found


def _recognising(volume: Volume, run: Run, result: Volume) -> Generator[Progress, None, list[str | None]]:
    """Put what was measured back into each 3-D volume, by the forward model that is recognised."""
    began, axis = time.monotonic(), run.grids.axis
    if not run.found:
        run.found.extend(_found(volume, run, result))
    agreement.put_back(volume, result, axis, run.found, "recognised", run.grids.only)
    names = [recognition.name_of(model) for model in run.found]
    run.notes.append(_verdict(names))
    done = sum(len(target) for target in stacks(result, axis))
    yield Progress(done, done, time.monotonic() - began, run.notes[-1])
    return names


def _found(volume: Volume, run: Run, result: Volume) -> Iterator[str | Transfer | None]:
    """The forward model of each 3-D volume, by the errors that the network leaves.

    Of one slice too the model is that of the whole volume, so some others are restored to see it.
    """
    axis, recogniser = run.grids.axis, recognition.Recogniser.of(run.model.card.recognition)
    sources, targets = stacks(volume, axis), stacks(result, axis)
    chosen = recognition.shown(len(sources[0]))
    alone = run.grids.only is not None
    looked_at = some_slices(volume, run, chosen, targets) if alone else [target[chosen] for target in targets]
    for source, fine, level in zip(sources, looked_at, guides.background_levels(volume), strict=True):
        scan = Normalisation.of(source, level)
        model = recognised(recogniser, scan.shown(fine), scan.shown(source[chosen]))
        yield replace(model, denoise=run.denoise) if isinstance(model, Transfer) else model


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
