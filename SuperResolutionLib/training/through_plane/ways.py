"""Validation: reformats of people that nothing is learnt from, sliced in several ways, beside classical methods."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods.thick_slices import restore
from SuperResolutionLib.networks.through_plane import Scene, ThroughPlane
from SuperResolutionLib.physics.interpolating import matrix_at, positions
from SuperResolutionLib.physics.slice_profile import Slices, deconvolution
from SuperResolutionLib.training.split import stem, volume_files
from SuperResolutionLib.training.through_plane.scans import Scan, read
from SuperResolutionLib.training.through_plane.thick_recipe import Group

# file, slice axis, thickness, spacing (mm), profile, SNR (0: no noise)
WAYS = (
    ("ds002748_sub-40_T1w", "z", 4.0, 4.0, "gaussian", 0),
    ("ds002748_sub-40_T1w", "z", 4.0, 4.0, "box", 0),
    ("ds002748_sub-40_T1w", "z", 2.0, 2.0, "gaussian", 0),
    ("ds002748_sub-40_T1w", "z", 3.0, 4.0, "gaussian", 40),
    ("ds002748_sub-40_T1w", "z", 6.0, 6.0, "box", 0),
    ("ds002748_sub-40_T1w", "z", 4.0, 4.6, "gaussian", 20),
    ("rorden_T1w_08mm", "z", 4.0, 4.0, "gaussian", 0),
    ("rorden_T1w_08mm", "y", 3.0, 3.0, "box", 40),
    ("openms_patient20_FLAIR", "y", 4.0, 4.0, "gaussian", 0),
    ("openms_patient20_FLAIR", "x", 3.0, 4.0, "box", 40),
)
REFORMATS = 4


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


def cases(folder: Path) -> list[Case]:
    """The ways of slicing that are there; of each scan the reformats at even distances."""
    paths = {stem(path): path for path in volume_files(folder)}
    there = [way for way in WAYS if way[0] in paths]
    scans = {name: read(paths[name], Group("*")) for name in {way[0] for way in there}}
    return [_case(scans[way[0]], way) for way in there]


def _case(scan: Scan, way: tuple[str, str, float, float, str, int]) -> Case:
    name, letter, thickness, spacing, profile, snr = way
    along = 2 - "xyz".index(letter)
    columns = 1 if along == 2 else 2
    order = (3 - along - columns, along, columns)
    view, (beside, voxel, pixel) = scan.voxels.transpose(order), (scan.spacing[k] for k in order)
    slices = Slices(spacing, thickness, profile)
    forward = slices.matrix(view.shape[1], voxel).astype(np.float32)
    level = float(view[view > 0.05].mean())
    chosen = np.linspace(0.3, 0.7, REFORMATS) * len(view)
    wide = np.concatenate([np.arange(int(k) - 2, int(k) + 3) for k in chosen])
    thick = forward @ view[np.clip(wide, 0, len(view) - 1)]
    if snr:
        noise = np.random.default_rng(0).standard_normal((2, *thick.shape)) * level / snr
        thick = np.hypot(thick + noise[0], noise[1]).astype(np.float32)
    truth = view[chosen.astype(int)]
    middle = thick[2::5]
    spline = matrix_at("bspline", len(forward), positions(view.shape[1], voxel, spacing))
    told = Slices(spacing, thickness)
    sharp = deconvolution(told, view.shape[1], voxel, 3e-3 if not snr else 3e-3 + 40 / snr**2)
    classical = max(decibels(truth, spline @ middle), decibels(truth, sharp @ middle))
    scene = Scene(spacing, thickness, voxel, pixel, beside)
    return Case(f"{name} {thickness:g}/{spacing:g} {profile} {snr}", thick, truth, scene, chosen, classical)


def decibels(truth: np.ndarray, restored: np.ndarray) -> float:
    """PSNR in the head for a range of 1."""
    return float(-10 * np.log10(np.square(truth - restored, dtype=np.float64)[head(truth)].mean()))


def validate(network: ThroughPlane, held: list[Case]) -> dict[str, float]:
    """The gain over the classical methods of every case, dB in the head, and "gain", their mean."""
    network.eval()
    gains = {case.name: _psnr(network, case) - case.classical for case in held}
    network.train()
    return {"gain": float(np.mean(list(gains.values()))) if gains else 0.0, **gains}


def _psnr(network: ThroughPlane, case: Case) -> float:
    rows = case.truth.shape[1]
    parts = [
        restore(network, case.thick[5 * k : 5 * k + 5], rows, case.scene, slice(2, 3)) for k in range(len(case.truth))
    ]
    return decibels(case.truth, np.concatenate(parts))
