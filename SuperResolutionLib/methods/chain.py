"""Two methods one after the other: first thin slices, then a finer plane."""

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import anatomical_plane
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods.method import Method, Record, Restoration, Runtime
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.volume import Volume


@dataclass(frozen=True, eq=False)
class Chain:
    """`through` makes the slices thin, `plane` refines the plane of what comes of it."""

    through: Method
    plane: Method
    classical = False

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.through.name} + {self.plane.name}"

    def unusual(self, volume: Volume, sampling: Sampling) -> list[str]:
        """What of the scan either has not seen in training."""
        found = [f for method in (self.through, self.plane) for f in _unusual(method, volume, sampling)]
        return list(dict.fromkeys(found))

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress a restoration has, as far as can be told before."""
        first, second = _two(volume, sampling.finer(volume))
        thin = first.finer(volume).empty(volume, np.uint8)
        return self.through.steps(volume, first) + self.plane.steps(thin, second)

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Restore by both. Raises InputError as each of them does, and for an uncertainty map."""
        if any(getattr(method, "uncertainty", False) for method in (self.through, self.plane)):
            raise InputError(
                "An uncertainty map tells of thin slices or of a finer plane, not of both at once; make the slices "
                "thin first, and refine the plane of the result."
            )
        grids = sampling.finer(volume)
        first, second = _two(volume, grids)
        if (resolved := getattr(self.plane, "grids", None)) is not None:
            resolved(first.finer(volume).empty(volume, np.uint8), second)  # which refuses what it cannot make
        work = self.through.restore(volume, first, runtime)
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
        done = self.through.steps(volume, _two(volume, grids)[0])
        thin = yield from within(work, 0, total, began, self._after(volume, grids, runtime))
        finer = yield from within(self.plane.restore(thin.volume, second, runtime), done, total, began)
        return Restoration(finer.volume, None, _joined(thin.record, finer.record, grids))

    def _after(self, volume: Volume, grids: Grids, runtime: Runtime) -> float | None:
        """About how many seconds the second method takes; None where it cannot tell."""
        if self.plane.classical:
            return 0.0
        expected = getattr(self.plane, "expected", None)
        return expected and expected(volume.count * prod(_two(volume, grids)[0].finer(volume).wanted.size), runtime)


def _unusual(method: Method, volume: Volume, sampling: Sampling) -> list[str]:
    look = getattr(method, "unusual", None)
    return [] if look is None else look(volume, sampling)


def _two(volume: Volume, grids: Grids) -> tuple[Sampling, Sampling]:
    """What the first method is asked for, and the second: of slices that are thin, "native" is another plane."""
    pairs = zip(grids.given.spacing, grids.wanted.spacing, strict=True)
    x, y, z = (new if k == grids.axis else old for k, (old, new) in enumerate(pairs))
    plane = anatomical_plane(volume, grids.asked.plane)
    first = Sampling(spacing=(x, y, z), plane=plane)
    coarser = grids.asked.allow_coarser
    second = Sampling(spacing=grids.wanted.spacing, plane=plane, only=grids.only, allow_coarser=coarser)
    return first, second


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
