"""The slice thickness that a JSON beside an image states."""

import json
import warnings

import numpy as np
import pytest

from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.volume import Volume

STACK = Volume(np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4), spacing=(1.0, 1.0, 4.0))


@pytest.fixture(params=["scan.nii.gz", "scan.nrrd", "scan.mha"])
def path(tmp_path, request):
    write(STACK, tmp_path / request.param)
    return tmp_path / request.param


def beside(path, text):
    (path.parent / "scan.json").write_text(text if isinstance(text, str) else json.dumps(text))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScanWarning)
        return read(path), [str(w.message) for w in caught if w.category is ScanWarning]


def test_the_thickness_of_the_json_is_the_volume_s(path):
    volume, said = beside(path, {"SliceThickness": 3, "SpacingBetweenSlices": 4.05})
    assert volume.thickness == 3.0
    assert not said


def test_a_json_of_another_scan_is_not_believed(path):
    volume, said = beside(path, {"SliceThickness": 3, "SpacingBetweenSlices": 6})
    assert volume.thickness is None
    assert "6 mm apart" in said[0]


@pytest.mark.parametrize("value", ["thick", True, None, -1, 0, 1e9, float("nan"), [3]])
def test_what_is_no_length_is_no_thickness(path, value):
    assert beside(path, {"SliceThickness": value})[0].thickness is None


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, "[1]", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")]
)
def test_a_json_that_is_none_changes_nothing(path, text):
    volume, _ = beside(path, text)
    assert volume.thickness is None
    assert np.array_equal(volume.voxels, STACK.voxels)


def test_slices_that_were_made_thin_are_no_longer_so_thick():
    thick = STACK.with_thickness(3.0)
    assert upsample(thick, "linear", sampling=Sampling(isotropic=True)).thickness is None
    assert upsample(thick, "linear", 2).thickness == 3.0
