"""The curves of a training, as a CSV and as a picture."""

import csv
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from SuperResolutionLib.files.output import Writer, write_group

NO_LOSSES = {
    *("step", "seconds", "threads", "note", "residual", "weight"),
    *("psnr_head", "ssim", "ssim_gain", "power", "apart"),
}


def write_history(history: list[dict[str, Any]], folder: Path) -> None:
    """Write curves.csv and curves.png (the picture only where matplotlib is installed)."""
    writers: dict[str, Writer] = {"curves.csv": partial(_write_table, history)}
    if find_spec("matplotlib"):
        writers["curves.png"] = partial(_draw, history)
    write_group(folder, writers, overwrite=True)


def _names(history: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in history for name in row))


def _write_table(history: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _names(history))
        writer.writeheader()
        writer.writerows(history)


def _draw(history: list[dict[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    names = _names(history)
    gains = [name for name in names if name.startswith("gain")]
    losses = [name for name in names if name not in NO_LOSSES and name not in gains]
    panels = {
        "training losses": losses,
        "validation gain over interpolation (dB, head)": gains,
        "validation PSNR (dB, head)": ["psnr_head"],
        "validation SSIM": ["ssim"],
        "power beyond the coarse Nyquist frequency / truth's": ["power"],
        "RMS distance from the twin (% of R)": ["apart"],
    }
    shown = {title: known for title, few in panels.items() if (known := [name for name in few if name in names])}
    rows = -(-len(shown) // 3)
    figure = Figure(figsize=(15, 4 * rows), layout="constrained")
    grid = figure.subplots(rows, 3, squeeze=False).flat
    steps = [row["step"] for row in history]
    for (title, few), axes in zip(shown.items(), grid, strict=False):
        for name in few:
            axes.plot(steps, [row.get(name, float("nan")) for row in history], label=name, marker=".")
        axes.set(title=title, xlabel="step")
        axes.legend(fontsize="small")
        for stop in (row["step"] for row in history if "note" in row):
            axes.axvline(stop, color="red")
        if few == losses and len(few) > 1:  # of a game: they differ much, and those of critics go below zero
            axes.set_yscale("symlog", linthresh=1e-3)
    for axes in grid:
        axes.set_axis_off()
    figure.savefig(path, dpi=80)
