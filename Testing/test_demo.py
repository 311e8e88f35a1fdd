"""The demo's rules: what part of a scan it takes, and what it says of the network, loss or gain."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import blobs, brain, middle, orientation

from benchmarks import demo
from SuperResolutionLib import files
from SuperResolutionLib.api import compare
from SuperResolutionLib.volume import Volume


def tall(z: str) -> Volume:
    """A ball of 40 mm in 100 slices of 2 mm, nearer to one end; z: where the last slice lies."""
    grid = Volume(np.zeros((100, 20, 20)), (4.0, 4.0, 2.0), direction=orientation("L", "P", z))
    away = np.linalg.norm(np.indices(grid.voxels.shape).transpose(1, 2, 3, 0) * (2, 4, 4) - (60, 38, 38), axis=-1)
    return grid.with_voxels((100.0 * (away < 40)).astype(np.float32))


@pytest.mark.parametrize(("z", "first", "last"), [("S", 28, 47), ("I", 13, 32)])
def test_the_part_begins_at_the_top_of_the_head_whichever_way_the_slices_run(z, first, last):
    scan = tall(z)
    part = demo.below_the_top(scan, 40.0)
    assert part.size == (20, 20, 20)
    lowest, highest = sorted(corner[2] for corner in (part.bounds().min(0), part.bounds().max(0)))
    k = sorted(scan.direction[2, 2] * 2 * np.array([first, last]))
    assert (lowest, highest) == pytest.approx((k[0] - 1, k[1] + 1), abs=0.5)


def test_a_series_is_measured_on_its_first_volume_and_a_low_scan_as_a_whole():
    scan = brain((26, 28, 8))
    series = replace(scan, voxels=np.stack([scan.voxels, 2 * scan.voxels]))
    part = demo.below_the_top(series, 1000.0)
    assert np.array_equal(part.voxels, scan.voxels)


@pytest.mark.parametrize(("thickness", "thick"), [(1.0, False), (2.0, False), (4.0, True)])
def test_only_thin_slices_play_the_truth_of_thick_ones(thickness, thick):
    assert demo.too_thick(Volume(np.zeros((8, 9, 10)), (0.5, 0.5, thickness))) == thick


def smooth(volume: Volume) -> Volume:
    return volume.with_voxels(blobs(volume, middle(volume), 10).astype(np.float32))


def test_a_loss_is_called_one():
    truth = smooth(Volume(np.zeros((8, 40, 40))))
    bad = compare(
        truth, "area", 2, methods={"bicubic": "bicubic", "ours": lambda low, wish: truth.with_voxels(0 * truth.voxels)}
    )
    assert "WORSE in the head than bicubic" in demo.verdict(bad)
    assert "BELOW bicubic's" in demo.verdict(bad)
    good = compare(truth, "area", 2, methods={"bicubic": "bicubic", "ours": lambda low, wish: truth})
    assert "better in the head than bicubic" in demo.verdict(good)
    assert "BELOW" not in demo.verdict(good)


def test_what_an_earlier_demo_left_is_cleared_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "OUT", tmp_path / "demo")
    demo.clear()
    for name in ("thick.png", "thick-mri-iso.nii.gz", "plane.html", "enhanced.nii.gz", "notes.txt", "thickness.csv"):
        (tmp_path / "demo" / name).touch()
    demo.clear()
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["notes.txt", "thickness.csv"]


def test_a_scan_among_the_demos_own_results_is_refused_and_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo.sys, "argv", ["demo", "demo/enhanced.nii.gz"])
    (tmp_path / "demo").mkdir()
    files.write(brain((26, 28, 8)), tmp_path / "demo" / "enhanced.nii.gz")
    assert demo.main() == 2
    assert "lies in demo/, where each demo begins anew; copy it to another folder." in capsys.readouterr().err
    assert (tmp_path / "demo" / "enhanced.nii.gz").exists()
