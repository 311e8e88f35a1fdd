"""Slices are brought onto the fine grid where geometry says it lies, and nothing else is done to them."""

import numpy as np
import pytest
import torch
from in_words import enhance
from phantoms import blobs, centres, middle, shift, stack
from small_networks import ON_FINE_GRID, SMALL, small
from tiny_models import Plain, card
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.networks import NETWORKS, build, parameters
from SuperResolutionLib.networks.blocks import middle_slice
from SuperResolutionLib.networks.high_grid import METHODS, OnFineGrid, refine
from SuperResolutionLib.networks.residual import start_at_zero
from SuperResolutionLib.volume import Volume


def grids(scale: int) -> tuple[Volume, Volume]:
    """A coarse and a fine grid of the same field of view."""
    coarse = stack(np.zeros((1, 40, 44)))
    return coarse, upsample(coarse, "nearest", scale)


def smooth_image(volume: Volume) -> np.ndarray:
    """Blobs that fade out before the edges, sampled at the grid's own voxel centres: (h, w)."""
    return blobs(volume, middle(volume), radius=11)[0]


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_analytic_image_comes_out_where_it_lies(method, scale):
    coarse, fine = grids(scale)
    assert np.allclose(centres(coarse).mean((0, 1, 2)), centres(fine).mean((0, 1, 2)))
    truth = smooth_image(fine)
    refined = refine(torch.from_numpy(smooth_image(coarse))[None, None], scale, method)[0, 0].numpy()
    assert shift(refined, truth) < 0.001
    assert np.abs(refined - truth).max() < {"bicubic": 0.03, "windowed_sinc": 0.01}[method] * truth.max()


def test_half_a_voxel_would_show():
    coarse, fine = grids(2)
    refined = refine(torch.from_numpy(smooth_image(coarse))[None, None], 2, "windowed_sinc")[0, 0].numpy()
    assert shift(np.roll(refined, 1, axis=1), smooth_image(fine)) > 0.9


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_is_the_bicubic_of_the_package_on_every_slice(scale):
    x = torch.rand(2, 3, 9, 6)
    refined = refine(x, scale, "bicubic").numpy()
    for k in range(3):
        assert np.abs(refined[:, k] - upsample(stack(x[:, k].numpy()), "bicubic", scale).voxels).max() < 1e-5


@pytest.mark.parametrize("scale", [2, 4])
def test_the_windowed_sinc_is_zero_filling_but_local(scale):
    rng = np.random.default_rng(0)
    spectrum = np.fft.fft2(rng.standard_normal((64, 64)))
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64))) + 1 / 64
    coarse = np.fft.ifft2(spectrum / k**1.5).real.astype(np.float32)  # energy up to the Nyquist limit, as in a scan
    zero_filled = upsample(stack(coarse), "sinc", scale).voxels[0]
    inner = (slice(12 * scale, -12 * scale),) * 2

    def error(method: str) -> float:
        refined = refine(torch.from_numpy(coarse)[None, None], scale, method)[0, 0].numpy()
        return float(np.square(refined - zero_filled)[inner].mean() ** 0.5)

    assert error("windowed_sinc") < 0.35 * error("bicubic")
    assert error("windowed_sinc") < 0.05 * zero_filled[inner].std()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_constant_stays_constant_up_to_the_edges(method):
    assert torch.allclose(refine(torch.ones(1, 2, 5, 30), 2, method), torch.ones(1, 2, 10, 60), atol=1e-6)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_interpolation_is_exact_in_low_precision_too(method):
    x = torch.rand(1, 3, 20, 20)
    exact = refine(x, 2, method)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(refine(x, 2, method), exact)
    assert (refine(x.bfloat16(), 2, method) - exact).abs().max() < 0.02


def test_at_scale_1_the_slices_go_in_as_they_are():
    x = torch.rand(1, 3, 9, 9)
    network = OnFineGrid(Plain(middle_slice, radius=3), 1, "windowed_sinc")
    assert torch.equal(network(x), x[:, 1:2])
    assert network.radius == 3


def test_the_pure_network_runs_on_the_interpolated_slices():
    network = small("cpce", slices=3)
    x = torch.rand(1, 3, 12, 12)
    with torch.inference_mode():
        assert torch.equal(network(x), network.network(refine(x, 2, "windowed_sinc")))
    assert small("srcnn").method == "bicubic"
    assert small("circle").method == "windowed_sinc"


@pytest.mark.parametrize("architecture", ON_FINE_GRID)
@pytest.mark.parametrize("slices", [1, 5])
def test_a_pure_network_keeps_the_matrix(architecture, slices):
    network = NETWORKS[architecture](channels=slices, **SMALL[architecture])
    with torch.inference_mode():
        assert network(torch.rand(2, slices, 11, 10)).shape == (2, 1, 11, 10)


@pytest.mark.parametrize("architecture", ["circle", "cpce"])
def test_with_a_shortcut_and_its_last_layer_at_zero_a_network_is_the_interpolation(architecture):
    network = small(architecture, slices=3, shortcut=True)
    start_at_zero(network)
    x = torch.rand(1, 3, 12, 12)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network(x), refine(x, 2, "windowed_sinc")[:, 1:2])


@pytest.mark.parametrize("scale", [0, -2, 1.5, "2"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(InputError, match=r"give a whole number, 1 or more"):
        build("srcnn", {"scale": scale})


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(InputError, match="no interpolation before a network called 'sinc'"):
        OnFineGrid(nn.Identity(), 2, "sinc")


@pytest.mark.parametrize("architecture", ON_FINE_GRID)
@pytest.mark.parametrize("skip", [None, "bicubic"])
def test_it_is_stored_loaded_and_run_over_a_volume_as_any_model(architecture, skip, tmp_path):
    network = small(architecture, slices=3, skip=skip)
    arguments = {"scale": 2, "channels": 3, **SMALL[architecture]}
    described = card(
        architecture=architecture, arguments=arguments, skip=skip, input_grid="high", parameters=parameters(network)
    )
    zoo.save(network.state_dict(), described, tmp_path / "fine.safetensors", half=False)
    model = zoo.load(str(tmp_path / "fine.safetensors"))
    coarse = stack(np.random.default_rng(0).random((3, 14, 13), dtype=np.float32))
    fine = enhance(coarse, model, device="cpu", precision="float32")
    assert fine.voxels.shape == (3, 28, 26)
    assert np.allclose(fine.bounds(), coarse.bounds())
