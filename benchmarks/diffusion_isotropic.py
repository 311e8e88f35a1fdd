"""Diffusion series made finer along all three axes (x2): slices and plane together, as `enhance --spacing` does it.

    python -m benchmarks.diffusion_isotropic --data DIR [--sites NAME ...] [--slices 12] [--out PAGE]

Test series alone. Each is made coarse by k-space truncation in plane (x2), and along the slices either by truncation,
as a 3-D acquisition would be, or by slices twice as thick with a Gaussian profile, as 2-D acquisitions are; these also
with Rician noise at an SNR of 20, which is added last.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.diffusion import SITES, denoised
from benchmarks.diffusion_report import DENOISED
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import anatomical_plane, middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.shrinking import k_space_matrix
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.tensor_errors import TensorErrors, reference, tensor_errors
from SuperResolutionLib.volume import Volume

MEASURES = ("psnr", "psnr_weighted", "ssim", "fa", "fa_white", "md", "angle")
HIGHER = ("psnr", "psnr_weighted", "ssim")
SHORT = [site for site in SITES if site != "public_sample"]  # which has 70 volumes, and takes as long as all others
WAYS = ("truncated slices", "Gaussian slices", "Gaussian slices, SNR 20")


def coarse(truth: Volume, axis: int, way: str) -> Volume:
    """The series with a coarse plane and half as many slices. axis: that they are stacked along. way: one of WAYS."""
    plane = anatomical_plane(truth)
    low = degrade(truth, "k_space", sampling=Sampling(factor=2, plane=plane))
    apart = 2 * truth.spacing[axis]
    noise = ",snr=20" if way == WAYS[2] else ""
    thick = degrade(low, f"slices:spacing={apart:g}{noise}", sampling=Sampling(slice_spacing=apart, plane=plane))
    if way != WAYS[0]:
        return thick
    for source, target in zip(stacks(low, axis), stacks(thick, axis), strict=True):
        matrix = k_space_matrix(len(source), len(target), len(target), np.ones_like)
        target[...] = np.abs(np.tensordot(matrix, source, 1))
    return thick


def restored(low: Volume, truth: Volume, noisy: bool) -> dict[str, Volume]:
    """What each method makes of it, on the grid of the truth; where it is noisy also MP-PCA and sinc."""
    wanted = Sampling(spacing=truth.spacing, plane=anatomical_plane(truth))
    method = network(low, None, wanted)
    made = {name: upsample(low, name, sampling=wanted) for name in ("bspline", "sinc")}
    if noisy:
        made[DENOISED] = upsample(denoised(low), "sinc", sampling=wanted)
    return {**made, method.name: finish(method.restore(low, wanted, Runtime())).volume}


def lines(rows: dict[str, TensorErrors]) -> list[str]:
    """The rows of a table, and in a last one what our chain gains over the better of the others, losses in bold."""
    *others, ours = rows
    made = [f"| {name} | {' | '.join(f'{getattr(row, m):.4g}' for m in MEASURES)} |" for name, row in rows.items()]
    gains = []
    for measure in MEASURES:
        values = [getattr(rows[name], measure) for name in others]
        sign = 1 if measure in HIGHER else -1
        gain = sign * (getattr(rows[ours], measure) - (max(values) if sign > 0 else min(values)))
        gains.append(f"{gain:+.3g}" if gain >= 0 else f"**{gain:+.3g}**")
    return [*made, f"| gain | {' | '.join(gains)} |"]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sites", nargs="+", choices=SITES, default=SHORT)
    parser.add_argument("--slices", type=int, default=12, help="of the truth, in its middle")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/diffusion_isotropic.md"))
    options = parser.parse_args()
    page = [INTRODUCTION.format(slices=options.slices)]
    for site in options.sites:
        volume = files.read(SITES[site](options.data)).cast(np.float32)
        axis = stacking_axis(volume)
        truth = middle_slices(Sampling(factor=2).cropped(volume), axis, options.slices)
        given = reference(truth, axis)
        for way in WAYS:
            low = coarse(truth, axis, way)
            rows = {
                name: tensor_errors(given, one)[0] for name, one in restored(low, truth, noisy=way == WAYS[2]).items()
            }
            heading = f"| method | {' | '.join(MEASURES)} |"
            page += [f"## {site}, {way}", "", heading, "|---" * (len(MEASURES) + 1) + "|", *lines(rows), ""]
            print("\n".join(page[-8:]), flush=True)
            options.out.write_text("\n".join(page), encoding="utf-8")


INTRODUCTION = """# Diffusion series finer along all axes

Written by `python -m benchmarks.diffusion_isotropic --data DIR`; do not edit. The {slices} slices in the middle of
series that no training saw, made coarse by truncation in plane (x2) and along the slices by truncation or by slices of
twice the distance with a Gaussian profile, these also with noise (SNR 20, added last); restored x2 along all axes by
`enhance --spacing` (the plane by `dwi-x2`, then the slices by `mri-iso`) and by interpolation along all axes, with
noise also after MP-PCA. Measures as in
[diffusion.md](diffusion.md), angles in degrees; the last row of each table is the gain over the better of the others,
a loss in **bold**. `mri-iso` learnt from slice profiles, not from truncation along the slices.
"""


if __name__ == "__main__":
    main()
