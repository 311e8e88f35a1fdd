"""A small world to train in: scans of discs, and a recipe of forty steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from phantoms import stack

from SuperResolutionLib import files
from SuperResolutionLib.training import history
from SuperResolutionLib.training.recipe import Recipe, from_table

SETTINGS: dict[str, Any] = {
    "name": "tiny",
    "architecture": "edsr",
    "scale": 2,
    "slices": 3,
    "network": {"features": 16, "blocks": 1},
    "degradation": "bicubic_blur3",
    "validate_on": ["bicubic_blur3"],
    "validation": ["val_*"],
    "patch": 12,
    "batch": 4,
    "steps": 40,
    "epoch": 10,
    "warm_up": 5,
    "precision": "float32",
    "trained_on": "discs",
    "licence": "CC0",
}


def discs(seed: int, size: int = 36) -> np.ndarray:
    """A few bright discs that change from slice to slice: (4, size, size) int16."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(np.arange(4), np.arange(size), np.arange(size), indexing="ij")
    voxels = np.full((4, size, size), 30.0)
    for _ in range(14):
        cy, cx, r = rng.uniform(4, size - 4), rng.uniform(4, size - 4), rng.uniform(2, 8)
        voxels[np.hypot(y - cy - 0.5 * z, x - cx) < r] = rng.uniform(100, 900)
    return voxels.astype(np.int16)


def write_scans(folder: Path, *names: str) -> Path:
    """Scans of 1 x 1 x 4 mm, a seed for each name; returns the folder."""
    for name in names:
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(stack(discs(sum(map(ord, name)))), path)
    return folder


def tiny_recipe(**changes: Any) -> Recipe:
    return from_table({**SETTINGS, **changes})


@contextmanager
def drawing_no_curves() -> Iterator[None]:
    """Trainings write curves.csv alone, as where matplotlib is not installed: to draw an epoch takes seconds."""
    with mock.patch.object(history, "find_spec", lambda _name: None):
        yield
