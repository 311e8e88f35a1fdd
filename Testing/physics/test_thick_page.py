"""The page on thick slices says the losses first, and a gain is over the best classical method of each measure."""

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks import thick
from benchmarks.results import Row
from benchmarks.thick_report import CLASSICAL, NETWORK, gain, report
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training.through_plane.data import Scan


def row(network: float, scan: str = "arc_b", snr: int = 20, sagittal: float | None = None) -> Row:
    methods = {m: {"psnr_head": 20.0 + k, "ssim_coronal": 0.8, "ssim_sagittal": 0.8} for k, m in enumerate(CLASSICAL)}
    methods = {m: {**one, "stairs": 10.0 - k} for k, (m, one) in enumerate(methods.items())}
    methods[NETWORK] = {"psnr_head": network, "ssim_coronal": 0.9, "ssim_sagittal": sagittal, "stairs": 4.0}
    way = thick.Way(4.0, 4.0, 1.0, "box", snr)
    return Row(NETWORK, scan, way.name, 1, figures={**asdict(way), "methods": methods})


def test_a_gain_is_over_the_best_classical_method_and_fewer_stairs_are_better():
    assert gain(row(26.0)) == pytest.approx(1.0)
    assert gain(row(26.0), "stairs") == pytest.approx(1.0)
    assert gain(row(24.5)) == pytest.approx(-0.5)


def test_losses_come_first_and_every_row_is_there():
    page = report([row(24.5, "ds002748_a", 0, 0.9), row(26.0, sagittal=0.9)], 24)
    assert page.index("## Losses") < page.index("## ds002748") < page.index("## arc") < page.index("## Every row")
    assert "psnr_head: 1 of 2 rows below the best classical method. ds002748_a 4/4 1 box none -0.500" in page


def test_what_is_measured_of_a_small_scan():
    rng = np.random.default_rng(0)
    wave = 0.5 + 0.2 * np.sin(np.arange(48) / 4)[:, None, None] * np.ones((1, 56, 24))
    scan = Scan("small", (wave + 0.02 * rng.random(wave.shape)).astype(np.float32), (1.0, 1.0, 1.0), (0,))
    part = thick.block(scan, "z", 8)
    assert part.truth.shape == (8, 48, 24)
    way = thick.Way(4.0, 4.0, 1.0, "gaussian", 0)
    figures = {name: thick.measures(part, way, image) for name, image in thick.classical(part, way)}
    assert tuple(figures) == CLASSICAL
    assert figures["deconvolution"]["psnr_head"] > figures["bspline"]["psnr_head"] > figures["nearest"]["psnr_head"]
    untrained = thick.measures(part, way, thick.by_network(part, way, ThroughPlane(Shape(features=8, blocks=1)).eval()))
    assert untrained["psnr_head"] == pytest.approx(figures["bspline"]["psnr_head"], abs=1e-3)


def test_stairs_are_the_power_of_the_error_at_the_slice_frequency_alone():
    part = thick.Block(np.ones((48, 48, 24), np.float32), (1.0, 1.0, 1.0), 1.0, np.ones((8, 48, 24), bool))
    way = thick.Way(4.0, 4.0, 1.0, "box", 0)
    waves = [0.01 * np.cos(2 * np.pi * np.arange(48) / period)[:, None] for period in (4, 6)]
    stairs = [thick.measures(part, way, part.truth + wave)["stairs"] for wave in waves]
    assert stairs == pytest.approx([1e6 * 0.01**2 / 4, 0], abs=1e-3)


def test_every_pair_profile_and_noise_of_the_protocol_is_measured():
    names = [way.name for way in thick.ways()]
    assert len(names) == len(set(names)) == 7 * 2 * 3 + 2 * 2
    assert "slices:spacing=4.6,thickness=4,profile=box,snr=20" in names
    assert "slices:spacing=4,thickness=4,profile=gaussian, told 1.25 of the thickness" in names
