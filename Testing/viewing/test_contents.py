"""What a page carries is what the volumes hold, where they hold it."""

import numpy as np
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from pages import given, unpacked
from phantoms import blobs, brain, grids, orientation

from SuperResolutionLib.display import upright
from SuperResolutionLib.viewing import contents as contents_module
from SuperResolutionLib.viewing.contents import Limits, as_json, contents, cut
from SuperResolutionLib.viewing.layer import UNCERTAINTY, Layer
from SuperResolutionLib.viewing.looking import viewed
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

WHOLE = Limits(whole=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.int64, np.float32])
def test_whole_numbers_come_back_exactly(dtype):
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.iinfo(np.int16)
    low, high = max(limits.min, -40000), min(limits.max, 25000)
    voxels = np.random.default_rng(0).integers(low, high, (5, 6, 7), endpoint=True).astype(dtype)
    voxels[0, 0, :2] = low, high
    found = contents([Layer("a", Volume(voxels, (1, 1, 3)))], limits=WHOLE)
    assert np.array_equal(unpacked(found, 0), upright(Volume(voxels, (1, 1, 3)))[0])


def test_large_whole_numbers_keep_their_differences():
    voxels = 2**60 + np.arange(60, dtype=np.int64).reshape(3, 4, 5)
    found = contents([Layer("a", Volume(voxels))], limits=WHOLE)
    assert found["layers"][0]["intercept"] == 2.0**60
    found["layers"][0]["intercept"] = 0
    assert np.array_equal(unpacked(found, 0), voxels - 2**60)


def test_other_numbers_come_back_to_within_what_the_page_says():
    voxels = np.random.default_rng(0).normal(size=(4, 5, 6)) * 1e-3
    found = contents([Layer("a", Volume(voxels, (1, 1, 3)))], limits=WHOLE)
    step = found["layers"][0]["slope"]
    assert np.abs(unpacked(found, 0) - voxels).max() <= 0.5001 * step
    assert step == pytest.approx(np.ptp(voxels) / 65535)
    assert f"a: values are stored to within {step / 2:.2g}." in found["notes"]


@pytest.mark.parametrize("value", [0, 7, -3.25])
def test_a_constant_volume_is_shown(value):
    found = contents([Layer("a", Volume(np.full((3, 4, 5), value)))])
    assert np.all(unpacked(found, 0) == value)
    assert found["windows"][0][1] > found["windows"][0][0]


@settings(max_examples=25, deadline=None)
@for_any(grids())
def test_every_voxel_is_told_its_place_in_the_file_and_in_the_patient(volume):
    found = contents([Layer("a", volume)], limits=WHOLE)
    grid = found["grid"]
    shown = unpacked(found, 0)
    for at in [(0, 0, 0), (1, 2, 3), tuple(n - 1 for n in shown.shape)]:
        whole = [k + first for k, first in zip(at, grid["first"], strict=True)]
        file = [0, 0, 0]
        for k, axis, turned, n in zip(whole, grid["axes"], grid["turned"], grid["whole"], strict=True):
            file[axis] = n - 1 - k if turned else k
        x, y, z = file
        assert shown[at] == pytest.approx(volume.voxels[z, y, x], abs=2e-3)
        mm = np.asarray(volume.origin) + volume.direction @ (np.array(file) * volume.spacing)
        assert np.allclose(np.asarray(grid["origin"]) + np.asarray(grid["step"]) @ at, mm)


def test_air_around_the_head_is_cut_away_and_that_is_said():
    voxels = np.zeros((20, 40, 50), np.int16)
    voxels[4:15, 10:30, 12:40] = 500
    voxels[0, 0, 0] = 600  # a hot pixel is no head
    found = contents([Layer("a", Volume(voxels, (1, 1, 1), (5, 6, 7)))])
    assert found["grid"]["size"] == [17, 26, 34]
    assert found["grid"]["first"] == [1, 7, 9]
    assert np.array_equal(unpacked(found, 0), voxels[1:18, 7:33, 9:43])
    assert found["grid"]["origin"] == [14, 13, 8]
    assert "Cropped to the head: 34 x 26 x 17 of 50 x 40 x 20 voxels" in " ".join(found["notes"])


