"""Streamlines of held-out diffusion series: how far those of each method pass the same voxels as the truth's.

    python -m benchmarks.tracts --data DIR [--sites NAME ...] [--slices 20] [--out PAGE]

Test series alone, coarsened x2 in plane by k-space truncation, without noise and with Rician noise at an SNR of 20.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.diffusion import SITES, denoised
from benchmarks.diffusion_report import DENOISED
from benchmarks.results import table
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import Given
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.comparison import Comparison, Experiment, comparing
from SuperResolutionLib.volume import Volume

MODEL = "dwi-x2"
WAYS = ("k_space", "rician:snr=20")
HEAD = ("series", "method", "Dice", "streamlines", "the truth's")


def then_sinc(low: Volume, wish: Sampling) -> Volume:
    """MP-PCA, then sinc."""
    return upsample(denoised(low), "sinc", sampling=wish)


def measured(truth: Volume, way: str) -> Comparison:
    """Every method with its streamlines; with noise also MP-PCA and sinc."""
    noisy = way.startswith("rician")
    methods: dict[str, Given] = {name: name for name in (*METHODS, MODEL)} | ({DENOISED: then_sinc} if noisy else {})
    experiment = Experiment(degradation=way, with_ssim=False, with_streamlines=True)
    return finish(comparing(truth, experiment, methods))


def rows_of(result: Comparison) -> list[tuple[str, float, int, int]]:
    """Method, Dice, number of streamlines and the truth's, best first."""
    found = [(row.method, row.tracts) for row in result.rows]
    return sorted(
        ((name, t.dice, t.count, t.true_count) for name, t in found if t is not None and t.dice is not None),
        key=lambda row: -row[1],
    )


def gain(rows: list[tuple[str, float, int, int]]) -> float:
    """Dice of the network above the best of the others."""
    dice = {name: value for name, value, *_ in rows}
    return dice.pop(MODEL) - max(dice.values())


def cells(site: str, rows: list[tuple[str, float, int, int]]) -> list[list[str]]:
    """The lines of one series."""
    return [[site, name, f"{dice:.4f}", str(count), str(true)] for name, dice, count, true in rows]


def report(found: dict[str, dict[str, list[tuple[str, float, int, int]]]], slices: int) -> str:
    """The page. found: way -> series -> rows."""
    page = [INTRODUCTION.format(slices=slices)]
    for way, sites in found.items():
        gains = {site: gain(rows) for site, rows in sites.items()}
        each = ", ".join(f"{site} {value:+.4f}" for site, value in gains.items())
        page += [
            f"## {way}",
            "",
            f"{MODEL} against the best of the others: {each}; mean {np.mean([*gains.values()]):+.4f}.",
            "",
        ]
        page += [*table(HEAD, [line for site, rows in sites.items() for line in cells(site, rows)]), ""]
    return "\n".join(page)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sites", nargs="+", choices=SITES, default=list(SITES))
    parser.add_argument("--slices", type=int, default=20, help="in the middle of each series")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/tracts.md"))
    options = parser.parse_args()
    found: dict[str, dict[str, list[tuple[str, float, int, int]]]] = {way: {} for way in WAYS}
    for site in options.sites:
        volume = files.read(SITES[site](options.data)).cast(np.float32)
        truth = middle_slices(volume, stacking_axis(volume), options.slices)
        for way in WAYS:
            found[way][site] = rows_of(measured(truth, way))
            print(site, way, found[way][site], flush=True)
    options.out.write_text(report(found, options.slices), encoding="utf-8")


INTRODUCTION = """# Streamlines

Written by `python -m benchmarks.tracts --data DIR`; do not edit. The {slices} slices in the middle of series that no
training saw, made coarse in plane (x2), restored, tensors fitted, and streamlines followed through them (EuDX of DIPY)
from every voxel in which the truth's FA exceeds 0.3; they end where FA falls below 0.15 or the direction turns by more
than 45 degrees, and count from 10 mm on. Dice: of the voxels that streamlines pass, with those of the truth. The truth
has noise of its own, so no method reaches 1.
"""


if __name__ == "__main__":
    main()
