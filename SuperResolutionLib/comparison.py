"""Degrade a volume, restore it by many methods, measure each against the truth: one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from SuperResolutionLib import zoo
from SuperResolutionLib.degradation import Degradation, KSpaceZeroFilled, by_name, degrade
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry import anatomical_plane, crop_to_multiple, stacking_axis
from SuperResolutionLib.interpolation import METHODS, upsample
from SuperResolutionLib.metrics import Score, score
from SuperResolutionLib.volume import Volume

Method = Callable[[Volume, int], Volume]
"""A way to restore: coarse volume and scale in, fine volume out. A spline, a network, a user's own function."""


@dataclass(frozen=True, eq=False)
class Row:
    """One method's result: its name, whether it is classical, its score and (if kept) its volume."""

    method: str
    classical: bool
    score: Score
    restored: Volume | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods sorted by psnr_head, best first, with what they were given and what they had to restore."""

    rows: tuple[Row, ...]
    degradation: str
    scale: int
    plane: str
    seed: int
    truth: Volume
    low: Volume

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

    def __str__(self) -> str:
        best = self.best_classical
        lines = [f"{'method':<22}{'PSNR':>8}{'head':>8}{'SSIM':>8}{'NMSE':>9}{'gain':>9}"]
        for row in self.rows:
            s = row.score
            ssim = f"{s.ssim:.4f}" if s.ssim is not None else "-"
            gain = "best cl." if row is best else "" if best is None else f"{self.gain(row):+.2f} dB"
            lines.append(f"{row.method:<22}{s.psnr:8.2f}{s.psnr_head:8.2f}{ssim:>8}{s.nmse:9.5f}{gain:>9}")
        return "\n".join(lines)

    def as_table(self) -> dict[str, Any]:
        """The figures as plain values, for JSON."""
        return {
            "degradation": self.degradation,
            "scale": self.scale,
            "plane": self.plane,
            "seed": self.seed,
            "best_classical": self.best_classical.method if self.best_classical else None,
            "rows": [
                {"method": r.method, "classical": r.classical, **asdict(r.score), "gain_db": self.gain(r)}
                for r in self.rows
            ],
        }


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

    methods: names of classical methods and models, or name -> function; by default all classical ones and
    the blind model of the scale. keep: hold on to the restored volumes. enhance_options go to `enhance`
    (device, precision, ensemble ...). Raises InputError for a name that is neither method nor model.
    """
    truth = crop_to_multiple(volume, stacking_axis(volume, plane), scale).cast(np.float32)
    model = by_name(degradation) if isinstance(degradation, str) else degradation
    if isinstance(model, KSpaceZeroFilled):
        raise InputError(
            "The degradation 'k_space_zero_filled' keeps the matrix, and these methods refine it; "
            "use 'k_space', which holds the same measured samples on the coarse grid."
        )
    low = degrade(truth, model, scale, plane, seed)
    same = anatomical_plane(truth, plane)  # where coarsening makes all spacings agree, "native" is another plane
    chosen = methods if isinstance(methods, Mapping) else by_names(methods, scale, same, **enhance_options)
    rows = []
    for name, method in chosen.items():
        restored = method(low, scale)
        result = score(truth, restored, stacking_axis(truth, plane), with_ssim)
        rows.append(Row(name, name in METHODS, result, restored if keep else None))
    rows.sort(key=lambda row: -row.score.psnr_head)
    label = degradation if isinstance(degradation, str) else type(degradation).__name__
    return Comparison(tuple(rows), label, scale, plane, seed, truth, low)


def by_names(names: Sequence[str] | None, scale: int, plane: str, **enhance_options: Any) -> dict[str, Method]:
    """Methods by name: classical ones, installed models, model files."""
    if names is None:
        names = [*METHODS, *([zoo.default_name(scale)] if zoo.default_name(scale) in zoo.installed() else [])]
    return {name: _method(name, scale, plane, enhance_options) for name in names}


def _method(name: str, scale: int, plane: str, options: dict[str, Any]) -> Method:
    if name in METHODS:
        return lambda low, s: upsample(low, name, s, plane)
    if name not in zoo.installed() and not name.endswith(".safetensors"):
        raise unknown("method or model", name, [*METHODS, *zoo.installed()])
    from SuperResolutionLib.inference import choose_model, enhance

    model = choose_model(name, scale)
    return lambda low, s: enhance(low, model, s, plane, **options)
