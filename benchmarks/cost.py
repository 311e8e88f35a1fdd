"""What `enhance` costs on this machine: seconds of the network and of the whole command, memory, convolution rate.

    python -m benchmarks.cost [--model mri-x2] [--out benchmarks/cost.md]

The inputs are made up (a smooth blob with noise): time and memory do not depend on what a volume shows. The
machine's own rate is that of a bare 64-to-64 3x3 convolution in the same precision, measured in the same run.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.machine import convolution_rate, described, multiply_adds
from benchmarks.results import Row, table
from SuperResolutionLib import files
from SuperResolutionLib.api import compare
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.quality.comparison import Experiment
from SuperResolutionLib.study.subjects import held_out
from SuperResolutionLib.volume import Volume

HEAD = ("input", "precision", "network s", "whole command s", "peak GB", "of the machine's own rate")
SIZES = ((128, 128, 160), (256, 256, 160))


def made_up(size: tuple[int, int, int]) -> Volume:
    """A volume of a size (x, y, z), int16, 1 mm."""
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij"))
    blob = 800 * np.exp(-4 * (grid**2).sum(0))
    noise = np.random.default_rng(0).normal(0, 10, blob.shape)
    return Volume(np.abs(blob + noise)).cast(np.int16)


def run(volume: Volume, model: str, precision: str, folder: Path) -> dict[str, float]:
    """Enhance a volume by the command; seconds of the network, of the command, and peak memory in GB."""
    source, target = folder / "in.nii.gz", folder / "out.nii.gz"
    files.write(volume, source, overwrite=True)
    arguments = ["enhance", str(source), str(target), "--model", model, "--precision", precision, "--overwrite"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "SuperResolutionLib.cli", *arguments, "--progress", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    whole = time.perf_counter() - began
    events = [json.loads(line) for line in done.stdout.splitlines()]
    network = max(event["seconds"] for event in events if event["event"] == "progress")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return {"network": network, "command": whole, "peak": peak}


def bfloat16_loss(volume: Volume, model: str) -> float:
    """dB of psnr_head that bfloat16 costs against float32 on ten middle slices of a volume (the first of a series)."""
    axis = stacking_axis(volume)
    first = Volume(stacks(volume, axis)[0]).cast(np.float32)
    middle = len(first.voxels) // 2
    some = Volume(first.voxels[max(0, middle - 5) : middle + 5])
    restored = compare_precisions(some, model)
    return restored["float32"] - restored["bfloat16"]


def compare_precisions(volume: Volume, model: str) -> dict[str, float]:
    """psnr_head of the model in each precision."""
    figures = {}
    for precision in ("float32", "bfloat16"):
        coarsely = Experiment(sampling=Sampling(factor=2, plane="axial"), with_ssim=False)
        result = compare(volume, coarsely, methods=[model], runtime=Runtime(precision=precision))
        figures[precision] = result.rows[0].score.psnr_head
    return figures


def measured(size: tuple[int, int, int], model: zoo.Model, precision: str, rate: float, folder: Path) -> Row:
    """What enhancing a volume of a size costs. rate: multiply-adds a second of the machine in that precision."""
    work = multiply_adds(model.network, model.card.slices + model.card.beside) * model.card.turns
    found = run(made_up(size), model.card.name, precision, folder)
    figures = {"machine": described(), "precision": precision, "multiply_adds": work, "rate": rate, **found}
    return Row(model.card.name, "x".join(map(str, size)), "", model.card.scale, figures=figures)


def cells(row: Row) -> list[str]:
    """A row of the table of seconds."""
    voxels = np.prod([int(n) for n in row.scan.split("x")])
    share = row["multiply_adds"] * voxels / row["network"] / row["rate"]
    of_rate = f"{100 * share:.0f} % of {row['rate'] / 1e9:.0f} GMAC/s"
    return [row.scan, row["precision"], f"{row['network']:.1f}", f"{row['command']:.1f}", f"{row['peak']:.2f}", of_rate]


def report(rows: list[Row]) -> str:
    """The page: the table of seconds, and what bfloat16 costs in quality where that was measured."""
    timed, lost = ([row for row in rows if name in row] for name in ("network", "bfloat16_loss"))
    lines = [
        f"# Cost of `enhance --model {timed[0].model}` on a CPU",
        "",
        f"Written by `python -m benchmarks.cost`; do not edit. {timed[0]['machine']}. "
        f"{timed[0]['multiply_adds'] / 1e3:.0f} thousand multiply-adds an input voxel. Peak: the largest resident size "
        "so far in the run.",
        "",
        *table(HEAD, [cells(row) for row in timed]),
    ]
    if lost:
        lines += [
            "",
            "Cost of bfloat16 in quality (psnr_head, x2 k-space truncation, ten middle slices of each volume):",
            "",
            *(f"- {row.scan}: {row['bfloat16_loss']:+.4f} dB lost" for row in lost),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mri-x2")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--data", type=Path, help="measure what bfloat16 costs in quality on the test volumes here")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/cost.md"))
    options = parser.parse_args()
    model, rows = zoo.load(options.model), []
    with tempfile.TemporaryDirectory() as folder:
        for precision in options.precisions:
            rate = convolution_rate(precision)
            for size in SIZES:
                rows.append(measured(size, model, precision, rate, Path(folder)))
                print(*cells(rows[-1]), flush=True)
    for scan in [] if options.data is None else held_out(options.data):
        loss = bfloat16_loss(files.read(scan.path), options.model)
        rows.append(Row(options.model, scan.name, "k_space", 2, slices=10, figures={"bfloat16_loss": loss}))
        print(scan.name, loss, flush=True)
    results.store(rows, results.beside(options.out))
    options.out.write_text(report(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
