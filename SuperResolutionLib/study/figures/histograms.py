"""How often which error occurs: histograms of |restored - truth| in the head, on a linear and on a logarithmic axis."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.study.figures import style


def histogram_figure(records: Sequence[Mapping[str, Any]], most: float, path: Path) -> None:
    """Write the histograms, every scan with the same weight. most: |error| / R at the end, which takes all above it."""
    methods = list(records[0]["methods"])
    look = style.looks(methods)
    figure = style.canvas(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    for name in methods:
        counts = np.array([record["methods"][name]["histogram"] for record in records], float)
        share = 100 * (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
        edges = np.linspace(0, 100 * most, len(share) + 1)
        for axes in (left, right):
            axes.stairs(share, edges, label=name, color=look[name]["color"],
                        linestyle=look[name]["linestyle"], linewidth=look[name]["linewidth"])  # fmt: skip
    left.set_xlim(0, 100 * most / 4)
    right.set_yscale("log")
    right.set_ylim(bottom=1e-3)
    style.plain(left, "|error| (% of R)", "voxels of the head (%)", "linear, small errors")
    style.plain(right, "|error| (% of R; the last bin takes all above)", "", "logarithmic, all errors")
    style.legend(figure, left)
    style.save(figure, path)