def test_air_that_is_not_0_is_cut_away_too():
    voxels = np.full((20, 40, 50), -1000, np.int16)
    voxels[4:15, 10:30, 12:40] = 500
    assert contents([Layer("a", Volume(voxels))])["grid"]["size"] == [17, 26, 34]


def test_nothing_of_any_image_is_cut_away():
    one, other = (np.zeros((20, 40, 50), np.int16) for _ in range(2))
    one[4:15, 10:30, 12:40] = 500
    other[2:8, 5:12, 30:45] = 900
    found = contents([Layer("a", Volume(one)), Layer("b", Volume(other))])
    assert unpacked(found, 1).sum() == other.sum()


def test_volumes_of_other_grids_come_to_lie_where_they_lay():
    """Smooth blobs in patient space, sampled on three unequal grids, one of them oblique in storage."""
    fine = Volume(np.zeros((30, 36, 40)), (1.0, 1.0, 1.0), (-20, -18, -15))
    thick = Volume(np.zeros((9, 44, 48)), (0.9, 0.9, 4.0), (-21, -19, -16))
    turned = Volume(np.zeros((44, 30, 36)), (1.1, 1.2, 1.0), (18, 20, -22), orientation("A", "R", "S"))
    volumes = [v.with_voxels(blobs(v, np.zeros(3), 14).astype(np.float32)) for v in (fine, thick, turned)]
    found = contents([Layer(name, v) for name, v in zip("abc", volumes, strict=True)], limits=WHOLE)
    first, second, third = (unpacked(found, n) for n in range(3))
    inner = (slice(6, 24), slice(6, 30), slice(6, 34))
    assert np.abs(second - first)[inner].max() < 0.12 * first.max()
    assert np.abs(third - first)[inner].max() < 0.04 * first.max()
    notes = " ".join(found["notes"])
    assert "b is resampled (linear) to the grid of a" in notes
    assert "c is resampled (linear) to the grid of a" in notes
    assert "a is resampled" not in notes


def test_a_finer_volume_on_a_coarser_grid_is_said_to_lose():
    thick = brain()
    fine = Volume(np.ones((16, 28, 26), np.float32), (1, 1, 1))
    page = viewed([thick, fine], ["thick", "fine"]).page
    assert "its own voxels are finer, so it is shown coarser than it is" in page
    found = given(viewed([thick, fine], ["thick", "fine"], finest=True, whole=True).page)
    assert found["grid"]["whole"] == [16, 28, 26]
    assert "thick is resampled (linear) to the grid of fine" in " ".join(found["notes"])


def test_what_a_volume_does_not_cover_is_told_apart():
    one = Volume(np.full((4, 10, 10), 5, np.int16))
    half = Volume(np.full((4, 10, 5), 9, np.int16))
    found = contents([Layer("a", one), Layer("b", half)])
    assert "covers 50 % of it" in " ".join(found["notes"])
    assert found["layers"][0]["inside"] is None
    assert found["layers"][1]["inside"]["size"] == [5, 10, 4]


def test_labels_are_never_mixed():
    labels = np.zeros((12, 24, 24), np.uint8)
    labels[3:9, 4:12, 4:20], labels[3:9, 12:20, 4:20] = 4, 9
    grid = Volume(np.zeros((20, 33, 31), np.float32) + 1, (0.7, 0.7, 0.6))
    found = contents([Layer("a", grid), Layer("labels", Volume(labels))], limits=WHOLE)
    assert set(np.unique(unpacked(found, 1))) == {0, 4, 9}
    assert "labels is resampled (nearest)" in " ".join(found["notes"])


def test_volumes_without_a_common_place_are_refused(refuses):
    far = Volume(np.ones((3, 4, 5)), origin=(500.0, 0, 0))
    with refuses("b and a have no place in common", "register"):
        contents([Layer("a", Volume(np.ones((3, 4, 5)))), Layer("b", far)])


