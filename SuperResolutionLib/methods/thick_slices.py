"""Thick slices restored on thinner rows by a network, reformat by reformat: stacks of numbers, no volumes."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch

from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.methods.devices import ON_CPU, Where
from SuperResolutionLib.networks.through_plane import Scene, ThroughPlane, folded, series
from SuperResolutionLib.physics import interpolating
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.starts import starts
from SuperResolutionLib.progress import finish

LOAD = 40_000  # coarse voxels that go through the network at once


@dataclass(frozen=True)
class Turn:
    """One way of looking at a stack.

    across: reformats along the height instead of the width. upside_down, mirrored: slices, columns in reverse.
    """

    across: bool = False
    upside_down: bool = False
    mirrored: bool = False


# The first shows each voxel once, the first two from both sides, all eight in every way.
TURNS = (
    Turn(),
    Turn(across=True),
    *(
        Turn(across, down, mirror)
        for down, mirror in ((True, True), (True, False), (False, True))
        for across in (False, True)
    ),
)


def restore(
    network: ThroughPlane,
    slices: np.ndarray,
    rows: int,
    scene: Scene,
    only: slice = slice(None),
    where: Where = ON_CPU,
) -> np.ndarray:
    """Slices (reformats, slices, columns) of range 1 on `rows` rows scene.wanted apart: (reformats, rows, columns).

    The first row begins where the first slice's half of the spacing does. only: the reformats to restore. float32.
    network: on the device of `where`.
    """
    return finish(restoring(network, slices, rows, scene, only, where))


def restoring(
    network: ThroughPlane,
    slices: np.ndarray,
    rows: int,
    scene: Scene,
    only: slice = slice(None),
    where: Where = ON_CPU,
) -> Generator[int, None, np.ndarray]:
    """As `restore`, but yields after each batch how many reformats it was.

    network, slices, rows, scene, only, where: as there.
    """
    count, size, columns = slices.shape
    start = _Start.of(network, size, rows, scene, where)
    chosen = range(count)[only]
    step = max(1, LOAD // (size * columns))
    result = np.empty((len(chosen), rows, columns), np.float32)
    for begin in range(0, len(chosen), step):
        part = chosen[begin : begin + step]
        near = np.stack([slices[neighbours(k, count, network.neighbours)] for k in part]).astype(np.float32)
        result[begin : begin + len(part)] = start.run(network, near)
        yield len(part)
    return result


@dataclass(frozen=True, eq=False)
class _Start:
    """What is the same for all reformats: the classical methods as matrices, the series, what the network is told."""

    classical: torch.Tensor
    waves: torch.Tensor
    folds: torch.Tensor
    told: torch.Tensor
    where: Where

    @classmethod
    def of(cls, network: ThroughPlane, size: int, rows: int, scene: Scene, where: Where) -> "_Start":
        """What does not change from batch to batch.

        network: the one that runs. size: the slices that are given. rows: those that are wanted. scene: how far apart
        both are. where: the device and the precision.
        """
        position = interpolating.positions(rows, scene.wanted, scene.spacing)
        begun = starts(Slices(scene.spacing, scene.thickness), size, rows, scene.wanted, network.offers)
        waves = series(position, size, network.terms, scene.spacing / scene.wanted)
        arrays = (begun, waves, folded(begun, waves, network.folds), scene.conditions())
        classical, functions, folds, told = (torch.from_numpy(a).to(where.device) for a in arrays)
        return cls(classical, functions, folds, told, where)

    @torch.inference_mode()
    def run(self, network: ThroughPlane, near: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(near).to(self.where.device)
        middle = x[:, network.neighbours // 2, None]
        begun, beside = self.classical @ middle, self.folds @ middle
        with self.where.autocast():
            seen = torch.cat([x, beside], dim=1).contiguous(memory_format=torch.channels_last)
            coefficients = network(seen, self.told.expand(len(near), -1))
        fine = network.between(coefficients.float(), self.waves, begun)[:, 0]
        result: np.ndarray = fine.cpu().numpy()
        return result


def restoring_volume(
    network: ThroughPlane, thick: np.ndarray, rows: int, scene: Scene, turns: tuple[Turn, ...], where: Where = ON_CPU
) -> Generator[int, None, tuple[np.ndarray, np.ndarray]]:
    """A stack (slices, height, width) of range 1 on `rows` rows: the mean of turns, and their standard deviation.

    Both (rows, height, width) float32; yields after each batch how many reformats it was. scene: pixel is along the
    width, beside along the height.
    network: on the device of `where`, in its precision. thick: the stack.
    """
    mean: np.ndarray | None = None
    squares = np.zeros(0, np.float32)
    for number, turn in enumerate(turns, 1):
        one = yield from _turned(network, thick, rows, scene, turn, where)
        if mean is None:
            mean, squares = one, np.zeros_like(one) if len(turns) > 2 else np.zeros(0, np.float32)
            continue
        away = one - mean  # Welford 1962: no difference of large squares
        mean += away / number
        if len(squares):
            squares += away * (one - mean)
    assert mean is not None
    return mean, np.sqrt(squares / len(turns), dtype=np.float32)


def _turned(
    network: ThroughPlane, thick: np.ndarray, rows: int, scene: Scene, turn: Turn, where: Where
) -> Generator[int, None, np.ndarray]:
    """What the network makes of a stack that is turned, turned back."""
    order = (2, 0, 1) if turn.across else (1, 0, 2)
    told = replace(scene, pixel=scene.beside, beside=scene.pixel) if turn.across else scene
    flips = (slice(None), *(slice(None, None, -1 if flip else 1) for flip in (turn.upside_down, turn.mirrored)))
    fine = yield from restoring(network, thick.transpose(order)[flips], rows, told, where=where)
    return np.ascontiguousarray(fine[flips].transpose((1, 2, 0) if turn.across else (1, 0, 2)))
