"""Details at the slices of best, median and worst gain: truth, scan, best classical method, models."""

from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.quality.comparison import Comparison
from SuperResolutionLib.study.figure import aspect, detail, shown_axis, upright
from SuperResolutionLib.study.figures import style
from SuperResolutionLib.study.figures.gains import ranked_slices


def crops_figure(result: Comparison, path: Path) -> None:
    """Write the picture. Slices: by the gain of the best model. Detail: the third of the slice, away from its rim, in
    which the best classical method errs most.
    """
    best, model = result.best_classical, result.best_model
    if best is None or model is None:
        raise InputError("Details need a classical method and a model to set against each other.")
    shown = [best, *(row for row in result.rows if not row.classical)]
    volumes = [row.restored for row in shown if row.restored is not None]
    chosen = ranked_slices(result, model)
    axis = shown_axis(result)
    r = data_range(stacks(result.truth, axis)[0])
    coarse = upsample(result.low, "nearest", sampling=result.back)
    titles = ["truth", f"scan: {result.degradation} x{result.scale}", f"best classical: {best.method}"]
    titles += [zoo.label(row.method) for row in shown[1:]]

    figure = style.canvas(2.6 * len(titles) + 0.4, 8.6, dark=True)
    places = figure.subplots(3, len(titles), squeeze=False)
    for axes, (rank, (k, gain)) in zip(places, chosen.items(), strict=True):
        images = [upright(volume, axis, k) for volume in (result.truth, coarse, *volumes)]
        top, left, side = detail(np.abs(images[2] - images[0]))
        for place, image, title in zip(axes, images, titles, strict=True):
            part = image[top : top + side, left : left + side]
            style.panel(place, part, title, "gray", (0, r), aspect(result.truth, axis))
        label = f"{rank} gain: slice {k}, {gain:+.2f} dB"
        axes[0].text(
            -0.06, 0.5, label, color="white", fontsize=10, rotation=90, va="center", ha="right",
            transform=axes[0].transAxes,
        )  # fmt: skip
    style.save(figure, path)
