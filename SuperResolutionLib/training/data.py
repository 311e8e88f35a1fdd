"""Training pairs: whole slices degraded first, patches cut afterwards, drawn where there is something to see."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.intensity import data_range, head, told_noise
from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.networks.high_grid import METHODS, matrix
from SuperResolutionLib.physics import kernels
from SuperResolutionLib.physics.degradation import by_name, reference_index, reference_volume
from SuperResolutionLib.physics.forward_models import Degradation, Level
from SuperResolutionLib.physics.shrinking import k_space_matrix
from SuperResolutionLib.training import split
from SuperResolutionLib.training.blanked import blanked
from SuperResolutionLib.training.contrast import curve, recolour
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.volume import Volume, signal_only


@dataclass(frozen=True, eq=False)
class Company:
    """The series that a volume belongs to, for its guides.

    volumes: (t, slices, h, w) float32 in the unit of the level; index: which of them is restored. weights: (guides, t);
    ranges: (guides,), what each guide is divided by.
    """

    volumes: np.ndarray
    index: int
    weights: np.ndarray
    ranges: np.ndarray


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume seen in one plane, its range scaled to 1: fine (slices, h, w) float32.

    level: what noise is measured against, in units of which a fine value of 1 is `range`. trusted: where something may
    be learnt, bool, None for everywhere.
    """

    name: str
    fine: np.ndarray
    level: Level
    weight: float
    slice_chances: np.ndarray
    range: float = 1.0
    company: Company | None = None
    trusted: np.ndarray | None = None


def training_stacks(folder: Path, recipe: Recipe) -> list[Stack]:
    """Every training volume in every plane of its group; a group's weight is shared by its stacks."""
    result: list[Stack] = []
    least = recipe.patch * recipe.scale
    chosen = split.training_files(folder, recipe)
    for (path, group), share in zip(chosen, split.shares(chosen), strict=True):
        volume = split.read(path, recipe)
        signal_only(volume, f"learnt from ({path.name})")
        for plane, voxels in itertools.product(group.planes, group.voxels):
            part = share / len(group.planes) / len(group.voxels)
            view = View(plane, voxels, part, group.b0, least, group.margin)
            result += stacks_of(split.stem(path), volume, recipe, view)
    return result


@dataclass(frozen=True)
class View:
    """How a scan is looked at: in which plane, how many times coarser in plane, and how much it counts.

    b0: the share of a diffusion series that goes to its unweighted volumes; 0 for their number. least: fine voxels
    along a side, below which slices are padded. margin: as in `recipe.Group`.
    """

    plane: str = "native"
    voxels: float = 1.0
    weight: float = 1.0
    b0: float = 0.0
    least: int = 0
    margin: int = 0


def stacks_of(name: str, volume: Volume, recipe: Recipe, view: View | None = None) -> Iterator[Stack]:
    """Each 3-D volume of a scan as a stack of slices; the weight of the view is shared out among them.

    Slices smaller than the least, or of a size that the scale does not divide, are padded by reflection.
    name: of the scan. recipe: what the stacks are for.
    """
    view = view or View()
    axis = stacking_axis(volume, view.plane)
    unit = np.float32(data_range(reference_volume(volume)))
    series = [_grown(_coarser(fine / unit, view.voxels), view.least, recipe.scale) for fine in stacks(volume, axis)]
    level = Level.of(series[reference_index(volume)])
    rows = guides.weights(volume, recipe.guides, f"The recipe '{recipe.name}'") if recipe.guides else None
    trusted = _trusted(volume, axis, view, recipe.scale) if view.margin else None
    together = np.stack(series) if rows is not None else np.empty(0)
    for index, share in enumerate(_shares(volume, view.b0)):
        own = series[index]
        r = data_range(own)
        shown = head(own).mean(axis=(1, 2)) + 1e-6
        company = None
        if rows is not None:
            ranges = [data_range(guide) for guide in guides.combine(series, rows[index])]
            company = Company(together, index, rows[index].astype(np.float32), np.array(ranges, np.float32))
        yield Stack(name, own / np.float32(r), level, view.weight * share, shown / shown.sum(), r, company, trusted)


def _shares(volume: Volume, b0: float) -> np.ndarray:
    """How much each 3-D volume counts: equally, or the unweighted ones `b0` together."""
    if not b0 or not guides.has_contrast(volume):
        return np.full(volume.count, 1 / volume.count)
    free = guides.unweighted(volume.gradients)  # type: ignore[arg-type]
    return np.where(free, b0 / free.sum(), (1 - b0) / (~free).sum())


