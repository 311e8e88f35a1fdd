"""A wrong output is exposed: by the curve along the slices, by the map of errors, by the spectrum."""

import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.comparison import Comparison, compare
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.study import tables
from SuperResolutionLib.study.examine import measuring
from SuperResolutionLib.study.figures.gains import crossings, ranked_slices
from SuperResolutionLib.volume import Volume


def good(low: Volume, scale: int) -> Volume:
    return upsample(low, "sinc", scale)


def shifted(low: Volume, scale: int) -> Volume:
    """Right, but half a coarse voxel off."""
    fine = good(low, scale)
    return fine.with_voxels(np.roll(fine.voxels, 1, axis=2))


def scaled(low: Volume, scale: int) -> Volume:
    """Right, but a tenth too bright."""
    fine = good(low, scale)
    return fine.with_voxels(fine.voxels * np.float32(1.1))


def broken(low: Volume, scale: int) -> Volume:
    """Right, but for one slice."""
    fine = good(low, scale)
    voxels = fine.voxels.copy()
    voxels[1] = voxels[1, ::-1]
    return fine.with_voxels(voxels)


def soft_head() -> Volume:
    """A head whose structure is mostly, not wholly, within what the coarse scan holds."""
    volume = brain((64, 60, 4))
    return volume.with_voxels(gaussian_filter(volume.voxels, (0, 1.2, 1.2)))


@pytest.fixture(scope="module")
def result() -> Comparison:
    classical = {name: (lambda low, s, name=name: upsample(low, name, s)) for name in METHODS}
    own = {"good": good, "shifted": shifted, "scaled": scaled, "broken": broken}
    return compare(soft_head(), "k_space", 2, {**classical, **own}, keep=True, with_ssim=False)


@pytest.fixture(scope="module")
def record(result) -> dict:
    inside = stacks(result.truth, 2)[0] > 0
    return {"scan": "a", "subject": "a", **finish(measuring(result, inside))}


def rows(record) -> dict:
    return record["methods"]


def test_a_copy_of_the_best_classical_method_gains_nothing(record):
    assert record["best_classical"] == "sinc"
    assert tables.difference(record, "good", "psnr_head") == pytest.approx(0, abs=1e-9)
    assert all(tables.difference(record, "good", measure) <= 1e-9 for measure in tables.MEASURES)


@pytest.mark.parametrize("wrong", ["shifted", "scaled", "broken"])
@pytest.mark.parametrize("measure", ["psnr", "psnr_head", "psnr_brain", "ssim", "ssim_brain", "nmse", "vif"])
def test_a_wrong_output_is_worse_in_every_measure_that_looks_at_it(record, wrong, measure):
    if (wrong, measure) == ("scaled", "vif"):  # which praises contrast
        assert tables.difference(record, wrong, measure) > 0
    else:
        assert tables.difference(record, wrong, measure) < 0


def test_a_shift_shows_in_every_slice_and_at_high_frequencies(record):
    plain, wrong = rows(record)["good"], rows(record)["shifted"]
    assert all(w < p - 1 for w, p in zip(wrong["psnr_slices"], plain["psnr_slices"], strict=True))
    power = [np.array(row["spectrum"]["restored"]) for row in (plain, wrong)]
    error = np.array(wrong["spectrum"]["error"]) / np.array(plain["spectrum"]["truth"])
    assert np.allclose(power[0][2:18], power[1][2:18], rtol=0.25)  # the power alone tells nothing
    assert error[14:19].mean() > 5 * error[2:5].mean()


def test_a_wrong_intensity_shows_in_every_ring_alike_and_not_in_the_correlation(record):
    plain, wrong = rows(record)["good"], rows(record)["scaled"]
    ratio = np.array(wrong["spectrum"]["restored"]) / np.array(plain["spectrum"]["restored"])
    assert np.allclose(ratio[:20], 1.21, rtol=1e-3)
    assert np.allclose(wrong["spectrum"]["cross"][:20], 1.1 * np.array(plain["spectrum"]["cross"][:20]), rtol=1e-3)


def test_one_broken_slice_is_the_one_of_worst_gain(result, record):
    row = next(row for row in result.rows if row.method == "broken")
    assert ranked_slices(result, row)["worst"][0] == 1
    assert ranked_slices(result, row)["best"][1] == pytest.approx(0, abs=1e-6)
    slices = rows(record)["broken"]["ssim_slices"]
    assert np.argmin(slices) == 1


def test_the_histogram_holds_every_voxel_of_the_head(result, record):
    inside = result.truth.voxels > 0.05 * record["range"]
    for row in rows(record).values():
        assert sum(row["histogram"]) == inside.sum()
    assert rows(record)["shifted"]["histogram"][0] < rows(record)["good"]["histogram"][0]


def test_the_figures_are_those_of_the_protocol(result, record):
    for row in result.rows:
        expected = score(result.truth, row.restored, 2)
        found = rows(record)[row.method]
        assert found["psnr_head"] == expected.psnr_head
        assert found["ssim"] == pytest.approx(expected.ssim, abs=1e-12)


def test_crossings_are_where_the_sign_changes():
    reference = [30.0] * 7
    assert crossings([31, 31, 29, 29, None, 31, 30], reference) == [2, 5]
    assert crossings([31.0] * 7, reference) == []
