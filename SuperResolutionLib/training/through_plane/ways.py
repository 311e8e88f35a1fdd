"""Validation: reformats of people that nothing is learnt from, sliced in several ways, beside classical methods."""

from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods.thick_slices import restore
from SuperResolutionLib.networks.through_plane import Scene, ThroughPlane
from SuperResolutionLib.physics.interpolating import matrix_at, positions
from SuperResolutionLib.physics.slice_profile import Slices, deconvolution
from SuperResolutionLib.training import split
from SuperResolutionLib.training.through_plane.scans import Scan, read
from SuperResolutionLib.training.through_plane.thick_recipe import ThickGroup, ThickRecipe, Way

REFORMATS = 4
# Of the scans that no way of the recipe fits: how far the spacing lies, on a logarithmic scale, between the least and
# the largest that the recipe draws for such a scan; the profile; the SNR (0: no noise). Slices as thick as apart.
USUAL = ((0.25, "gaussian", 0.0), (0.5, "box", 40.0), (0.75, "gaussian", 0.0))


@dataclass(frozen=True, eq=False)
class Case:
    """Reformats of one scan sliced in one way: thick (neighbours, slices, columns), truth (chosen, rows, columns).

    classical: the best of B-spline and deconvolution, dB in the head.
    """

    name: str
    thick: np.ndarray
    truth: np.ndarray
    scene: Scene
    chosen: np.ndarray
    classical: float


def cases(folder: Path, recipe: ThickRecipe) -> list[Case]:
    """The validation scans in the recipe's ways; of each scan the reformats at even distances.

    Where the ways fit none of them, each is sliced in the usual ways. Scans that show nothing are left out.
    """
    held = split.validation_files(folder, recipe)
    asked = [(way, path) for way in recipe.ways for path in held if fnmatch(split.stem(path), way.pattern)]
    if asked:
        scans = {path: _held(path, recipe) for path in {path for _, path in asked}}
        found = [_case(scans[path], way) for way, path in asked]
    else:
        found = [_case(scan, way) for scan in (_held(p, recipe) for p in held) for way in usual(scan, recipe)]
    return [case for case in found if case is not None]


def _held(path: Path, recipe: ThickRecipe) -> Scan:
    return read(path, replace(recipe.group_of(split.stem(path)) or ThickGroup(), margin=0))


def usual(scan: Scan, recipe: ThickRecipe) -> list[Way]:
    """A few ways to slice a scan along an axis that may be, z if that is one, by spacings that the recipe draws."""
    axis = min(scan.axes)
    least, most = recipe.spacings(scan.voxels.shape[axis], scan.spacing[axis], recipe.rows)
    lengths = [round(float(least * (most / least) ** share), 2) for share, _, _ in USUAL]
    return [
        Way(axis="zyx"[axis], thickness=mm, spacing=mm, profile=profile, snr=snr)
        for mm, (_, profile, snr) in zip(lengths, USUAL, strict=True)
    ]


def _case(scan: Scan, way: Way) -> Case | None:
    """A scan sliced in one way; None where the reformats show nothing."""
    thickness, spacing, profile, snr = way.thickness, way.spacing, way.profile, way.snr
    along = "zyx".index(way.axis)
    columns = next(axis for axis in (2, 1, 0) if axis != along and axis in scan.axes)
    order = (3 - along - columns, along, columns)
    view, (beside, voxel, pixel) = scan.voxels.transpose(order), (scan.spacing[k] for k in order)
    chosen = np.linspace(0.3, 0.7, REFORMATS) * len(view)
    truth = view[chosen.astype(int)]
    if not head(truth).any():
        return None
    slices = Slices(spacing, thickness, profile)
    forward = slices.matrix(view.shape[1], voxel).astype(np.float32)
    level = float(view[view > 0.05].mean())
    wide = np.concatenate([np.arange(int(k) - 2, int(k) + 3) for k in chosen])
    thick = forward @ view[np.clip(wide, 0, len(view) - 1)]
    if snr:
        noise = np.random.default_rng(0).standard_normal((2, *thick.shape)) * level / snr
        thick = np.hypot(thick + noise[0], noise[1]).astype(np.float32)
    middle = thick[2::5]
    spline = matrix_at("bspline", len(forward), positions(view.shape[1], voxel, spacing))
    told = Slices(spacing, thickness)
    sharp = deconvolution(told, view.shape[1], voxel, 3e-3 if not snr else 3e-3 + 40 / snr**2)
    classical = max(decibels(truth, spline @ middle), decibels(truth, sharp @ middle))
    scene = Scene(spacing, thickness, voxel, pixel, beside)
    return Case(f"{scan.name} {way}", thick, truth, scene, chosen, classical)


def decibels(truth: np.ndarray, restored: np.ndarray) -> float:
    """PSNR in the head for a range of 1."""
    return float(-10 * np.log10(np.square(truth - restored, dtype=np.float64)[head(truth)].mean()))


def validate(network: ThroughPlane, held: list[Case]) -> dict[str, float]:
    """Means over the cases, dB in the head: "gain" over the classical methods, "psnr_head"; and the gain of each."""
    if not held:
        return {"gain": 0.0}
    network.eval()
    psnrs = [_psnr(network, case) for case in held]
    network.train()
    gains = [psnr - case.classical for psnr, case in zip(psnrs, held, strict=True)]
    each = {f"gain {case.name}": gain for case, gain in zip(held, gains, strict=True)}
    return {"gain": float(np.mean(gains)), "psnr_head": float(np.mean(psnrs)), **each}


def _psnr(network: ThroughPlane, case: Case) -> float:
    rows = case.truth.shape[1]
    parts = [
        restore(network, case.thick[5 * k : 5 * k + 5], rows, case.scene, slice(2, 3)) for k in range(len(case.truth))
    ]
    return decibels(case.truth, np.concatenate(parts))
