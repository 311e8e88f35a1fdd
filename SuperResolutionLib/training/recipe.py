"""A recipe: everything that decides how a model is trained, in one small TOML file."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from SuperResolutionLib import schema
from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import PLANES
from SuperResolutionLib.methods.zoo import Scale, Slices, Turns
from SuperResolutionLib.networks import DISCRIMINATORS, NETWORKS, THROUGH_PLANE, grid_of
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.schema import Amount, Option, Share, Word, limits
from SuperResolutionLib.training import any_recipe
from SuperResolutionLib.training.any_recipe import AnyRecipe, Margin, Pattern, Steps
from SuperResolutionLib.training.losses import ADVERSARIAL_LOSSES, IMAGE_LOSSES
from SuperResolutionLib.training.optimiser import OPTIMISERS
from SuperResolutionLib.training.schedule import SCHEDULES
from SuperResolutionLib.training.through_plane import thick_recipe
from SuperResolutionLib.training.through_plane.thick_recipe import ThickRecipe

FOLDER = Path(__file__).parent / "recipes"
SOURCES = ("volumes", "photographs")

Below1 = Annotated[float, limits(ge=0, lt=1)]
Names = Annotated[tuple[Word, ...], limits(max_length=64)]
Coarser = Annotated[float, limits(ge=1, le=16)]
Table = Annotated["Group", limits("a table that begins with a line [[groups]]")]


@dataclass(frozen=True)
class Group:
    """Training volumes that belong together: a file-name pattern, the planes cut from them, and their share.

    voxels: in-plane voxel sizes to learn from, as multiples of the scan's own; above 1 the slices are first made
    coarser as a scanner with a smaller matrix would show them. b0: the share of a diffusion series that goes to its
    unweighted volumes; 0 for their number. margin: voxels around what was blanked (a face) that nothing is learnt from;
    0 where nothing was.
    """

    pattern: Pattern = "*"
    planes: Annotated[tuple[Word, ...], limits(min_length=1, max_length=16)] = ("native",)
    weight: Amount = 1.0
    voxels: Annotated[tuple[Coarser, ...], limits(min_length=1, max_length=16)] = (1.0,)
    b0: Share = 0.0
    margin: Margin = 0


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

    discriminator: Word
    network: dict[str, Option] = field(default_factory=dict)
    spectral_norm: bool = False
    rules: Word = "relativistic_average"
    options: dict[str, Option] = field(default_factory=dict)
    weight: Amount = 5e-3
    generator_optimiser: Word = "adam"
    generator_rate: Amount = 1e-4
    optimiser: Word = "adam"
    learning_rate: Amount = 1e-4
    momentum: Share = 0.9
    generator_steps: Annotated[int, limits(ge=1, le=1000)] = 1
    discriminator_steps: Annotated[int, limits(ge=1, le=1000)] = 1
    settle: Below1 = 0.0
    schedule: Word = "linear"
    warm_up: Steps = 100
    hold: Below1 = 0.5
    final: Share = 0.02
    guard: Amount = 1.0


@dataclass(frozen=True)
class Cycle:
    """The table [cycle]: a second generator F, from high to low resolution, and a second discriminator, of F's images.

    weight, identity: of the two losses in `losses.cycle`. paired: the share of the subjects of which coarse and fine
    image are known to belong together: 1 is paired, 0 unpaired training, between them it is semi-supervised.
    """

    weight: Amount = 1.0
    identity: Amount = 0.5
    paired: Share = 1.0


@dataclass(frozen=True, kw_only=True)
class Recipe(AnyRecipe[Group]):
    """How a model that works in the plane of the slices is trained; see `AnyRecipe` for what every recipe has.

    patch: coarse voxels along a side. hold: the share of the steps at the full learning rate, before it falls to
    `final` of it by `schedule`, along a cosine or a line. skip: "bicubic" where the network learns only what
    interpolation misses, "none" in a file for the whole image.
    contrast: intensities, as shares of their range, are raised to a power between e^-contrast and e^contrast before
    they are degraded, another one for each patch: few scans then show many contrasts. recoloured: the share of patches
    whose intensities go through a random curve instead, rising or not.
    told_noise: the network is told how much noise the scan has, by one more channel.
    turns: in how many orientations the finished model restores a slice, to average the results; 1 to 8.
    recognise: forward models that the finished model is to tell apart by its errors, to put back what a scan measured.
    losses: image losses in place of L1 and `second_loss`, each with a weight, or a table of its weight and its options.
    adversarial, cycle: a game against a discriminator, with one generator or two; then the first `twin_steps` of the
    steps are supervised, by L1 and mean square error, and what they make is the twin that the game begins with.
    start_share: how much of the weights of the model `start_from` is in the finished model, the weighted mean of these
    and of what was learnt, which knows nearly all that either does (Wortsman et al. 2022, Robust fine-tuning of
    zero-shot models, CVPR, equation 1).
    source: "volumes", or "photographs" (PNG, JPEG), each a volume of one slice.
    """

    scale: Scale
    slices: Slices = 5
    guides: Names = ()
    skip: Word | None = "bicubic"
    degradation: Word = "clinical"
    validate_on: Names = ("bicubic", "area", "k_space", "bicubic_blur3")
    groups: Annotated[tuple[Table, ...], limits("tables, each of which begins with a line [[groups]]")] = (Group(),)
    turns: Turns = 1
    recognise: Names = ()
    start_share: Share = 0.0
    contrast: Annotated[float, limits(ge=0, le=10)] = 0.0
    recoloured: Share = 0.0
    told_noise: bool = False
    patch: Annotated[int, limits(ge=1, le=1024)] = 32
    optimiser: Word = "muon"
    hold: Below1 = 0.0
    schedule: Word = "cosine"
    final: Share = 0.0
    losses: dict[str, Amount | dict[str, Option]] = field(default_factory=dict)
    twin_steps: Annotated[int, limits(ge=0, le=10**8)] = 0
    adversarial: Game | None = None
    cycle: Cycle | None = None
    precision: Word = "auto"
    source: Word = "volumes"

    @property
    def patches(self) -> str:
        """How large a patch is, in words."""
        return f"{self.patch} x {self.patch} coarse voxels of {self.slices} slices"

    def arguments(self) -> dict[str, Any]:
        """The constructor arguments of the network."""
        return {"scale": self.scale, "channels": self.slices + self.beside, **self.network}

    @property
    def beside(self) -> int:
        """How many channels the network has that show no slice: its guides, and the noise that it is told."""
        return len(self.guides) + self.told_noise

    def given_on_fine_grid(self) -> bool:
        """Whether the network is trained on patches of interpolated slices, as cut from whole ones."""
        return self.skip is None and grid_of(self.architecture) == "high"

    def loss_weights(self) -> dict[str, float]:
        """The weight of every image loss."""
        return {name: _weight(one) for name, one in self.losses.items()}

    def loss_options(self, name: str) -> dict[str, Any]:
        """The constructor's arguments of an image loss."""
        one = self.losses[name]
        return {key: value for key, value in one.items() if key != "weight"} if isinstance(one, dict) else {}


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str) -> Recipe | ThickRecipe:
    """A recipe by name, or from a user's own TOML file; its architecture says of which kind it is.

    Raises InputError for a recipe that does not exist, is not TOML, or has settings that do not.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise unknown("recipe", name_or_path, names())
    table = schema.parsed(schema.read(path, "a recipe"), path.name, "a recipe", tomllib.loads)
    return from_table({"name": path.stem, **table})


def from_table(table: dict[str, Any]) -> Recipe | ThickRecipe:
    """A recipe from a dictionary of its settings; every name and value is checked."""
    if table.get("architecture") in list(THROUGH_PLANE):
        return thick_recipe.from_table(table)
    given = {**table, "skip": None} if table.get("skip") == "none" else table
    recipe = schema.convert(Recipe, given, "The recipe", "setting")
    any_recipe.check(recipe)
    _check_names(recipe)
    _check_losses(recipe)
    _check_phases(recipe)
    if recipe.slices % 2 == 0:
        raise InputError(f"The recipe takes {recipe.slices} slices; give an odd number, the middle is restored.")
    if recipe.start_share and recipe.start_from is None:
        raise InputError(
            "The recipe has a start_share, but starts afresh; name a model in start_from, or leave it out."
        )
    if recipe.guides and (recipe.contrast or recipe.recoloured):
        raise InputError(
            "The recipe has guides and contrast, but contrasts are changed of single volumes; leave one out."
        )
    return recipe


def _check_names(recipe: Recipe) -> None:
    """Raise InputError where the recipe names something that does not exist, with the nearest that does."""
    given: list[tuple[str, str, Any]] = [
        ("network", recipe.architecture, [*NETWORKS, *THROUGH_PLANE]),
        ("optimiser", recipe.optimiser, OPTIMISERS),
        ("schedule", recipe.schedule, SCHEDULES),
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
    given += [("plane", plane, PLANES) for group in recipe.groups for plane in group.planes]
    for kind, name, known in given:
        if name not in known:
            raise unknown(kind, name, known)
    guides.check(recipe.guides)
    for degradation in (recipe.degradation, *recipe.validate_on, *recipe.recognise):
        by_name(degradation)


def _weight(loss: Any) -> Any:
    """The weight of an image loss, which is a number or stands in the table of its options."""
    return loss.get("weight") if isinstance(loss, dict) else loss


def _check_losses(recipe: Recipe) -> None:
    for name, one in recipe.losses.items():
        weight = _weight(one)
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
            raise InputError(f"The recipe's loss '{name}' has the weight {weight!r}; give a number, 0 or more.")


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
    if cycle is None:
        return
    if not recipe.given_on_fine_grid() or recipe.slices != 1 or recipe.beside:
        raise InputError(
            "A cycle goes from slices to slices of one size, and back; "
            'give skip = "none", slices = 1, no guides, and a network that keeps the matrix (circle, cpce, srcnn).'
        )
