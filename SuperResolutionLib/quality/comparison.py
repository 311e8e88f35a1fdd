"""Degrade a volume, restore it by many methods, measure each against the truth: one table."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import anatomical_plane
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods.catalogue import Given, by_names, default_methods, scale_of
from SuperResolutionLib.methods.method import Record, Runtime
from SuperResolutionLib.physics.degradation import degrade, model_of
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.quality.error_tables import Table, shell_table, tensor_table, tract_table
from SuperResolutionLib.quality.metrics import Score, psnr_head_slices, score
from SuperResolutionLib.quality.shell_errors import ShellErrors, ShellReference, shell_errors, shell_reference
from SuperResolutionLib.quality.streamlines import TractErrors, tract_errors, tracts
from SuperResolutionLib.quality.tensor_errors import Reference, TensorErrors, reference, tensor_errors
from SuperResolutionLib.volume import Volume, signal_only

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How a truth is made coarse, and what is measured of what comes back.

    degradation: a forward model, or its name with its numbers. sampling: the coarser grid; in plane by 2 where none is
    asked for. seed: of noise. keep: hold on to the restored volumes. with_ssim, with_tensors: measure these too;
    tensors (and shells, of several) of a series that has gradients, where DIPY is installed. with_streamlines: tracts
    of those tensors, too.
    """

    degradation: str | Degradation = "k_space"
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    keep: bool = False
    with_ssim: bool = True
    with_tensors: bool = True
    with_streamlines: bool = False

    @classmethod
    def of(cls, degradation: "str | Degradation | Experiment", scale: float | None = None) -> "Experiment":
        """The experiment that is meant: the given one, or by a forward model and a scale in plane."""
        if not isinstance(degradation, Experiment):
            return cls(degradation=degradation, sampling=Sampling(factor=scale))
        if scale is not None:
            raise InputError("Both a scale and an experiment are given; say the scale in the experiment's sampling.")
        return degradation

    def resolved(self, volume: Volume) -> tuple[Sampling, Grids]:
        """The coarser grid that is meant, and the grids of the volume, cropped to it, and of the coarse scan.

        Raises InputError for one slice, and for a forward model or a grid that cannot be had.
        """
        if self.sampling.only is not None:
            raise InputError("A comparison takes the whole scan, not one slice of it; leave the slice out.")
        wish = coarsening(self.degradation).wish(self.sampling)
        return wish, wish.coarser(wish.cropped(volume))

    @property
    def label(self) -> str:
        """The degradation in a word."""
        return self.degradation if isinstance(self.degradation, str) else type(self.degradation).__name__


