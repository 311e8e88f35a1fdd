"""A recipe: everything that decides how a model is trained, in one small TOML file."""

import re
import tomllib
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import PLANES
from SuperResolutionLib.methods.zoo import MOST_TURNS
from SuperResolutionLib.networks import DISCRIMINATORS, NETWORKS, grid_of
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.training.losses import ADVERSARIAL_LOSSES, IMAGE_LOSSES
from SuperResolutionLib.training.losses.late_loss import SECOND_LOSSES
from SuperResolutionLib.training.optimiser import OPTIMISERS
from SuperResolutionLib.training.schedule import SCHEDULES

FOLDER = Path(__file__).parent / "recipes"
SOURCES = ("volumes", "photographs")
# A subject's files: all with one BIDS "sub-...", or one name before a last part that begins with a letter (_T1w).
SUBJECT = r"(.*?sub-[^_]+|.+(?=_[A-Za-z][^_]*$)).*"


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
class Game:
    """The table [adversarial]: who judges the generator, by what rules, and how fast both learn.

    discriminator, network: its name and its constructor's arguments. rules, options: an adversarial loss and its
    constructor's. weight: of the game in the generator's loss. generator_steps : discriminator_steps is how often
    each of them learns; one of the two is 1. settle: the share of the game's steps in which the generator that is kept
    stands still until the others (discriminators, and a cycle's F) have learnt what to tell it. guard: how many dB of
    validation PSNR below the twin end the training.
    The rates fall by `schedule` after the share `hold`, down to `final` of their height.
    """

    discriminator: str
    network: dict[str, Any] = field(default_factory=dict)
    spectral_norm: bool = False
    rules: str = "relativistic_average"
    options: dict[str, Any] = field(default_factory=dict)
    weight: float = 5e-3
    generator_optimiser: str = "adam"
    generator_rate: float = 1e-4
    optimiser: str = "adam"
    learning_rate: float = 1e-4
    momentum: float = 0.9
    generator_steps: int = 1
    discriminator_steps: int = 1
    settle: float = 0.0
    schedule: str = "linear"
    warm_up: int = 100
    hold: float = 0.5
    final: float = 0.02
    guard: float = 1.0


