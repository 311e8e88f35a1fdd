"""What every way to restore a volume has in common: how it is asked, where it runs, what comes of it.

A spline, a network, a user's own function: each is a Method, a generator of progress that returns a Restoration.
Imports nothing heavy.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.progress import Progress
from SuperResolutionLib.volume import Volume

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where and how a network runs; classical methods take no notice of it.

    device: auto (the fastest that works), cpu, cuda or mps. precision: auto (the fastest, tried on one slice), float32,
    bfloat16 or float16. threads: of the CPU, None for one per core; torch's own setting is put back after each step.
    ensemble: True averages all eight flips and quarter turns of a slice, False takes one, None as many as the model's
    card says. Raises InputError for a value that does not exist.
    """

    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    ensemble: bool | None = None

    def __post_init__(self) -> None:
        for kind, value, known in (("device", self.device, DEVICES), ("precision", self.precision, PRECISIONS)):
            if value not in known:
                raise unknown(kind, str(value), known)
        whole = isinstance(self.threads, (int, np.integer)) and not isinstance(self.threads, bool)
        if self.threads is not None and not (whole and self.threads > 0):
            raise InputError(f"Threads of {self.threads!r} cannot be used; give a whole number above 0.")
        if self.ensemble not in (None, True, False):
            raise InputError(f"An ensemble of {self.ensemble!r} cannot be used; give True, False or None.")

    @contextmanager
    def limited(self) -> Iterator[None]:
        """As many threads as are asked for, and the caller's number again at the end."""
        if self.threads is None:
            yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def running(self, work: Generator[Progress, None, Result]) -> Generator[Progress, None, Result]:
        """The same work with the threads that are asked for, and with the caller's own between its steps."""
        try:
            while True:
                with self.limited():
                    event = next(work)
                yield event
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            work.close()


@dataclass(frozen=True, kw_only=True)
class Record:
    """How a volume was restored, as plain values: sidecar, panel, report and benchmarks read it from here.

    method: its name. model_sha256: of a network's weights. sampling: what grid was asked for, and what came of it.
    put_back: the policy by which measured values were put back (`physics.agreement.POLICIES`). recognised: the forward
    model of each 3-D volume, None where it was not recognised; empty where nobody looked. turns: in how many
    orientations each slice was restored. denoised_first: how a series was cleared of noise before (`diffusion.mppca`);
    empty where it was not. unusual: what of the scan the model has not seen. notes: what else happened.
    """

    method: str
    model_sha256: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    put_back: str = "none"
    recognised: tuple[str | None, ...] = ()
    turns: int = 1
    denoised_first: dict[str, Any] = field(default_factory=dict)
    device: str = ""
    precision: str = ""
    seconds: float = 0.0
    unusual: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_table(self) -> dict[str, Any]:
        """The record as plain values, for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @property
    def ran(self) -> str:
        """Where and how, in words."""
        return f"{self.method} on {self.device} in {self.precision}" if self.device else ""


@dataclass(frozen=True, eq=False)
class Restoration:
    """What came of restoring: the volume, how unsure each voxel is (or None), and how it was done.

    uncertainty: the standard deviation of the eight orientations, float32, in the scan's units, on the same grid.
    """

    volume: Volume
    uncertainty: Volume | None
    record: Record


class Method(Protocol):
    """A way to restore. `name` stands in tables; `classical` methods are what networks are measured against."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    @property
    def classical(self) -> bool:
        """Whether it is one of the classical methods."""

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress restoring this volume has."""

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Restore; yields how far it is, and can be closed between two steps."""


@runtime_checkable
class Network(Protocol):
    """What takes long enough for its time to be told before."""

    def expected(self, voxels: float, runtime: Runtime) -> float:
        """About how many seconds it takes for so many voxels of any volumes; 0 for a short time."""


@dataclass(frozen=True, eq=False)
class Function:
    """A user's own function as a method: volume and sampling in, finer volume out. Under a classical name it is one."""

    name: str
    function: Callable[[Volume, Sampling], Volume]
    classical: bool = False

    def steps(self, _volume: Volume, _sampling: Sampling) -> int:
        """How many steps of progress a restoration has."""
        return 1

    def restore(self, volume: Volume, sampling: Sampling, _runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Whatever the function makes of the volume. Raises InputError where it makes something else."""
        yield Progress(0, 1, 0.0)
        result = self.function(volume, sampling)
        if not isinstance(result, Volume):
            raise InputError(f"The method '{self.name}' made a {type(result).__name__}; it has to return a Volume.")
        return Restoration(result, None, Record(method=self.name))
