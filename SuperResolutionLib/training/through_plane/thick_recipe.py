"""A recipe for thick slices: everything that decides how such a model is trained, in one small TOML file."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from SuperResolutionLib import schema
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.networks.through_plane import Shape
from SuperResolutionLib.physics.slice_profile import PROFILES
from SuperResolutionLib.schema import Amount, Share, Word, limits
from SuperResolutionLib.training import any_recipe
from SuperResolutionLib.training.any_recipe import AnyRecipe, Batch, Margin, Pattern, Steps

AUTO = "auto"

Axes = Annotated[
    str, limits("two or three different letters of x, y and z, or auto", pattern=r"^(auto|(?!.*(.).*\2)[xyz]{2,3})\Z")
]
Axis = Annotated[str, limits("x, y or z", pattern=r"^[xyz]\Z")]
Millimetres = Annotated[float, limits(gt=0, le=100)]
Times = Annotated[float, limits(gt=0, le=100)]
Snr = Annotated[float, limits(gt=0, le=1e6)]
Side = Annotated[int, limits(ge=2, le=1024)]
Spread = Annotated[float, limits(ge=0, le=3)]


@dataclass(frozen=True)
class ThickGroup:
    """Scans that belong together: a file-name pattern, their share, and the axes that may play the slice axis.

    axes: of x, y, z as in the file. Where only some are named the others' slices are thick already; "auto" leaves out
    those along which a scan's voxels are much longer than along the two others. margin: voxels around what was blanked
    (a face) that nothing is learnt from; 0 where nothing was.
    """

    pattern: Pattern = "*"
    axes: Axes = AUTO
    weight: Amount = 1.0
    margin: Margin = 0


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way in which validation scans are sliced.

    pattern: of their names. axis: which plays the slice axis, as in the file. thickness, spacing: of the slices, mm.
    profile: of `physics.slice_profile`. snr: mean of the head / deviation of the noise after slicing; 0 for none.
    """

    pattern: Pattern = "*"
    axis: Axis
    thickness: Millimetres
    spacing: Millimetres
    profile: Word = "gaussian"
    snr: Amount = 0.0

    def __str__(self) -> str:
        return f"{self.axis} {self.thickness:g}/{self.spacing:g} {self.profile} {self.snr:g}"


GroupTable = Annotated[ThickGroup, limits("a table that begins with a line [[groups]]")]
WayTable = Annotated[Way, limits("a table that begins with a line [[ways]]")]


@dataclass(frozen=True, kw_only=True)
class ThickRecipe(AnyRecipe[ThickGroup]):
    """How a model for thick slices is trained; see `AnyRecipe` for what every recipe has.

    network: the fields of its `Shape`. ways: in which validation scans are sliced; where none fits, or there is none,
    each scan is in a few usual ways. rows, columns: of a patch, in thick slices and pixels. batch: patches a step,
    drawn in groups of `together` that share scan and slices. spacing: mm, the least and the largest. ratio: the
    least spacing in fine voxels. thickness: in spacings. told: how far (as the deviation of a logarithm) the thickness
    that the network is told lies from the true one, in the share `misled` of the draws. noisy, snr: the share of
    patches with noise after slicing, and how much (mean of the head / deviation). recoloured: the share whose
    intensities go through a random curve. uneven: the share whose slices differ in gain.
    The rates fall along a cosine to zero. From `mse_from` on patches are `late_rows` x `late_columns`, and `late_batch`
    of them.
    """

    groups: Annotated[tuple[GroupTable, ...], limits("tables, each of which begins with a line [[groups]]")] = (
        ThickGroup(),
    )
    ways: Annotated[tuple[WayTable, ...], limits("tables, each of which begins with a line [[ways]]")] = ()
    rows: Side = 16
    columns: Side = 32
    together: Batch = 2
    spacing: tuple[Millimetres, Millimetres] = (1.3, 7.0)
    ratio: Annotated[float, limits(ge=1, le=100)] = 1.2
    thickness: tuple[Times, Times] = (0.6, 1.15)
    profiles: Annotated[tuple[Word, ...], limits(min_length=1, max_length=64)] = (
        *("gaussian", "gaussian", "gaussian", "box", "box", "sinc"),
    )
    told: Spread = 0.15
    misled: Share = 0.4
    noisy: Share = 0.5
    snr: tuple[Snr, Snr] = (12.0, 100.0)
    recoloured: Share = 0.5
    uneven: Share = 0.05
    steps: Steps = 4000
    epoch: Steps = 250
    mse_from: Share = 0.67
    second_loss: Word = "psnr"
    ema: Share = 0.998
    late_rows: Side = 20
    late_columns: Side = 64
    late_batch: Batch = 6

    @property
    def patches(self) -> str:
        """How large a patch is, in words."""
        return f"{self.rows} thick slices x {self.columns} pixels"

    def chosen_by(self, names: Iterable[str]) -> Self:
        """The recipe with the files of these names, and no others, to choose the epoch, sliced in the usual ways."""
        return replace(super().chosen_by(names), ways=())

    def spacings(self, size: int, voxel: float, rows: int) -> tuple[float, float]:
        """The least and the largest spacing, mm, of `rows` slices along an axis of `size` voxels of `voxel` mm."""
        least = max(self.spacing[0], self.ratio * voxel)
        return least, max(least, min(self.spacing[1], size * voxel / (rows + 0.5)))

    def fits(self, size: int, voxel: float) -> bool:
        """Whether the patches fit into an axis of `size` voxels of `voxel` mm, as rows and as columns."""
        rows, columns = max(self.rows, self.late_rows), max(self.columns, self.late_columns)
        return size >= columns and size * voxel >= (rows + 0.5) * self.spacings(size, voxel, rows)[0]


def from_table(table: dict[str, Any]) -> ThickRecipe:
    """A recipe for thick slices from a dictionary of its settings; every name and value is checked."""
    recipe = schema.convert(ThickRecipe, table, "The recipe", "setting")
    any_recipe.check(recipe)
    _check_network(schema.convert(Shape, recipe.network, "The recipe's network", "argument"))
    for profile in (*recipe.profiles, *(way.profile for way in recipe.ways)):
        if profile not in PROFILES:
            raise unknown("slice profile", profile, PROFILES)
    for name, (least, most) in (("spacing", recipe.spacing), ("thickness", recipe.thickness), ("snr", recipe.snr)):
        if least > most:
            raise InputError(f"The recipe has {name} from {least:g} to {most:g}; give the lower one first.")
    for name, batch in (("batch", recipe.batch), ("late_batch", recipe.late_batch)):
        if batch % recipe.together:
            raise InputError(
                f"The recipe has {name} = {batch}, but patches are drawn {recipe.together} together; give a multiple."
            )
    return recipe


def _check_network(shape: Shape) -> None:
    if shape.neighbours % 2 == 0:
        raise InputError(f"The recipe's network takes {shape.neighbours} neighbours; give an odd number.")
    if shape.folds > shape.terms:
        raise InputError(
            f"The recipe's network has folds = {shape.folds}, but series of {shape.terms} terms; give as many terms."
        )
