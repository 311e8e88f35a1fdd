"""What a study does with each scan, as plain values: the same plan gives the same record."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from SuperResolutionLib import __version__, files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import stem
from SuperResolutionLib.files.gradients import SUFFIXES
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import as_method, by_names, putting_back
from SuperResolutionLib.methods.deconvolution import NAME as DECONVOLUTION
from SuperResolutionLib.methods.method import Method, Runtime
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.slicing import Slicing
from SuperResolutionLib.quality.comparison import coarsening
from SuperResolutionLib.study.subjects import Scan

RECORD_VERSION = 5  # of what is measured and drawn; another one measures all anew


@dataclass(frozen=True)
class Plan:
    """Options of a study. models: names or files; series_models: the same for diffusion series. slices: only so many
    in the middle. masks: a file or folder. streamlines: whether they are followed through series.
    put_back: how networks put back what was measured. runtime: where and how they run. as_intensities: whether the
    voxels count as intensities whatever they look like. series: which one of DICOM folders that hold several.
    thickness: of the scans' slices, mm; None for what the scans say.

    truth: whether the scans are the truth, to be degraded and restored; else they are enhanced as they are.
    """

    models: tuple[str, ...]
    sampling: Sampling = field(default_factory=lambda: Sampling(factor=2))
    degradations: tuple[str, ...] = ("k_space",)
    seed: int = 0
    slices: int | None = None
    masks: str | None = None
    truth: bool = True
    runtime: Runtime = field(default_factory=Runtime)
    put_back: str = "auto"
    as_intensities: bool = False
    series: str | None = None
    thickness: float | None = None
    series_models: tuple[str, ...] = ()
    streamlines: bool = False

    @property
    def scale(self) -> int | None:
        """How many times finer in plane; None where thick slices are to become thin."""
        return None if self.sampling.factor is None else int(self.sampling.factor)

    @property
    def plane(self) -> str:
        """The slices that are meant."""
        return self.sampling.plane

    def methods(self, series: bool = False) -> dict[str, Method]:
        """What restores: every classical method and the models, by what figures and tables call them.

        series: whether a diffusion series is restored. Raises InputError as `models_for` does.
        """
        networks = {zoo.label(name): as_method(name, name, self.scale) for name in self.models_for(series)}
        classical = [*METHODS, *([DECONVOLUTION] if self.scale is None else [])]
        return putting_back({**by_names(classical), **networks}, self.put_back)

    def models_for(self, series: bool) -> tuple[str, ...]:
        """The models for a diffusion series, or for a single volume.

        Raises InputError where all that were named are made for series, and a single volume is studied.
        """
        models = self.series_models if series else self.models
        if not models:
            raise InputError("All models that are named work on diffusion series, and this is a single volume.")
        return models

    def key(self, scan: Scan, mask: str | None) -> str:
        """What a record hangs on beside its degradation: the bytes of scan, mask and models, and the options."""
        weights = {model: zoo.read_card(zoo.find(model)).sha256 for model in (*self.models, *self.series_models)}
        others = ("masks", "degradations")  # the mask and the degradation of this record count, not all
        options = {name: value for name, value in asdict(self).items() if name not in others}
        del options["runtime"]["threads"]
        if self.series is None:
            del options["series"]
        scans = [files.sha256(path) for path in (scan.path, *_beside(scan.path))]
        parts = [RECORD_VERSION, __version__, scan.name, scan.subject, scans, mask, weights, options]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _beside(path: Path) -> list[Path]:
    """The files that say more of a scan: its JSON, and its gradients by any name that they are read by."""
    names = [f"{stem(path)}{suffix}" for suffix in (".json", *SUFFIXES)] + ["bvals", "bvecs", "bval", "bvec"]
    return [found for name in names if (found := path.with_name(name)).is_file()]


def study_grid(wish: Sampling, models: list[str] | None, degradations: list[str] | None) -> Sampling:
    """The grid of a study: by a whole factor in plane, or one that thick slices are made thin on.

    wish: what is asked for. Where no grid is, the plane is meant, by 2; but thin slices, as the forward model or the
    model has them, where only models for these are named, or only forward models of thick slices.
    models, degradations: those named; None for none. Raises InputError for a factor that is not whole.
    """
    if wish.factor is not None and wish.factor != int(wish.factor):
        raise InputError(
            f"A study makes the plane coarser and finer by a whole factor, not by {wish.factor:g}; give --scale 2 or "
            "4, or a grid of thin slices: --isotropic, --slice-spacing or --spacing."
        )
    if wish.asked:
        return wish
    through = _all(degradations, lambda name: isinstance(coarsening(name), Slicing))
    thins = _all(models, lambda name: name not in (*METHODS, "all") and zoo.read_card(zoo.find(name)).thins)
    if through or (thins and degradations is None):
        return wish
    return wish.usually(2)


def _all(names: list[str] | None, which: Callable[[str], bool]) -> bool:
    return bool(names) and all(which(name) for name in names or [])


def chosen_models(names: list[str] | None, scale: int | None) -> tuple[str, ...]:
    """The models of a study for single volumes: those named, or the one for any scan; ["all"]: every one.

    Models that need a diffusion series are none of them, even if they are named.
    scale: in plane; None for models that make thick slices thin.
    Raises InputError for one that is not there or has another scale, or where there is none.
    """
    if scale is None:
        return _thinning_models(names)
    if names is None:
        names = [zoo.default_name(scale)] if zoo.default_name(scale) in zoo.installed() else ["all"]
    if names == ["all"]:
        fitting = tuple(name for name, card in zoo.cards().items() if card.scale == scale and not card.guides)
        if not fitting:
            raise InputError(f"No model of scale {scale} is installed; name some with --models, or choose a scale.")
        return fitting
    return _each_once([name for name in names if not _checked(name, scale).guides])


def chosen_series_models(names: list[str] | None, scale: int | None) -> tuple[str, ...]:
    """The models of a study for diffusion series: those named; or the one for series, else the one for any scan.

    scale: in plane; None for models that make thick slices thin. Raises InputError as `chosen_models` does.
    """
    if scale is None:
        return _thinning_models(names)
    if names is None and zoo.default_name(scale, diffusion=True) in zoo.installed():
        return (zoo.default_name(scale, diffusion=True),)
    if names in (None, ["all"]):
        guided = tuple(name for name, card in zoo.cards().items() if card.scale == scale and card.guides)
        return guided or chosen_models(names, scale)
    return _each_once([name for name in names or [] if _checked(name, scale)])


def _checked(name: str, scale: int) -> zoo.Card:
    """The card of a model for a finer plane. Raises InputError for what is none, or has another scale."""
    _check_no_classical(name)
    card = zoo.read_card(zoo.find(name))
    if card.thins:
        raise InputError(
            f"Model '{card.name}' makes thin slices of thick ones, and a finer plane is asked for; ask for a grid "
            "with --isotropic, --slice-spacing or --spacing, with a truth also by --degradations slices:spacing=4."
        )
    if card.scale != scale:
        raise InputError(f"Model '{card.name}' has scale {card.scale}, not {scale}; give --scale {card.scale}.")
    return card


def _thinning_models(names: list[str] | None) -> tuple[str, ...]:
    if names in (None, ["all"]):
        names = [name for name, card in zoo.cards().items() if card.thins]
        if not names:
            raise InputError("No installed model makes thin slices of thick ones; name a file with --models.")
    for name in names or []:
        _check_no_classical(name)
        card = zoo.read_card(zoo.find(name))
        if not card.thins:
            raise InputError(
                f"Model '{card.name}' makes the plane finer, and thin slices are asked for; give --scale "
                f"{card.scale}, or leave --models out."
            )
    return _each_once(names or [])


def _check_no_classical(name: str) -> None:
    if name in (*METHODS, DECONVOLUTION):
        raise InputError(f"'{name}' is a classical method, and all of those are compared anyhow; leave it out.")


def _each_once(names: list[str]) -> tuple[str, ...]:
    labels = [*METHODS, DECONVOLUTION, *(zoo.label(name) for name in names)]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InputError(f"Two methods are called {twice[0]}; leave one out, or rename a file.")
    return tuple(names)


def checked_degradations(names: list[str] | None, scale: int | None = 2) -> tuple[str, ...]:
    """The forward models of a study, each once; by default the usual one of the plane, or of thick slices.

    scale: in plane; None where thick slices are to become thin.
    Raises InputError for one that is unknown or keeps the matrix, and for thick slices where the plane is meant.
    """
    names = names or (["slices"] if scale is None else ["k_space"])
    for name in names:
        if isinstance(coarsening(name), Slicing) and scale is not None:
            raise InputError(
                f"'{name}' makes slices thick, and a study of x{scale} in plane leaves them as they are; study it "
                "alone, or give a grid with --slice-spacing."
            )
    return tuple(dict.fromkeys(names))
