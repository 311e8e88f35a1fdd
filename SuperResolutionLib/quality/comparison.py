"""Degrade a volume, restore it by many methods, measure each against the truth: one table."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import anatomical_plane, crop_to_multiple, stacking_axis
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import by_name, degrade
from SuperResolutionLib.physics.forward_models import Degradation, KSpaceZeroFilled
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import Progress, finish, within
from SuperResolutionLib.quality.metrics import Score, psnr_head_slices, score
from SuperResolutionLib.quality.tensor_errors import Reference, TensorErrors, best_of, reference, tensor_errors
from SuperResolutionLib.volume import Volume, signal_only

Method = Callable[[Volume, int], Volume]
"""A way to restore: coarse volume and scale in, fine volume out. A spline, a network, a user's own function."""


@dataclass(frozen=True, eq=False)
class Row:
    """One method's result: its name, whether it is classical, its score and (if kept) its volume.

    psnr_slices: psnr_head slice by slice along the comparison's axis; None where a slice has no head.
    tensors: what is lost in the tensors of a diffusion series.
    """

    method: str
    classical: bool
    score: Score
    restored: Volume | None = None
    psnr_slices: tuple[float | None, ...] = ()
    tensors: TensorErrors | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods sorted by psnr_head, best first, with what they were given and what they had to restore.

    note: why a series with gradients has no tensor errors.
    """

    rows: tuple[Row, ...]
    degradation: str
    scale: int
    plane: str
    seed: int
    truth: Volume
    low: Volume
    note: str = ""

    @property
    def axis(self) -> int:
        """The axis (x, y, z = 0, 1, 2) that the slices of the plane are stacked along."""
        return stacking_axis(self.truth, self.plane)

    @property
    def best_classical(self) -> Row | None:
        """The best of the classical methods, by psnr_head."""
        return next((row for row in self.rows if row.classical), None)

    @property
    def best_model(self) -> Row | None:
        """The best of the other methods, by psnr_head."""
        return next((row for row in self.rows if not row.classical), None)

    def gain(self, row: Row) -> float | None:
        """dB of psnr_head above the best classical method."""
        best = self.best_classical
        return None if best is None else row.score.psnr_head - best.score.psnr_head

    def error(self, row: Row, signed: bool = False) -> Volume:
        """|restored - truth|, or restored - truth, float32, on the truth's grid.

        Raises InputError where the volume was not kept.
        """
        if row.restored is None:
            raise InputError(f"The volume that {row.method} restored was not kept; compare with keep=True.")
        error = (row.restored.voxels - self.truth.voxels).astype(np.float32, copy=False)
        return self.truth.with_voxels(error if signed else np.abs(error))

    def __str__(self) -> str:
        best = self.best_classical
        lines = [f"{'method':<22}{'PSNR':>8}{'head':>8}{'SSIM':>8}{'NMSE':>9}{'gain':>9}"]
        for row in self.rows:
            s = row.score
            ssim = f"{s.ssim:.4f}" if s.ssim is not None else "-"
            gain = "best cl." if row is best else "" if best is None else f"{self.gain(row):+.2f} dB"
            lines.append(f"{row.method:<22}{s.psnr:8.2f}{s.psnr_head:8.2f}{ssim:>8}{s.nmse:9.5f}{gain:>9}")
        lines += _tensor_lines(self.rows)
        return "\n".join([*lines, self.note] if self.note else lines)

    def as_table(self) -> dict[str, Any]:
        """The figures as plain values, for JSON."""
        return {
            "degradation": self.degradation,
            "scale": self.scale,
            "plane": self.plane,
            "axis": self.axis,
            "seed": self.seed,
            "best_classical": self.best_classical.method if self.best_classical else None,
            "note": self.note,
            "rows": [self._plain(row) for row in self.rows],
        }

    def _plain(self, row: Row) -> dict[str, Any]:
        return {
            "method": row.method,
            "classical": row.classical,
            **asdict(row.score),
            "gain_db": self.gain(row),
            "psnr_slices": list(row.psnr_slices),
            **({} if row.tensors is None else {"tensors": asdict(row.tensors)}),
        }


def _tensor_lines(rows: Sequence[Row]) -> list[str]:
    """The table of tensor errors, where there are any; the classical line takes the best of each measure."""
    measured = [(row.method, row.tensors) for row in rows if row.tensors is not None]
    if not measured:
        return []
    classical = [row.tensors for row in rows if row.classical and row.tensors is not None]
    best = [("best classical of each", best_of(classical))] if classical else []
    titles = f"{'in the head mask':<22}{'PSNR':>8}{'FA':>8}{'white':>8}{'MD':>8}{'white':>8}{'angle':>8}"
    lines = ["", f"{titles}   mean absolute errors; MD in 1e-3 mm2/s; angle in degrees"]
    for method, e in [*measured, *best]:
        shares = (_figure(value, 4) for value in (e.fa, e.fa_white, e.md, e.md_white))
        lines.append(f"{method:<22}{e.psnr:8.2f}" + "".join(shares) + _figure(e.angle, 2))
    return lines


def _figure(value: float | None, digits: int) -> str:
    return f"{'-':>8}" if value is None else f"{value:8.{digits}f}"


@dataclass(frozen=True, eq=False)
class _Network:
    """A model as a method, which can also tell how far it is."""

    model: zoo.Model
    plane: str
    options: dict[str, Any]

    def steps(self, low: Volume, scale: int) -> Generator[Progress, None, Volume]:
        from SuperResolutionLib.methods.network import enhancing

        return enhancing(low, self.model, scale, self.plane, **self.options)

    def __call__(self, low: Volume, scale: int) -> Volume:
        return finish(self.steps(low, scale))


def compare(
    volume: Volume,
    degradation: str | Degradation = "k_space",
    scale: int = 2,
    methods: Sequence[str] | Mapping[str, Method] | None = None,
    plane: str = "native",
    seed: int = 0,
    keep: bool = False,
    with_ssim: bool = True,
    **enhance_options: Any,
) -> Comparison:
    """Degrade, restore by every method, measure. The volume is taken as the truth.

    Of a diffusion series with gradients the tensors are compared as well, where DIPY is installed.

    methods: names of classical methods and models, or name -> function; by default all classical ones and
    the model that `enhance` would take. keep: hold on to the restored volumes. enhance_options go to `enhance`
    (device, precision, ensemble ...). Raises InputError for a name that is neither method nor model.
    """
    return finish(comparing(volume, degradation, scale, methods, plane, seed, keep, with_ssim, **enhance_options))


def comparing(
    volume: Volume,
    degradation: str | Degradation = "k_space",
    scale: int = 2,
    methods: Sequence[str] | Mapping[str, Method] | None = None,
    plane: str = "native",
    seed: int = 0,
    keep: bool = False,
    with_ssim: bool = True,
    with_tensors: bool = True,
    **enhance_options: Any,
) -> Generator[Progress, None, Comparison]:
    """`compare` as a generator of progress, which returns the comparison.

    A step is a slice that a network has refined, or a method that has been measured. with_tensors: compare tensors,
    of a series that has gradients.
    """
    signal_only(volume, "degraded and measured")
    axis = stacking_axis(volume, plane)
    truth = crop_to_multiple(volume, axis, scale).cast(np.float32)
    model = coarsening(degradation)
    same = anatomical_plane(truth, plane)  # where coarsening makes all spacings agree, "native" is another plane
    names = default_methods(scale, is_diffusion(truth)) if methods is None else methods
    chosen = names if isinstance(names, Mapping) else by_names(names, scale, same, **enhance_options)
    slices = truth.count * truth.size[axis]
    total = sum(steps_of(method, slices) for method in chosen.values())
    began, done = time.monotonic(), 0
    yield Progress(0, total, 0.0)
    low = degrade(truth, model, scale, plane, seed)
    tensors, note = _reference(truth, axis) if with_tensors else (None, "")
    rows = []
    for name, method in chosen.items():
        restored = yield from within(restoring(method, low, scale), done, total, began)
        done += steps_of(method, slices)
        row = _measured(name, truth, restored, axis, with_ssim)
        if tensors is not None:
            row = replace(row, tensors=tensor_errors(tensors, restored, with_ssim=False)[0])
        rows.append(row if keep else replace(row, restored=None))
        yield Progress(done, total, time.monotonic() - began, f"{name}: {row.score.psnr_head:.2f} dB in the head")
    rows.sort(key=lambda row: -row.score.psnr_head)
    label = degradation if isinstance(degradation, str) else type(degradation).__name__
    return Comparison(tuple(rows), label, scale, plane, seed, truth, low, note)


def steps_of(method: Method, slices: int) -> int:
    """What a method counts for in progress: one step, and of a network one more for each slice."""
    return 1 + slices * isinstance(method, _Network)


def restoring(method: Method, low: Volume, scale: int) -> Generator[Progress, None, Volume]:
    """Restore by a method; a network tells how many slices are done."""
    if isinstance(method, _Network):
        return (yield from method.steps(low, scale))
    return method(low, scale)


def _reference(truth: Volume, axis: int) -> tuple[Reference | None, str]:
    """What the tensors of a series are measured against; or None, and a sentence if it has gradients nevertheless."""
    if truth.gradients is None:
        return None, ""
    try:
        return reference(truth, axis), ""
    except InputError as error:
        return None, f"No tensor errors: {error}"


def coarsening(degradation: str | Degradation) -> Degradation:
    """The forward model that is meant. Raises InputError for an unknown one, or one that keeps the matrix."""
    model = by_name(degradation) if isinstance(degradation, str) else degradation
    if isinstance(model, KSpaceZeroFilled):
        raise InputError(
            "The degradation 'k_space_zero_filled' keeps the matrix, and these methods refine it; "
            "use 'k_space', which holds the same measured samples on the coarse grid."
        )
    return model


def _measured(name: str, truth: Volume, restored: Volume, axis: int, with_ssim: bool) -> Row:
    figures = score(truth, restored, axis, with_ssim)
    return Row(name, name in METHODS, figures, restored, tuple(psnr_head_slices(truth, restored, axis)))


def default_methods(scale: int, diffusion: bool = False) -> list[str]:
    """What is compared where nothing is named: all classical methods, and the default model if it is installed."""
    model = zoo.default_name(scale, diffusion)
    return [*METHODS, *([model] if model in zoo.installed() else [])]


def by_names(names: Sequence[str], scale: int, plane: str, **enhance_options: Any) -> dict[str, Method]:
    """Methods by name: classical ones, installed models, model files."""
    return {name: _method(name, scale, plane, enhance_options) for name in names}


def _method(name: str, scale: int, plane: str, options: dict[str, Any]) -> Method:
    if name in METHODS:
        return lambda low, s: upsample(low, name, s, plane)
    if name not in zoo.installed() and not name.endswith(".safetensors"):
        raise unknown("method or model", name, [*METHODS, *zoo.installed()])
    from SuperResolutionLib.methods.network import choose_model

    return _Network(choose_model(name, scale), plane, options)
