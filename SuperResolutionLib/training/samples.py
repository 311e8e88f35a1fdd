"""Pictures of a few validation slices, to see what an epoch has learnt."""

from functools import partial
from pathlib import Path

import numpy as np

from SuperResolutionLib.files.output import write_group
from SuperResolutionLib.training.validation import Case

ROWS = 4


def write_samples(cases: list[Case], images: list[np.ndarray], path: Path) -> None:
    """Write a PNG: coarse by bicubic | restored | truth, the middle slice of up to 4 cases below each other.

    Only where matplotlib is installed.
    """
    try:
        from matplotlib.image import imsave
    except ImportError:
        return
    chosen = np.linspace(0, len(cases) - 1, min(ROWS, len(cases))).astype(int)
    rows = [_row(cases[k], images[k]) for k in chosen]
    width = max(row.shape[1] for row in rows)
    picture = np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])
    draw = partial(imsave, arr=picture, cmap="gray", vmin=0, vmax=1)
    write_group(path.parent, {path.name: draw}, overwrite=True)


def _row(case: Case, image: np.ndarray) -> np.ndarray:
    middle = len(image) // 2
    return np.concatenate([case.bicubic.voxels[middle], image[middle], case.truth.voxels[middle]], axis=1)
