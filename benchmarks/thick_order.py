"""Thick slices with a coarse plane: the slices first or the plane first, against both at once by classical methods.

    python -m benchmarks.thick_order --data DIR [--slices 40]

On the people that the recipe of mri-iso validates on: a decision is made here, and none is made on test subjects. Heads
of nearly cubic voxels are made coarse in plane by k-space truncation (x2) and sliced 4 mm thick and 4 mm apart, noise
of an SNR of 40 last in one of two cases; `enhance --spacing` does the plane first. Prints a table for docs/thick.md.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import classical
from SuperResolutionLib.methods.chain import Chain
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.methods.thin_slices import ThinSlices
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import rician_noise
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import Volume

SCANS = ("ds002748_sub-40_T1w", "rorden_T1w_08mm")
APART = 4.0  # mm between slices
SNRS = (0, 40)


def restored(low: Volume, truth: Volume) -> dict[str, Volume]:
    """What each way makes of a scan, on the grid of the truth."""
    wanted, runtime = Sampling(spacing=truth.spacing), Runtime()
    thin, plane = ThinSlices(zoo.load("mri-iso")), NetworkMethod(zoo.load("mri-x2"))
    slices = Sampling(slice_spacing=truth.spacing[2], plane="axial")
    sharp = finish(classical("deconvolution").restore(low, slices, runtime)).volume
    thinner = finish(thin.restore(low, slices, runtime)).volume
    return {
        "B-spline": upsample(low, "bspline", sampling=wanted),
        "deconvolution, then sinc": upsample(sharp, "sinc", sampling=wanted),
        "slices first": finish(plane.restore(thinner, replace(wanted, plane="axial"), runtime)).volume,
        "plane first": finish(Chain(plane, thin).restore(low, wanted, runtime)).volume,
    }


def coarse(volume: Volume, snr: float) -> tuple[Volume, Volume]:
    """A scan with a coarse plane and thick slices, and its truth; both of whole voxels of the other."""
    truth = Sampling(factor=2, plane="axial").cropped(volume)
    slices = max(1, int(truth.size[2] * truth.spacing[2] // APART))
    rows = round(slices * APART / truth.spacing[2])
    truth = replace(truth, voxels=truth.voxels[:rows])
    plane = degrade(truth, "k_space", sampling=Sampling(factor=2, plane="axial"))
    low = degrade(plane, f"slices:spacing={APART:g}", sampling=Sampling(slice_spacing=APART, plane="axial"))
    if snr:
        sigma = float(low.voxels[head(low.voxels)].mean()) / snr
        low = low.with_voxels(rician_noise(low.voxels, sigma, np.random.default_rng(0)))
    return low, truth


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--slices", type=int, default=40, help="mm in the middle of each head")
    options = parser.parse_args()
    print(
        "| scan | SNR | B-spline | deconvolution, then sinc | slices first | plane first |\n|---|---|---|---|---|---|"
    )
    for name in SCANS:
        volume = files.read(next(options.data.rglob(f"{name}.nii.gz"))).cast(np.float32)
        half = round(options.slices / volume.spacing[2] / 2)
        middle = volume.size[2] // 2
        part = replace(volume, voxels=volume.voxels[middle - half : middle + half])
        for snr in SNRS:
            low, truth = coarse(part, snr)
            figures = [
                f"{score(truth, one, 2, with_ssim=False).psnr_head:.2f}" for one in restored(low, truth).values()
            ]
            print(f"| {name} | {snr or '-'} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
