"""The page on thick slices says the losses first, and a gain is over the best classical method of each measure."""

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks import thick
from benchmarks.results import Row
from benchmarks.thick_measures import measures, shift
from benchmarks.thick_report import BENT, CLASSICAL, NETWORK, gain, report
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training.through_plane.scans import Scan


def row(network: float, scan: str = "arc_b", snr: int = 20, sagittal: float | None = None) -> Row:
    methods = {m: {"psnr_head": 20.0 + k, "ssim_coronal": 0.8, "ssim_sagittal": 0.8} for k, m in enumerate(CLASSICAL)}
    methods = {m: {**one, "stairs": 10.0 - k, "dice": 0.7, "shift": 0.0} for k, (m, one) in enumerate(methods.items())}
    methods[NETWORK] = {
        "psnr_head": network,
        "ssim_coronal": 0.9,
        "ssim_sagittal": sagittal,
        "stairs": 4.0,
        "dice": 0.8,
        "shift": 0.01,
    }
    way = thick.Way(4.0, 4.0, 1.0, "box", snr)
    return Row(NETWORK, scan, way.name, 1, figures={**asdict(way), "methods": methods})


def test_a_gain_is_over_the_best_classical_method_and_fewer_stairs_are_better():
    assert gain(row(26.0)) == pytest.approx(1.0)
    assert gain(row(26.0), "stairs") == pytest.approx(1.0)
    assert gain(row(24.5)) == pytest.approx(-0.5)


def test_losses_come_first_and_every_row_is_there():
    page = report([row(24.5, "ds002748_a", 0, 0.9), row(26.0, sagittal=0.9)])
    assert page.index("## Losses") < page.index("## ds002748") < page.index("## arc") < page.index("## Every row")
    assert "psnr_head: 1 of 2 rows below the best classical method. ds002748_a 4/4 1 box none -0.500" in page


def test_what_is_measured_of_a_small_scan():
    rng = np.random.default_rng(0)
    wave = 0.5 + 0.2 * np.sin(np.arange(48) / 4)[:, None, None] * np.ones((1, 48, 24))
    scan = Scan("small", (wave + 0.02 * rng.random(wave.shape)).astype(np.float32), (1.0, 1.0, 1.0), (0,))
    part = thick.block(scan, "z", 8)
    assert part.truth.shape == (8, 48, 24)
    way = thick.Way(4.0, 4.0, 1.0, "gaussian", 0)
    network = ThroughPlane(Shape(features=8, blocks=1)).eval()
    methods = thick.measured("small", part, way, network)["methods"]
    assert tuple(methods) == (*CLASSICAL, NETWORK, BENT)
    psnr = {method: figures["psnr_head"] for method, figures in methods.items()}
    assert psnr["deconvolution"] > psnr["bspline"] > psnr["nearest"]
    assert psnr[NETWORK] == pytest.approx(psnr["bspline"], abs=1e-3)
    assert methods["deconvolution"]["dice"] > methods["nearest"]["dice"]


def test_stairs_are_the_power_of_the_error_at_the_slice_frequency_alone():
    truth, inside = np.random.default_rng(0).random((8, 48, 24)).astype(np.float32), np.ones((8, 48, 24), bool)
    waves = [0.01 * np.cos(2 * np.pi * np.arange(48) / period)[:, None] for period in (4, 6)]
    stairs = [measures(truth, truth + wave, inside, 4.0)["stairs"] for wave in waves]
    assert stairs == pytest.approx([1e6 * 0.01**2 / 4, 0], abs=1e-3)


@pytest.mark.parametrize("rows", [0.0, 0.05, -0.4])
def test_a_displacement_is_found_to_a_hundredth_of_a_row(rows):
    truth = np.random.default_rng(0).random((4, 48, 24))
    ramp = np.exp(-2j * np.pi * np.fft.fftfreq(48) * rows)[:, None]
    moved = np.fft.ifft(np.fft.fft(truth, axis=1) * ramp, axis=1).real
    assert shift(truth, moved, 4.0) == pytest.approx(rows, abs=0.01)


def test_every_pair_profile_and_noise_of_the_protocol_is_measured():
    names = [way.name for way in thick.ways()]
    assert len(names) == len(set(names)) == 7 * 2 * 3 + 2 * 2
    assert "slices:spacing=4.6,thickness=4,profile=box,snr=20" in names
    assert "slices:spacing=4,thickness=4,profile=gaussian, told 1.25 of the thickness" in names
