"""One picture of a comparison: truth, coarse, best classical, model, and both error maps on one scale."""

from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.quality.comparison import Comparison, Row
from SuperResolutionLib.study.figures.style import words
from SuperResolutionLib.volume import Volume


def comparison_figure(result: Comparison, path: Path, caption: str = "", height: float | None = None) -> None:
    """Write the picture of a comparison whose restored volumes were kept.

    Upper row: the slice at `height` of the stack (0 to 1), or in the middle of those that show much head; lower row:
    the detail where the best classical method errs most.
    result: the comparison. path: of the PNG. caption: words below it.
    Raises InputError where matplotlib is missing or nothing was restored.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("A figure needs matplotlib; install it with: pip install matplotlib.") from error
    rows = [row for row in (result.best_classical, result.best_model) if row is not None]
    restored = [row.restored for row in rows if row.restored is not None]
    if not restored or len(restored) < len(rows):
        raise InputError("There is no restored volume to show; compare at least one method.")
    axis = shown_axis(result)
    truth = stacks(result.truth, axis)[0]
    k = middle(truth) if height is None else round(height * (len(truth) - 1))
    coarse = upsample(result.low, "nearest", sampling=result.back)
    shown = [upright(v, axis, k) for v in (result.truth, coarse, *restored)]
    errors = [np.abs(image - shown[0]) for image in shown[2:]]
    white, most = data_range(truth), float(np.percentile(errors[0], 99.5)) or 1.0
    top, left, side = detail(errors[0])
    stretch = aspect(result.truth, axis)
    panels = [(image, "gray", white) for image in shown] + [(error, "inferno", most) for error in errors]
    titles = ["truth", f"scan: {result.degradation}\n{result.times}", *(_title(result, r) for r in rows)]
    titles += [f"|error| {zoo.label(row.method)}" for row in rows]

    figure = Figure(figsize=(2.9 * len(panels), 6.6), facecolor="#111111", layout="constrained")
    axes = figure.subplots(2, len(panels), squeeze=False)
    for column, ((image, colours, high), title) in enumerate(zip(panels, titles, strict=True)):
        inset = image[top : top + side, left : left + side]
        for row, part in enumerate((image, inset)):
            place = axes[row, column]
            place.imshow(part, cmap=colours, vmin=0, vmax=high, aspect=stretch, interpolation="nearest")
            place.set_axis_off()
        axes[0, column].set_title(words(title), color="white", fontsize=10)
        box = np.array([[left, top], [left + side, top], [left + side, top + side], [left, top + side], [left, top]])
        axes[0, column].plot(*(box.T - 0.5), color="#ffcc33", linewidth=0.8)
    note = words(f"{caption}  ") if caption else ""
    figure.supxlabel(f"{note}Research use only. Error maps share one scale.", color="#bbbbbb", fontsize=8)
    figure.savefig(path, dpi=130, facecolor=figure.get_facecolor())


def shown_axis(result: Comparison) -> int:
    """The axis that the slices shown are stacked along: of thick slices a plane that cuts across them."""
    return result.axis if result.grids.factors[result.axis] == 1 else across(result.truth, result.axis)


def across(volume: Volume, axis: int) -> int:
    """The axis of a plane that cuts across slices stacked along `axis`: coronal, or sagittal where that is none."""
    coronal = stacking_axis(volume, "coronal")
    return coronal if coronal != axis else stacking_axis(volume, "sagittal")


def middle(slices: np.ndarray) -> int:
    """The middle one of the slices that show at least half as much head as the fullest."""
    shown = head(slices).mean(axis=(1, 2))
    full = np.flatnonzero(shown >= 0.5 * shown.max())
    return int(full[len(full) // 2])


def _title(result: Comparison, row: Row) -> str:
    gain = "" if row.classical else f" ({result.gain(row):+.2f} dB)"
    kind = "best classical: " if row.classical else ""
    return f"{kind}{zoo.label(row.method)}\n{row.score.psnr_head:.2f} dB{gain}"


def upright(volume: Volume, axis: int, k: int) -> np.ndarray:
    """Slice k with anterior (or the head's top) up and the patient's right on the left."""
    image = stacks(volume, axis)[0][k].astype(np.float32)
    rows, columns = _axes(volume, axis)
    towards = np.argmax(np.abs(volume.direction), axis=0)
    if rows < columns:  # the array's own axes run from the higher voxel axis to the lower
        image = image.T
    if (volume.direction[towards[rows], rows] < 0) != (towards[rows] == 2):
        image = image[::-1]
    if volume.direction[towards[columns], columns] < 0:
        image = image[:, ::-1]
    return image


def _axes(volume: Volume, axis: int) -> tuple[int, int]:
    """The voxel axes that run down and across the picture: the lower world axis runs across."""
    towards = np.argmax(np.abs(volume.direction), axis=0)
    low, high = [a for a in range(3) if a != axis]
    return (low, high) if towards[high] < towards[low] else (high, low)


def aspect(volume: Volume, axis: int) -> float:
    """Height over width of a voxel as `upright` shows it."""
    rows, columns = _axes(volume, axis)
    return volume.spacing[rows] / volume.spacing[columns]


def detail(error: np.ndarray) -> tuple[int, int, int]:
    """Top, left and side of the square, a third of the picture, that holds the most error away from the rim."""
    side = min(max(8, min(error.shape) // 3), *error.shape)  # a picture of a few rows has no square of 8
    sums = np.pad(error**2, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    rim = [n // 8 for n in boxes.shape]
    inner = boxes[rim[0] : max(rim[0] + 1, boxes.shape[0] - rim[0]), rim[1] : max(rim[1] + 1, boxes.shape[1] - rim[1])]
    top, left = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return int(top) + rim[0], int(left) + rim[1], side