@dataclass(frozen=True)
class Cycle:
    """The table [cycle]: a second generator F, from high to low resolution, and a second discriminator, of F's images.

    weight, identity: of the two losses in `losses.cycle`. paired: the share of the subjects of which coarse and fine
    image are known to belong together: 1 is paired, 0 unpaired training, between them it is semi-supervised.
    """

    weight: float = 1.0
    identity: float = 0.5
    paired: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    patch: coarse voxels along a side. batch: patches a step. steps: optimiser steps, an epoch is `epoch` of
    them. hold: the share of the steps at the full learning rate, before it falls to `final` of it by `schedule`, along
    a cosine or a line. skip: "bicubic" where the network learns only what interpolation misses, "none" in a file for
    the whole image. mse_from: the share of the steps after which the loss turns from L1 to `second_loss`: "mse", or
    "psnr", the logarithm of each patch's mean square error.
    contrast: intensities, as shares of their range, are raised to a power between e^-contrast and e^contrast before
    they are degraded, another one for each patch: few scans then show many contrasts.
    turns: in how many orientations the finished model restores a slice, to average the results; 1 to 8.
    recognise: forward models that the finished model is to tell apart by its errors, to put back what a scan measured.
    losses: image losses in place of these two, each with a weight, or a table of its weight and its options.
    adversarial, cycle: a game against a discriminator, with one generator or two; then the first `twin_steps` of the
    steps are supervised, by L1 and mean square error, and what they make is the twin that the game begins with.
    made_for: what the finished model is to be taken for, in a few words. trained_on, licence: as the card has them.
    source: "volumes", or "photographs" (PNG, JPEG), each a volume of one slice.
    subject: a regular expression, of whose first group the files of one subject have the same in their names.
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
    turns: int = 1
    recognise: tuple[str, ...] = ()
    start_from: str | None = None
    contrast: float = 0.0
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
    second_loss: str = "mse"
    schedule: str = "cosine"
    final: float = 0.0
    losses: dict[str, Any] = field(default_factory=dict)
    twin_steps: int = 0
    adversarial: Game | None = None
    cycle: Cycle | None = None
    ema: float = 0.999
    precision: str = "auto"
    seed: int = 0
    licence: str = ""
    made_for: str = ""
    trained_on: str = ""
    source: str = "volumes"
    subject: str = SUBJECT

    def arguments(self) -> dict[str, Any]:
        """The constructor arguments of the network."""
        return {"scale": self.scale, "channels": self.slices + len(self.guides), **self.network}

    def given_on_fine_grid(self) -> bool:
        """Whether the network is trained on patches of interpolated slices, as cut from whole ones."""
        return self.skip is None and grid_of(self.architecture) == "high"

    def loss_weights(self) -> dict[str, float]:
        """The weight of every image loss."""
        return {name: one["weight"] if isinstance(one, dict) else one for name, one in self.losses.items()}

    def loss_options(self, name: str) -> dict[str, Any]:
        """The constructor's arguments of an image loss."""
        one = self.losses[name]
        return {key: value for key, value in one.items() if key != "weight"} if isinstance(one, dict) else {}

    def subject_of(self, name: str) -> str:
        """Whose scan a file of this name is: files of one subject are never divided between training and validation."""
        found = re.fullmatch(self.subject, name)
        return found[1] if found else name

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
    known = [f.name for f in fields(Recipe)]
    for key in settings:
        if key not in known:
            raise unknown("recipe setting", key, known)
    if settings.get("skip") == "none":
        settings["skip"] = None
    if "groups" in settings:
        settings["groups"] = _groups(settings["groups"])
    for key, kind in (("adversarial", Game), ("cycle", Cycle)):
        if settings.get(key) is not None:
            settings[key] = _table(key, kind, settings[key])
    try:
        recipe = Recipe(**settings)
    except TypeError as error:
        raise InputError(f"The recipe lacks a setting: {error}.") from error
    _check_kinds(recipe)
    _check_names(recipe)
    _check_losses(recipe)
    if recipe.slices % 2 == 0 or recipe.slices < 1:
        raise InputError(f"The recipe takes {recipe.slices} slices; give an odd number, the middle is restored.")
    _check_share("hold", recipe.hold, "the rate can fall")
    if not 1 <= recipe.turns <= MOST_TURNS:
        raise InputError(f"The recipe has turns = {recipe.turns}; give a number from 1 to {MOST_TURNS}.")
    _check_phases(recipe)
    guides.check(recipe.guides)
    if recipe.guides and recipe.contrast:
        raise InputError(
            "The recipe has guides and contrast, but contrasts are changed of single volumes; leave one out."
        )
    return recipe


def _table(name: str, kind: type[Any], table: Any) -> Any:
    """The settings of [adversarial] or [cycle]."""
    known = [f.name for f in fields(kind)]
    for key in table if isinstance(table, dict) else ():
        if key not in known:
            raise unknown(f"setting in [{name}]", key, known)
    try:
        values = kind(**table)
    except TypeError as error:
        raise InputError(f"The recipe's table [{name}] lacks a setting, or is no table: {error}.") from error
    _check_kinds(values)
    return values


