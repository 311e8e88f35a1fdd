"""What `enhance` of a whole diffusion series costs: seconds, and peak memory against the size of the data.

    python -m benchmarks.series_cost [--model dwi-x2] [--volumes 65] [--out benchmarks/series_cost.md]

The series is made up (128 x 128 x 60, int16): time and memory do not depend on what it shows.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.cost import made_up, run
from benchmarks.machine import described
from benchmarks.results import Row, table
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.volume import Gradients, Volume

HEAD = ("input", "precision", "data in GB", "network s", "whole command s", "peak GB")
SIZE = (128, 128, 60)


def made_up_series(count: int) -> Volume:
    """A series of a 64th unweighted and otherwise weighted volumes, in directions drawn at random."""
    rng = np.random.default_rng(0)
    first = made_up(SIZE)
    bvecs = rng.standard_normal((count, 3))
    bvecs /= np.linalg.norm(bvecs, axis=1, keepdims=True)
    bvals = np.where(np.arange(count) % 64 == 0, 0.0, 1000.0)
    voxels = np.stack([first.voxels // (1 if b == 0 else 3) for b in bvals])
    return replace(first, voxels=voxels, gradients=Gradients(bvals, bvecs * (bvals > 0)[:, None]))


def cells(row: Row) -> list[str]:
    """A row of the table."""
    seconds = [f"{row[name]:.0f}" for name in ("network", "command")]
    return [f"{row.scan} int16", row["precision"], f"{row['data']:.2f}", *seconds, f"{row['peak']:.2f}"]


def report(rows: list[Row]) -> str:
    """The page."""
    lines = [
        f"# Cost of `enhance --model {rows[0].model}` of a diffusion series on a CPU",
        "",
        f"Written by `python -m benchmarks.series_cost`; do not edit. {rows[0]['machine']}.",
        "",
        *table(HEAD, [cells(row) for row in rows]),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dwi-x2")
    parser.add_argument("--volumes", type=int, default=65)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/series_cost.md"))
    options = parser.parse_args()
    series = made_up_series(options.volumes)
    about = {"machine": described(), "precision": options.precision, "data": series.voxels.nbytes / 2**30}
    with tempfile.TemporaryDirectory() as folder:
        figures = {**about, **run(series, options.model, options.precision, Path(folder))}
    size = "x".join(map(str, (*SIZE, options.volumes)))
    rows = [Row(options.model, size, "", zoo.read_card(zoo.find(options.model)).scale, figures=figures)]
    print(*cells(rows[0]))
    results.store(rows, results.beside(options.out))
    options.out.write_text(report(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