def _coarser(fine: np.ndarray, voxels: float) -> np.ndarray:
    """Slices as a scanner with in-plane voxels `voxels` times as large shows them: k-space truncated, magnitude."""
    if voxels == 1:
        return fine
    sizes = [round(n / voxels) for n in fine.shape[1:]]
    rows, columns = (k_space_matrix(n, m, m, np.ones_like) for n, m in zip(fine.shape[1:], sizes, strict=True))
    return np.abs(kernels.apply(rows.astype(np.complex64), columns.astype(np.complex64), fine))


def _trusted(volume: Volume, axis: int, view: View, scale: int) -> np.ndarray:
    """Where something may be learnt of a scan whose face was blanked: (slices, h, w) bool, as its stack lies."""
    near = blanked(reference_volume(volume), view.margin).astype(np.float32)
    away = _grown(_coarser(stacks(Volume(near), axis)[0], view.voxels), view.least, scale)
    return away < 0.5


def _grown(fine: np.ndarray, least: int, scale: int) -> np.ndarray:
    grow = [(0, 0), *((0, max(0, least - n) or -n % scale) for n in fine.shape[1:])]
    return np.pad(fine, grow, mode="symmetric").astype(np.float32)


def recoloured(stack: Stack, k: int, recipe: Recipe, rng: np.random.Generator) -> tuple[Stack, int]:
    """Slice k and its neighbours in another contrast, and where the slice then lies; the range stays, and signs do.

    stack: the whole. recipe: how much the contrast may change. rng: what is drawn from.
    """
    window = stack.fine[neighbours(k, len(stack.fine), recipe.slices)]
    if rng.random() < recipe.recoloured:
        window = recolour(window, *curve(rng))
    else:
        window = np.sign(window) * np.abs(window) ** np.float32(np.exp(rng.uniform(-recipe.contrast, recipe.contrast)))
    return replace(stack, fine=window), recipe.slices // 2


