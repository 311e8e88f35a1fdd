"""PSNR and SSIM slice by slice along the volume: one line a method, bands over subjects, crossings marked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.study.figures import style
from SuperResolutionLib.study.figures.gains import crossings

POSITIONS = np.linspace(0, 100, 101)
MEASURES = {"psnr_slices": "PSNR in the head (dB)", "ssim_slices": "SSIM"}
Records = Sequence[Mapping[str, Any]]


def slices_figure(records: Records, path: Path) -> None:
    """Write the curves of one or more scans under one degradation.

    Of one scan: by slice number. Of several: by the position along the slices that show the head, each subject the mean
    of its scans, lines the mean of subjects, bands from the lowest to the highest subject.
    """
    methods = list(records[0]["methods"])
    look = style.looks(methods)
    figure = style.canvas(10.5, 6.6)
    rows = figure.subplots(2, 1, sharex=True)
    for axes, (measure, label) in zip(rows, MEASURES.items(), strict=True):
        across, curves = by_subject(records, measure)
        for name in sorted(methods, key=lambda m: look[m]["zorder"]):
            values = curves[name]
            axes.plot(across, _mean(values), label=name, **look[name])
            if len(values) > 1 and (look[name]["zorder"] == 4 or name == "bicubic"):
                low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
                axes.fill_between(across, low, high, color=look[name]["color"], alpha=0.15, linewidth=0)
        for name in methods:
            if look[name]["zorder"] == 4 and "bicubic" in curves:
                _mark(axes, across, _mean(curves[name]), _mean(curves["bicubic"]), look[name]["color"])
        style.plain(axes, "", label)
    rows[1].set_xlabel("slice" if len(records) == 1 else "position along the slices that show the head (%)")
    style.legend(figure, rows[0])
    style.save(figure, path)


def by_subject(records: Records, measure: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Positions, and by method one curve a subject (subjects, positions); NaN where nothing was measured."""
    methods = list(records[0]["methods"])
    if len(records) == 1:
        values = {name: np.array(records[0]["methods"][name][measure], float)[None] for name in methods}
        return np.arange(len(values[methods[0]][0])), values
    subjects = list(dict.fromkeys(record["subject"] for record in records))
    curves: dict[str, np.ndarray] = {}
    for name in methods:
        own = {s: [_stretched(r["methods"][name][measure]) for r in records if r["subject"] == s] for s in subjects}
        curves[name] = np.stack([_mean(np.stack(values)) for values in own.values()])
    return POSITIONS, curves


def _stretched(values: Sequence[float | None]) -> np.ndarray:
    """A scan's curve on a common axis, from the first to the last slice that was measured."""
    known = np.array(values, float)
    where = np.flatnonzero(np.isfinite(known))
    if not len(where):
        return np.full(len(POSITIONS), np.nan)
    return np.interp(where[0] + POSITIONS / 100 * (where[-1] - where[0]), where, known[where])


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over subjects of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mark(axes: Any, across: np.ndarray, model: np.ndarray, bicubic: np.ndarray, colour: str) -> None:
    at = crossings(list(model), list(bicubic))
    axes.plot(across[at], model[at], "X", color=colour, markeredgecolor="white", markersize=11, zorder=5)