@dataclass(frozen=True, eq=False)
class Row:
    """One method's result: its name, whether it is classical, its score and (if kept) its volume.

    psnr_slices: psnr_head slice by slice along the comparison's axis; None where a slice has no head.
    tensors: what is lost in the tensors of a diffusion series. tracts: and in their streamlines, where asked for.
    shells: what is lost over its shells, where it has several. record: how it was restored.
    """

    method: str
    classical: bool
    score: Score
    restored: Volume | None = None
    psnr_slices: tuple[float | None, ...] = ()
    tensors: TensorErrors | None = None
    tracts: TractErrors | None = None
    shells: ShellErrors | None = None
    record: Record | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Methods sorted by psnr_head, best first, with what they were given and what they had to restore.

    note: why a series with gradients has no tensor errors, or which b-values tensors were fitted to; which shells it
    has, where it has several.
    """

    rows: tuple[Row, ...]
    experiment: Experiment
    grids: Grids
    truth: Volume
    low: Volume
    note: str = ""

    @property
    def degradation(self) -> str:
        """The forward model in a word."""
        return self.experiment.label

    @property
    def plane(self) -> str:
        """The plane that was asked for."""
        return self.experiment.sampling.plane

    @property
    def seed(self) -> int:
        """Of the noise."""
        return self.experiment.seed

    @property
    def scale(self) -> int | float:
        """How many times coarser in plane, a whole number where it is one; of other grids, of the coarsest axis."""
        factor = 1 / (self.grids.in_plane or min(self.grids.factors))
        return round(factor) if abs(factor - round(factor)) < 1e-9 else factor

    @property
    def times(self) -> str:
        """How much coarser, in words: "x2" in plane, or the factor along each axis."""
        if self.grids.in_plane is not None:
            return f"x{self.scale:g}"
        return " x ".join(f"{1 / factor:.3g}" for factor in self.grids.factors)

    @property
    def back(self) -> Sampling:
        """What the methods were asked for: from the coarse scan to the truth's grid."""
        return refining(self.truth, self.grids)

    @property
    def axis(self) -> int:
        """The axis (x, y, z = 0, 1, 2) that the slices of the plane are stacked along."""
        return self.grids.axis

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
        return "\n".join(["\n\n".join(map(str, self._tables())), *([self.note] if self.note else [])])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The tables as a notebook shows them."""
        tables = [table.html() for table in self._tables()]
        return "\n".join([*tables, f"<p>{escape(self.note)}</p>"] if self.note else tables)

    def _tables(self) -> list[Table]:
        """The scores, and what is lost of tensors and over shells where they were measured."""
        head = ["method", "PSNR", "head", "SSIM", "NMSE", "gain"]
        tables = [Table(head, [self._cells(row) for row in self.rows], (22, 8, 8, 8, 9, 9))]
        if measured := [(row, row.tensors) for row in self.rows if row.tensors is not None]:
            classical = [errors for row, errors in measured if row.classical]
            tables.append(tensor_table([(row.method, errors) for row, errors in measured], classical))
        if followed := [(row.method, row.tracts) for row in self.rows if row.tracts is not None]:
            tables.append(tract_table(followed))
        if shelled := [(row, row.shells) for row in self.rows if row.shells is not None]:
            classical_over = [errors for row, errors in shelled if row.classical]
            tables.append(shell_table([(row.method, errors) for row, errors in shelled], classical_over))
        return tables

    def _cells(self, row: Row) -> list[str]:
        """A line of the table of scores."""
        s, best = row.score, self.best_classical
        ssim = "-" if s.ssim is None else f"{s.ssim:.4f}"
        gain = "best cl." if row is best else "" if best is None else f"{self.gain(row):+.2f} dB"
        return [row.method, f"{s.psnr:.2f}", f"{s.psnr_head:.2f}", ssim, f"{s.nmse:.5f}", gain]

    def to_dataframe(self) -> "pandas.DataFrame":
        """The figures as a table of pandas, a row for each method. Raises InputError where pandas is missing."""
        try:
            import pandas
        except ImportError as error:
            raise InputError("A DataFrame needs pandas; install it with: pip install pandas.") from error
        return pandas.DataFrame(self.as_table()["rows"]).drop(columns="psnr_slices").set_index("method")

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
            **({} if row.tracts is None else {"tracts": asdict(row.tracts)}),
            **({} if row.shells is None else {"shells": asdict(row.shells)}),
        }


def comparing(
    volume: Volume,
    experiment: Experiment,
    methods: Sequence[Given] | Mapping[str, Given] | None = None,
    runtime: Runtime | None = None,
) -> Generator[Progress, None, Comparison]:
    """Degrade, restore by every method, measure: a generator of progress, which returns the comparison.

    volume: signals, taken as the truth. methods: names of classical methods and models, loaded models, Methods,
    functions of volume and sampling, or name -> any of these; by default all classical methods and the model made for
    such a scan. runtime: where and how networks run.
    A step is a slice that a network has refined, a volume that another method has, or a method that was measured.
    experiment: the forward model, the grid, what is measured.
    Raises InputError for what is no method, and what cannot be degraded.
    """
    signal_only(volume, "degraded and measured")
    wish, grids = experiment.resolved(volume)
    truth = wish.cropped(volume).cast(np.float32)
    model = coarsening(experiment.degradation)
    if methods is None:
        methods = default_methods(grids, is_diffusion(truth))
    chosen = by_names(methods, scale_of(grids))
    back = refining(truth, grids)
    work = {name: 1 + method.steps(truth, back) for name, method in chosen.items()}
    total, began, done = sum(work.values()), time.monotonic(), 0
    yield Progress(0, total, 0.0)
    low = degrade(truth, model, sampling=wish, seed=experiment.seed)
    tensors, over, note = _references(truth, grids.axis, experiment)
    true_tracts = tracts(tensors.tensors, tensors.directed) if tensors and experiment.with_streamlines else None
    rows = []
    for name, method in chosen.items():
        restored = yield from within(method.restore(low, back, runtime or Runtime()), done, total, began)
        done += work[name]
        figures = score(truth, restored.volume, grids.axis, experiment.with_ssim)
        slices = tuple(psnr_head_slices(truth, restored.volume, grids.axis))
        row = Row(name, method.classical, figures, psnr_slices=slices)
        if tensors is not None:
            errors, fitted = tensor_errors(tensors, restored.volume, with_ssim=False)
            row = replace(row, tensors=errors)
            if true_tracts is not None:
                row = replace(row, tracts=tract_errors(true_tracts, tracts(fitted, tensors.directed)))
        if over is not None:
            row = replace(row, shells=shell_errors(over, restored.volume))
        rows.append(replace(row, restored=restored.volume if experiment.keep else None, record=restored.record))
        yield Progress(done, total, time.monotonic() - began, f"{name}: {row.score.psnr_head:.2f} dB in the head")
    rows.sort(key=lambda row: -row.score.psnr_head)
    return Comparison(tuple(rows), experiment, grids, truth, low, note)


def refining(truth: Volume, grids: Grids) -> Sampling:
    """The way back from a coarse scan: to the truth's own grid, in the truth's plane.

    Where coarsening makes all spacings agree, "native" is another plane of the coarse scan.
    """
    plane = anatomical_plane(truth, grids.asked.plane)
    if grids.in_plane is not None:
        return Sampling(factor=1 / grids.in_plane, plane=plane)
    x, y, z = (1 / factor for factor in grids.factors)
    return Sampling(factors=(x, y, z), plane=plane)


def _references(
    truth: Volume, axis: int, experiment: Experiment
) -> tuple[Reference | None, ShellReference | None, str]:
    """What the tensors of a series and its shells are measured against, or None; and what there is to say of them.

    Raises InputError where streamlines are asked for, and there are no tensors to follow.
    """
    if not experiment.with_streamlines and (truth.gradients is None or not experiment.with_tensors):
        return None, None, ""
    try:
        fitted = reference(truth, axis)
    except InputError as error:
        if experiment.with_streamlines:
            raise
        return None, None, f"No tensor errors: {error}"
    over, said = shell_reference(fitted)
    notes = [f"Tensors were {fitted.tensors.note}."] if fitted.tensors.note else []
    return fitted, over, " ".join([*notes, said] if said else notes)


def coarsening(degradation: str | Degradation) -> Degradation:
    """The forward model that is meant. Raises InputError for an unknown one, or one that keeps the matrix."""
    model = model_of(degradation)
    if model.keeps_matrix:
        raise InputError(
            "The degradation 'k_space_zero_filled' keeps the matrix, and these methods refine it; "
            "use 'k_space', which holds the same measured samples on the coarse grid."
        )
    return model
