"""The looks of the structural training scans, as the networks were shown them: the ranges of study/trained.py.

    OMP_NUM_THREADS=1 python -m benchmarks.trained_ranges --data DIR

Every scan under a folder called "train" is made coarser by the headline forward models; printed are the lowest and the
highest contrast, noise and sharpness of 12 slices in the middle.
"""

import argparse
from dataclasses import astuple
from pathlib import Path

import numpy as np

from benchmarks.heldout_report import HEADLINE
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis, stacks
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.scan_statistics import look


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    options = parser.parse_args()
    for scale in options.scales:
        rows = []
        for path in sorted(options.data.glob("structural/train/*.nii.gz")):
            volume = files.read(path)
            axis = stacking_axis(volume)
            part = middle_slices(volume, axis, 12).cast(np.float32)
            for degradation in HEADLINE:
                own = look(stacks(degrade(part, degradation, scale), axis)[0])
                rows.append(astuple(own))
                print(f"x{scale} {path.name} {degradation}: {own}", flush=True)
        print(f"x{scale}: lowest {np.min(rows, axis=0)}, highest {np.max(rows, axis=0)}")


if __name__ == "__main__":
    main()
