"""What can be shown of an enhanced scan without a truth: consistency, spread, suspect patches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib.geometry.grid import PLANES, stacking_axis, stacks
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.quality.hallucination import EARLY, Agreement
from SuperResolutionLib.study.bringing_back import Back
from SuperResolutionLib.study.figure import aspect, middle, upright
from SuperResolutionLib.study.figures import style
from SuperResolutionLib.volume import Volume


@dataclass(frozen=True, eq=False)
class Shown:
    """What was made of a scan, with its spread, brought back to the scan's grid, and how its patches agree."""

    restored: Volume
    spread: Volume
    again: Volume
    patches: Agreement | None


def trust_figure(given: Shown, back: Back, path: Path) -> None:
    """Write two rows of the picture: the slice in the middle, and the one with the largest spread in the head.

    Of thick slices made thin, slices that cut across the thick ones.
    """
    low, restored, spread = back.low, given.restored, given.spread
    axis = back.shown
    coarse = stacks(low, axis)[0]
    r = data_range(coarse)
    off = low.with_voxels((given.again.voxels - low.voxels) / r)
    reach = _reach(low, given.patches, back.axis)
    wide = stacks(spread, axis)[0] / r
    rows = {"in the middle": middle(coarse), "largest spread": _widest(coarse, wide)}
    word = "slice" if axis == back.axis else next(p for p in PLANES[1:] if stacking_axis(low, p) == axis)
    most, far = float(np.percentile(wide, 99.5)) or 1.0, float(np.percentile(np.abs(off.voxels), 99.5)) or 1.0
    figure = style.canvas(14.5, 7.0, dark=True)
    places = figure.subplots(2, 5, squeeze=False)
    for axes, (label, k) in zip(places, rows.items(), strict=True):
        fine, stretch = aspect(restored, axis), aspect(low, axis)
        style.panel(axes[0], upright(low, axis, k), f"scan, {word} {k} ({label})", "gray", (0, r), stretch)
        style.panel(axes[1], upright(restored, axis, k), "enhanced", "gray", (0, r), fine)
        shown = style.panel(axes[2], upright(spread, axis, k) / r, "spread of 8 views", "inferno", (0, most), fine)
        style.bar(figure, shown, [axes[2]], "standard deviation / R")
        title = "brought back, minus scan"
        shown = style.panel(axes[3], upright(off, axis, k), title, "PuOr_r", (-far, far), stretch)
        style.bar(figure, shown, [axes[3]], "difference / R")
        shown = style.panel(axes[4], upright(reach, axis, k), "agrees up to", "viridis", (0, 1), stretch)
        style.bar(figure, shown, [axes[4]], f"share of the scan's Nyquist\n(below {EARLY:g}: suspect)")
    style.save(figure, path)


def _reach(low: Volume, patches: Agreement | None, axis: int) -> Volume:
    """How far up each place agrees, on the scan's grid; NaN, shown black, outside the head."""
    reach = low.with_voxels(np.full(low.voxels.shape, np.nan, np.float32))
    if patches is not None:
        target = stacks(reach, axis)[0]
        target[...] = patches.on_grid((target.shape[0], target.shape[1], target.shape[2]))
    return reach


def _widest(coarse: np.ndarray, wide: np.ndarray) -> int:
    """The slice with the largest mean spread, of those that show at least half as much head as the fullest."""
    shown = head(coarse).mean(axis=(1, 2))
    mean = wide.mean(axis=(1, 2))
    return int(np.argmax(np.where(shown >= 0.5 * shown.max(), mean, -1)))
