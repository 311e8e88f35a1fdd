"""A recipe: everything that decides how a model is trained, in one small TOML file."""

import tomllib
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from SuperResolutionLib.degradation import by_name
from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry import PLANES

FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Group:
    """Training volumes that belong together: a file-name pattern, the planes cut from them, and their share.

    voxels: in-plane voxel sizes to learn from, as multiples of the scan's own; above 1 the slices are first made
    coarser as a scanner with a smaller matrix would show them. b0: the share of a diffusion series that goes to its
    unweighted volumes; 0 for their number.
    """

    pattern: str = "*"
    planes: tuple[str, ...] = ("native",)
    weight: float = 1.0
    voxels: tuple[float, ...] = (1.0,)
    b0: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    patch: coarse voxels along a side. batch: patches a step. steps: optimiser steps, an epoch is `epoch` of
    them. hold: the share of the steps at the full learning rate, before it falls to zero along a cosine.
    skip: "bicubic" where the network learns only what interpolation misses, "none" in a file for the whole image.
    mse_from: the share of the steps after which the loss turns from L1 to mean square error.
    """

    name: str
    architecture: str
    scale: int
    slices: int = 5
    guides: tuple[str, ...] = ()
    network: dict[str, Any] = field(default_factory=dict)
    skip: str | None = "bicubic"
    degradation: str = "clinical"
    validate_on: tuple[str, ...] = ("bicubic", "area", "k_space", "bicubic_blur3")
    groups: tuple[Group, ...] = (Group(),)
    validation: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    start_from: str | None = None
    patch: int = 32
    batch: int = 16
    steps: int = 20000
    epoch: int = 500
    optimiser: str = "muon"
    learning_rate: float = 1e-3
    muon_rate: float = 0.01
    warm_up: int = 100
    hold: float = 0.0
    clip: float = 0.5
    mse_from: float = 0.7
    ema: float = 0.999
    precision: str = "auto"
    seed: int = 0
    licence: str = ""
    trained_on: str = ""

    def arguments(self) -> dict[str, Any]:
        """The constructor arguments of the network."""
        return {"scale": self.scale, "channels": self.slices + len(self.guides), **self.network}

    def group_of(self, name: str) -> Group | None:
        """The first group whose pattern fits a file's name, None for a file that is left out."""
        if any(fnmatch(name, pattern) for pattern in self.exclude):
            return None
        return next((group for group in self.groups if fnmatch(name, group.pattern)), None)

    def is_validation(self, name: str) -> bool:
        """Whether a file is kept out of training to choose the best epoch."""
        return any(fnmatch(name, pattern) for pattern in self.validation)


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str) -> Recipe:
    """A recipe by name, or from a user's own TOML file.

    Raises InputError for a recipe that does not exist, is not TOML, or has settings that do not.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise unknown("recipe", name_or_path, names())
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a recipe: {error}. Compare it with one of ours.") from error
    return from_table({"name": path.stem, **table})


def from_table(table: dict[str, Any]) -> Recipe:
    """A recipe from a dictionary of its settings; every name and value is checked."""
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    known = {f.name for f in fields(Recipe)}
    for key in settings:
        if key not in known:
            raise unknown("recipe setting", key, known)
    if settings.get("skip") == "none":
        settings["skip"] = None
    if "groups" in settings:
        settings["groups"] = _groups(settings["groups"])
    try:
        recipe = Recipe(**settings)
    except TypeError as error:
        raise InputError(f"The recipe lacks a setting: {error}.") from error
    _check_kinds(recipe)
    if recipe.slices % 2 == 0 or recipe.slices < 1:
        raise InputError(f"The recipe takes {recipe.slices} slices; give an odd number, the middle is restored.")
    if recipe.hold >= 1:
        raise InputError(f"The recipe has hold = {recipe.hold}; give a share below 1, so that the rate can fall.")
    if recipe.optimiser not in ("adam", "muon"):
        raise unknown("optimiser", recipe.optimiser, ["adam", "muon"])
    for degradation in (recipe.degradation, *recipe.validate_on):
        by_name(degradation)
    guides.check(recipe.guides)
    return recipe


def _groups(tables: Any) -> tuple[Group, ...]:
    """The [[groups]] of a recipe; a pattern, planes and a weight that exist."""
    if not isinstance(tables, tuple) or not all(isinstance(table, dict) for table in tables):
        raise InputError("The recipe's groups are not tables; begin each with a line [[groups]].")
    known = [f.name for f in fields(Group)]
    for key in (key for table in tables for key in table if key not in known):
        raise unknown("group setting", key, known)
    lists = {"planes": ("native",), "voxels": (1.0,)}
    groups = [
        Group(**{**table, **{key: tuple(table.get(key, usual)) for key, usual in lists.items()}}) for table in tables
    ]
    for group in groups:
        if not all(isinstance(size, (int, float)) and size >= 1 for size in group.voxels):
            raise InputError(f"The recipe has voxels = {list(group.voxels)}; give numbers, 1 or more.")
        _check_kinds(group)
        for plane in (plane for plane in group.planes if plane not in PLANES):
            raise unknown("plane", str(plane), PLANES)
    return tuple(groups)


def _check_kinds(values: "Recipe | Group") -> None:
    """Raise InputError for a number where a word belongs, a word where a number does, or a number too small."""
    kinds: dict[Any, Any] = {int: int, float: (int, float), str: str}
    wanted: dict[Any, str] = {int: "a whole number", float: "a number", str: "text"}
    for f in fields(values):
        value = getattr(values, f.name)
        if f.type not in kinds:
            continue
        least = 1 if f.type is int and f.name != "seed" else 0
        right = isinstance(value, kinds[f.type]) and not isinstance(value, bool)
        if not right or (f.type is not str and value < least):
            limit = "" if f.type is str else f", {least} or more"
            raise InputError(f"The recipe has {f.name} = {value!r}; give {wanted[f.type]}{limit}.")
