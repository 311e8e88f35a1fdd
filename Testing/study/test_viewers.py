"""A report holds viewers of its scans, in so many bytes."""

import json
import re

import numpy as np
from phantoms import brain

from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.comparison import Experiment, comparing
from SuperResolutionLib.study.viewers import fitting, write_compared, write_enhanced
from SuperResolutionLib.viewing.contents import as_json, contents
from SuperResolutionLib.viewing.layer import Layer
from SuperResolutionLib.volume import Volume


def noisy(slices: int, seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).integers(0, 4000, (slices, 40, 40)).astype(np.int16), (1, 1, 3))


def test_a_comparison_is_looked_at_by_the_best_of_each_kind_beside_the_truth_and_the_coarse_scan(tmp_path):
    work = comparing(brain(), Experiment(keep=True, with_ssim=False), ["nearest", "bicubic"])
    result = finish(work)
    write_compared(result, tmp_path / "viewer.json")
    found = json.loads((tmp_path / "viewer.json").read_text())
    assert [layer["name"] for layer in found["layers"]] == ["bicubic (best classical)", "truth", "coarse scan"]
    assert found["grid"]["whole"] == list(brain().voxels.shape)
    assert "coarse scan is resampled (nearest) to the grid of truth." in found["notes"]


def test_a_scan_without_a_truth_is_looked_at_with_its_uncertainty(tmp_path):
    low = degrade(brain(), "k_space")
    made = {"mri-x2": (brain(), brain().with_voxels(brain().voxels / 50))}
    write_enhanced(low, ("bicubic", brain(seed=1)), made, tmp_path / "viewer.json")
    found = json.loads((tmp_path / "viewer.json").read_text())
    names = ["bicubic (interpolated)", "mri-x2 (enhanced)", "scan", "mri-x2 (uncertainty)"]
    assert [layer["name"] for layer in found["layers"]] == names
    assert found["layers"][3]["kind"] == "uncertainty"
    assert found["layers"][3]["group"] != found["layers"][0]["group"]


def test_all_viewers_of_a_page_fit_into_its_room_and_small_ones_stay_whole(tmp_path):
    kept = {name: tmp_path / name for name in ("small", "large", "larger")}
    for path, slices in zip(kept.values(), (3, 20, 40), strict=True):
        path.write_text(as_json(contents([Layer("a", noisy(slices))])))
    room = 120_000
    found = fitting(kept, room)
    assert 0.8 * room < sum(map(len, found.values())) <= room
    shown = {name: json.loads(re.findall(r">({.*})<", text)[0])["grid"]["size"][0] for name, text in found.items()}
    assert shown["small"] == 3
    assert 5 < shown["large"] < 20
    assert abs(shown["larger"] - shown["large"]) <= 2


def test_a_viewer_of_which_not_a_slice_fits_is_left_out(tmp_path):
    path = tmp_path / "a"
    path.write_text(as_json(contents([Layer("a", noisy(3))])))
    assert fitting({"a": path}, 3000) == {}
