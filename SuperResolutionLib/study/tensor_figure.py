"""Colour FA side by side: the tensors of the truth, of the coarse scan, of the best classical method, of the model."""

from pathlib import Path

import numpy as np

from SuperResolutionLib.diffusion.tensors import fit_tensors, head_mask
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import single_slice, stacks
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.quality.comparison import Comparison, Row
from SuperResolutionLib.study.figure import aspect, upright
from SuperResolutionLib.study.figures.style import words
from SuperResolutionLib.volume import Volume


def tensor_figure(result: Comparison, path: Path, caption: str = "") -> None:
    """Write the picture of a comparison of a diffusion series whose restored volumes were kept.

    Shown is the slice with most mask. Red runs left-right, green anterior-posterior, blue superior-inferior.
    Raises InputError where matplotlib is missing or there are no tensors to show.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("A figure needs matplotlib; install it with: pip install matplotlib.") from error
    rows = [row for row in (_best(result, classical=True), _best(result, classical=False)) if row is not None]
    kept = [row.restored for row in rows if row.restored is not None]
    if not kept or len(kept) < len(rows):
        raise InputError("There are no tensors to show; compare a diffusion series by at least one method.")
    mask = _map(result.truth, head_mask(result.truth).astype(np.uint8))
    k = int(np.argmax(stacks(mask, result.axis)[0].mean(axis=(1, 2))))
    inside = single_slice(mask, result.axis, k).voxels > 0
    coarse = upsample(result.low, "nearest", sampling=result.back)
    titles = ["truth", f"scan: {result.degradation} x{result.scale}", *(_title(row) for row in rows)]

    figure = Figure(figsize=(3.2 * len(titles), 4.4), facecolor="#111111", layout="constrained")
    places = figure.subplots(1, len(titles), squeeze=False)[0]
    for place, volume, title in zip(places, [result.truth, coarse, *kept], titles, strict=True):
        part = single_slice(volume, result.axis, k)
        place.imshow(_colours(part, inside, result.axis), aspect=aspect(part, result.axis), interpolation="nearest")
        place.set_title(words(title), color="white", fontsize=10)
        place.set_axis_off()
    note = words(f"{caption}  ") if caption else ""
    legend = "Colour FA: red left-right, green anterior-posterior, blue superior-inferior. Research use only."
    figure.supxlabel(note + legend, color="#bbbbbb", fontsize=8)
    figure.savefig(path, dpi=130, facecolor=figure.get_facecolor(), bbox_inches="tight")


def _best(result: Comparison, classical: bool) -> Row | None:
    """The row with the lowest error of FA in the mask."""
    rows = [(row.tensors.fa, row) for row in result.rows if row.classical == classical and row.tensors is not None]
    return min(rows, key=lambda pair: pair[0])[1] if rows else None


def _title(row: Row) -> str:
    kind = "best classical: " if row.classical else ""
    assert row.tensors is not None
    white = "" if row.tensors.fa_white is None else f", white matter {row.tensors.fa_white:.3f}"
    return f"{kind}{zoo.label(row.method)}\nerror of FA {row.tensors.fa:.3f}{white}"


def _colours(part: Volume, mask: np.ndarray, axis: int) -> np.ndarray:
    """Colour FA of one slice, upright: (rows, columns, 3), a little brighter than linear."""
    colour = fit_tensors(part, mask=mask).colour
    channels = [upright(_map(part, colour[..., k]), axis, 0) for k in range(3)]
    return np.clip(np.stack(channels, -1), 0, 1) ** 0.7


def _map(series: Volume, voxels: np.ndarray) -> Volume:
    """One value a voxel on the grid of a series."""
    about = None if series.header is None else series.header.of_a_map()
    return Volume(voxels, series.spacing, series.origin, series.direction, header=about)
