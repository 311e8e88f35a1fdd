"""The curves of a training, as a CSV and as a picture."""

import csv
from pathlib import Path


def write_history(history: list[dict[str, float]], folder: Path) -> None:
    """Write curves.csv and curves.png (the picture only where matplotlib is installed)."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with (folder / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(history)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in history]
    left.plot(steps, [row["loss"] for row in history])
    left.set(title="training loss", xlabel="step", yscale="log")
    for name in names:
        if name.startswith("gain"):
            right.plot(steps, [row.get(name, float("nan")) for row in history], label=name.removeprefix("gain_"))
    right.set(title="validation gain over bicubic (dB, head)", xlabel="step")
    right.legend()
    figure.savefig(folder / "curves.png", dpi=100)