def test_a_page_that_would_be_too_large_has_fewer_slices_and_says_so():
    voxels = np.random.default_rng(0).integers(0, 4000, (31, 40, 40)).astype(np.int16)
    whole = contents([Layer("a", Volume(voxels, (1, 1, 3), (0, 0, 10)))], limits=WHOLE)
    most = len(as_json(whole)) // 2
    found = cut(whole, most)
    kept = found["grid"]["size"][0]
    first = found["grid"]["first"][0]
    assert 10 < kept < 16
    assert abs(first + kept / 2 - 15.5) <= 1
    assert 0.8 * most < len(as_json(found)) <= most
    assert np.array_equal(unpacked(found, 0), voxels[first : first + kept])
    assert found["grid"]["origin"] == [0, 0, 10 + 3 * first]
    assert found["notes"][-1] == f"Only the {kept} slices in the middle of 31 are here, to keep the page small."


def test_slices_are_left_out_along_the_axis_they_were_acquired_along():
    volume = Volume(np.random.default_rng(0).integers(0, 4000, (20, 24, 28)).astype(np.int16), (4, 1, 1))
    whole = contents([Layer("a", volume)], limits=WHOLE)  # x is the slice axis, and l is x
    found = cut(whole, len(as_json(whole)) // 2)
    assert found["grid"]["size"][:2] == [20, 24]
    assert found["grid"]["size"][2] < 15
    assert found["grid"]["plane"] == "sagittal"


def test_where_not_one_slice_fits_that_is_said(refuses):
    whole = contents([Layer("a", Volume(np.random.default_rng(0).normal(size=(3, 40, 40)), (1, 1, 3)))])
    with refuses("Not one slice fits into 0.0 MB", "fewer volumes"):
        cut(whole, 2000)


def test_a_whole_page_keeps_to_its_size(monkeypatch):
    from SuperResolutionLib.viewing import viewer_page

    monkeypatch.setattr(viewer_page, "LARGEST", 150_000)
    voxels = np.random.default_rng(0).integers(0, 4000, (40, 50, 50)).astype(np.int16)
    page = viewed([Volume(voxels, (1, 1, 3))], ["a"]).page
    assert 120_000 < len(page.encode()) <= 150_000
    assert contents_module.LARGEST == 25_000_000


def test_layers_of_about_one_range_share_a_window_and_others_have_their_own():
    scan = brain().with_voxels(brain().voxels + 1)
    double = scan.with_voxels(scan.voxels * 20)
    layers = [Layer("a", scan), Layer("b", scan.with_voxels(scan.voxels * 1.1)), Layer("c", double)]
    found = contents([*layers, Layer("d", scan, UNCERTAINTY)])
    assert [layer["group"] for layer in found["layers"]] == [0, 0, 1, 2]
    assert len(found["windows"]) == 3
    assert found["windows"][2][0] == 0


def test_of_a_series_one_volume_is_shown_and_of_tensors_the_mean_diffusivity(refuses):
    voxels = np.stack([np.full((3, 4, 5), 10 * (n + 1), np.int16) for n in range(3)])
    series = Volume(voxels, gradients=Gradients(np.array([0.0, 500, 1000]), np.zeros((3, 3))))
    found = given(viewed([series], ["dwi"], volume=2).page)
    assert np.all(unpacked(found, 0) == 30)
    assert "Shown: volume 2 of 0 to 2." in found["notes"]
    with refuses("dwi has no volume 3", "it has 3"):
        viewed([series], ["dwi"], volume=3)
    tensors = Volume(np.stack([np.full((3, 4, 5), n / 1000) for n in (1, 0, 0, 2, 0, 6)]), quantity=TENSOR)
    assert unpacked(given(viewed([tensors], ["dti"]).page), 0) == pytest.approx(0.003)


def test_too_few_names_or_volumes_are_refused(refuses):
    with refuses("no volume to view"):
        viewed([], [])
    with refuses("2 names for 1 volumes"):
        viewed([brain()], ["a", "b"])
