"""Two methods one after the other: first a finer plane, then thin slices.

The plane first: what a scanner did to it shows in the slices as they were measured, and can be put back there. The
other way round was 0.27 to 0.44 dB worse (docs/thick.md).
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import anatomical_plane
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods.method import Method, Network, Record, Restoration, Runtime
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.volume import Volume


@dataclass(frozen=True, eq=False)
class Chain:
    """`plane` refines the plane, `through` makes the slices thin of what comes of it."""

    plane: Method
    through: Method
    classical = False

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.plane.name} + {self.through.name}"

    def unusual(self, volume: Volume, sampling: Sampling) -> list[str]:
        """What of the scan either has not seen in training."""
        found = [f for method in (self.plane, self.through) for f in _unusual(method, volume, sampling)]
        return list(dict.fromkeys(found))

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress a restoration has, as far as can be told before."""
        first, second = _two(volume, sampling.finer(volume))
        return self.plane.steps(volume, first) + self.through.steps(_between(volume, first), second)

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Restore by both. Raises InputError as each of them does, and for an uncertainty map."""
        if any(getattr(method, "uncertainty", False) for method in (self.plane, self.through)):
            raise InputError(
                "An uncertainty map tells of thin slices or of a finer plane, not of both at once; refine the "
                "plane first, and make the slices of the result thin."
            )
        grids = sampling.finer(volume)
        first, second = _two(volume, grids)
        if (resolved := getattr(self.through, "grids", None)) is not None:
            resolved(_between(volume, first), second)  # which refuses what it cannot make
        work = self.plane.restore(volume, first, runtime)
        return self._restoring(volume, grids, second, runtime, work)

    def _restoring(
        self,
        volume: Volume,
        grids: Grids,
        second: Sampling,
        runtime: Runtime,
        work: Generator[Progress, None, Restoration],
    ) -> Generator[Progress, None, Restoration]:
        began, total = time.monotonic(), self.steps(volume, grids.asked)
        done = self.plane.steps(volume, _two(volume, grids)[0])
        finer = yield from within(work, 0, total, began, self._expected(volume, grids, runtime))
        thin = yield from within(self.through.restore(finer.volume, second, runtime), done, total, began)
        return Restoration(thin.volume, None, _joined(finer.record, thin.record, grids))

    def _expected(self, volume: Volume, grids: Grids, runtime: Runtime) -> float | None:
        """About how many seconds both methods take; None for a short time."""
        between = _two(volume, grids)[0].finer(volume).wanted
        given = (self.plane, grids.given), (self.through, between)
        networks = [(method, prod(grid.size)) for method, grid in given if isinstance(method, Network)]
        return sum(one.expected(volume.count * voxels, runtime) for one, voxels in networks) or None


def _unusual(method: Method, volume: Volume, sampling: Sampling) -> list[str]:
    look = getattr(method, "unusual", None)
    return [] if look is None else look(volume, sampling)


def _two(volume: Volume, grids: Grids) -> tuple[Sampling, Sampling]:
    """What the first method is asked for, and the second, in the same plane whichever voxels become the largest."""
    pairs = zip(grids.given.spacing, grids.wanted.spacing, strict=True)
    x, y, z = (old if k == grids.axis else new for k, (old, new) in enumerate(pairs))
    plane = anatomical_plane(volume, grids.asked.plane)
    first = Sampling(spacing=(x, y, z), plane=plane, allow_coarser=grids.asked.allow_coarser)
    return first, Sampling(spacing=grids.wanted.spacing, plane=plane, only=grids.only)


def _between(volume: Volume, first: Sampling) -> Volume:
    """An empty volume on the grid that the first method makes."""
    return first.finer(volume).empty(volume, np.uint8)


def _joined(first: Record, second: Record, grids: Grids) -> Record:
    """One record of both."""
    hashes = [record.model_sha256 for record in (first, second) if record.model_sha256]
    return replace(
        second,
        method=f"{first.method} + {second.method}",
        model_sha256=" + ".join(hashes) or None,
        sampling=grids.record(),
        put_back=" + ".join(dict.fromkeys([first.put_back, second.put_back])),
        turns=max(first.turns, second.turns),
        device=first.device or second.device,
        precision=first.precision or second.precision,
        seconds=first.seconds + second.seconds,
        unusual=tuple(dict.fromkeys([*first.unusual, *second.unusual])),
        notes=(*first.notes, *second.notes),
    )
