"""What a study does with each scan, as plain values: the same plan gives the same record."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from SuperResolutionLib import __version__, files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import as_method, by_names, putting_back
from SuperResolutionLib.methods.method import Method, Runtime
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.quality.comparison import coarsening
from SuperResolutionLib.study.subjects import Scan

RECORD_VERSION = 3  # of what is measured and drawn; another one measures all anew


@dataclass(frozen=True)
class Plan:
    """Options of a study. models: names or files. slices: only so many in the middle. masks: a file or folder.
    put_back: how networks put back what was measured. runtime: where and how they run. as_intensities: whether the
    voxels count as intensities whatever they look like. series: which one of DICOM folders that hold several.

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

    @property
    def scale(self) -> int:
        """How many times finer in plane."""
        return int(self.sampling.factor or 2)

    @property
    def plane(self) -> str:
        """The slices that are meant."""
        return self.sampling.plane

    def methods(self) -> dict[str, Method]:
        """What restores: every classical method and the models, by what figures and tables call them."""
        networks = {zoo.label(name): as_method(name, name, self.scale) for name in self.models}
        return putting_back({**by_names(list(METHODS)), **networks}, self.put_back)

    def key(self, scan: Scan, mask: str | None) -> str:
        """What a record hangs on beside its degradation: the bytes of scan, mask and models, and the options."""
        weights = {model: zoo.read_card(zoo.find(model)).sha256 for model in self.models}
        others = ("masks", "degradations")  # the mask and the degradation of this record count, not all
        options = {name: value for name, value in asdict(self).items() if name not in others}
        del options["runtime"]["threads"]
        if self.series is None:
            del options["series"]
        parts = [RECORD_VERSION, __version__, scan.name, scan.subject, files.sha256(scan.path), mask, weights, options]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def chosen_models(names: list[str] | None, scale: int) -> tuple[str, ...]:
    """The models of a study: those named, or the one for any scan; ["all"]: every one that needs no diffusion series.

    Raises InputError for one that is not there, has another scale or needs guides, or where there is none.
    """
    if names is None:
        names = [zoo.default_name(scale)] if zoo.default_name(scale) in zoo.installed() else ["all"]
    if names == ["all"]:
        fitting = tuple(name for name, card in zoo.cards().items() if card.scale == scale and not card.guides)
        if not fitting:
            raise InputError(f"No model of scale {scale} is installed; name some with --models, or choose a scale.")
        return fitting
    for name in names:
        if name in METHODS:
            raise InputError(f"'{name}' is a classical method, and all of those are compared anyhow; leave it out.")
        card = zoo.read_card(zoo.find(name))
        if card.scale != scale:
            raise InputError(f"Model '{card.name}' has scale {card.scale}, not {scale}; give --scale {card.scale}.")
        if card.guides:
            raise InputError(f"Model '{card.name}' works on diffusion series, and a study on single volumes.")
    labels = [*METHODS, *(zoo.label(name) for name in names)]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InputError(f"Two methods are called {twice[0]}; leave one out, or rename a file.")
    return tuple(names)


def checked_degradations(names: list[str]) -> tuple[str, ...]:
    """The forward models of a study, each once. Raises InputError for one that is unknown or keeps the matrix."""
    for name in names:
        coarsening(name)
    return tuple(dict.fromkeys(names))