class Sampler:
    """Draws batches of (coarse, fine) patches; a batch depends on the seed, step, rank and draw alone.

    For a network that is trained on interpolated slices (`Recipe.given_on_fine_grid`) coarse is on the fine grid too.
    """

    def __init__(self, stacks: list[Stack], recipe: Recipe) -> None:
        self.stacks = stacks
        self.recipe = recipe
        weights = np.array([stack.weight for stack in stacks])
        self.chances = weights / weights.sum()
        self.refine = Refinement.of(recipe) if recipe.given_on_fine_grid() else None

    def batch(self, step: int, rank: int = 0, draw: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """coarse (batch, slices + guides, patch, patch) and fine (batch, 1, s x patch, s x patch), float32.

        draw: tells apart the batches of a step that needs several.
        """
        rng = np.random.default_rng((self.recipe.seed, step, rank, draw))
        pairs = [self._pair(rng) for _ in range(self.recipe.batch)]
        coarse, fine = (np.ascontiguousarray(np.stack(part)) for part in zip(*pairs, strict=True))
        return coarse, fine

    def _pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        recipe, s = self.recipe, self.recipe.scale
        stack = self.stacks[rng.choice(len(self.stacks), p=self.chances)]
        k = int(rng.choice(len(stack.fine), p=stack.slice_chances))
        rows, columns = self._patch(stack, k, rng)
        if recipe.contrast or recipe.recoloured:
            stack, k = recoloured(stack, k, recipe, rng)
        model = by_name(recipe.degradation).draw(rng)
        if self.refine is None:
            coarse = coarse_slice(stack, k, recipe, model, rng, (rows, columns))
        else:
            coarse = self.refine.patch(stack, k, recipe, model, rng, (rows, columns))
        fine = stack.fine[k : k + 1, rows.start * s : rows.stop * s, columns.start * s : columns.stop * s]
        coarse, fine = _turn(coarse, fine, recipe.slices, rng)
        # At inference the scales are measured on the coarse volume, those of the guides on theirs.
        factors = rng.uniform(0.85, 1.15, 1 + len(recipe.guides)).astype(np.float32)
        slices, noise = np.repeat(factors[0], recipe.slices), np.repeat(factors[0], recipe.told_noise)
        channels = np.concatenate([slices, factors[1:], noise])
        return coarse * channels[:, None, None], fine * factors[0]

    def _patch(self, stack: Stack, k: int, rng: np.random.Generator) -> tuple[slice, slice]:
        """A patch whose centre lies in the head, away from a blanked face, found in a few draws."""
        p, s = self.recipe.patch, self.recipe.scale
        most = [n // s - p for n in stack.fine.shape[1:]]
        for _ in range(10 if stack.trusted is None else 40):
            y, x = (int(rng.integers(m + 1)) for m in most)
            whole = (k, slice(s * y, s * (y + p)), slice(s * x, s * (x + p)))
            seen = stack.fine[k, s * y + s * p // 2, s * x + s * p // 2] > 0.05
            if seen and (stack.trusted is None or stack.trusted[whole].all()):
                break
        return slice(y, y + p), slice(x, x + p)


@dataclass(frozen=True)
class Refinement:
    """Cuts patches from interpolated slices: the same numbers as of whole ones, from no more than they take."""

    method: str
    scale: int

    @classmethod
    def of(cls, recipe: Recipe) -> "Refinement":
        """The interpolation before the recipe's network."""
        return cls(str(NETWORKS[recipe.architecture].interpolation), recipe.scale)  # type: ignore[attr-defined]

    def patch(
        self,
        stack: Stack,
        k: int,
        recipe: Recipe,
        model: Degradation,
        rng: np.random.Generator,
        patch: tuple[slice, slice],
    ) -> np.ndarray:
        """What `patch` (coarse rows and columns) of slice k is when interpolated: (slices, s x h, s x w) float32.

        stack: the whole, fine. recipe: the scale and the channels. model: the forward model. rng: what is drawn from.
        """
        s, margin = self.scale, METHODS[self.method].reach
        sizes = [n // s for n in stack.fine.shape[1:]]
        given = tuple(
            slice(max(0, part.start - margin), min(n, part.stop + margin)) for part, n in zip(patch, sizes, strict=True)
        )
        coarse = coarse_slice(stack, k, recipe, model, rng, (given[0], given[1]))
        rows, columns = (
            matrix(self.method, n, s)[s * part.start : s * part.stop, wide].astype(np.float32)
            for n, part, wide in zip(sizes, patch, given, strict=True)
        )
        return kernels.apply(rows, columns, coarse)


def coarse_slice(
    stack: Stack,
    k: int,
    recipe: Recipe,
    model: Degradation,
    rng: np.random.Generator,
    patch: tuple[slice, slice] = (slice(None), slice(None)),
) -> np.ndarray:
    """What a network is given of slice k, degraded: (slices + beside, h, w) float32, every channel of range 1.

    stack: the whole, fine. recipe: the scale and the channels. model: the forward model. rng: what is drawn from.
    patch: coarse rows and columns, all by default.
    """
    count, unit = recipe.slices, np.float32(stack.range)
    window = stack.fine[neighbours(k, len(stack.fine), count)] * unit
    if stack.company is None:
        return with_noise(model.slices(window, recipe.scale, stack.level, rng, patch) / unit, recipe)
    company = stack.company
    together = np.concatenate([window, company.volumes[:, k]])
    coarse = model.slices(together, recipe.scale, stack.level, rng, patch)
    coarse[count + company.index] = coarse[count // 2]  # one measurement, and so one noise
    beside = np.tensordot(company.weights, coarse[count:], 1) / company.ranges[:, None, None]
    return with_noise(np.concatenate([coarse[:count] / unit, beside]), recipe)


def with_noise(channels: np.ndarray, recipe: Recipe) -> np.ndarray:
    """The channels (c, h, w) and, where the network is told it, one more with their noise."""
    if not recipe.told_noise:
        return channels
    told = np.full((1, *channels.shape[1:]), told_noise(channels[: recipe.slices]), np.float32)
    return np.concatenate([channels, told])


def _turn(coarse: np.ndarray, fine: np.ndarray, slices: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One of the eight flips and quarter turns of the plane, and perhaps the slices in reverse order."""
    quarter, mirror, reverse = int(rng.integers(4)), rng.random() < 0.5, rng.random() < 0.5
    coarse, fine = np.rot90(coarse, quarter, (1, 2)), np.rot90(fine, quarter, (1, 2))
    if mirror:
        coarse, fine = coarse[:, :, ::-1], fine[:, :, ::-1]
    if reverse:
        coarse = np.concatenate([coarse[:slices][::-1], coarse[slices:]])
    return coarse, fine
