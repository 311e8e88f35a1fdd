"""Without a truth: how often which intensity occurs, and how the patches agree with the scan by frequency."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.quality.hallucination import CORRELATION, EARLY
from SuperResolutionLib.study.figures import style


def intensities_figure(record: Mapping[str, Any], path: Path) -> None:
    """Write two panels for one scan: histograms of intensity, and the mean correlation of the patches of its head."""
    shown = {**record["models"], **record["classical"]}
    look = style.looks(shown)
    figure = style.canvas(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    own = _share(record["input_histogram"])
    edges = np.linspace(-0.1, 1.3, len(own) + 1)
    left.stairs(own, edges, label="scan", color="#bbbbbb", fill=True)
    for name, row in shown.items():
        line = look[name]
        left.stairs(_share(row["histogram"]), edges, label=name, color=line["color"],
                    linestyle=line["linestyle"], linewidth=line["linewidth"])  # fmt: skip
        if row["curve"] is not None:
            values = np.array(row["curve"], float)
            right.plot((np.arange(len(values)) + 1) / len(values), values, label=name, **line)
    left.set_yscale("log")
    style.plain(left, "intensity / R of the scan", "voxels (%)", "intensities")
    right.axhline(CORRELATION, color="#333333", linestyle=":", linewidth=1.2)
    right.axvline(EARLY, color="#333333", linestyle=":", linewidth=1.2)
    right.set_ylim(-0.05, 1.05)
    right.set_xlim(0, 1)
    style.plain(right, "frequency (share of the scan's Nyquist)", "correlation with the scan", "patches, mean")
    style.legend(figure, left)
    style.save(figure, path)


def _share(counts: list[int]) -> np.ndarray:
    values = np.array(counts, float)
    return 100 * values / values.sum()
