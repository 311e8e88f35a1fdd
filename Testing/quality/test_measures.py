"""Each measure is what its paper says, and what others who wrote it down measure on the same picture."""

import numpy as np
import pytest

from SuperResolutionLib.quality.measures import further, gmsd, hfen, ms_ssim, vif


def pair(h: int = 192, w: int = 208) -> tuple[np.ndarray, np.ndarray]:
    """A pattern of 0 to 255 and a worse copy of it, as share of 255."""
    y, x = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    truth = 128 + 60 * np.sin(x / 7.0) * np.cos(y / 11.0) + 40 * np.sin((x + y) / 3.0)
    restored = truth * 0.95 + 8 * np.cos(x / 2.0) * np.sin(y / 2.5) + 3
    return truth / 255, restored / 255


def test_ms_ssim_is_that_of_pytorch_msssim():
    assert ms_ssim(*pair()) == pytest.approx(0.9936629067, abs=1e-5)  # pytorch-msssim 1.0.0, data_range 255


def test_vif_is_that_of_sewar():
    assert vif(*pair()) == pytest.approx(0.6876063564, abs=1e-6)  # sewar 0.4.10, vifp


def test_gmsd_is_that_of_piq():
    assert gmsd(*pair()) == pytest.approx(0.0226163443, abs=1e-6)  # piq 0.8.0


def test_hfen_is_the_share_of_the_edges_that_is_wrong():
    truth, restored = (x[None] for x in pair())
    assert hfen(truth, truth) == 0
    assert hfen(truth, 0 * truth) == pytest.approx(1)
    assert hfen(truth, truth + 0.3) < 0.01
    assert hfen(truth, 0.9 * truth) == pytest.approx(0.1)
    assert 0 < hfen(truth, restored) < 1


def test_a_perfect_copy_is_perfect():
    truth, _ = pair()
    assert ms_ssim(truth, truth) == pytest.approx(1)
    assert vif(truth, truth) == pytest.approx(1, abs=1e-6)
    assert gmsd(truth, truth) == 0


@pytest.mark.parametrize("measure", [ms_ssim, vif])
def test_more_noise_is_worse(measure):
    truth, _ = pair()
    noise = np.random.default_rng(0).normal(0, 1, truth.shape)
    values = [measure(truth, truth + level * noise) for level in (0.01, 0.03, 0.1)]
    assert values[0] > values[1] > values[2]
    deviations = [gmsd(truth, truth + level * noise) for level in (0.01, 0.03, 0.1)]
    assert deviations[0] < deviations[1] < deviations[2]


def test_what_is_too_small_is_not_measured():
    truth, restored = pair(10, 60)
    assert ms_ssim(truth, restored) is None
    assert vif(truth, restored) is None


def test_a_slice_too_small_for_five_scales_is_measured_on_fewer():
    truth, restored = pair(50, 60)
    assert 0.9 < ms_ssim(truth, restored) < 1


def test_a_volume_has_the_mean_of_its_slices_whatever_its_units():
    truth, restored = (np.stack([x, x[::-1], 0 * x]) for x in pair(64, 70))
    found = further(1000 * truth, 1000 * restored, 1000.0, np.array([0, 1]))
    assert found["gmsd"] == pytest.approx(np.mean([gmsd(truth[k], restored[k]) for k in (0, 1)]))
    assert found["vif"] == pytest.approx(np.mean([vif(truth[k], restored[k]) for k in (0, 1)]))
    assert set(found) == {"ms_ssim", "gmsd", "vif", "hfen"}
    assert set(further(truth, restored, 1.0, np.array([], int)).values()) == {None}
