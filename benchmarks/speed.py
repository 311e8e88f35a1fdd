"""Work E's speed table: a picture of 510 x 339 enlarged by its EDSR (x2) and its WDSR (x4), on this machine's CPU.

    python -m benchmarks.speed [--size 510 339] [--precisions float32 bfloat16] [--out benchmarks/speed.md]

The networks have the paper's size and three channels, and random weights: time does not depend on them. The machine's
own rate is that of a bare 64-to-64 3x3 convolution in the same precision, measured in the same run.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmarks import results
from benchmarks.machine import convolution_rate, described, multiply_adds
from benchmarks.results import Row, table
from SuperResolutionLib.methods.devices import autocast
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.networks.edsr import EDSR
from SuperResolutionLib.networks.wdsr import WDSR, fold_weight_norm

PICTURE = (510, 339)  # the input's width and height
HEAD = ("network", "million parameters", "paper, s", "precision", "here, s", "TMAC", "of the machine's own rate")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Entry:
    """A network of the table. channels: in and out. seconds: what work E prints for the picture of 510 x 339."""

    name: str
    build: Callable[[], nn.Module]
    channels: int
    seconds: float | None = None


ENTRIES = (
    Entry(
        "EDSR x2, 32 blocks of 256",
        lambda: EDSR(2, 3, 3, features=256, blocks=32, res_scale=0.1),
        3,
        576.92,
    ),
    Entry("WDSR x4, type A, 32 blocks 32-192-32", lambda: fold_weight_norm(WDSR(4, 3, 3)), 3, 46.35),
    Entry("EDSR x2, 16 blocks of 64, one channel (E-edsr-x2)", lambda: EDSR(2, features=64, blocks=16), 1),
)


def seconds(network: nn.Module, channels: int, size: tuple[int, int], precision: str) -> float:
    """Time one picture (width, height), after a small one to warm up."""
    width, height = size
    network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    small, picture = (
        torch.rand(1, channels, *shape).to(memory_format=torch.channels_last)
        for shape in ((min(48, height), min(48, width)), (height, width))
    )
    with torch.inference_mode(), autocast(torch.device("cpu"), precision):
        network(small)
        began = time.perf_counter()
        network(picture)
    return time.perf_counter() - began


def measured(entry: Entry, size: tuple[int, int], precision: str, rate: float) -> Row:
    """How long one network takes. rate: multiply-adds a second of the machine in that precision."""
    network = entry.build()
    figures = {
        "machine": described(),
        "precision": precision,
        "parameters": parameters(network),
        "paper_seconds": entry.seconds,
        "seconds": seconds(network, entry.channels, size, precision),
        "multiply_adds": multiply_adds(network, entry.channels) * size[0] * size[1],
        "rate": rate,
    }
    return Row(entry.name, "{} x {}".format(*size), "", int(getattr(network, "scale", 1)), figures=figures)


def cells(row: Row) -> list[str]:
    """A row of the table."""
    printed = "-" if row["paper_seconds"] is None else f"{row['paper_seconds']:g}"
    share = row["multiply_adds"] / row["seconds"] / row["rate"]
    of_rate = f"{100 * share:.0f} % of {row['rate'] / 1e9:.0f} GMAC/s"
    millions, tera = f"{row['parameters'] / 1e6:.2f}", f"{row['multiply_adds'] / 1e12:.2f}"
    return [row.model, millions, printed, row["precision"], f"{row['seconds']:.2f}", tera, of_rate]


def report(rows: list[Row]) -> str:
    """The page."""
    lines = [
        "# Work E's picture: how long it takes",
        "",
        f"Written by `python -m benchmarks.speed`; do not edit. {rows[0]['machine']}. A picture of {rows[0].scan} "
        "voxels is enlarged, with random weights. Paper: the average time on its picture of 510 x 339, by its own "
        "engine in C++ and Cython (Byron), on a machine that it does not name: two machines are compared, not two "
        "programs. The rate is that of a bare 64-to-64 3x3 convolution, so wider layers can exceed it. "
        "On a CPU with neither AMX "
        "nor AVX-512 BF16, bfloat16 is emulated and `enhance` does not choose it.",
        "",
        *table(HEAD, [cells(row) for row in rows]),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"), default=PICTURE)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/speed.md"))
    options = parser.parse_args()
    width, height = options.size
    rows: list[Row] = []
    for precision in options.precisions:
        rate = convolution_rate(precision)
        for entry in ENTRIES:
            rows.append(measured(entry, (width, height), precision, rate))
            print(*cells(rows[-1]), flush=True)
            results.store(rows, results.beside(options.out))
            options.out.write_text(report(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
