"""What `enhance` of a whole diffusion series costs: seconds, and peak memory against the size of the data.

    python -m benchmarks.series_cost [--model dwi-x2] [--volumes 65] [--out benchmarks/series_cost.md]

The series is made up (128 x 128 x 60, int16): time and memory do not depend on what it shows.
"""

import argparse
import platform
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.cost import made_up, run
from benchmarks.results import table
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


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dwi-x2")
    parser.add_argument("--volumes", type=int, default=65)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/series_cost.md"))
    options = parser.parse_args()
    series = made_up_series(options.volumes)
    given = series.voxels.nbytes / 2**30
    with tempfile.TemporaryDirectory() as folder:
        figures = run(series, options.model, options.precision, Path(folder))
    size = "x".join(map(str, (*SIZE, options.volumes)))
    seconds = [f"{figures[name]:.0f}" for name in ("network", "command")]
    cells = [f"{size} int16", options.precision, f"{given:.2f}", *seconds, f"{figures['peak']:.2f}"]
    lines = [
        f"# Cost of `enhance --model {options.model}` of a diffusion series on a CPU",
        "",
        f"Written by `python -m benchmarks.series_cost`; do not edit. {platform.machine()}, {torch.get_num_threads()} "
        f"threads, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}.",
        "",
        *table(HEAD, [cells]),
    ]
    print(lines[-1])
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
