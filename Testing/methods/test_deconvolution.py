"""Deconvolution: the inverse of the slices' profile, softer the more noise there is."""

import numpy as np
import pytest
from phantoms import layers

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.deconvolution import Deconvolution
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.slice_profile import SMOOTHNESS, Slices, deconvolution
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import TENSOR, Volume


def deconvolved(volume: Volume, **wish: object) -> Volume:
    return finish(Deconvolution().restore(volume, Sampling(**wish), Runtime())).volume


def error(one: Volume, other: Volume) -> float:
    return float(np.sqrt(np.square(one.voxels - other.voxels).mean()))


@pytest.mark.parametrize("thickness", [3, 4, 5])
def test_it_is_nearer_to_the_truth_than_any_interpolation(thickness):
    truth = layers()
    thick = degrade(truth, f"slices:spacing=4,thickness={thickness}")
    ours = error(deconvolved(thick, isotropic=True), truth)
    for method in ("nearest", "linear", "bicubic", "bspline", "sinc"):
        assert ours < error(upsample(thick, method, sampling=Sampling(isotropic=True)), truth)


def test_the_thickness_that_the_scan_states_is_believed():
    truth = layers()
    thick = degrade(truth, "slices:spacing=4,thickness=3")
    assert error(deconvolved(thick, isotropic=True), truth) < error(
        deconvolved(thick.with_thickness(None), isotropic=True), truth
    )


def test_it_is_softer_where_there_is_noise():
    truth = layers()
    noisy = degrade(truth, "slices:spacing=4,snr=8")
    inverse = deconvolution(Slices(4.0, 4.0), 60, 1.0, SMOOTHNESS)
    raised = Volume(np.tensordot(inverse, noisy.voxels, 1))
    assert error(deconvolved(noisy, slice_spacing=1), truth) < 0.9 * error(raised, truth)


def test_the_plane_is_refined_as_well_and_one_slice_is_that_of_the_whole():
    thick = degrade(layers(), "slices:spacing=4")
    whole = deconvolved(thick, spacing=(0.5, 0.5, 1))
    assert whole.size == (48, 48, 60)
    one = deconvolved(thick, spacing=(0.5, 0.5, 1), only=17)
    assert np.allclose(one.voxels[0], whole.voxels[17], atol=1e-4)


def test_tensors_stay_positive_definite():
    random = np.random.default_rng(0)
    factors = random.normal(size=(5, 6, 6, 3, 3)) * 0.01
    full = factors @ factors.swapaxes(-1, -2) + 1e-4 * np.eye(3)
    components = np.stack([full[..., a, b] for a, b in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))])
    tensors = Volume(components, spacing=(1, 1, 4), quantity=TENSOR)
    result = deconvolved(tensors, isotropic=True)
    assert result.size == (6, 6, 20)
    assert log_euclidean.indefinite(result) == 0


def test_a_grid_that_leaves_the_slices_is_refused(refuses):
    with refuses("leaves them as they are", "smaller spacing along the slices"):
        deconvolved(layers(), factor=2)
    with refuses("one slice", "finer plane"):
        deconvolved(Volume(np.ones((1, 8, 8), np.float32), spacing=(1, 1, 4)), isotropic=True)
    with refuses("9 mm thick", "4 mm apart"):
        deconvolved(degrade(layers(), "slices:spacing=4").with_thickness(9), isotropic=True)
