"""Methods by name: the classical ones, installed models, model files; and which model is meant where none is named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import Classical
from SuperResolutionLib.methods.method import Function, Method
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.volume import Volume

if TYPE_CHECKING:
    from SuperResolutionLib.methods.network import NetworkMethod

Given = str | zoo.Model | Method | Callable[[Volume, Sampling], Volume]
"""A method as it may be given: its name, a loaded model, a Method, a function of volume and sampling."""


def choose_model(model: str | zoo.Model | None, scale: float | None = None, diffusion: bool = False) -> zoo.Model:
    """The loaded model that is meant: by default the blind one of the scale, or the one for diffusion series.

    Raises InputError for a scale that the model, or no installed model, has.
    """
    if model is None:
        scales = sorted({zoo.read_card(path).scale for path in zoo.installed().values()})
        if scale is not None and scale not in scales:
            have = ", ".join(map(str, scales)) or "none, no model is installed"
            raise InputError(f"There is no model for scale {scale:g}; the installed models have: {have}.")
        model = zoo.default_name(int(scale or 2), diffusion)
    if isinstance(model, str):
        model = zoo.load(model)
    if not isinstance(model, zoo.Model):
        raise InputError(f"{model!r} is no model; give the name of one, a .safetensors file, or a loaded model.")
    if scale is not None and scale != model.card.scale:
        raise InputError(
            f"Model '{model.card.name}' has scale {model.card.scale}, not {scale:g}; "
            f"leave the scale out, or choose a model of scale {scale:g}."
        )
    return model


def network(
    volume: Volume,
    model: "str | zoo.Model | NetworkMethod | None" = None,
    sampling: Sampling | None = None,
    put_back: str = "auto",
    uncertainty: bool = False,
) -> "NetworkMethod":
    """The network that is meant for a volume: by name, file or loaded model; None for the one that suits it.

    sampling: the grid that is wanted, which tells the scale. put_back, uncertainty: of `NetworkMethod`.
    Raises InputError where there is none.
    """
    from SuperResolutionLib.methods.network import NetworkMethod

    if isinstance(model, NetworkMethod):
        return model
    wish = sampling or Sampling()
    scale = wish.factor
    if scale is None and wish.asked:
        scale = wish.finer(volume).in_plane if model is None else None
        if model is None and scale is None:
            raise InputError(
                "No installed model makes this grid: they make slices finer in plane, by one factor for both axes; "
                "give a scale, or use a classical method, which takes any grid."
            )
    return NetworkMethod(choose_model(model, scale, is_diffusion(volume)), put_back, uncertainty)


def default_methods(scale: float | None, diffusion: bool = False) -> list[str]:
    """What is compared where nothing is named: all classical methods, and the default model if it is installed.

    scale: in plane; None for another kind of grid, which no model makes.
    """
    model = zoo.default_name(int(scale), diffusion) if scale and scale == int(scale) else ""
    return [*METHODS, *([model] if model in zoo.installed() else [])]


def by_names(names: "Sequence[Given] | Mapping[str, Given]", scale: float | None = None) -> dict[str, Method]:
    """Methods by what they are to be called; each is checked, and a model loaded, before anything is done.

    scale: that a model must have. Raises InputError for a name that is neither method nor model.
    """
    if isinstance(names, str):
        raise InputError(f"The methods are one text, '{names}'; give a list of names, or name -> method.")
    pairs = names.items() if isinstance(names, Mapping) else ((_called(given), given) for given in names)
    return {name: as_method(name, given, scale) for name, given in pairs}


def putting_back(methods: Mapping[str, Method], put_back: str) -> dict[str, Method]:
    """The methods, the networks among them with another policy for what was measured."""
    from SuperResolutionLib.methods.network import NetworkMethod

    return {
        name: replace(method, put_back=put_back) if isinstance(method, NetworkMethod) else method
        for name, method in methods.items()
    }


def as_method(name: str, given: Given, scale: float | None = None) -> Method:
    """What is given, as a method called `name`. Raises InputError for what is none."""
    if isinstance(given, str) and given in METHODS:
        return Classical(given)
    if isinstance(given, str) and given not in zoo.installed() and not given.endswith(".safetensors"):
        raise unknown("method or model", given, [*METHODS, *zoo.installed()])
    if isinstance(given, (str, zoo.Model)):
        from SuperResolutionLib.methods.network import NetworkMethod

        return NetworkMethod(choose_model(given, scale))
    if hasattr(given, "restore") and hasattr(given, "classical"):
        return given  # type: ignore[return-value]
    if callable(given):
        return Function(name, given, classical=name in METHODS)
    raise InputError(f"The method '{name}' is {given!r}; give a name, a model, or a function of volume and sampling.")


def _called(given: Given) -> str:
    return given if isinstance(given, str) else given.card.name if isinstance(given, zoo.Model) else _own_name(given)


def _own_name(given: object) -> str:
    return str(getattr(given, "name", None) or getattr(given, "__name__", None) or type(given).__name__)
