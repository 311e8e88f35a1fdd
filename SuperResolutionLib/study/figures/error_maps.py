"""Where the errors sit: |error| of the best classical method and of each model on one scale, and their difference."""

from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.quality.comparison import Comparison, Row
from SuperResolutionLib.study.figure import aspect, shown_axis, upright
from SuperResolutionLib.study.figures import style
from SuperResolutionLib.study.figures.gains import ranked_slices


def errors_figure(result: Comparison, path: Path) -> None:
    """Write the picture: a row for each model, at the slice of its median gain. The volumes must have been kept."""
    best = result.best_classical
    models = [row for row in result.rows if not row.classical]
    if best is None or not models:
        raise InputError("Error maps need a classical method and a model to set against each other.")
    axis = shown_axis(result)
    r = data_range(stacks(result.truth, axis)[0])
    figure = style.canvas(13.5, 0.6 + 3.1 * len(models), dark=True)
    places = figure.subplots(len(models), 5, squeeze=False)
    slices = [ranked_slices(result, row)["median"][0] for row in models]
    most = max(float(np.percentile(_error(result, best, k), 99.5)) for k in slices) / r or 1.0
    stretch = aspect(result.truth, axis)
    for axes, row, k in zip(places, models, slices, strict=True):
        assert row.restored is not None
        base, own = _error(result, best, k) / r, _error(result, row, k) / r
        label = zoo.label(row.method)
        style.panel(axes[0], upright(result.truth, axis, k), f"truth, slice {k}", "gray", (0, r), stretch)
        style.panel(axes[1], upright(row.restored, axis, k), label, "gray", (0, r), stretch)
        style.panel(axes[2], base, f"|error|, {best.method} (best classical)", "inferno", (0, most), stretch)
        shown = style.panel(axes[3], own, f"|error|, {label}", "inferno", (0, most), stretch)
        style.bar(figure, shown, [axes[3]], "|error| / R")
        shown = style.panel(axes[4], own - base, "difference of |error|", "PuOr_r", (-most / 2, most / 2), stretch)
        style.bar(figure, shown, [axes[4]], f"purple: {label} is nearer,\norange: {best.method} is nearer")
    style.save(figure, path)


def _error(result: Comparison, row: Row, k: int) -> np.ndarray:
    assert row.restored is not None
    axis = shown_axis(result)
    return np.abs(upright(row.restored, axis, k) - upright(result.truth, axis, k))
