"""Methods by name: the classical ones, installed models, model files; and which model is meant where none is named."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import Classical
from SuperResolutionLib.methods.deconvolution import NAME as DECONVOLUTION
from SuperResolutionLib.methods.deconvolution import Deconvolution
from SuperResolutionLib.methods.method import Function, Method
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.volume import Volume

if TYPE_CHECKING:
    from SuperResolutionLib.methods.chain import Chain
    from SuperResolutionLib.methods.network import NetworkMethod
    from SuperResolutionLib.methods.thin_slices import ThinSlices

    Network = NetworkMethod | ThinSlices | Chain

SAME_VOXELS = "The scan has these voxels already; ask for smaller ones."
Given = str | zoo.Model | Method | Callable[[Volume, Sampling], Volume]
"""A method as it may be given: its name, a loaded model, a Method, a function of volume and sampling."""


def choose_model(model: str | zoo.Model | None, scale: float | None = None, diffusion: bool = False) -> zoo.Model:
    """The loaded model that is meant: by default the blind one of the scale, or the one for diffusion series.

    Raises InputError for a scale that the model, or no installed model, has.
    """
    if model is None:
        scales = _scales()
        if scale is not None and scale not in scales:
            have = ", ".join(map(str, scales)) or "none, no model is installed"
            raise InputError(f"There is no model for scale {scale:g}; the installed models have: {have}.")
        model = zoo.default_name(int(scale or 2), diffusion)
    if isinstance(model, str):
        model = zoo.load(model)
    if not isinstance(model, zoo.Model):
        raise InputError(f"{model!r} is no model; give the name of one, a .safetensors file, or a loaded model.")
    if scale is not None and model.card.thins:
        raise InputError(
            f"Model '{model.card.name}' makes thin slices of thick ones and leaves the plane as it is; ask for a "
            "spacing or for cubic voxels, not for a scale."
        )
    if scale is not None and scale != model.card.scale:
        raise InputError(
            f"Model '{model.card.name}' has scale {model.card.scale}, not {scale:g}; "
            f"leave the scale out, or choose a model of scale {scale:g}."
        )
    return model


def _scales() -> list[int]:
    """The scales of the installed models that work in plane."""
    return sorted({card.scale for card in zoo.cards().values() if not card.thins})


def network(
    volume: Volume,
    model: "str | zoo.Model | Network | None" = None,
    sampling: Sampling | None = None,
    put_back: str = "auto",
    uncertainty: bool = False,
    denoise: float = 1.0,
) -> "Network":
    """The network that is meant for a volume: by name, file or loaded model; None for the one that suits it.

    sampling: the grid that is wanted. Where slices have to become thin, a model for that is taken; where the plane has
    to become finer as well, one for each, the plane first. put_back, uncertainty: of `NetworkMethod`, `ThinSlices`.
    denoise: of `NetworkMethod`.
    Raises InputError where there is none.
    """
    if model is not None and not isinstance(model, (str, zoo.Model)):
        return model
    wish = sampling or Sampling()
    loaded = zoo.load(model) if isinstance(model, str) else model
    if not wish.asked or wish.factor is not None:
        return _made(choose_model(loaded, wish.factor, is_diffusion(volume)), put_back, uncertainty, denoise)
    return _for_grids(volume, loaded, wish.finer(volume), _Options(put_back, uncertainty, denoise))


def meant(volume: Volume, method: Given | None, sampling: Sampling, put_back: str = "auto") -> Method:
    """The method that is meant for a volume and a grid: a model for it, a classical method, a function.

    volume, method, sampling: what is given. put_back: of a network that is named or left to choose.
    Raises InputError for what is none.
    """
    if method is None or isinstance(method, zoo.Model):
        return network(volume, method, sampling, put_back)
    if isinstance(method, str) and method not in (*METHODS, DECONVOLUTION):
        _check_known(method)
        return network(volume, method, sampling, put_back)
    return as_method(method if isinstance(method, str) else "method", method, sampling.factor)


class _Options(NamedTuple):
    """What a network is made with; see `network`."""

    put_back: str
    uncertainty: bool
    denoise: float


def _for_grids(volume: Volume, model: zoo.Model | None, grids: Grids, options: _Options) -> "Network":
    """What makes these grids: a model for thick slices, one for the plane, or one after the other."""
    through = grids.factors[grids.axis]
    beside = [grids.factors[k] for k in range(3) if k != grids.axis]
    if through == 1 and beside == [1, 1]:
        raise InputError(SAME_VOXELS)
    if through == 1:
        if model is None and grids.in_plane not in _scales():
            have = ", ".join(map(str, _scales())) or "(none installed)"
            raise InputError(
                f"No installed model makes the plane {_times(beside)} times as fine; they have {have}, the same for "
                "both axes; choose another grid, or a classical method, which takes any."
            )
        return _made(choose_model(model, grids.in_plane if model is None else None, is_diffusion(volume)), *options)
    if model is not None and not model.card.thins and beside == [1, 1]:
        return _made(model, *options)  # which says that it cannot make these grids
    if through < 1:
        raise InputError("Slices that become thicker need no network; degrade the scan, or resample it.")
    for_slices = model if model is not None and model.card.thins else _thinning()
    thin = _made(for_slices, *options)
    if beside == [1, 1]:
        return thin
    from SuperResolutionLib.methods.chain import Chain

    return Chain(_beside(volume, model, beside, options._replace(uncertainty=False)), thin)


def _beside(volume: Volume, model: zoo.Model | None, beside: list[float], options: _Options) -> Method:
    """What refines the plane of slices that are made thin: a model that has the factor, else a cubic B-spline."""
    if model is not None and not model.card.thins:
        return _made(model, *options)
    if beside[0] == beside[1] and beside[0] in _scales():
        return _made(choose_model(None, beside[0], is_diffusion(volume)), *options)
    return Classical("bspline")


def default_model(volume: Volume, sampling: Sampling) -> str:
    """The name of the model that is meant where none is given; of slices and plane, that of the slices.

    Loads nothing. Raises InputError for a grid that cannot be had.
    """
    if sampling.asked and sampling.factor is None:
        grids = sampling.finer(volume)
        if grids.factors == (1, 1, 1):
            raise InputError(SAME_VOXELS)
        thinning = zoo.thinning_name()
        if grids.factors[grids.axis] > 1 and thinning is not None:
            return thinning
    return zoo.default_name(int(sampling.factor or 2), is_diffusion(volume))


def _thinning() -> zoo.Model:
    name = zoo.thinning_name()
    if name is None:
        raise InputError(
            "No installed model makes thin slices of thick ones; use a classical method, such as deconvolution, or ask "
            "for a finer plane."
        )
    return zoo.load(name)


def _times(factors: list[float]) -> str:
    return " x ".join(f"{factor:.4g}" for factor in factors)


def _made(model: zoo.Model, put_back: str = "auto", uncertainty: bool = False, denoise: float = 1.0) -> "Network":
    """A loaded model as a method; keeping a scan's k-space means, of thick slices, keeping these."""
    from SuperResolutionLib.methods.network import NetworkMethod
    from SuperResolutionLib.methods.thin_slices import ThinSlices

    if model.card.thins:
        return ThinSlices(model, "slices" if put_back == "k_space" else put_back, uncertainty)
    return NetworkMethod(model, put_back, uncertainty, denoise)


