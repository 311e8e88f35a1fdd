"""A network that makes thin slices of thick ones, as a method: any spacing to any finer one, the plane as it is."""

import copy
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from torch import nn

from SuperResolutionLib.diffusion import tensor_signals
from SuperResolutionLib.diffusion.guides import background_levels, is_diffusion
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import Normalisation
from SuperResolutionLib.methods import checks, extracted, forecast, through_signals, zoo
from SuperResolutionLib.methods.devices import Where, choose_device, choose_precision
from SuperResolutionLib.methods.in_view import in_view
from SuperResolutionLib.methods.method import Record, Restoration, Runtime
from SuperResolutionLib.methods.thick_slices import TURNS, Turn, restoring_volume
from SuperResolutionLib.methods.thickness import believed
from SuperResolutionLib.networks.through_plane import Scene
from SuperResolutionLib.physics import agreement
from SuperResolutionLib.physics.interpolating import bspline, positions
from SuperResolutionLib.physics.kernels import apply_through
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels, signal_only

POLICIES = ("auto", "none", "slices")


@dataclass(frozen=True, eq=False)
class ThinSlices:
    """A loaded model for thick slices; same field of view, same voxel type.

    put_back: "slices" moves the result softly to where its slices, by the thickness that the scan states, are those of
    the scan; "auto" and "none" leave the network alone, for where a header is wrong the network does better.
    uncertainty: also tell how far eight turns and mirror images disagree about each voxel.
    Raises InputError for a policy that does not exist.
    """

    model: zoo.Model
    put_back: str = "auto"
    uncertainty: bool = False
    classical = False

    def __post_init__(self) -> None:
        if self.put_back not in POLICIES:
            raise unknown("way to put back what thick slices measured", str(self.put_back), POLICIES)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.card.name

    def unusual(self, volume: Volume, sampling: Sampling) -> list[str]:
        """What of the scan the model has not seen in training, before any work is done."""
        return checks.unusual(volume, self.model.card, sampling.plane)

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress a restoration has, for two turns: one for each reformat of each volume."""
        return volume.count * _reformats(volume, self.grids(volume, sampling).axis, TURNS[:2])

    def expected(self, voxels: float, runtime: Runtime) -> float:
        """About how many seconds the network takes for so many voxels of any volumes, where none is air; 0: few."""
        return forecast.expected(self.model.card.parameters, voxels, len(self._turns(runtime)), runtime)

    def _turns(self, runtime: Runtime) -> tuple[Turn, ...]:
        """The ways in which a stack is looked at."""
        everything = self.uncertainty or runtime.ensemble is True
        return TURNS if everything else TURNS[:1] if runtime.ensemble is False else TURNS[:2]

    def grids(self, volume: Volume, sampling: Sampling) -> Grids:
        """The grids that are meant, of cubic voxels where none is asked for. Raises InputError for others."""
        grids = (sampling if sampling.asked else replace(sampling, isotropic=True)).finer(volume)
        others = [grids.factors[k] for k in range(3) if k != grids.axis]
        if grids.factors[grids.axis] <= 1 or others != [1, 1]:
            asked = " x ".join(f"{factor:.4g}" for factor in grids.factors)
            raise InputError(
                f"Model '{self.name}' makes thin slices of thick ones and leaves the plane as it is, and a grid "
                f"{asked} times as fine along x, y, z is asked for; choose another model or grid."
            )
        return grids

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Restore a volume or series, tensors too; everything that can be refused is refused at once.

        Raises InputError for a grid, thickness, device or slice that cannot be used, and for an uncertainty map of
        tensors.
        """
        if self.uncertainty:
            signal_only(volume, "given an uncertainty map")
        grids = self.grids(volume, sampling)
        slices, note = believed(volume, grids)
        device = choose_device(runtime.device)
        where = Where(device, choose_precision(runtime.precision, device))
        turns = self._turns(runtime)
        network = copy.deepcopy(self.model.network).to(device)
        expected = self.expected(volume.voxels.size, runtime) or None
        return runtime.running(self._restoring(volume, _Run(network, grids, slices, where, turns, expected, [note])))

    def _restoring(self, volume: Volume, run: "_Run") -> Generator[Progress, None, Restoration]:
        began, spread = time.monotonic(), None
        where = f"{self.name} on {run.where.device} in {run.where.precision}"
        yield Progress(0, run.total(volume), 0.0, where, expected=run.expected)
        if volume.quantity == TENSOR:
            result = yield from through_signals.tensors(
                volume, run.grids, lambda signals: _signals(signals, run, common=Normalisation())
            )
        else:
            if self.uncertainty:
                spread = replace(run.grids.empty(volume, np.float32), gradients=None)
            result = yield from _signals(volume, run, spread)
            if self.put_back == "slices":
                agreement.put_back_slices(volume, result, run.grids, run.slices)
            run.notes.extend(extracted.kept_outside(volume, result, spread, run.grids))
        if is_diffusion(volume):
            np.maximum(result.voxels, volume.voxels.min(), out=result.voxels)
        record = Record(
            method=self.name,
            model_sha256=self.model.card.sha256,
            sampling=run.grids.record(),
            put_back=self.put_back if self.put_back == "slices" else "none",
            turns=len(run.turns),
            device=str(run.where.device),
            precision=run.where.precision,
            seconds=time.monotonic() - began,
            unusual=tuple(self.unusual(volume, run.grids.asked)),
            notes=tuple(run.notes),
        )
        return Restoration(result, spread, record)


