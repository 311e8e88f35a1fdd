"""A finer plane, then thin slices: what belongs to a diffusion series survives both."""

import numpy as np
import pytest
from in_words import EXACT
from known_tensors import head
from tiny_models import store_thinning, tiny

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.chain import Chain
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import Volume

ISOTROPIC = Sampling(spacing=(1.0, 1.0, 1.0))


@pytest.fixture
def chain(tmp_path) -> Chain:
    """Tiny networks with weights drawn at random: they ring, and would go below zero."""
    return Chain(
        NetworkMethod(tiny()), network(head(20, 5)[0], str(store_thinning(tmp_path)), Sampling(slice_spacing=1))
    )


def of(chain: Chain, volume: Volume) -> Volume:
    return finish(chain.restore(volume, ISOTROPIC, Runtime(**EXACT))).volume


def test_a_series_keeps_its_gradients_its_place_and_has_no_negative_voxel(chain):
    series = head(20, 5)[0].cast(np.float32)
    assert series.voxels.min() >= 0
    made = of(chain, series)
    assert made.gradients is series.gradients
    assert made.voxels.shape == (13, 15, 40, 40)
    assert made.spacing == (1, 1, 1)
    assert made.voxels.min() >= 0
    assert np.allclose(made.bounds(), series.bounds(), atol=1e-6)
    assert np.array_equal(made.direction, series.direction)