def default_methods(grids: Grids, diffusion: bool = False) -> list[str]:
    """What is compared where nothing is named: all classical methods, and the model for it if one is installed.

    grids: from the truth to the coarse scan.
    """
    through, scale = grids.factors[grids.axis] != 1, scale_of(grids)
    if through:
        unchanged = all(grids.factors[k] == 1 for k in range(3) if k != grids.axis)
        thinning = zoo.thinning_name() if unchanged else None
        return [*METHODS, DECONVOLUTION, *([thinning] if thinning else [])]
    model = zoo.default_name(int(scale), diffusion) if scale and scale == int(scale) else ""
    return [*METHODS, *([model] if model in zoo.installed() else [])]


def scale_of(grids: Grids) -> float | None:
    """How many times coarser (or finer) in plane; None for another kind of grid, which no model of the plane makes."""
    return grids.in_plane and max(grids.in_plane, 1 / grids.in_plane)


def classical(name: str) -> Method:
    """A classical method by its name. Raises InputError for a name that is none."""
    if name == DECONVOLUTION:
        return Deconvolution()
    if name not in METHODS:
        raise unknown("interpolation method", name, [*METHODS, DECONVOLUTION])
    return Classical(name)


def by_names(names: "Sequence[Given] | Mapping[str, Given]", scale: float | None = None) -> dict[str, Method]:
    """Methods by what they are to be called; each is checked, and a model loaded, before anything is done.

    scale: that a model must have. Raises InputError for a name that is neither method nor model.
    """
    if isinstance(names, str):
        raise InputError(f"The methods are one text, '{names}'; give a list of names, or name -> method.")
    if not isinstance(names, Iterable):
        raise InputError(f"The methods are {names!r}; give a list of names, or name -> method.")
    pairs = names.items() if isinstance(names, Mapping) else ((_called(given), given) for given in names)
    return {name: as_method(name, given, scale) for name, given in pairs}


def putting_back(methods: Mapping[str, Method], put_back: str) -> dict[str, Method]:
    """The methods, the networks among them with another policy for what was measured."""
    from SuperResolutionLib.methods.network import NetworkMethod
    from SuperResolutionLib.methods.thin_slices import ThinSlices

    return {
        name: _made(method.model, put_back, method.uncertainty)
        if isinstance(method, (NetworkMethod, ThinSlices))
        else method
        for name, method in methods.items()
    }


def as_method(name: str, given: Given, scale: float | None = None) -> Method:
    """What is given, as a method called `name`. Raises InputError for what is none."""
    if isinstance(given, str) and given in (*METHODS, DECONVOLUTION):
        return classical(given)
    if isinstance(given, str):
        _check_known(given)
    if isinstance(given, (str, zoo.Model)):
        return _made(choose_model(given, scale))
    if hasattr(given, "restore") and hasattr(given, "classical"):
        return given  # type: ignore[return-value]
    if callable(given):
        return Function(name, given, classical=name in METHODS)
    raise InputError(f"The method '{name}' is {given!r}; give a name, a model, or a function of volume and sampling.")


def _check_known(name: str) -> None:
    """Raise InputError for a name that is neither an installed model nor a model's file."""
    if name not in zoo.installed() and not name.endswith(".safetensors"):
        raise unknown("method or model", name, [*METHODS, DECONVOLUTION, *zoo.installed()])


def _called(given: Given) -> str:
    return given if isinstance(given, str) else given.card.name if isinstance(given, zoo.Model) else _own_name(given)


def _own_name(given: object) -> str:
    return str(getattr(given, "name", None) or getattr(given, "__name__", None) or type(given).__name__)
