"""Held-out diffusion series: images and tensors restored by every classical method and our models.

    python -m benchmarks.diffusion --data DIR [--models dwi-x2 mri-x2] [--sites uih_16dir] [--degradations k_space]

DIR holds diffusion/test and dicom; the public sample is fetched once from the package index. Each row is kept beside
--out as soon as it is measured; rows that are there, for the same model file, are not computed again. The page is
written anew from all rows.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.diffusion_report import CLASSICAL, DENOISED, TRUTH, report
from benchmarks.results import Row
from benchmarks.sample import sample_series
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import anatomical_plane, stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import by_names
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.tensor_errors import Reference, reference, tensor_errors
from SuperResolutionLib.volume import Volume

SITES: dict[str, Callable[[Path], Path]] = {
    "uih_16dir": lambda data: data / "diffusion/test/uih_16dir.nii.gz",
    "siemens_xa30": lambda data: data / "dicom/siemens_xa30_enhanced_dwi.zip",
    "siemens_prisma_20dir": lambda data: data / "diffusion/test/siemens_prisma_20dir.nii.gz",
    "siemens_prisma_12dir": lambda data: data / "diffusion/test/siemens_prisma_12dir_17mm.nii.gz",
    "public_sample": lambda data: sample_series(),
}
CASES = (
    ("k_space", 2),
    ("bicubic", 2),
    ("rician:snr=40", 2),
    ("rician:snr=20", 2),
    ("partial_fourier", 2),
    ("noise_down", 4),
)
MODELS = ("dwi-x2", "dwi-x4", "mri-x2", "mri-x4")


def main() -> None:
    """Measure what is not yet measured, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", nargs="*", default=[name for name in MODELS if name in zoo.installed()])
    parser.add_argument("--sites", nargs="+", choices=SITES, default=list(SITES))
    parser.add_argument("--degradations", nargs="+", default=[name for name, _ in CASES])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/diffusion.md"))
    options = parser.parse_args()
    store = results.beside(options.out)
    began = time.monotonic()
    for site in options.sites:
        for degradation, scale in (case for case in CASES if case[0] in options.degradations):
            methods = wanted(degradation, scale, options.models)
            asked = [Row(m, site, degradation, scale, sha256=fingerprint(m)) for m in methods]
            rows = results.load(store)
            missing = [row for row in asked if not known(rows, row)]
            if not missing:
                continue
            given = read_reference(SITES[site](options.data), scale)
            results.put(Row(TRUTH, site, "", scale, figures={"fa_fluid": given.fa_fluid, **described(given)}), store)
            low = degrade(given.truth, degradation, scale)
            for row in missing:
                found = replace(row, figures=measure(given, low, scale, row.model))
                results.put(found, store)
                print(
                    f"{time.monotonic() - began:6.0f} s  {' '.join(map(str, row.identity))}: {found.figures}",
                    flush=True,
                )
    options.out.write_text(report(results.load(store), list(SITES)), encoding="utf-8")


def wanted(degradation: str, scale: int, models: list[str]) -> list[str]:
    """The classical methods, for noisy scans also one that removes noise first, and the models of a scale."""
    noisy = [DENOISED] if degradation.startswith("rician") else []
    return [*METHODS, *noisy, *(name for name in models if zoo.read_card(zoo.find(name)).scale == scale)]


def known(rows: list[Row], row: Row) -> bool:
    """Whether a row is there, measured with the model file of today."""
    return any(one.identity == row.identity and one.sha256 == row.sha256 for one in rows)


def fingerprint(method: str) -> dict[str, str]:
    """The SHA-256 of a model's weights, by its name; nothing for a classical method."""
    return {} if method in CLASSICAL else {method: zoo.read_card(zoo.find(method)).sha256}


_last: dict[tuple[Path, int], Reference] = {}


def read_reference(path: Path, scale: int) -> Reference:
    """A series, cropped so that the scale divides it, with its tensors; the last one is kept."""
    if (path, scale) not in _last:
        _last.clear()
        volume = files.read(path)
        truth = Sampling(factor=scale).cropped(volume).cast(np.float32)
        _last[path, scale] = reference(truth, stacking_axis(volume))
    return _last[path, scale]


def described(given: Reference) -> dict[str, Any]:
    """What a series is: its size, and how many voxels each region has."""
    regions = {"mask": given.tensors.mask, "white": given.white, "fluid": given.fluid}
    return {
        "volumes": given.truth.count,
        "size": given.truth.size,
        **{name: int(np.count_nonzero(region)) for name, region in regions.items()},
    }


def measure(given: Reference, low: Volume, scale: int, method: str) -> dict[str, Any]:
    """One row: every error, how many voxels fell below zero where the scan has none that do, and the seconds taken."""
    began = time.monotonic()
    finer = Sampling(factor=scale, plane=anatomical_plane(given.truth))
    if method == DENOISED:
        restored = upsample(denoised(low), "sinc", sampling=finer)
    else:
        restored = finish(by_names([method], scale)[method].restore(low, finer, Runtime())).volume
    seconds = time.monotonic() - began
    errors, _ = tensor_errors(given, restored)
    below = int(np.count_nonzero(restored.voxels < 0)) if low.voxels.min() >= 0 else 0
    return {**asdict(errors), "below_zero": below, "seconds": round(seconds, 1)}


def denoised(low: Volume) -> Volume:
    """A series without what is noise by its principal components (MP-PCA of DIPY; Veraart 2016)."""
    from dipy.denoise.localpca import mppca

    cleared = np.moveaxis(mppca(np.moveaxis(low.voxels.astype(np.float32), 0, -1), patch_radius=2), -1, 0)
    return low.with_voxels(np.maximum(cleared, low.voxels.min()).astype(np.float32))


if __name__ == "__main__":
    main()
