"""A page of two volumes, open in a real browser."""

import numpy as np
import pytest
from pages import Opened
from phantoms import orientation

from SuperResolutionLib.viewing.looking import viewed
from SuperResolutionLib.volume import Volume


def textured(seed: int) -> Volume:
    """1 mm voxels with other values everywhere, whose file runs to the right, the front and the head."""
    voxels = np.random.default_rng(seed).integers(-300, 3000, (14, 18, 22)).astype(np.int16)
    return Volume(voxels, (1.0, 1.0, 1.0), (10, 20, -5), orientation("R", "A", "S"))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two volumes, and a page of them."""
    volumes = textured(0), textured(1)
    path = tmp_path_factory.mktemp("pages") / "pair.html"
    viewed(volumes, ["one", "two"], whole=True).save(path)
    return path, volumes


@pytest.fixture(scope="module")
def kept(chromium, pair):
    """The page of `pair`, opened once for all tests."""
    return Opened(chromium, pair[0]).ready()


@pytest.fixture
def page(kept):
    """The page of `pair`, as when it was opened."""
    kept.renew()
    return kept
