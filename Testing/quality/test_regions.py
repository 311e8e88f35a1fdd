"""The brain without the skull, and masks of the user's own."""

import numpy as np
import pytest
from phantoms import stack

from SuperResolutionLib import files
from SuperResolutionLib.files.user_masks import read_mask
from SuperResolutionLib.intensity import head
from SuperResolutionLib.quality.regions import brain, mask_of, shows_whole_head
from SuperResolutionLib.volume import Volume


def ball(radius: float, size: int = 64) -> np.ndarray:
    """How far the voxels lie inside a ball, (16, size, size)."""
    z, y, x = np.meshgrid(np.linspace(-24, 24, 16), *[np.arange(size) - size / 2] * 2, indexing="ij")
    return np.sqrt(z**2 / 2 + y**2 + x**2) < radius


def whole_head() -> Volume:
    """A brain in dark fluid, under a bright scalp of 2 mm."""
    scalp = ball(30) & ~ball(28)
    return Volume(
        np.where(ball(22), 800, np.where(scalp, 900, np.where(ball(28), 80, 0))).astype(np.float32), (1, 1, 3)
    )


def test_the_brain_is_found_under_the_scalp():
    found, true = brain(whole_head()), ball(22)
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.93
    assert not (found & (ball(30) & ~ball(28))).any()


def test_a_whole_head_is_known_from_a_brain_alone():
    volume = whole_head()
    assert shows_whole_head(head(volume.voxels), brain(volume))
    alone = volume.with_voxels(np.where(ball(22), volume.voxels, 0))
    assert not shows_whole_head(head(alone.voxels), brain(alone))


def test_an_empty_scan_has_an_empty_mask():
    assert not brain(stack(np.zeros((3, 16, 16), np.float32))).any()


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "head.nii.gz"
    files.write(whole_head(), path)
    return path


def test_a_mask_of_the_users_is_taken_from_a_file_or_by_name_from_a_folder(scan, tmp_path, refuses):
    folder = tmp_path / "masks"
    folder.mkdir()
    path = folder / "head_mask.nii.gz"
    files.write(whole_head().with_voxels(ball(22).astype(np.uint8)), path)
    assert mask_of(scan, path) == mask_of(scan, folder) == path
    assert mask_of(scan, None) is None
    assert np.array_equal(read_mask(path, files.read(scan)), ball(22))
    with refuses("There is no mask for other.nii in", "other_mask.nii.gz"):
        mask_of(tmp_path / "other.nii", folder)
    with refuses("There is no mask file or folder"):
        mask_of(scan, tmp_path / "nowhere")


def test_a_mask_on_another_grid_is_refused(scan, tmp_path, refuses):
    volume = files.read(scan)
    files.write(Volume(np.ones((16, 64, 63), np.uint8), volume.spacing), tmp_path / "small.nii")
    files.write(Volume(np.ones((16, 64, 64), np.uint8), volume.spacing, (5.0, 0.0, 0.0)), tmp_path / "moved.nii")
    for name in ("small", "moved"):
        with refuses(f"The mask {name}.nii", "another grid", "resample"):
            read_mask(tmp_path / f"{name}.nii", volume)


def test_an_empty_mask_is_refused(scan, tmp_path, refuses):
    volume = files.read(scan)
    files.write(volume.with_voxels(np.zeros(volume.voxels.shape, np.uint8)), tmp_path / "none.nii")
    with refuses("none.nii", "is empty"):
        read_mask(tmp_path / "none.nii", volume)
