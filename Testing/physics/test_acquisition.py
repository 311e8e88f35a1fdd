"""What a scanner does with k-space is what its parts say, on the right grid, with the noise that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import brain, centre_of_mass, stack

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.degradation import MODELS, degrade
from SuperResolutionLib.physics.forward_models import KSpace, Level
from SuperResolutionLib.physics.mixtures import Scanners

LEVEL = Level(1.0, 1.0)


def seeded() -> np.random.Generator:
    return np.random.default_rng(0)


def fine_slices(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 1, shape).astype(np.float32)


def k_space(image: np.ndarray) -> np.ndarray:
    return np.fft.fftshift(np.fft.fft2(image), axes=(-2, -1))


@pytest.mark.parametrize("scale", [1.5, 2, 4])
def test_with_nothing_taken_away_it_is_truncation(scale):
    fine = fine_slices(2, 36, 24)
    plain = KSpace().slices(fine, scale, LEVEL, seeded())
    assert np.abs(Acquisition().slices(fine, scale, LEVEL, seeded()) - plain).max() < 1e-5


def test_the_hamming_and_tukey_windows_are_those_of_the_matrix_models():
    fine = fine_slices(1, 36, 24)
    for name, window, width in (("k_space_hamming", "hamming", 0.92), ("k_space_tukey", "tukey", 0.3)):
        expected = MODELS[name].slices(fine, 2, LEVEL, seeded())
        made = Acquisition(window=window, width=width).slices(fine, 2, LEVEL, seeded())
        assert np.abs(made - expected).max() < 1e-5


def test_partial_fourier_leaves_a_quarter_of_the_lines_along_the_rows_out():
    weights = Acquisition(partial=0.75).weights(32, 20)
    assert [bool(row.any()) for row in weights] == [False] * 8 + [True] * 24
    assert (weights[8:] == 1).all()


def test_an_ellipse_keeps_its_inside_and_a_fermi_window_half_of_its_edge():
    plain, soft = (Acquisition(shape="ellipse", window=w, width=0.05).weights(64, 64) for w in ("none", "fermi"))
    assert plain.mean() == pytest.approx(np.pi / 4, abs=0.02)
    assert soft[0, 32] == pytest.approx(0.5)
    assert soft[32, 32] == pytest.approx(1)
    assert soft[0, 0] < 1e-3


def test_decay_falls_from_the_centre_to_the_edge_of_the_columns():
    weights = Acquisition(decay=0.7).weights(20, 32)
    assert weights[:, 0] == pytest.approx(np.exp(-0.7))
    assert weights[:, 16] == pytest.approx(1)


def test_what_was_not_measured_is_filled_with_zeros():
    fine = fine_slices(1, 64, 64)
    spectrum = np.abs(k_space(Acquisition(rows=0.5, columns=0.5).slices(fine, 2, LEVEL, seeded()) ** 2))[0]
    # the square of an image has twice its band; of the half that was measured, it just fits
    assert spectrum[:, 0].max() < 1e-3 * spectrum.max()


@pytest.mark.parametrize("coils", [1, 4])
def test_noise_has_the_deviation_that_the_snr_says_where_signal_is_high(coils):
    fine = np.ones((20, 64, 64), np.float32)
    noisy = Acquisition(snr=25, coils=coils).slices(fine, 2, LEVEL, seeded())
    assert noisy.std() == pytest.approx(1 / 25, rel=0.05)
    assert noisy.mean() == pytest.approx(1 + (coils - 0.5) / 25**2, abs=0.003)


def test_a_window_after_the_noise_takes_its_share_away():
    fine = np.ones((20, 64, 64), np.float32)
    quieter = Acquisition(snr=25, window="hamming", width=1.0).slices(fine, 2, LEVEL, seeded())
    weights = Acquisition(window="hamming", width=1.0).weights(32, 32)
    assert quieter.std() == pytest.approx(np.sqrt(np.square(weights).mean()) / 25, rel=0.05)


@given(st.integers(0, 1000))
def test_no_scanner_that_is_drawn_moves_or_scales_a_head(seed):
    head = brain((40, 48, 1))
    coarse = degrade(head, Scanners(noisy=0.0).draw(np.random.default_rng(seed)), 2)
    assert coarse.size == (20, 24, 1)
    assert np.abs(centre_of_mass(coarse) - centre_of_mass(head)).max() < 1
    assert coarse.voxels.mean() == pytest.approx(head.voxels.mean(), rel=0.15)


def test_a_patch_is_cut_from_what_the_whole_slice_gives():
    fine, model = fine_slices(3, 40, 32), Acquisition(partial=0.7, window="fermi", width=0.1, rows=0.8)
    whole = model.slices(fine, 2, LEVEL, seeded())
    part = model.slices(fine, 2, LEVEL, seeded(), (slice(3, 9), slice(4, 16)))
    assert np.abs(part - whole[:, 3:9, 4:16]).max() < 1e-6


def test_a_volume_is_degraded_by_name_and_the_same_with_the_same_seed():
    volume = stack(fine_slices(40, 32))
    twice = [degrade(volume, "acquisition:partial=0.7,snr=20", 2, seed=3).voxels for _ in range(2)]
    assert twice[0].shape == (1, 20, 16)
    assert (twice[0] == twice[1]).all()


@pytest.mark.parametrize("name", ["partial_fourier", "elliptic", "t2_star", "interpolated"])
def test_the_models_that_nothing_is_trained_on_are_never_drawn(name):
    rng = np.random.default_rng(0)
    assert all(Scanners().draw(rng) != MODELS[name] for _ in range(200))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acquisition:partial=0.4", "above 0.5"),
        ("acquisition:rows=1.5", "up to 1"),
        ("acquisition:window=hann", "hamming"),
        ("acquisition:shape=round", "ellipse"),
    ],
)
def test_what_no_scanner_does_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        degrade(stack(fine_slices(16, 16)), text, 2)


def test_fewer_slices_are_refused_in_a_sentence():
    volume = stack(fine_slices(16, 16)).with_voxels(fine_slices(8, 16, 16))
    with pytest.raises(InputError, match="in plane"):
        degrade(volume, "partial_fourier", sampling=Sampling(factors=(1, 1, 2)))
