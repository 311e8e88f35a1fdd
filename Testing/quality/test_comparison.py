"""One table: degrade, restore by every method, measure."""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from in_words import EXACT, compare, comparing
from phantoms import blobs, brain, middle
from tiny_models import store

import SuperResolutionLib
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import by_names
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import MODELS, degrade
from SuperResolutionLib.physics.forward_models import KSpaceZeroFilled
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.metrics import psnr_head_slices, score
from SuperResolutionLib.volume import Volume

CLASSICAL = list(METHODS)


def own(low: Volume, wish: Sampling) -> Volume:
    """A user's own method: linear, a little too bright."""
    smooth = upsample(low, "linear", sampling=wish)
    return smooth.with_voxels(smooth.voxels * np.float32(1.01))


def test_rows_are_sorted_best_first():
    heads = [row.score.psnr_head for row in compare(brain(), methods=CLASSICAL).rows]
    assert len(heads) == 5
    assert heads == sorted(heads, reverse=True)
    assert heads[0] > heads[-1]


def test_each_figure_is_what_doing_it_by_hand_gives():
    volume = brain()
    result = compare(volume, "area", 2, CLASSICAL)
    low = degrade(volume, "area", 2)
    for row in result.rows:
        assert row.score == score(volume, upsample(low, row.method, 2))


def test_the_best_classical_method_is_marked_and_gains_are_measured_from_it():
    truth = brain()
    methods = {n: lambda low, wish, n=n: upsample(low, n, sampling=wish) for n in ("nearest", "sinc", "bspline")}
    result = compare(truth, methods={"oracle": lambda low, s: truth, "own": own, **methods})
    assert result.rows[0].method == "oracle"
    assert result.best_model is result.rows[0]
    best = result.best_classical
    assert best is not None
    assert best.score.psnr_head == max(row.score.psnr_head for row in result.rows if row.classical)
    for row in result.rows:
        assert result.gain(row) == pytest.approx(row.score.psnr_head - best.score.psnr_head)
    assert result.gain(best) == 0
    (line,) = [line for line in str(result).splitlines() if "best cl." in line]
    assert line.startswith(best.method)
    assert len(str(result).splitlines()) == 6


def test_without_a_classical_method_there_is_no_gain():
    result = compare(brain(), methods={"own": own})
    assert result.best_classical is None
    assert result.gain(result.rows[0]) is None
    assert "own" in str(result)
    assert result.as_table()["best_classical"] is None


def test_a_notebook_shows_the_same_figures_as_the_text_and_names_may_hold_anything():
    result = compare(brain(), methods={"<b>own": own, "sinc": lambda low, wish: upsample(low, "sinc", sampling=wish)})
    html = result._repr_html_()
    cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", line) for line in html.splitlines() if line.startswith("<tr>")]
    assert [" ".join(map(unescape, line)).split() for line in cells] == [
        line.split() for line in str(result).splitlines()
    ]
    assert "<b>" not in html
    assert repr(result) == str(result)


def test_a_users_own_function_is_a_method_like_any_other():
    result = compare(
        brain(), "bicubic", 2, {"own": own, "linear": lambda low, wish: upsample(low, "linear", sampling=wish)}
    )
    assert {row.method: row.classical for row in result.rows} == {"own": False, "linear": True}


@pytest.mark.parametrize(("given", "nearest"), [("bicubik", "bicubic"), ("sync", "sinc")])
def test_an_unknown_method_names_the_nearest(given, nearest):
    with pytest.raises(InputError, match=f"no method or model called '{given}'; did you mean '{nearest}'"):
        compare(brain(), methods=[given])


def test_an_unknown_degradation_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'k_space'"):
        compare(brain(), "kspace", methods=["nearest"])


@pytest.mark.parametrize("model", ["k_space_zero_filled", KSpaceZeroFilled()])
def test_zero_filled_k_space_is_refused_because_its_matrix_is_not_coarse(model):
    with pytest.raises(InputError, match="use 'k_space'"):
        compare(brain(), model, methods=["nearest"])


def test_the_table_can_be_written_as_json():
    result = compare(brain((26, 28, 2)), "rician:snr=30", 2, ["bicubic", "sinc"], seed=2)
    table = json.loads(json.dumps(result.as_table(), allow_nan=False))
    assert (table["degradation"], table["scale"], table["plane"], table["seed"]) == ("rician:snr=30", 2, "native", 2)
    assert table["best_classical"] == result.rows[0].method
    assert table["axis"] == 2
    figures = {"psnr", "psnr_head", "ssim", "nmse", "gain_db", "psnr_slices"}
    assert set(table["rows"][0]) == {"method", "classical", *figures}


@pytest.mark.parametrize("scale", [2, 4])
def test_odd_sizes_are_cropped_and_the_truth_with_them(scale):
    volume = brain((27, 31, 3))
    result = compare(volume, "k_space", scale, ["sinc"], keep=True)
    restored = result.rows[0].restored
    assert restored is not None
    assert result.truth.size == restored.size == (27 - 27 % scale, 31 - 31 % scale, 3)
    assert np.array_equal(result.truth.voxels, volume.voxels[:, : restored.size[1], : restored.size[0]])
    assert np.allclose(restored.bounds(), result.truth.bounds(), atol=1e-9)


def test_restored_volumes_are_let_go_unless_kept():
    assert compare(brain(), methods=["nearest"]).rows[0].restored is None


@pytest.mark.parametrize("degradation", [name for name in MODELS if name not in ("k_space_zero_filled", "slices")])
def test_every_degradation_can_be_compared(degradation):
    result = compare(brain(), degradation, 2, ["linear"])
    assert 5 < result.rows[0].score.psnr_head < 60


