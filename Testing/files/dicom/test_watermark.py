"""The watermark of a derived series: drawn only where asked for, into air where there is any, and told."""

import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest

import SuperResolutionLib as sr
from SuperResolutionLib.files import ScanWarning, read
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import read_series
from SuperResolutionLib.files.dicom.watermark import TEXT, watermark

MARKED = Derivation(method="linear", watermark=True)


def head_in(corner: str, shape=(60, 160)) -> np.ndarray:
    """(1, 2, y, x): one slice dark, the other bright but for a corner of 140 x 20 voxels."""
    image = np.full((1, 2, *shape), 900, np.int16)
    image[0, 1] = 10
    side, end = corner.split()
    rows = slice(-20, None) if side == "bottom" else slice(0, 20)
    columns = slice(-140, None) if end == "right" else slice(0, 140)
    image[0, 0, rows, columns] = 10
    return image


@pytest.mark.parametrize("corner", ["bottom left", "bottom right", "top left", "top right"])
def test_it_stands_in_the_corner_that_shows_air_in_all_images(corner):
    mark = watermark(head_in(corner), "scan")
    assert (mark.corner, mark.in_air) == (corner, True)


def test_nothing_beyond_its_corner_is_changed_and_no_voxel_of_the_head():
    series = head_in("top right")
    drawn = watermark(series, "scan").on(series[0, 0], series[0])
    changed = drawn != series[0, 0]
    assert changed.any()
    assert not changed[20:].any() and not changed[:, :20].any()
    assert (series[0, 0][changed] == 10).all()
    assert set(np.unique(drawn[changed])) == {900}


def test_it_takes_more_lines_where_one_is_too_long_for_the_air():
    series = np.full((1, 1, 200, 200), 900, np.int16)
    series[..., -45:, :60] = 10
    mark = watermark(series, "scan")
    assert (mark.corner, mark.in_air, mark.letters.shape) == ("bottom left", True, (37, 50))


def test_where_no_corner_shows_air_it_covers_least_of_the_head():
    series = np.full((1, 1, 60, 160), 900, np.int16)
    series[..., :20, :60] = 10
    mark = watermark(series, "scan")
    assert (mark.corner, mark.in_air) == ("top left", False)


def test_images_smaller_than_the_text_are_refused(refuses):
    with refuses("40 x 30 voxels", "needs 50 x 37", "leave --watermark out"):
        watermark(np.ones((1, 1, 30, 40), np.int16), "scan")


@pytest.fixture
def fine(exported):
    """A source, and its volume with voxels so fine that the text has room; in one corner is air."""
    series = read_series(exported())
    volume = sr.upsample(series.volume, "linear", sampling=sr.Sampling(factors=(16, 10, 1)))
    voxels = volume.voxels.copy()
    voxels[:, -30:, :80] = 0
    return series, replace(volume, voxels=voxels)


def written(fine, tmp_path, how: Derivation) -> list[pydicom.Dataset]:
    series, volume = fine
    write_series(volume, series, tmp_path / "out", how, {"input": "dicom"})
    return [pydicom.dcmread(path) for path in sorted((tmp_path / "out").iterdir())]


def test_by_itself_nothing_is_drawn(fine, tmp_path):
    found = written(fine, tmp_path, Derivation(method="linear"))
    assert {header.BurnedInAnnotation for header in found} == {"NO"}
    assert np.array_equal(read(tmp_path / "out").voxels, fine[1].voxels)
    assert TEXT not in found[0].DerivationDescription
    assert json.loads((tmp_path / "out.json").read_text()) == {"input": "dicom"}


def test_where_it_is_asked_for_it_is_in_each_image_and_told(fine, tmp_path):
    found = written(fine, tmp_path, MARKED)
    assert {header.BurnedInAnnotation for header in found} == {"YES"}
    assert f'"{TEXT}" was drawn into the bottom left corner' in found[0].DerivationDescription
    said = json.loads((tmp_path / "out.json").read_text())["watermark"]
    assert said == {"text": TEXT, "corner": "bottom left", "over": "air"}
    letters = watermark(fine[1].voxels[None], "scan").letters
    for drawn, plain in zip(read(tmp_path / "out").voxels, fine[1].voxels, strict=True):
        changed = drawn != plain
        height, width = letters.shape
        assert np.array_equal(changed[-height:, :width], letters)
        assert changed.sum() == letters.sum()
        assert set(drawn[changed]) == {fine[1].voxels.max()}


def test_that_it_covers_the_image_is_said(fine, tmp_path):
    series, volume = fine
    whole = replace(volume, voxels=volume.voxels + 100)
    with pytest.warns(ScanWarning, match="covers part of the image"):
        written((series, whole), tmp_path, MARKED)
    assert json.loads((tmp_path / "out.json").read_text())["watermark"]["over"] == "the image"
