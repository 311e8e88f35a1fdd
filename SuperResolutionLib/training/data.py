"""Training pairs: whole slices degraded first, patches cut afterwards, drawn where there is something to see."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.degradation import Level, by_name
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry import stacking_axis, stacks
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.slices import neighbours
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.volume import Volume, signal_only


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume seen in one plane, its range scaled to 1: fine (slices, h, w) float32."""

    name: str
    fine: np.ndarray
    level: Level
    weight: float
    slice_chances: np.ndarray


def volume_files(folder: Path) -> list[Path]:
    """The volumes of a data folder to learn from: those under folders called "train" where there are any.

    Nothing under a folder called "test" is ever taken.
    """
    found = [p for p in sorted(folder.rglob("*")) if p.name.endswith((".nii.gz", ".nii", ".nrrd", ".mha", ".mhd"))]
    found = [p for p in found if "test" not in p.relative_to(folder).parts]
    train = [p for p in found if "train" in p.relative_to(folder).parts]
    if not found:
        raise InputError(f"{folder} has no volumes (NIfTI, NRRD, MHA) to train on; give --data another folder.")
    return train or found


def stem(path: Path) -> str:
    """A file's name without its extensions: what the recipe's patterns are matched against."""
    return path.name.split(".", 1)[0]


def training_stacks(folder: Path, recipe: Recipe) -> list[Stack]:
    """Every training volume in every plane of its group; a group's weight is shared by its stacks."""
    result: list[Stack] = []
    chosen = [(p, recipe.group_of(stem(p))) for p in volume_files(folder) if not recipe.is_validation(stem(p))]
    for path, group in chosen:
        if group is None:
            continue
        share = group.weight / sum(g is group for _, g in chosen)
        volume = files.read(path)
        signal_only(volume, f"learnt from ({path.name})")
        for plane in group.planes:
            result += _stacks(stem(path), volume, plane, share / len(group.planes), recipe)
    if not result:
        raise InputError(f"No volume under {folder} belongs to a group of the recipe; check its patterns.")
    return result


def _stacks(name: str, volume: Volume, plane: str, weight: float, recipe: Recipe) -> Iterator[Stack]:
    for voxels in stacks(volume, stacking_axis(volume, plane)):
        voxels = voxels / np.float32(data_range(voxels))
        _, h, w = voxels.shape
        least = recipe.patch * recipe.scale
        grow = [(0, 0), *((0, max(0, least - n) or -n % recipe.scale) for n in (h, w))]
        voxels = np.pad(voxels, grow, mode="symmetric").astype(np.float32)
        shown = head(voxels).mean(axis=(1, 2)) + 1e-6
        yield Stack(name, voxels, Level.of(voxels), weight / volume.count, shown / shown.sum())


class Sampler:
    """Draws batches of (coarse, fine) patches; a batch depends on the seed, step and rank alone."""

    def __init__(self, stacks: list[Stack], recipe: Recipe) -> None:
        self.stacks = stacks
        self.recipe = recipe
        weights = np.array([stack.weight for stack in stacks])
        self.chances = weights / weights.sum()

    def batch(self, step: int, rank: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """coarse (batch, slices, patch, patch) and fine (batch, 1, s x patch, s x patch), float32."""
        rng = np.random.default_rng((self.recipe.seed, step, rank))
        pairs = [self._pair(rng) for _ in range(self.recipe.batch)]
        coarse, fine = (np.ascontiguousarray(np.stack(part)) for part in zip(*pairs, strict=True))
        return coarse, fine

    def _pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        recipe, s = self.recipe, self.recipe.scale
        stack = self.stacks[rng.choice(len(self.stacks), p=self.chances)]
        k = int(rng.choice(len(stack.fine), p=stack.slice_chances))
        rows, columns = self._patch(stack, k, rng)
        window = stack.fine[neighbours(k, len(stack.fine), recipe.slices)]
        model = by_name(recipe.degradation).draw(rng)
        coarse = model.slices(window, s, stack.level, rng, patch=(rows, columns))
        fine = stack.fine[k : k + 1, rows.start * s : rows.stop * s, columns.start * s : columns.stop * s]
        coarse, fine = _turn(coarse, fine, rng)
        factor = np.float32(rng.uniform(0.85, 1.15))  # at inference the scale is measured on the coarse volume
        return coarse * factor, fine * factor

    def _patch(self, stack: Stack, k: int, rng: np.random.Generator) -> tuple[slice, slice]:
        """A patch whose centre lies in the head, found in a few draws."""
        p, s = self.recipe.patch, self.recipe.scale
        most = [n // s - p for n in stack.fine.shape[1:]]
        for _ in range(10):
            y, x = (int(rng.integers(m + 1)) for m in most)
            if stack.fine[k, s * y + s * p // 2, s * x + s * p // 2] > 0.05:
                break
        return slice(y, y + p), slice(x, x + p)


def _turn(coarse: np.ndarray, fine: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One of the eight flips and quarter turns of the plane, and perhaps the slices in reverse order."""
    quarter, mirror, reverse = int(rng.integers(4)), rng.random() < 0.5, rng.random() < 0.5
    coarse, fine = np.rot90(coarse, quarter, (1, 2)), np.rot90(fine, quarter, (1, 2))
    if mirror:
        coarse, fine = coarse[:, :, ::-1], fine[:, :, ::-1]
    return (coarse[::-1] if reverse else coarse), fine
