"""Training patches: whole columns are sliced, patches of thick slices cut afterwards, where the head is."""

from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.networks.through_plane import Scene, ThroughPlane, folded, series
from SuperResolutionLib.physics.interpolating import positions
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.starts import starts
from SuperResolutionLib.training.contrast import curve, recolour
from SuperResolutionLib.training.through_plane.scans import Scan
from SuperResolutionLib.training.through_plane.thick_recipe import ThickRecipe

SEEN = 0.05  # of the range: what is darker is no place for a patch
GAIN = 0.15  # the range of a thick scan is not exactly that of the fine one


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of one scan and one way of slicing it, float32.

    slices: (n, neighbours + folded, rows, columns). told: (n, 4). starts: (n, 1 + offers, fine rows, columns), the
    B-spline and the other classical results. truth, trust: (n, 1, fine rows, columns), the fine voxels, and 0 where
    nothing may be learnt. series: (fine rows, terms x rows).
    """

    slices: np.ndarray
    told: np.ndarray
    starts: np.ndarray
    truth: np.ndarray
    trust: np.ndarray
    series: np.ndarray


@dataclass(frozen=True)
class Size:
    """Of a patch (thick slices and columns), of a batch, and of the groups it is drawn in."""

    rows: int
    columns: int
    batch: int
    together: int


class Sampler:
    """Draws batches; a batch depends on the seed and the step alone. network: what the patches are for."""

    def __init__(self, scans: list[Scan], recipe: ThickRecipe, network: ThroughPlane) -> None:
        self.scans, self.recipe, self.network = scans, recipe, network
        weights = np.array([scan.weight for scan in scans])
        self.chances = weights / weights.sum()

    def batch(self, step: int, size: Size) -> list[Patches]:
        """Groups of patches, size.batch patches together."""
        rng = np.random.default_rng((self.recipe.seed, step))
        return [self._group(rng, size) for _ in range(size.batch // size.together)]

    def _group(self, rng: np.random.Generator, size: Size) -> Patches:
        scan = self.scans[rng.choice(len(self.scans), p=self.chances)]
        view = View.drawn(scan, rng)
        sliced = Sliced.drawn(view, self.recipe, size.rows, rng)
        row = view.place(rng)[1]
        centre = round((row + 0.5) * view.spacing[1] / sliced.slices.spacing - 0.5)
        first = int(np.clip(centre - rng.integers(size.rows), 0, sliced.count - size.rows))
        rows = np.flatnonzero((sliced.position >= first - 0.5) & (sliced.position < first + size.rows - 0.5))
        begun, folds = sliced.starts(view, self.network)
        cut = Cut(sliced, first, rows, begun[:, rows], folds[:, first : first + size.rows], size)
        parts = [cut.patch(view, self.recipe, self.network.neighbours, rng) for _ in range(size.together)]
        arrays = [np.ascontiguousarray(np.stack(part), dtype=np.float32) for part in zip(*parts, strict=True)]
        ratio = sliced.slices.spacing / view.spacing[1]
        waves = series(sliced.position[rows] - first, size.rows, self.network.terms, ratio)
        told = np.tile(sliced.told.conditions(), (size.together, 1))
        return Patches(arrays[0], told, arrays[1], arrays[2], arrays[3], waves)


@dataclass(frozen=True, eq=False)
class View:
    """A scan turned: axes are (neighbours, slice axis, columns), each perhaps reversed."""

    voxels: np.ndarray
    trusted: np.ndarray | None
    spacing: tuple[float, float, float]

    @classmethod
    def drawn(cls, scan: Scan, rng: np.random.Generator) -> "View":
        """Any axis of the scan that may be sliced, and one beside it that may too for the columns, where there is."""
        along = int(rng.choice(scan.axes))
        columns = int(rng.choice([axis for axis in scan.axes if axis != along]))
        order = (3 - along - columns, along, columns)
        turns = tuple(slice(None, None, int(rng.choice([-1, 1]))) for _ in range(3))
        voxels, trusted = (None if a is None else a.transpose(order)[turns] for a in (scan.voxels, scan.trusted))
        assert voxels is not None
        return cls(voxels, trusted, (scan.spacing[order[0]], scan.spacing[order[1]], scan.spacing[order[2]]))

    def place(self, rng: np.random.Generator, rows: np.ndarray | None = None) -> tuple[int, int, int]:
        """A voxel where there is something to see, found in a few draws; rows: among which."""
        for _ in range(20):
            n, a, c = (int(rng.integers(s)) for s in self.voxels.shape)
            a = a if rows is None else int(rows[a % len(rows)])
            if self.voxels[n, a, c] > SEEN and (self.trusted is None or self.trusted[n, a, c]):
                break
        return n, a, c


@dataclass(frozen=True, eq=False)
class Sliced:
    """How a view is sliced: the forward model, positions of the fine rows, what is told of it."""

    slices: Slices
    forward: np.ndarray
    position: np.ndarray
    told: Scene

    @property
    def count(self) -> int:
        """How many thick slices."""
        return len(self.forward)

    @classmethod
    def drawn(cls, view: View, recipe: ThickRecipe, rows: int, rng: np.random.Generator) -> "Sliced":
        """A spacing, a thickness and a profile; at least `rows` slices.

        view: how the scan is looked at. recipe: from which ranges is drawn. rng: what is drawn from.
        """
        beside, voxel, pixel = view.spacing
        size = view.voxels.shape[1]
        least, most = recipe.spacings(size, voxel, rows)
        spacing = float(np.exp(rng.uniform(np.log(least), np.log(most))))
        thickness = spacing * rng.uniform(*recipe.thickness)
        slices = Slices(spacing, thickness, str(rng.choice(recipe.profiles)), float(rng.choice([2, 3, 4, 6, 8])))
        forward = slices.matrix(size, voxel).astype(np.float32)
        position = positions(size, voxel, spacing)
        believed = thickness * np.exp(rng.normal(0, recipe.told)) if rng.random() < recipe.misled else thickness
        told = Scene(spacing, believed, voxel, pixel, beside)
        return cls(slices, forward, position, told)

    def starts(self, view: View, network: ThroughPlane) -> tuple[np.ndarray, np.ndarray]:
        """The classical methods back, by what is told: (1 + offers, fine rows, slices); and `folded`."""
        told = Slices(self.told.spacing, self.told.thickness)
        begun = starts(told, self.count, view.voxels.shape[1], self.told.wanted, network.offers)
        waves = series(self.position, self.count, max(1, network.folds), told.spacing / self.told.wanted)
        return begun, folded(begun, waves, network.folds)


@dataclass(frozen=True, eq=False)
class Cut:
    """Where patches are cut: from thick slice `first` on, the fine rows that lie there, the classical methods there."""

    sliced: Sliced
    first: int
    rows: np.ndarray
    starts: np.ndarray
    folds: np.ndarray
    size: Size

    def patch(self, view: View, recipe: ThickRecipe, channels: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Thick slices and `folded` (channels, rows, columns); starts (1 + offers, fine rows, ...); truth; trust.

        view: how the scan is looked at. recipe: the sizes and chances. rng: what is drawn from.
        """
        n, _, c = view.place(rng, self.rows)
        start = int(np.clip(c - rng.integers(self.size.columns), 0, view.voxels.shape[2] - self.size.columns))
        columns = slice(start, start + self.size.columns)
        fine = view.voxels[neighbours(n, len(view.voxels), channels), :, columns]
        if rng.random() < recipe.recoloured:
            fine = recolour(fine, *curve(rng))
        thick = measured(self.sliced.forward @ fine, recipe, rng)
        middle = channels // 2
        gain = np.float32(rng.uniform(1 - GAIN, 1 + GAIN))
        begun = self.starts @ thick[middle]
        truth = fine[middle][self.rows]
        trust = np.ones_like(truth) if view.trusted is None else view.trusted[n, self.rows, columns]
        kept = np.concatenate([thick[:, self.first : self.first + self.size.rows], self.folds @ thick[middle]])
        return kept * gain, begun * gain, truth[None] * gain, trust[None]


def measured(thick: np.ndarray, recipe: ThickRecipe, rng: np.random.Generator) -> np.ndarray:
    """Thick slices (neighbours, rows, columns) as a scanner has them: slices of unequal gain, noise."""
    if rng.random() < recipe.uneven:
        thick = thick * (1 + rng.normal(0, rng.uniform(0.005, 0.03), (1, thick.shape[1], 1))).astype(np.float32)
    if rng.random() >= recipe.noisy:
        return thick
    bright = thick[thick > SEEN]
    level = float(bright.mean()) if bright.size else 1.0
    sigma = np.float32(level / np.exp(rng.uniform(*np.log(recipe.snr))))
    noise = rng.standard_normal((2, *thick.shape), dtype=np.float32) * sigma
    return np.hypot(thick + noise[0], noise[1]) if rng.random() < 0.7 else thick + noise[0]
