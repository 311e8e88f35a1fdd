"""Scans of any name, and which of them a recipe learns from."""

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.training import split
from SuperResolutionLib.volume import Volume


def scans(folder, *names):
    """Small scans of these names in a folder, which is returned."""
    voxels = np.random.default_rng(0).integers(0, 900, (4, 40, 40)).astype(np.int16)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(Volume(voxels, spacing=(1, 1, 3)), path)
    return folder


def parts(recipe, folder):
    """The names that are learnt from, and those that choose the epoch."""
    learnt = {split.stem(path) for path, _ in split.training_files(folder, recipe)}
    return learnt, {split.stem(path) for path in split.validation_files(folder, recipe)}
