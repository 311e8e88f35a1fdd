"""Training on thick slices: patches are what whole scans give, a training learns, and goes on where it stopped."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training.contrast import curve, recolour
from SuperResolutionLib.training.through_plane import thick_recipe as recipes
from SuperResolutionLib.training.through_plane.draw import Sampler, Size, View, measured
from SuperResolutionLib.training.through_plane.scans import Scan, read, training_scans
from SuperResolutionLib.training.through_plane.thick_loop import Budget, Start, train
from SuperResolutionLib.training.through_plane.thick_publish import publish
from SuperResolutionLib.training.through_plane.thick_recipe import Group
from SuperResolutionLib.volume import Volume

NETWORK = {"features": 16, "blocks": 1, "terms": 4, "maps": 3, "fine": 4, "offers": 2, "folds": 3}
SIZE = Size(rows=8, columns=12, batch=4, together=2)


def blobs(seed: int, shape: tuple[int, int, int] = (44, 40, 36)) -> np.ndarray:
    """Smooth anatomy of range about 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfftn(rng.standard_normal(shape))
    axes = (*(np.fft.fftfreq(n) for n in shape[:2]), np.fft.rfftfreq(shape[2]))
    k = sum(np.square(f) for f in np.meshgrid(*axes, indexing="ij"))
    voxels = np.abs(np.fft.irfftn(spectrum * np.exp(-150 * k), shape, axes=(0, 1, 2)))
    return (voxels / np.percentile(voxels, 99.9)).astype(np.float32)


def small_recipe(**changes: object) -> recipes.Recipe:
    table = {
        "name": "small",
        "groups": (Group("*"),),
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
    scan = read(tmp_path / "faced.nii.gz", Group("*", margin=8))
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


# ---------------------------------------------------------------- a training


def test_a_training_learns_and_writes_its_figures(folder, tmp_path):
    training = train(small_recipe(), folder, tmp_path / "out", log=lambda _: None)
    lines = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6, 6]
    assert any(weight.abs().max() > 0 for weight in training.network.tail[-1].parameters())


def test_where_nobody_chooses_the_epoch_the_last_one_is_kept(folder, tmp_path):
    training = train(small_recipe(), folder, tmp_path / "out", log=lambda _: None)
    assert training.best is not None
    assert training.best["step"] == training.step == 6


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(folder, tmp_path):
    whole = train(small_recipe(), folder, tmp_path / "whole", log=lambda _: None)
    out = tmp_path / "halves"
    first = small_recipe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "progress", lambda _, training: 1.0 if training.step == 3 else training.step / 6)
        train(first, folder, out, log=lambda _: None)
    again = train(first, folder, out, Start(resume=True), log=lambda _: None)
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_training_becomes_a_model_that_loads(folder, tmp_path):
    train(small_recipe(), folder, tmp_path / "out", log=lambda _: None)
    card = publish(tmp_path / "out", folder, tmp_path / "model" / "small.safetensors")
    network = zoo.load(str(tmp_path / "model" / "small.safetensors")).network
    assert card.parameters == sum(weight.numel() for weight in network.parameters())
    assert card.arguments == NETWORK
    (tmp_path / "model" / "small.safetensors").write_bytes(b"something else")
    with pytest.raises(InputError, match="fetch the model again"):
        zoo.load(str(tmp_path / "model" / "small.safetensors"))


def test_a_training_begins_with_the_weights_of_another(folder, tmp_path):
    train(small_recipe(), folder, tmp_path / "out", log=lambda _: None)
    publish(tmp_path / "out", folder, tmp_path / "small.safetensors")
    start = Start(weights=tmp_path / "small.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "progress", lambda _, training: 1.0)
        again = train(small_recipe(), folder, tmp_path / "again", start, log=lambda _: None)
    for one, other in zip(
        again.network.parameters(), zoo.load(str(tmp_path / "small.safetensors")).network.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="holds no weights of the recipe's network"):
        train(small_recipe(), folder, tmp_path / "bad", Start(weights=tmp_path / "bad.safetensors"))


def test_nothing_becomes_of_a_folder_without_a_training(folder, tmp_path):
    with pytest.raises(InputError, match="train first"):
        publish(tmp_path, folder, tmp_path / "model.safetensors")


def test_a_budget_ends_a_training(folder, tmp_path):
    training = train(small_recipe(steps=10**6), folder, tmp_path / "out", budget=Budget(0.02), log=lambda _: None)
    assert 0.02 <= training.minutes < 0.2


def test_a_folder_in_use_is_refused_without_resume(folder, tmp_path):
    train(small_recipe(steps=1), folder, tmp_path / "out", log=lambda _: None)
    with pytest.raises(InputError, match="--resume"):
        train(small_recipe(steps=1), folder, tmp_path / "out", log=lambda _: None)


def test_a_recipe_without_scans_is_refused(folder):
    with pytest.raises(InputError, match="check its patterns"):
        training_scans(folder, replace(small_recipe(), groups=(Group("openms_*"),)))


# ---------------------------------------------------------------- the recipe that comes with the house


def test_our_recipe_leaves_out_validation_and_the_volunteer_of_test_scans():
    ours = recipes.load("mri-iso")
    assert ours.group_of("ds002748_sub-01_T1w") is not None
    for name in ("ds002748_sub-40_T1w", "openms_patient20_FLAIR", "rorden_T1w_08mm", "uih_T1w_sagittal_halfmm"):
        assert ours.group_of(name) is None
    assert ThroughPlane(Shape(**ours.network)).maps == ours.network["maps"]


def test_a_misspelt_recipe_or_setting_is_refused():
    with pytest.raises(InputError, match="did you mean 'mri-iso'"):
        recipes.load("mri-is")
    with pytest.raises(InputError, match="'colums'"):
        recipes.from_table({"name": "x", "groups": (), "colums": 3})
