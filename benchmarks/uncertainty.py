"""Does the spread of the eight turns tell where a network errs? Rank correlations on held-out volumes.

    OMP_NUM_THREADS=1 python -m benchmarks.uncertainty --data DIR [--scales 2] [--only NAME ...] [--slices 12]

Each volume is the truth: degraded by k-space truncation, enhanced with the ensemble and its spread. Inside the head,
over the slices in the middle, |error| is correlated (Spearman) with the spread, with the gradient magnitude of the
scan, which everyone has for nothing, and with what else might serve. A map is as good as its order: the correlation
asks whether the voxels it calls least certain are those with the largest errors.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, sobel
from scipy.stats import rankdata, spearmanr

from benchmarks import results
from benchmarks.results import Row, select, table, values
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import anatomical_plane, middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import choose_model
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.methods.network_run import pooled
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.subjects import held_out
from SuperResolutionLib.volume import Volume

EDGE = 2  # slices on either side that are enhanced as neighbours, and not measured
SMOOTH = (0.0, 1.0, 1.0)  # voxels; what a reader's eye does with a map of single voxels

MAPS = {
    "spread": "spread",
    "gradient": "gradient of the scan",
    "gradient_smooth": "gradient, smoothed",
    "residual": "what the network added to bicubic",
    "consistency": "consistency map",
    "spread_consistency": "spread and consistency, mean rank",
    "spread_gradient": "spread and gradient, mean rank",
    "neighbours": "true error of the neighbours",
    "spread_pooled": "spread, with the pooled error",
    "gradient_pooled": "smoothed gradient, with the pooled error",
}

INTRODUCTION = """# Uncertainty

Written by `python -m benchmarks.uncertainty --data DIR`; do not edit. Rank correlation (Spearman) with the true
|error|, inside the head, k-space truncation, {slices} slices in the middle of each held-out structural scan. *Spread*:
standard deviation of the network's eight flips and turns, as `enhance --uncertainty` writes it (variances averaged over
a Gaussian of one voxel). *Gradient*: magnitude of the in-plane gradient (Sobel) of the bicubic interpolation of the
scan; *smoothed*: by a Gaussian of one voxel. Asked of the spread: above 0.3, and above the gradient. A single voxel's
error is one draw, large or small by chance even where a map is right about its size, and most so where noise makes the
error: *true error of the neighbours*, the squared error averaged over that Gaussian without the voxel itself, is what a
map could reach that knew the truth all around. *Pooled error*: the squared error averaged over the Gaussian, voxel
included; the last two columns ask about the size alone.
"""


def measure(volume: Volume, scale: int, model: zoo.Model, slices: int) -> dict[str, float]:
    """The rank correlation of each map with |error|, inside the head of the middle slices."""
    axis = stacking_axis(volume)
    part = middle_slices(volume, axis, slices + 2 * EDGE)
    wish = Sampling(factor=scale, plane=anatomical_plane(part))
    truth = wish.cropped(part).cast(np.float32)
    low = degrade(truth, "k_space", sampling=wish)
    result = finish(NetworkMethod(model, uncertainty=True).restore(low, wish, Runtime()))
    restored, spread = result.volume, result.uncertainty
    smooth = upsample(low, "bicubic", sampling=wish)
    again = degrade(restored, "k_space", sampling=wish)
    off = upsample(low.with_voxels(np.abs(again.voxels - low.voxels)), "linear", sampling=wish)
    fine, mended, wide, plain, apart = (stacks(v, axis)[0] for v in (truth, restored, spread, smooth, off))
    steep = np.hypot(sobel(plain, 1), sobel(plain, 2))
    maps = {
        "spread": wide,
        "gradient": steep,
        "gradient_smooth": gaussian_filter(steep, SMOOTH),
        "residual": np.abs(mended - plain),
        "consistency": apart,
    }
    kept = slice(EDGE, -EDGE)
    inside = head(fine)[kept]
    missed = np.abs(mended - fine)[kept]
    error, around = missed[inside], pooled(missed)[inside]
    values = {name: image[kept][inside] for name, image in maps.items()}
    values["neighbours"] = of_neighbours(np.square(missed))[inside]
    for other in ("consistency", "gradient"):
        values[f"spread_{other}"] = rankdata(values["spread"]) + rankdata(values[other])
    found = {name: float(spearmanr(value, error).statistic) for name, value in values.items()}
    for name, value in (("spread_pooled", values["spread"]), ("gradient_pooled", values["gradient_smooth"])):
        found[name] = float(spearmanr(value, around).statistic)
    return found


def of_neighbours(image: np.ndarray) -> np.ndarray:
    """Slices smoothed by a Gaussian in plane that leaves each voxel itself out."""
    point = np.zeros((1, 9, 9))
    point[0, 4, 4] = 1
    smoothed: np.ndarray = gaussian_filter(image, SMOOTH) - gaussian_filter(point, SMOOTH)[0, 4, 4] * image
    return smoothed


def report(rows: Sequence[Row]) -> str:
    """The page."""
    slices = " or ".join(map(str, sorted(values(rows, "slices"))))
    parts = [INTRODUCTION.format(slices=slices)]
    for name in sorted(values(rows, "model")):
        mine = sorted(select(rows, model=name), key=lambda row: row.scan)
        cells = [[row.scan, *(f"{row[m]:.3f}" for m in MAPS)] for row in mine]
        means = [f"**{np.mean([row[m] for row in mine]):.3f}**" for m in MAPS]
        parts += [f"\n## {name}\n", *table(["volume", *MAPS.values()], [*cells, ["mean", *means]])]
        parts.append("\n" + verdict(mine))
    return "\n".join(parts) + "\n"


def verdict(rows: Sequence[Row]) -> str:
    """In how many volumes the spread is what was asked of it."""
    enough = sum(row["spread"] > 0.3 for row in rows)
    better = sum(row["spread"] > row["gradient"] for row in rows)
    return f"The spread is above 0.3 in {enough} of {len(rows)} volumes, and above the gradient in {better}."


def main() -> None:
    """Measure what is not yet measured, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these volumes")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/uncertainty.md"))
    options = parser.parse_args()
    store = results.beside(options.out)
    for scale in options.scales:
        model = choose_model(None, scale)
        asked = {"slices": options.slices, "sha256": {model.card.name: model.card.sha256}}
        for scan in held_out(options.data / "structural"):
            if options.only is not None and scan.name not in options.only:
                continue
            row = Row(model.card.name, scan.name, "k_space", scale, **asked)
            there = results.find(results.load(store), model=row.model, scan=scan.name, **asked)
            if there is not None and all(name in there for name in MAPS):
                continue
            row = replace(row, figures=measure(files.read(scan.path), scale, model, options.slices))
            results.put(row, store)
            print(f"{row.model} {row.scan}: {row.figures}", flush=True)
    options.out.write_text(report(results.load(store)), encoding="utf-8")


if __name__ == "__main__":
    main()