def test_noise_has_the_seed_that_was_asked_for():
    one, same, other = (compare(brain(), "rician", 2, ["linear"], seed=s).rows[0].score for s in (1, 1, 2))
    assert one == same != other


def test_an_integer_scan_is_compared_without_rounding():
    exact = compare(brain(), methods=["sinc"]).rows[0].score.psnr_head
    rounded = compare(brain().cast(np.int16), methods=["sinc"], keep=True).rows[0]
    assert rounded.restored is not None
    assert rounded.restored.voxels.dtype == np.float32
    assert rounded.score.psnr_head == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize("plane", ["native", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("spacing", [(1.0, 0.5, 0.5), (1.0, 1.0, 1.0), (1.0, 1.5, 3.0), (0.5, 1.0, 0.5)], ids=str)
def test_the_plane_stays_the_truths_even_where_the_coarse_grid_suggests_another(plane, spacing):
    empty = Volume(np.zeros((24, 24, 24)), spacing)
    volume = empty.with_voxels(blobs(empty, middle(empty), 6).astype(np.float32))
    result = compare(volume, "area", 2, ["bicubic"], plane, keep=True)
    restored = result.rows[0].restored
    assert restored is not None
    assert restored.size == volume.size
    assert result.low.size[stacking_axis(volume, plane)] == 24
    assert result.plane == plane


def test_a_series_counts_as_one_volume():
    series = Volume(np.stack([brain(seed=s).voxels for s in range(3)]), brain().spacing)
    result = compare(series, "bicubic", 2, ["linear"])
    alone = [compare(brain(seed=s), "bicubic", 2, ["linear"]).rows[0].score.psnr_head for s in range(3)]
    assert result.rows[0].score.psnr_head == pytest.approx(np.mean(alone))


# ---------------------------------------------------------------- slices and errors


def test_each_slice_is_measured_along_the_axis_of_the_plane():
    volume = brain()
    volume.voxels[2] = 0
    result = compare(volume, "area", 2, ["linear", "nearest"], "axial", keep=True)
    for row in result.rows:
        assert list(row.psnr_slices) == psnr_head_slices(result.truth, row.restored, 2)
    slices = json.loads(json.dumps(result.as_table(), allow_nan=False))["rows"][0]["psnr_slices"]
    assert [number is None for number in slices] == [False, False, True, False]


def test_the_table_names_the_axis_of_the_plane():
    result = compare(brain((26, 28, 4)), "area", 2, ["linear"], "coronal")
    assert result.as_table()["axis"] == 1
    assert len(result.rows[0].psnr_slices) == 28


def test_the_error_of_a_method_is_its_distance_from_the_truth_in_the_truths_place():
    result = compare(brain().cast(np.int16), "area", 2, ["linear"], keep=True)
    error = result.error(result.rows[0])
    expected = np.abs(upsample(result.low, "linear", 2).voxels - result.truth.voxels)
    assert error.voxels.dtype == np.float32
    assert np.array_equal(error.voxels, expected)
    assert np.array_equal(error.bounds(), result.truth.bounds())
    signed = result.error(result.rows[0], signed=True)
    assert signed.voxels.dtype == np.float32 and signed.voxels.min() < 0
    assert np.array_equal(result.truth.voxels + signed.voxels, upsample(result.low, "linear", 2).voxels)


def test_there_is_no_error_of_what_was_not_kept(refuses):
    result = compare(brain(), "area", 2, ["linear"])
    with refuses("linear", "was not kept"):
        result.error(result.rows[0])


# ---------------------------------------------------------------- progress


@pytest.fixture
def model(tmp_path) -> str:
    return str(store(tmp_path))


def test_progress_counts_the_slices_of_networks_and_the_methods_that_are_measured(model):
    events = list(comparing(brain(), "area", 2, ["linear", model, "sinc"], device="cpu", precision="float32"))
    assert {event.total for event in events} == {2 + (1 + 4) + 2}
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 9)
    said = [event.message for event in events if event.message]
    assert said[0].startswith("linear: ")
    assert said[1] == "tiny-x2 on cpu in float32"
    assert events[-1].left == 0


def test_progress_counts_the_slices_of_all_volumes_of_a_series(model):
    series = Volume(np.stack([brain(seed=s).voxels for s in range(3)]), brain().spacing)
    events = list(comparing(series, "area", 2, [model], device="cpu", precision="float32"))
    assert [event.done for event in events] == [0, 0, 4, 8, 12, 13]
    assert events[0].total == 13


def test_a_users_own_function_counts_once_it_is_measured():
    events = list(comparing(brain(), "area", 2, {"own": own}))
    assert [(event.done, event.total) for event in events] == [(0, 2), (0, 2), (2, 2)]


def test_a_comparison_with_progress_is_the_comparison_without(model):
    options = {"device": "cpu", "precision": "float32"}
    watched, plain = (
        finish(comparing(brain(), "area", 2, [model], **options)),
        compare(brain(), "area", 2, [model], **options),
    )
    assert watched.as_table() == plain.as_table()


def test_a_model_by_name_is_a_function_like_any_other(model):
    low = degrade(brain(), "area", 2)
    work = by_names([model], 2)[model].restore(low, Sampling(factor=2, plane="axial"), Runtime(**EXACT))
    alone = compare(brain(), "area", 2, [model], **EXACT)
    assert alone.rows[0].score == score(brain(), finish(work).volume)


def test_comparing_is_imported_without_a_network_library():
    code = "import sys, SuperResolutionLib.quality.comparison; sys.exit('torch' in sys.modules)"
    root = Path(SuperResolutionLib.__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