def _check_names(recipe: Recipe) -> None:
    """Raise InputError where the recipe names something that does not exist, with the nearest that does."""
    given: list[tuple[str, str, Any]] = [
        ("network", recipe.architecture, NETWORKS),
        ("optimiser", recipe.optimiser, OPTIMISERS),
        ("schedule", recipe.schedule, SCHEDULES),
        ("second_loss", recipe.second_loss, SECOND_LOSSES),
        ("source", recipe.source, SOURCES),
        *(("loss", name, IMAGE_LOSSES) for name in recipe.losses),
    ]
    if game := recipe.adversarial:
        given += [
            ("discriminator", game.discriminator, DISCRIMINATORS),
            ("adversarial loss", game.rules, ADVERSARIAL_LOSSES),
            ("optimiser", game.generator_optimiser, OPTIMISERS),
            ("optimiser", game.optimiser, OPTIMISERS),
            ("schedule", game.schedule, SCHEDULES),
        ]
    for kind, name, known in given:
        if name not in known:
            raise unknown(kind, name, known)
    for degradation in (recipe.degradation, *recipe.validate_on, *recipe.recognise):
        by_name(degradation)
    try:
        groups = re.compile(recipe.subject).groups
    except re.error as error:
        raise InputError(f"The recipe has subject = '{recipe.subject}', not a regular expression: {error}.") from error
    if groups < 1:
        raise InputError(f"The recipe has subject = '{recipe.subject}'; put what names the subject in parentheses.")


def _check_losses(recipe: Recipe) -> None:
    for name, one in recipe.losses.items():
        weight = one.get("weight") if isinstance(one, dict) else one
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
            raise InputError(f"The recipe's loss '{name}' has the weight {weight!r}; give a number, 0 or more.")


def _check_share(name: str, share: float, purpose: str) -> None:
    """Raise InputError for a share of the steps that leaves none."""
    if share >= 1:
        raise InputError(f"The recipe has {name} = {share}; give a share below 1, so that {purpose}.")


def _check_phases(recipe: Recipe) -> None:
    """Raise InputError for a game that cannot be played."""
    game, cycle = recipe.adversarial, recipe.cycle
    if game is None and (cycle is not None or recipe.twin_steps):
        raise InputError("The recipe has cycle or twin_steps, but no discriminator; add a table [adversarial].")
    if game is None:
        return
    if not recipe.losses and cycle is None:
        raise InputError("The recipe's generator has no image loss beside the game; add a table [losses].")
    if recipe.twin_steps >= recipe.steps:
        raise InputError(f"Of {recipe.steps} steps {recipe.twin_steps} are the twin's; leave some for the game.")
    if game.generator_steps > 1 and game.discriminator_steps > 1:
        raise InputError("The recipe lets both networks learn several times a step; one of the two numbers is 1.")
    _check_share("hold", game.hold, "the rate can fall")
    _check_share("settle", game.settle, "the generator can learn")
    if cycle is None:
        return
    if cycle.paired > 1:
        raise InputError(f"The recipe has paired = {cycle.paired}; give a share of the subjects, from 0 to 1.")
    if not recipe.given_on_fine_grid() or recipe.slices != 1 or recipe.guides:
        raise InputError(
            "A cycle goes from slices to slices of one size, and back; "
            'give skip = "none", slices = 1, no guides, and a network that keeps the matrix (circle, cpce, srcnn).'
        )


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


def _check_kinds(values: Recipe | Group | Game | Cycle) -> None:
    """Raise InputError for a number where a word belongs, a word where a number does, or a number too small."""
    kinds: dict[Any, Any] = {int: int, float: (int, float), str: str, bool: bool, dict[str, Any]: dict}
    wanted: dict[Any, str] = {
        int: "a whole number",
        float: "a number",
        str: "text",
        bool: "true or false",
        dict[str, Any]: "a table",
    }
    for f in fields(values):
        value = getattr(values, f.name)
        if f.type not in kinds:
            continue
        numeric = f.type in (int, float)
        least = 1 if f.type is int and f.name not in ("seed", "twin_steps") else 0
        right = isinstance(value, kinds[f.type]) and (f.type is bool or not isinstance(value, bool))
        if not right or (numeric and value < least):
            limit = f", {least} or more" if numeric else ""
            raise InputError(f"The recipe has {f.name} = {value!r}; give {wanted[f.type]}{limit}.")
