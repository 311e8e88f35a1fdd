"""Each figure of a record is what doing it by hand gives."""

import json
from dataclasses import replace

import numpy as np
import pytest
from phantoms import brain
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.network import enhance
from SuperResolutionLib.papers.measure import ZERO_FILLED, examining, located, measuring, power_ratio, slice_means
from SuperResolutionLib.papers.works import WORKS
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import Volume

MEASURES = {"psnr", "psnr_head", "ssim", "nmse", "mean_psnr", "mean_ssim", "power", "rms"}


def examined(scan, case, **options):
    return finish(examining(scan, case, located(case), **options))


def test_a_record_has_every_method_and_every_figure(scans, trained, case):
    record = json.loads(json.dumps(examined(scans[0], case), allow_nan=False))
    assert (record["scan"], record["subject"], record["slices"]) == ("anna_T1w", "anna", None)
    assert set(record["methods"]) == {*METHODS, ZERO_FILLED, "D-gan-cpce-x2", "D-gan-cpce-x2-twin"}
    assert all(set(row) == MEASURES for row in record["methods"].values())
    assert record["sha256"]["D-gan-cpce-x2"] == zoo.read_card(trained / "D-gan-cpce-x2.safetensors").sha256


def test_a_network_is_measured_against_its_twin(scans, trained, case):
    record = examined(scans[0], case)
    truth = files.read(scans[0].path).cast(np.float32)
    low = degrade(truth, "k_space", 2)
    own, twin = (enhance(low, name, precision="float32") for name in ("D-gan-cpce-x2", "D-gan-cpce-x2-twin"))
    expected = 100 * np.sqrt(np.square(own.voxels - twin.voxels).mean()) / np.percentile(truth.voxels, 99.9)
    assert record["methods"]["D-gan-cpce-x2"]["rms"] == pytest.approx(expected, rel=1e-4)
    assert record["methods"]["D-gan-cpce-x2-twin"]["rms"] is None
    assert record["methods"]["D-gan-cpce-x2"]["psnr"] == pytest.approx(score(truth, own).psnr, rel=1e-5)


def test_the_zero_filled_slice_of_work_d_has_figures_of_its_own(scans, shelf, case):
    truth = files.read(scans[0].path).cast(np.float32)
    expected = score(truth, degrade(truth, "k_space_zero_filled", 2))
    assert examined(scans[0], case)["methods"][ZERO_FILLED]["psnr_head"] == pytest.approx(expected.psnr_head)


def test_papers_average_over_slices_with_the_largest_voxel_as_the_range():
    truth = brain((24, 26, 4))
    truth.voxels[3] = 0
    restored = truth.with_voxels(truth.voxels + np.random.default_rng(0).normal(0, 20, truth.voxels.shape))
    top = truth.voxels.max()
    shown = list(zip(truth.voxels[:3].astype(float), restored.voxels[:3].astype(float), strict=True))
    settings = {"data_range": top, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    psnr, ssim = slice_means(truth, restored, 2)
    assert psnr == pytest.approx(np.mean([peak_signal_noise_ratio(t, p, data_range=top) for t, p in shown]))
    assert ssim == pytest.approx(np.mean([structural_similarity(t, p, **settings) for t, p in shown]))


def test_an_empty_volume_has_no_figure_in_a_papers_terms():
    empty = Volume(np.zeros((2, 16, 16), np.float32))
    assert slice_means(empty, empty, 2) == (None, None)
    assert power_ratio(empty, empty, 2, 2) is None


def test_the_power_of_the_truth_is_one_and_of_half_of_it_a_quarter():
    truth = brain()
    assert power_ratio(truth, truth, 2, 2) == pytest.approx(1)
    assert power_ratio(truth, truth.with_voxels(truth.voxels / 2), 2, 2) == pytest.approx(0.25)


def test_a_fresh_training_comes_before_what_is_installed(tmp_path, trained, case):
    fresh = store(tmp_path / "runs" / "cpce", "D-gan-cpce-x2", seed=7)
    found = located(case, [tmp_path / "runs"])
    assert found == {"D-gan-cpce-x2": str(fresh), "D-gan-cpce-x2-twin": "D-gan-cpce-x2-twin"}


def test_all_cases_of_a_work_are_measured_with_percents_of_progress(scans, shelf):
    events = []
    tables = finish(measuring(WORKS["E"], scans, slices=2), events.append)
    assert [[record["scan"] for record in records] for records in tables] == [["anna_T1w", "ben_T1w"]] * 2
    assert {record["slices"] for records in tables for record in records} == {2}
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[-1], events[-1].total) == (0, 100, 100)
    assert any(event.message.startswith("ben_T1w, sinc: ") for event in events)


def test_a_work_about_diffusion_finds_nothing_among_single_volumes(scans, shelf, refuses):
    with refuses("Work A", "diffusion series", "--data"):
        finish(measuring(WORKS["A"], scans))


def test_where_there_is_noise_each_seed_is_a_measurement(scans, shelf):
    case = replace(WORKS["A"].cases[0], diffusion=False)
    work = replace(WORKS["A"], cases=(case,))
    (records,) = finish(measuring(work, scans[:1], slices=2))
    assert [record["seed"] for record in records] == [0, 1, 2]
    assert len({record["methods"]["bicubic"]["psnr"] for record in records}) == 3
