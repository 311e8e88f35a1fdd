"""Quality by the angle of the slice and by its flips, one line a method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.study.figures import style


def orientation_figure(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the curves: means over subjects, each subject the mean of its scans. Filled markers move no voxel value."""
    methods = list(records[0]["methods"])
    look = style.looks(methods)
    figure = style.canvas(10.5, 4.4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(7, 4))
    angles = list(records[0]["orientation"]["angle"])
    flips = list(records[0]["orientation"]["flip"])
    for name in methods:
        degrees = [int(a) for a in angles]
        values = _means(records, "angle", name, angles)
        left.plot(degrees, values, label=name, **look[name])
        exact = [k for k, a in enumerate(degrees) if a % 90 == 0]
        left.plot([degrees[k] for k in exact], [values[k] for k in exact], "o", color=look[name]["color"], markersize=6)
        right.plot(range(len(flips)), _means(records, "flip", name, flips), marker="o", markersize=6, **look[name])
    style.plain(left, "angle of the slice (degrees)", "PSNR in the head (dB)", "turned")
    left.set_xticks([int(a) for a in angles])
    style.plain(right, "", "", "flipped")
    right.set_xticks(range(len(flips)), flips)
    style.legend(figure, left)
    style.save(figure, path)


def _means(records: Sequence[Mapping[str, Any]], kind: str, method: str, keys: Sequence[str]) -> list[float]:
    """One number a key: the mean over subjects."""
    subjects = dict.fromkeys(record["subject"] for record in records)
    each = [
        [np.mean([r["orientation"][kind][key][method] for r in records if r["subject"] == s]) for s in subjects]
        for key in keys
    ]
    return [float(np.mean(values)) for values in each]
