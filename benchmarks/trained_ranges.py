"""The looks of the structural training scans, as the networks were shown them: `looks` in the cards of mri-x2 and -x4.

    OMP_NUM_THREADS=1 python -m benchmarks.trained_ranges --data DIR

Every structural scan that the model's recipe learns from is made coarser by the headline forward models; printed are
the lowest and the highest contrast, noise and sharpness of 12 slices in the middle, to three digits, as in a card.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.heldout_report import HEADLINE
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis, stacks
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.scan_statistics import look
from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training import split


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    options = parser.parse_args()
    for scale in options.scales:
        rows = []
        for path, _ in split.training_files(options.data, recipes.load(f"mri-x{scale}")):
            volume = files.read(path)
            if volume.count > 1:
                continue
            axis = stacking_axis(volume)
            part = middle_slices(volume, axis, 12).cast(np.float32)
            for degradation in HEADLINE:
                own = look(stacks(degrade(part, degradation, scale), axis)[0])
                rows.append(asdict(own))
                print(f"x{scale} {path.name} {degradation}: {own}", flush=True)
        looks = {name: [float(f"{end(row[name] for row in rows):.3g}") for end in (min, max)] for name in rows[0]}
        print(f'"looks": {json.dumps(looks)}  of mri-x{scale}')


if __name__ == "__main__":
    main()
