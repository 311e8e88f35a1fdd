"""Training on thick slices: patches are what whole scans give, a training learns, and goes on where it stopped."""

import csv
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from SuperResolutionLib import files
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training.begin import Begin
from SuperResolutionLib.training.contrast import curve, recolour
from SuperResolutionLib.training.publish import starting_weights
from SuperResolutionLib.training.through_plane import thick_loop, thick_publish
from SuperResolutionLib.training.through_plane.draw import Sampler, Size, View, measured
from SuperResolutionLib.training.through_plane.scans import Scan, read, training_scans
from SuperResolutionLib.training.through_plane.thick_loop import Training, train
from SuperResolutionLib.training.through_plane.thick_publish import publish
from SuperResolutionLib.training.through_plane.thick_recipe import ThickGroup, ThickRecipe
from SuperResolutionLib.training.through_plane.ways import cases
from SuperResolutionLib.volume import Volume

NETWORK = {"features": 16, "blocks": 1, "terms": 4, "maps": 3, "fine": 4, "offers": 2, "folds": 3}
WAY = {"axis": "z", "thickness": 3, "spacing": 4, "profile": "box", "snr": 20}
SIZE = Size(rows=8, columns=12, batch=4, together=2)


def blobs(seed: int, shape: tuple[int, int, int] = (44, 40, 36)) -> np.ndarray:
    """Smooth anatomy of range about 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfftn(rng.standard_normal(shape))
    axes = (*(np.fft.fftfreq(n) for n in shape[:2]), np.fft.rfftfreq(shape[2]))
    k = sum(np.square(f) for f in np.meshgrid(*axes, indexing="ij"))
    voxels = np.abs(np.fft.irfftn(spectrum * np.exp(-150 * k), shape, axes=(0, 1, 2)))
    return (voxels / np.percentile(voxels, 99.9)).astype(np.float32)


def small_recipe(**changes: object) -> ThickRecipe:
    table = {
        "name": "small",
        "architecture": "through_plane",
        "network": NETWORK,
        "spacing": (2.0, 4.0),
        "rows": 8,
        "columns": 12,
    }
    more = {"batch": 4, "late_rows": 9, "late_columns": 16, "late_batch": 2, "steps": 6, "epoch": 3}
    return recipes.from_table({**table, **more, **changes})


def sampler(**changes: object) -> Sampler:
    scans = [Scan(f"s{k}", blobs(k), (1.0, 0.9, 0.9), (0, 1, 2)) for k in range(2)]
    return Sampler(scans, small_recipe(**changes), ThroughPlane(Shape(**NETWORK)))


@pytest.fixture
def folder(tmp_path):
    for k in range(2):
        volume = Volume((1000 * blobs(k)).astype(np.int16), spacing=(0.9, 0.9, 1.0))
        (tmp_path / "train").mkdir(exist_ok=True)
        files.write(volume, tmp_path / "train" / f"sub-{k}_T1w.nii.gz")
    return tmp_path


# ---------------------------------------------------------------- patches


def test_a_batch_has_the_sizes_it_should_have():
    for part in sampler().batch(0, SIZE):
        fine = part.truth.shape[2]
        assert part.slices.shape == (2, 5 + 2 * 3, 8, 12)
        assert part.told.shape == (2, 4)
        assert part.starts.shape == (2, 3, fine, 12)
        assert part.trust.shape == part.truth.shape == (2, 1, fine, 12)
        assert part.series.shape == (fine, 4 * 8)


def test_a_batch_depends_on_seed_and_step_alone():
    one, same, other = (sampler().batch(step, SIZE)[0] for step in (3, 3, 4))
    assert np.array_equal(one.slices, same.slices)
    assert one.slices.shape != other.slices.shape or not np.array_equal(one.slices, other.slices)


def test_the_b_spline_of_a_patch_is_near_its_truth():
    """Rows, columns and flips of both belong together."""
    for part in sampler(noisy=0.0, recoloured=0.0, uneven=0.0, spacing=(1.3, 1.6)).batch(0, SIZE):
        assert np.abs(part.starts[:, :1] - part.truth).mean() < 0.1 * part.truth.std()


def test_only_axes_that_may_be_sliced_are():
    scan = Scan("flat", blobs(0), (3.0, 0.9, 0.8), (1, 2))
    spacings = {View.drawn(scan, np.random.default_rng(k)).spacing for k in range(20)}
    assert spacings == {(3.0, 0.9, 0.8), (3.0, 0.8, 0.9)}


def test_nothing_is_learnt_near_what_was_blanked(tmp_path):
    voxels = 100 + (1000 * blobs(0)).astype(np.int16)
    voxels[:10] = 0
    files.write(Volume(voxels), tmp_path / "faced.nii.gz")
    scan = read(tmp_path / "faced.nii.gz", ThickGroup(margin=8))
    assert scan.trusted is not None
    assert not scan.trusted[:18].any()
    assert scan.trusted[18:].all()


def test_noise_and_unequal_gain_come_after_slicing():
    thick = np.ones((5, 8, 12), np.float32)
    rng = np.random.default_rng(0)
    assert np.array_equal(measured(thick, small_recipe(noisy=0.0, uneven=0.0), rng), thick)
    uneven = measured(thick, small_recipe(noisy=0.0, uneven=1.0), rng)
    assert np.ptp(uneven, axis=(0, 2)).max() < 1e-6 < np.ptp(uneven, axis=1).max()
    noisy = measured(thick, small_recipe(noisy=1.0, uneven=0.0, snr=(20.0, 20.0)), rng)
    assert noisy.std() == pytest.approx(1 / 20, rel=0.2)


def test_a_curve_keeps_the_range_and_mostly_black():
    curves = [curve(np.random.default_rng(k)) for k in range(200)]
    assert all(heights[:-1].max() == pytest.approx(1) for _, heights in curves)
    assert 0.85 < np.mean([heights[0] == 0 for _, heights in curves]) < 1
    rising = np.mean([(np.diff(heights) > 0).all() for _, heights in curves])
    assert 0.4 < rising < 0.65
    assert recolour(blobs(0), *curves[0]).dtype == np.float32


def test_axes_of_thick_slices_are_left_out_unless_they_are_named(tmp_path):
    for name, spacing in (("head", (0.9, 0.9, 1.2)), ("stack", (0.5, 0.5, 4.0)), ("side", (3.6, 0.6, 0.6))):
        files.write(
            Volume((1000 * blobs(0, (20, 24, 22))).astype(np.int16), spacing=spacing), tmp_path / f"{name}.nrrd"
        )
    found = {name: read(tmp_path / f"{name}.nrrd", ThickGroup()).axes for name in ("head", "stack", "side")}
    assert found == {"head": (2, 1, 0), "stack": (2, 1), "side": (1, 0)}
    assert read(tmp_path / "stack.nrrd", ThickGroup(axes="xyz")).axes == (2, 1, 0)


def test_a_scan_too_small_for_the_patches_is_refused_and_a_short_axis_is_not_sliced(folder, refuses):
    scans = training_scans(folder, small_recipe(late_columns=38))
    assert [scan.axes for scan in scans] == [(1, 0), (1, 0)]  # x has 36 voxels
    with refuses("sub-0_T1w of 36 x 40 x 44 voxels is too small", "take it out", "late_columns"):
        training_scans(folder, small_recipe(late_columns=42))


# ---------------------------------------------------------------- validation


def test_scans_that_no_way_fits_are_sliced_in_the_usual_ways(folder):
    held = cases(folder, small_recipe(validation=["sub-1*"], ways=[{**WAY, "pattern": "ours_*"}]))
    assert [case.name for case in held] == [
        "sub-1_T1w z 2.38/2.38 gaussian 0",
        "sub-1_T1w z 2.83/2.83 box 40",
        "sub-1_T1w z 3.36/3.36 gaussian 0",
    ]
    assert all(np.isfinite(case.classical) for case in held)


def test_the_ways_of_a_recipe_fit_scans_by_their_names(folder):
    ways = [{**WAY, "pattern": "sub-1*", "axis": axis} for axis in "xy"] + [{**WAY, "pattern": "sub-0*"}]
    held = cases(folder, small_recipe(validation=["sub-1*"], ways=ways))
    assert [case.name for case in held] == ["sub-1_T1w x 3/4 box 20", "sub-1_T1w y 3/4 box 20"]
    figures = thick_loop.validate(Training(small_recipe()).network, held)
    assert figures["gain"] == pytest.approx(np.mean([figures[f"gain {case.name}"] for case in held]))


def test_a_scan_that_shows_nothing_is_not_validated_on(tmp_path):
    files.write(Volume(np.zeros((30, 30, 30), np.int16)), tmp_path / "empty.nii.gz")
    assert cases(tmp_path, small_recipe(validation=["empty"])) == []


# ---------------------------------------------------------------- a training


def quietly(recipe, data, out, **begin):
    return train(recipe, data, out, Begin(**begin), log=lambda _line: None)


def test_a_training_learns_and_writes_its_curves(folder, tmp_path):
    lines = []
    best = train(small_recipe(validation=["sub-1*"]), folder, tmp_path / "out", log=lines.append)
    with (tmp_path / "out" / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert float(rows[1]["gain"]) == pytest.approx(
        np.mean([float(value) for name, value in rows[1].items() if name.startswith("gain ")])
    )
    assert lines[0] == "small: 6 steps on cpu in float32; 1 training scans, 3 validation cases"
    assert [line.split()[1] for line in lines[1:]] == ["3/6", "6/6"]
    assert best["figures"]["gain"] == max(float(row["gain"]) for row in rows)
    assert best["weights"]["tail.2.weight"].abs().max() > 0


def test_where_nobody_chooses_the_epoch_the_last_one_is_kept(folder, tmp_path):
    assert quietly(small_recipe(), folder, tmp_path / "out")["step"] == 6


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(folder, tmp_path, monkeypatch, same_training):
    quietly(small_recipe(), folder, tmp_path / "whole")
    drawn = Sampler.batch

    def interrupted(self, step, size):
        if step == 4:
            raise KeyboardInterrupt
        return drawn(self, step, size)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Sampler, "batch", interrupted)
        quietly(small_recipe(), folder, tmp_path / "halves")
    assert not same_training(tmp_path / "halves", tmp_path / "whole")
    quietly(small_recipe(), folder, tmp_path / "halves", resume=True)
    assert same_training(tmp_path / "halves", tmp_path / "whole")
    quietly(small_recipe(), folder, tmp_path / "halves", resume=True)  # there is nothing left to do
    assert same_training(tmp_path / "halves", tmp_path / "whole")


def test_a_training_becomes_a_model_that_loads(folder, tmp_path, refuses):
    recipe = small_recipe(validation=["sub-1*"], made_for="blobs", trained_on="one of two", licence="CC0")
    path = publish(recipe, quietly(recipe, folder, tmp_path / "out"), folder, tmp_path / "model")
    card, network = zoo.read_card(path), zoo.load(str(path)).network
    assert card.parameters == sum(weight.numel() for weight in network.parameters())
    assert (card.arguments, card.slices, card.recipe) == (NETWORK, 5, "small")
    assert (card.made_for, card.trained_on, card.data_licence) == ("blobs", "one of two", "CC0")
    assert (card.spacing, card.slice_spacing) == ((0.9, 1.0), (2.0, 4.0))
    assert list(card.held_out) == ["validation: above the best of B-spline and deconvolution, dB"]
    path.write_bytes(b"something else")
    with refuses("fetch the model again"):
        zoo.load(str(path))


@pytest.mark.parametrize(("cost", "kind"), [(0.004, torch.float16), (0.006, torch.float32)])
def test_thick_weights_are_halved_only_where_that_costs_nothing(folder, tmp_path, monkeypatch, cost, kind):
    figures = iter([1.0, 1.0 - cost])
    monkeypatch.setattr(thick_publish, "validate", lambda *_: {"gain": next(figures)})
    path = publish(small_recipe(), Training(small_recipe()).mark({}), folder, tmp_path)
    assert {tensor.dtype for tensor in load_file(path).values()} == {kind}


def test_a_training_begins_with_the_weights_of_another(folder, tmp_path, refuses):
    path = publish(small_recipe(), Training(small_recipe()).mark({}), folder, tmp_path)
    still, lines = small_recipe(steps=1, learning_rate=0.0, muon_rate=0.0, start_from=str(path), seed=1), []
    begin = Begin(start=starting_weights(still))
    again = train(still, folder, tmp_path / "again", begin, log=lines.append)
    given = zoo.load(str(path)).network.state_dict()
    assert all(torch.equal(tensor, given[name]) for name, tensor in again["weights"].items())
    assert lines[0] == f"starting from {len(given)} of {len(given)} given tensors"
    with refuses("Only 0 of the", "fit 'through_plane'"):
        quietly(small_recipe(), folder, tmp_path / "b", start={"head.weight": torch.zeros(4, 4)})
    assert not (tmp_path / "b").exists()


def test_a_budget_cuts_the_steps_and_what_it_allowed_holds_when_the_training_goes_on(folder, tmp_path):
    lines, long = [], small_recipe(steps=10**6, epoch=10**4, warm_up=2)
    begin = Begin(budget=1.0, since=time.monotonic() - 3600)
    train(long, folder, tmp_path / "out", begin, log=lines.append)
    assert lines[0].startswith("small: 2 steps")
    assert "more than were given" in lines[1]
    lines.clear()
    train(long, folder, tmp_path / "out", Begin(resume=True), log=lines.append)
    assert lines == ["small: 2 steps on cpu in float32; 2 training scans, 0 validation cases"]


def test_a_training_has_as_many_steps_as_its_budget_leaves_time_for(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(thick_loop, "_timed", lambda *_: 60.0)
    monkeypatch.setattr(Begin, "passed", lambda _self: 60.0)
    best = quietly(small_recipe(steps=10**6, epoch=10**4, warm_up=2), folder, tmp_path / "out", budget=10)
    assert best["step"] == 8  # of a minute and its margin each


def test_a_diverging_training_ends_in_a_sentence(folder, tmp_path, refuses):
    with refuses("Training diverged at step", "lower the learning rate"):
        quietly(small_recipe(learning_rate=1e6, muon_rate=1e6, clip=1e6), folder, tmp_path / "out")


@pytest.mark.parametrize(("device", "processes"), [("cuda", "1"), ("auto", "2")])
def test_what_it_cannot_run_on_is_refused(folder, tmp_path, refuses, monkeypatch, device, processes):
    monkeypatch.setenv("WORLD_SIZE", processes)
    with refuses("Models for thick slices are trained", "leave --device out" if device == "cuda" else "torchrun"):
        train(small_recipe(), folder, tmp_path / "out", device=device)


def test_a_folder_in_use_is_refused_and_another_recipes_training_is_not_gone_on_with(folder, tmp_path, refuses):
    quietly(small_recipe(steps=1), folder, tmp_path / "out")
    with refuses("already holds a training", "--resume"):
        quietly(small_recipe(steps=1), folder, tmp_path / "out")
    with refuses("was begun by another recipe"):
        quietly(small_recipe(network={**NETWORK, "features": 17}), folder, tmp_path / "out", resume=True)


def test_a_recipe_without_scans_is_refused(folder, refuses):
    with refuses("check its patterns"):
        training_scans(folder, replace(small_recipe(), groups=(ThickGroup("openms_*"),)))


def test_nobody_is_learnt_from_and_chosen_by(folder, refuses):
    files.write(Volume((1000 * blobs(2)).astype(np.int16)), folder / "train" / "sub-1_T2w.nii.gz")
    with refuses("sub-1", "is in both splits"):
        training_scans(folder, small_recipe(validation=["*_T2w"]))
