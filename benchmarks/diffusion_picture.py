"""The picture of docs/diffusion.md: colour FA of the public sample, coarse, interpolated and by our model.

    python -m benchmarks.diffusion_picture docs/colour-fa.png

The first b0 image and every fifth weighted volume of the sample: enough for a picture, and quick.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.credits import credit
from benchmarks.sample import sample_series
from SuperResolutionLib import files
from SuperResolutionLib.diffusion.guides import unweighted
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.quality.comparison import compare
from SuperResolutionLib.study.tensor_figure import tensor_figure
from SuperResolutionLib.volume import Gradients, Volume


def some_volumes(series: Volume) -> Volume:
    """The first unweighted volume and every fifth weighted one."""
    assert series.gradients is not None
    free = unweighted(series.gradients)
    chosen = np.concatenate([np.flatnonzero(free)[:1], np.flatnonzero(~free)[::5]])
    gradients = Gradients(series.gradients.bvals[chosen], series.gradients.bvecs[chosen])
    return replace(series, voxels=series.voxels[chosen], gradients=gradients)


def main() -> None:
    """Write the picture to the path given."""
    path = sample_series()
    whole = files.read(path)
    series = some_volumes(whole)
    result = compare(series, "k_space", 2, [*METHODS, "dwi-x2"], keep=True, with_ssim=False)
    print(result)
    tensor_figure(result, Path(sys.argv[1]), f"{credit([path.name])}, {series.count} of {whole.count} volumes.")


if __name__ == "__main__":
    main()
