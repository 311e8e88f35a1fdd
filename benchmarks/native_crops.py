"""Pictures of scans as they come: edges of anatomy made twice as fine, by sinc interpolation and by our model.

    python -m benchmarks.native_crops --data DIR [--out docs]

Nothing is degraded, so there is no truth: it is to be looked at. Of the middle slice of each scan a ventricle, cortex
and the outer edge are shown, four times as large, on one grey scale: beads along an edge, a bright or dark seam beside
it, or tissue without any grain would show here.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.credits import credit
from benchmarks.sample import sample_scan
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.figure import upright
from SuperResolutionLib.study.subjects import held_out
from SuperResolutionLib.volume import Volume

PLACES = ("ventricle", "cortex", "outer edge")
# Where their middles lie in the upright slice, as shares of its width and height: found by eye, in the scans.
SHOWN = {
    "sub-011591_T1w": ((0.47, 0.60), (0.22, 0.51), (0.16, 0.70)),
    "ds002748_sub-28_T1w": ((0.39, 0.24), (0.18, 0.34), (0.90, 0.70)),
    "openms_patient01_FLAIR": ((0.45, 0.35), (0.23, 0.45), (0.13, 0.55)),
}
SIDE = 72  # fine voxels that a crop is wide and high
INCHES = 2.4  # of a crop


def slices(volume: Volume) -> dict[str, np.ndarray]:
    """The middle slice, upright, on the finer grid: the scan's own voxels, sinc interpolation, and our model."""
    axis = stacking_axis(volume)
    sampling = Sampling(factor=2, only=volume.size[axis] // 2)
    ours = network(volume, None, sampling)
    made = {
        "scan": upsample(volume, "nearest", sampling=sampling),
        "sinc": upsample(volume, "sinc", sampling=sampling),
        ours.name: finish(ours.restore(volume, sampling, Runtime())).volume,
    }
    return {name: upright(one, axis, 0) for name, one in made.items()}


def crop(image: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    """SIDE voxels around a place, fewer where the slice ends. place: shares of the width and of the height."""
    column, row = (round(share * n) for share, n in zip(place, image.shape[::-1], strict=True))
    top, left = max(0, row - SIDE // 2), max(0, column - SIDE // 2)
    return image[top : top + SIDE, left : left + SIDE]


def draw(name: str, images: dict[str, np.ndarray], path: Path) -> None:
    """One row for each way, one column for each place; each column on one grey scale."""
    from matplotlib.figure import Figure

    size = (INCHES * len(PLACES), INCHES * len(images) + 0.5)
    figure = Figure(figsize=size, facecolor="#111111", layout="constrained")
    panels = figure.subplots(len(images), len(PLACES), squeeze=False)
    for column, (title, place) in enumerate(zip(PLACES, SHOWN[name], strict=True)):
        crops = {way: crop(image, place) for way, image in images.items()}
        black, white = np.percentile(crops["scan"], [0.5, 99.5])
        for row, (way, shown) in enumerate(crops.items()):
            panel = panels[row, column]
            panel.imshow(shown, cmap="gray", vmin=black, vmax=white, interpolation="nearest")
            panel.set(xticks=[], yticks=[])
            if row == 0:
                panel.set_title(title, color="white", fontsize=10)
            if column == 0:
                panel.set_ylabel(way, color="white", fontsize=10)
    figure.supxlabel(f"{credit([name])}. Research use only.", color="#bbbbbb", fontsize=7)
    figure.savefig(path, facecolor=figure.get_facecolor(), dpi=100, pil_kwargs={"quality": 85})


def main() -> None:
    """Draw each scan that is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    paths = [sample_scan(), *(scan.path for scan in held_out(options.data))]
    for path in paths:
        name = path.name.removesuffix(".nii.gz")
        if name in SHOWN:
            draw(name, slices(files.read(path)), options.out / f"native-{name}.jpg")
            print(options.out / f"native-{name}.jpg", flush=True)


if __name__ == "__main__":
    main()
