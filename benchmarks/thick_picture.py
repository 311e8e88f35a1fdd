"""The picture of docs/thick.md: slices of the public sample, 4 mm thick, made thin again by each way.

    python -m benchmarks.thick_picture docs/thick.jpg [SCAN]

Coronal and sagittal: stair-steps do not show in axial slices. Of each plane the middle one of the slices with much
head; the errors below share one scale.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.credits import credit
from benchmarks.sample import sample_scan
from SuperResolutionLib import files
from SuperResolutionLib.api import compare
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.quality.comparison import Comparison, Experiment
from SuperResolutionLib.study.figure import aspect, middle, upright
from SuperResolutionLib.volume import Volume

WAY = "slices:spacing=4"
_WIDE = 2.5  # inches of a panel
METHODS = ("bspline", "deconvolution", "mri-iso")


def panels(result: Comparison) -> dict[str, Volume]:
    """What is shown side by side, by its title."""
    restored = {row.method: row for row in result.rows}
    shown = {"scan, 4 mm slices": upsample(result.low, "nearest", sampling=result.back)}
    for name in METHODS:
        volume = restored[name].restored
        assert volume is not None
        shown[f"{name}\n{restored[name].score.psnr_head:.2f} dB"] = volume
    return {**shown, "truth": result.truth}


def draw(result: Comparison, path: Path, caption: str) -> None:
    """Two rows a plane: the slices, and how far each is from the truth."""
    from matplotlib.figure import Figure

    shown, white = panels(result), data_range(result.truth.voxels)
    planes = {plane: stacking_axis(result.truth, plane) for plane in ("coronal", "sagittal")}
    tall = [_height(result.truth, axis) for axis in planes.values() for _ in range(2)]
    figure = Figure(figsize=(_WIDE * len(shown), _WIDE * sum(tall) + 1.2), facecolor="#111111", layout="constrained")
    places = figure.subplots(4, len(shown), height_ratios=tall)
    for place in places.flat:
        place.set_axis_off()
    for number, axis in enumerate(planes.values()):
        k, stretch = middle(stacks(result.truth, axis)[0]), aspect(result.truth, axis)
        images = [upright(volume, axis, k) for volume in shown.values()]
        errors = [np.abs(image - images[-1]) for image in images[:-1]]
        most = float(np.percentile(errors[1], 99.5))
        for column, (title, image) in enumerate(zip(shown, images, strict=True)):
            places[2 * number, column].imshow(image, cmap="gray", vmin=0, vmax=white, aspect=stretch)
            places[2 * number, column].set_title(title, color="white", fontsize=11)
        for column, error in enumerate(errors):
            places[2 * number + 1, column].imshow(error, cmap="inferno", vmin=0, vmax=most, aspect=stretch)
    figure.supxlabel(f"{caption} Research use only. Errors share one scale.", color="#bbbbbb", fontsize=8)
    small = {"dpi": 90, "pil_kwargs": {"quality": 88}} if path.suffix == ".jpg" else {"dpi": 150}
    figure.savefig(path, facecolor=figure.get_facecolor(), **small)


def _height(volume: Volume, axis: int) -> float:
    """Of a slice, as a share of its width."""
    rows, columns = upright(volume, axis, 0).shape
    return rows / columns * aspect(volume, axis)


def main() -> None:
    """Write the picture to the path given, of the sample or of another scan."""
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else sample_scan()
    experiment = Experiment(degradation=WAY, keep=True, with_ssim=False)
    result = compare(files.read(path), experiment, methods=list(METHODS))
    print(result)
    draw(result, Path(sys.argv[1]), f"{credit([path.name])}." if len(sys.argv) == 2 else path.name)


if __name__ == "__main__":
    main()
