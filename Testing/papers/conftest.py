"""Scans on disk, and tiny models on the shelf that carry the names of real ones."""

from pathlib import Path

import numpy as np
import pytest
from phantoms import brain
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.papers.works import WORKS
from SuperResolutionLib.study.subjects import Scan, held_out
from SuperResolutionLib.volume import Volume


@pytest.fixture
def scans(tmp_path) -> list[Scan]:
    """Two heads of two subjects, int16."""
    folder = tmp_path / "data" / "test"
    folder.mkdir(parents=True)
    for name, size in (("anna_T1w", (26, 28, 4)), ("ben_T1w", (28, 24, 3))):
        files.write(Volume(brain(size).voxels.astype(np.int16), (1.0, 1.0, 4.0)), folder / f"{name}.nii.gz")
    return held_out(tmp_path / "data")


@pytest.fixture
def trained(shelf) -> Path:
    """Work D's first GAN, with its twin, is installed."""
    for seed, name in enumerate(("D-gan-cpce-x2", "D-gan-cpce-x2-twin")):
        store(shelf, name, seed=seed)
    return shelf


@pytest.fixture
def case():
    """Work D's."""
    return WORKS["D"].cases[0]
