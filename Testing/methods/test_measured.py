"""A scan that its scanner interpolated is restored from the matrix that was measured; any other as before."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from in_words import EXACT, enhance, restored
from phantoms import orientation, shift, textured
from tiny_models import tiny

from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import middle_slices, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import batches, measured, network_run, zoo
from SuperResolutionLib.methods.batches import run_network
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.networks.residual import start_at_zero
from SuperResolutionLib.physics import recognition
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.recognition import Recogniser
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", Path(__file__).parents[3] / "shared" / "data"))
SCAN = DATA / "structural" / "train" / "openms_patient20_FLAIR.nii.gz"
SAID = "its scanner interpolated it: of a slice about "


@pytest.fixture
def family(shelf) -> None:
    """The two blind models, each exactly the interpolation."""
    for scale in (2, 4):
        model = tiny(scale=scale, name=zoo.default_name(scale))
        start_at_zero(model.network.network)
        zoo.save(model.network.state_dict(), model.card, shelf / f"{model.card.name}.safetensors")


@pytest.fixture
def knowing(shelf) -> None:
    """The two blind models, with a recogniser that knows nothing: every scan is put back by what it shows."""
    table = Recogniser(("k_space",), np.array([[-500.0]]), np.array([[1.0]])).table()
    for scale in (2, 4):
        model = tiny(scale=scale, name=zoo.default_name(scale), recognition=table)
        start_at_zero(model.network.network)
        zoo.save(model.network.state_dict(), model.card, shelf / f"{model.card.name}.safetensors")


def interpolated(rows: float = 0.5, columns: float = 0.5, slices: int = 4) -> Volume:
    """A scan of 96 rows and 80 columns, of which so large shares were measured."""
    low = degrade(textured(0, 192, 160, slices), Acquisition(rows=rows, columns=columns, snr=50), 2)
    return replace(low, spacing=(1.0, 1.0, 4.0))


def turned(volume: Volume, axis: int) -> Volume:
    """The same slices stacked along another axis of the array, in an oblique patient space."""
    voxels = np.moveaxis(volume.voxels, 0, 2 - axis)
    spacing = [1.0, 1.0, 1.0]
    spacing[axis] = 4.0
    return Volume(voxels, (spacing[0], spacing[1], spacing[2]), (5.0, -7.0, 11.0), orientation("P", "S", "R"))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.6, 0.6), (0.8, 0.8), (0.5, 1.0), (1.0, 0.62)])
@pytest.mark.usefixtures("family")
def test_the_grid_is_that_of_any_other_method_and_nothing_is_displaced(axis, shares):
    low = turned(interpolated(*shares), axis)
    result, smooth = restored(low, "mri-x2", **EXACT), upsample(low, "sinc")
    assert SAID in result.record.unusual[-1]
    assert (result.volume.size, result.volume.spacing) == (smooth.size, smooth.spacing)
    assert np.allclose(result.volume.origin, smooth.origin)
    assert np.array_equal(result.volume.direction, smooth.direction)
    assert result.volume.voxels.dtype == low.voxels.dtype
    assert result.record.sampling == restored(low, tiny(), **EXACT).record.sampling
    for one, other in zip(stacks(result.volume, axis)[0], stacks(smooth, axis)[0], strict=True):
        assert shift(one, other) < 0.02
        assert np.abs(one - other).mean() < 0.04 * other.max()


@pytest.mark.usefixtures("family")
def test_what_was_measured_and_who_restored_it_stands_in_the_record():
    low = interpolated()
    record = restored(low, "mri-x2", **EXACT).record
    found = measured.measured_of(low, 2)
    assert np.allclose(found.size, (40, 48, 4), atol=2)
    size = f"{found.size[0]} x {found.size[1]} of 80 x 96"
    assert record.unusual[-1] == f"{SAID}{size} voxels were measured, and it is restored from these by mri-x4"
    assert record.method == "mri-x4"
    assert record.model_sha256 == zoo.read_card(zoo.find("mri-x4")).sha256
    assert record.sampling["asked"] == {"factor": 2}


@pytest.mark.usefixtures("family")
def test_of_a_scan_that_was_interpolated_little_the_model_that_is_meant_restores_what_was_measured():
    record = restored(interpolated(0.8, 0.8), "mri-x2", **EXACT).record
    assert record.method == "mri-x2"
    assert record.unusual[-1].endswith("were measured, and it is restored from these")


@pytest.mark.usefixtures("family")
def test_a_scan_that_was_measured_whole_is_restored_as_it_is():
    low = interpolated(1, 1)
    result = restored(low, "mri-x2", **EXACT)
    assert result.record.method == "mri-x2"
    assert not any(SAID in sentence for sentence in result.record.unusual)
    assert np.allclose(result.volume.voxels, upsample(low).voxels, atol=1e-3 * low.voxels.max())


@pytest.mark.usefixtures("family")
def test_a_model_that_is_none_of_the_blind_ones_says_that_it_takes_all_for_measured():
    low = interpolated()
    result = restored(low, tiny(), **EXACT)
    assert result.record.method == "tiny-x2"
    assert result.record.unusual[-1].endswith("and tiny-x2 takes all of them for measured; mri-x2 does not")
    assert "".join(network(low, tiny()).unusual(low, Sampling())).endswith("mri-x2 does not")


@pytest.mark.usefixtures("family")
def test_one_slice_is_that_slice_of_the_whole():
    low = interpolated(0.6, 0.5)
    whole = enhance(low, "mri-x2", **EXACT)
    one = enhance(low, "mri-x2", only=2, **EXACT)
    assert np.allclose(one.voxels[0], whole.voxels[2], atol=1e-3 * low.voxels.max())
    assert one.origin[2] == pytest.approx(whole.origin[2] + 2 * whole.spacing[2])


@pytest.mark.data
@pytest.mark.skipif(not SCAN.is_file(), reason=f"there is no {SCAN}; set SUPERRESOLUTION_DATA to the shared data")
def test_what_the_taper_of_a_real_scan_s_k_space_shows_is_put_back_too():
    """Truncated at half of its power, a FLAIR came back within 43 dB, where 45 are asked for."""
    low = middle_slices(files.read(SCAN), 2, 6).cast(np.float32)
    result = restored(low, "mri-x2", **EXACT)
    assert SAID in result.record.unusual[-1]
    unit = data_range(low.voxels)
    fine, scan = result.volume.voxels / unit, low.voxels / unit
    assert Transfer.between(fine, scan).agreement(fine, scan) > 46


@pytest.mark.usefixtures("knowing")
def test_one_slice_that_is_put_back_is_that_slice_of_the_whole():
    low = interpolated(0.6, 0.6, slices=8)
    whole, one = enhance(low, "mri-x2", **EXACT), restored(low, "mri-x2", only=2, **EXACT)
    assert one.record.put_back == "recognised"
    assert np.allclose(one.volume.voxels[0], whole.voxels[2], atol=2e-3 * low.voxels.max())


@pytest.mark.usefixtures("knowing")
def test_one_slice_takes_no_more_than_those_that_are_looked_at(monkeypatch):
    """A preview of 1 slice had 36 restored: each of the five that are looked at had looked for the model anew."""
    runs = []
    monkeypatch.setattr(network_run, "run_network", lambda *of: runs.append(len(of[1])) or run_network(*of))
    monkeypatch.setattr(batches, "BATCH_VOXELS", 1)
    enhance(interpolated(0.6, 0.6, slices=16), "mri-x2", only=2, **EXACT)
    assert sum(runs) == 1 + 2 * len(recognition.shown(16)) < 16


@pytest.mark.usefixtures("family")
def test_integers_stay_integers_and_a_wish_by_spacing_is_kept():
    low = interpolated().cast(np.uint16)
    result = enhance(low, "mri-x2", spacing=(0.5, 0.5, 4.0), **EXACT)
    assert (result.voxels.dtype, result.spacing) == (np.uint16, (0.5, 0.5, 4.0))


@pytest.mark.usefixtures("family")
def test_four_times_as_fine_is_made_by_the_coarsest_steps_there_are():
    low = interpolated()
    result = restored(low, "mri-x4", **EXACT)
    assert result.volume.size == (320, 384, 4)
    assert result.record.method == "mri-x4"
    assert shift(result.volume.voxels[1], upsample(low, "sinc", 4).voxels[1]) < 0.04


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.6, 0.7)])
@pytest.mark.usefixtures("family")
def test_an_uncertainty_map_lies_on_the_same_grid_and_is_never_negative(shares):
    result = restored(interpolated(*shares), "mri-x2", uncertainty=True, **EXACT)
    spread = result.uncertainty
    assert (spread.size, spread.spacing, spread.origin) == (
        result.volume.size, result.volume.spacing, result.volume.origin,
    )  # fmt: skip
    assert spread.voxels.min() >= 0


@pytest.mark.usefixtures("family")
def test_kept_k_space_is_what_was_measured():
    """All of it comes back, to what the scan has beyond the edge that was found: noise and a magnitude's remains."""
    low = interpolated()
    result = enhance(low, "mri-x2", put_back="k_space", **EXACT)
    again = degrade(result, "k_space", 4)
    assert np.abs(again.voxels - degrade(low, "k_space", 2).voxels).mean() < 0.003 * low.voxels.max()


@pytest.mark.usefixtures("family")
def test_around_a_brain_that_was_cut_out_nothing_appears():
    low = interpolated(0.6, 0.6)
    v, u = np.meshgrid(np.linspace(-1, 1, 96), np.linspace(-1, 1, 80), indexing="ij")
    low = low.with_voxels(np.where(np.hypot(u, v) < 0.7, low.voxels, 0))
    result = restored(low, "mri-x2", **EXACT)
    assert SAID in result.record.unusual[-1]
    assert "the scan is empty around the brain, and so is the result" in result.record.notes
    assert not result.volume.voxels[:, :20, :20].any()


def test_nothing_is_looked_for_in_diffusion_series_and_in_tensors():
    one = interpolated()
    series = replace(
        one, voxels=np.stack([one.voxels] * 2), gradients=Gradients(np.array([0.0, 1000]), np.eye(3)[:2] * [[0], [1]])
    )
    assert measured.measured_of(one, 2) is not None
    assert measured.measured_of(series, 2) is None
    assert measured.measured_of(Volume(np.stack([one.voxels] * 6), quantity=TENSOR), 2) is None