@dataclass(frozen=True, eq=False)
class _Run:
    """What is run, onto which grid, of which slices, and how; notes are what happened meanwhile, in words.

    expected: about how many seconds it will take, None for a short time.
    """

    network: nn.Module
    grids: Grids
    slices: Slices
    where: Where
    turns: tuple[Turn, ...]
    expected: float | None = None
    notes: list[str] = field(default_factory=list)

    def total(self, volume: Volume) -> int:
        """Steps of progress."""
        count = len(tensor_signals.DIRECTIONS) if volume.quantity == TENSOR else volume.count
        return count * _reformats(volume, self.grids.axis, self.turns)

    def scene(self) -> Scene:
        """The lengths that the network is told."""
        grids = self.grids
        beside, pixel = (grids.given.spacing[k] for k in (2, 1, 0) if k != grids.axis)
        return Scene(self.slices.spacing, self.slices.thickness, grids.wanted.spacing[grids.axis], pixel, beside)


def _reformats(volume: Volume, axis: int, turns: tuple[Turn, ...]) -> int:
    height, width = (volume.size[k] for k in (2, 1, 0) if k != axis)
    return sum(width if turn.across else height for turn in turns)


def _signals(
    volume: Volume, run: _Run, spread: Volume | None = None, common: Normalisation | None = None
) -> Generator[Progress, None, Volume]:
    """Each 3-D volume from the level of all and by its own unit, or by `common` ones; fills `spread` where given."""
    grids, began, done = run.grids, time.monotonic(), 0
    result = grids.empty(volume)
    sources, targets = stacks(volume, grids.axis), stacks(result, grids.axis)
    spreads = stacks(spread, grids.axis) if spread is not None else [None] * len(targets)
    total = len(sources) * _reformats(volume, grids.axis, run.turns)
    kept = slice(None) if grids.only is None else slice(grids.only, grids.only + 1)
    rows = grids.wanted.size[grids.axis]

    def told(reformats: int) -> Progress:
        nonlocal done
        done += reformats
        return Progress(done, total, time.monotonic() - began)

    levels = background_levels(volume)
    for source, target, wide, level in zip(sources, targets, spreads, levels, strict=True):
        scan = common or Normalisation.of(source, level)
        fine, deviation = yield from mapped(_thin(run, scan.shown(source), rows), told)
        target[...] = cast_voxels(scan.undone(fine[kept]), target.dtype)
        if wide is not None:
            wide[...] = deviation[kept] * np.float32(scan.unit)
    return result


def _thin(run: _Run, thick: np.ndarray, rows: int) -> Generator[int, None, tuple[np.ndarray, np.ndarray]]:
    """A stack (slices, height, width), as networks see it, on `rows` rows, and how far its turns disagree.

    Where there is only air it is a cubic B-spline. Yields how many reformats are done, those of the air first.
    """
    scene = run.scene()
    height, width = in_view(thick)
    seen = thick[:, height, width]
    yield sum(thick.shape[2 if turn.across else 1] - seen.shape[2 if turn.across else 1] for turn in run.turns)
    fine, deviation = yield from restoring_volume(run.network, seen, rows, scene, run.turns, run.where)  # type: ignore[arg-type]
    if seen.shape == thick.shape:
        return fine, deviation
    spline = bspline(len(thick), positions(rows, scene.wanted, scene.spacing)).astype(np.float32)
    whole = apply_through(spline, thick)
    whole[:, height, width] = fine
    around = np.zeros_like(whole) if len(deviation) else deviation
    if len(deviation):
        around[:, height, width] = deviation
    return whole, around
