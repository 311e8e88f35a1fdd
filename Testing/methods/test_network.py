"""A network over a volume: whatever the size, the batch, the tile or the type, the result is the network's."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from in_words import enhance, enhancing, restored
from phantoms import brain, centres, difference, orientation, stack
from scipy.ndimage import gaussian_filter
from tiny_models import Hungry, Plain, card, plain, repeat, store, store_thinning, tiny

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.header import Header
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import batches, zoo
from SuperResolutionLib.methods.batches import Settings, run_ensemble, run_network
from SuperResolutionLib.methods.catalogue import choose_model
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.network_run import pooled
from SuperResolutionLib.networks.residual import start_at_zero
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.recoarsening import agreement
from SuperResolutionLib.volume import Gradients, Volume

CPU = torch.device("cpu")
EXACT = {"device": "cpu", "precision": "float32"}


def bicubic(slices: int = 3, scale: int = 2) -> zoo.Model:
    """A model that is exactly the interpolation."""
    model = tiny(slices=slices, scale=scale)
    start_at_zero(model.network.network)
    return model


# ---------------------------------------------------------------- shapes and types


def test_a_series_is_enhanced_volume_by_volume():
    one, other = brain(seed=1), brain(seed=2)
    series = one.with_voxels(np.stack([one.voxels, 3 * other.voxels]))
    result = enhance(series, tiny(), **EXACT)
    assert result.voxels.shape == (2, 4, 56, 52)
    assert difference(result.with_voxels(result.voxels[0]), enhance(one, tiny(), **EXACT)) < 1e-5
    assert np.allclose(result.voxels[1], 3 * enhance(other, tiny(), **EXACT).voxels, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (1, 1), (2, 3), (5, 40)])
@pytest.mark.parametrize("ensemble", [False, True])
def test_slices_smaller_than_the_network_sees_are_enhanced(size, ensemble):
    low = stack(np.random.default_rng(0).uniform(50, 100, (3, *size)).astype(np.float32))
    result = enhance(low, tiny(), ensemble=ensemble, **EXACT)
    assert result.voxels.shape == (3, 2 * size[0], 2 * size[1])
    assert np.isfinite(result.voxels).all()


def test_small_slices_are_continued_by_reflection():
    seen = []
    model = plain(lambda x: (seen.append(x), repeat(x))[1], radius=5)
    result = enhance(stack(np.array([[1.0, 2.0]], dtype=np.float32)), model, **EXACT)
    rows = seen[0][0, 0] / seen[0].max()
    assert torch.allclose(rows, torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0]).expand(5, 5))
    assert np.allclose(result.voxels, [[[1, 1, 2, 2], [1, 1, 2, 2]]])


@pytest.mark.parametrize("value", [0, 7, -3])
def test_a_constant_volume_is_enhanced(value):
    low = stack(np.full((3, 8, 9), value, dtype=np.int16))
    assert np.array_equal(enhance(low, bicubic(), **EXACT).voxels, np.full((3, 16, 18), value))
    assert enhance(low, tiny(), **EXACT).voxels.shape == (3, 16, 18)


def test_negative_values_and_bright_voxels_survive():
    low = brain()
    noise = np.random.default_rng(1).uniform(0, 1, low.voxels.shape).astype(np.float32)  # no extracted brain
    low = low.with_voxels(low.voxels - 300 + noise)
    low.voxels[1, 10, 10] = 50_000
    expected = upsample(low)
    result = enhance(low, bicubic(), **EXACT)
    assert result.voxels.min() < -250
    assert result.voxels.max() > 30_000
    assert difference(result, expected) < 1e-5


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.int32])
def test_integers_are_rounded_and_clipped_to_their_range(dtype):
    most = min(np.iinfo(dtype).max, 30_000)
    voxels = np.random.default_rng(0).choice([0, most], (3, 12, 12)).astype(dtype)
    result = enhance(stack(voxels), tiny(), **EXACT)
    exact = enhance(stack(voxels.astype(np.float32)), tiny(), **EXACT).voxels
    limits = np.iinfo(dtype)
    assert result.voxels.dtype == dtype
    assert np.array_equal(result.voxels, np.clip(np.rint(exact), limits.min, limits.max).astype(dtype))
    assert not np.array_equal(exact, np.rint(exact))


@pytest.mark.parametrize("factor", [1e-4, 0.3, 700.0])
def test_a_brighter_scan_gives_a_brighter_result_and_nothing_else(factor):
    low = brain()
    brighter = low.with_voxels(low.voxels * np.float32(factor))
    expected = enhance(low, tiny(), **EXACT)
    result = enhance(brighter, tiny(), **EXACT)
    assert difference(result.with_voxels(result.voxels / np.float32(factor)), expected) < 1e-5


def test_the_ends_of_a_stack_repeat_the_edge_slice():
    low = stack(np.arange(1.0, 6.0, dtype=np.float32)[:, None, None] * np.ones((5, 6, 6), np.float32))
    for channel, expected in [(0, [1, 1, 1, 2, 3]), (2, [1, 2, 3, 4, 5]), (4, [3, 4, 5, 5, 5])]:
        model = plain(lambda x, c=channel: repeat(x[:, c : c + 1]), slices=5)
        assert np.allclose(enhance(low, model, **EXACT).voxels[:, 3, 3], expected)


# ---------------------------------------------------------------- where it lies


@pytest.mark.parametrize("plane", ["native", "axial", "coronal", "sagittal"])
def test_the_field_of_view_stays(plane):
    low = Volume(brain().voxels, (0.9, 0.9, 3.0), (-20.0, 31.0, 7.5), orientation("P", "S", "R"))
    result = enhance(low, tiny(), plane=plane, **EXACT)
    assert np.abs(result.bounds() - low.bounds()).max() < 1e-9
    assert np.array_equal(result.direction, low.direction)
    assert sorted(a // b for a, b in zip(result.size, low.size, strict=True)) == [1, 2, 2]


def test_the_plane_decides_which_axis_stays():
    low = Volume(brain().voxels, (0.9, 0.9, 3.0), (0.0, 0.0, 0.0), orientation("P", "S", "R"))
    assert enhance(low, tiny(), plane="sagittal", **EXACT).spacing == (0.45, 0.45, 3.0)
    assert enhance(low, tiny(), plane="axial", **EXACT).spacing == (0.45, 0.9, 1.5)


# ---------------------------------------------------------------- one slice of it


ROWS = 26 * 28 * 4  # output voxels of an axial slice of brain()


def part_of(whole: Volume, axis: int, k: int) -> np.ndarray:
    return np.take(whole.voxels, [k], axis=whole.voxels.ndim - 1 - axis)


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize(("plane", "axis", "k"), [("axial", 2, 0), ("coronal", 1, 17), ("sagittal", 0, 25)])
def test_one_slice_is_that_slice_of_the_whole_result(plane, axis, k, dtype, consistent):
    low = Volume(brain().voxels, (0.9, 0.9, 3.0), (-20.0, 31.0, 7.5)).cast(dtype)
    options = {"plane": plane, "put_back": "k_space" if consistent else "auto", **EXACT}
    part = enhance(low, tiny(), only=k, **options)
    assert part.size[axis] == 1
    assert part.voxels.dtype == dtype
    assert np.array_equal(part.voxels, part_of(enhance(low, tiny(), **options), axis, k))


@pytest.mark.parametrize("k", range(4))
def test_one_slice_comes_out_of_the_batch_it_has_in_the_whole(monkeypatch, k):
    """The number of slices at once changes what this network answers, as rounding may change with a real one."""
    monkeypatch.setattr(batches, "BATCH_VOXELS", 3 * ROWS)
    model = plain(lambda x: repeat(x) * len(x) + torch.arange(len(x))[:, None, None, None])
    whole = enhance(brain(), model, **EXACT)
    assert np.array_equal(enhance(brain(), model, only=k, **EXACT).voxels, whole.voxels[k : k + 1])


def test_one_slice_is_right_when_memory_runs_out_at_once():
    low = brain((26, 28, 11))
    model = zoo.Model(card(slices=1), Hungry(slices=3))
    assert np.array_equal(enhance(low, model, only=7, **EXACT).voxels, enhance(low, model, **EXACT).voxels[7:8])


@pytest.mark.parametrize("plane", ["native", "axial", "coronal", "sagittal"])
def test_one_slice_lies_where_it_lies_in_the_whole_result(plane):
    low = Volume(brain().voxels, (0.9, 1.3, 1.3), (-20.0, 31.0, 7.5), orientation("P", "S", "R"))
    axis = stacking_axis(low, plane)
    whole, part = enhance(low, tiny(), plane=plane, **EXACT), enhance(low, tiny(), plane=plane, only=3, **EXACT)
    places = np.moveaxis(centres(whole), 2 - axis, 0)[3:4]
    assert np.abs(np.moveaxis(centres(part), 2 - axis, 0) - places).max() < 1e-9
    assert part.spacing == whole.spacing
    assert np.array_equal(part.direction, whole.direction)


def test_one_slice_of_a_series_is_that_of_every_volume():
    one, other = brain(seed=1), brain(seed=2)
    series = one.with_voxels(np.stack([one.voxels, 3 * other.voxels]))
    whole, part = enhance(series, tiny(), **EXACT), enhance(series, tiny(), only=1, **EXACT)
    assert np.array_equal(part.voxels, whole.voxels[:, 1:2])


def test_progress_counts_the_slices_that_are_asked_for():
    low = brain()
    series = low.with_voxels(np.stack([low.voxels] * 3))
    events = list(enhancing(series, tiny(), only=2, **EXACT))
    assert [(event.done, event.total) for event in events] == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("k", [-1, 4])
def test_a_slice_that_is_not_there_is_refused(refuses, k):
    with refuses(f"no slice {k}", "from 0 to 3"):
        enhance(brain(), tiny(), only=k, **EXACT)


# ---------------------------------------------------------------- ensemble and consistency


def test_a_network_that_does_not_care_for_turns_gains_nothing_from_the_ensemble():
    model = plain(repeat)
    assert difference(enhance(brain(), model, ensemble=True, **EXACT), enhance(brain(), model, **EXACT)) < 1e-6


def in_eight_turns(model: zoo.Model, x: np.ndarray, settings: Settings) -> list[np.ndarray]:
    """What a model makes of each flip and quarter turn of a batch, turned back."""
    found = []
    for mirror in (False, True):
        for quarter in range(4):
            turned = np.rot90(x[..., ::-1] if mirror else x, quarter, (2, 3))
            back = np.rot90(run_network(model.network, turned, settings), -quarter, (1, 2))
            found.append(back[..., ::-1] if mirror else back)
    return found


def test_the_ensemble_is_the_average_of_eight_flips_and_turns():
    model, settings = tiny(), Settings(CPU, "float32", 4)
    x = np.random.default_rng(0).random((2, 3, 11, 14), dtype=np.float32)
    turned = in_eight_turns(model, x, settings)
    ensemble = run_network(model.network, x, Settings(CPU, "float32", 4, turns=8))
    assert np.abs(ensemble - np.mean(turned, axis=0)).max() < 1e-5
    assert np.abs(ensemble - turned[0]).max() > 1e-4


def test_a_model_may_look_at_every_slice_in_two_orientations():
    low, model = brain(), tiny()
    one = zoo.Model(replace(model.card, turns=1), model.network)
    two = zoo.Model(replace(model.card, turns=2), model.network)
    turned = np.ascontiguousarray(np.rot90(low.voxels, 1, (1, 2)))
    back = np.rot90(enhance(stack(turned), one, **EXACT).voxels, -1, (1, 2))
    mean = (enhance(low, one, **EXACT).voxels + back) / 2
    assert np.abs(enhance(low, two, **EXACT).voxels - mean).max() < 1e-4 * np.abs(mean).max()
    assert difference(enhance(low, two, ensemble=True, **EXACT), enhance(low, one, ensemble=True, **EXACT)) == 0


def test_a_consistent_result_truncates_to_the_scan():
    low = brain((24, 24, 3))
    free = enhance(low, tiny(), **EXACT)
    kept = enhance(low, tiny(), put_back="k_space", **EXACT)
    assert agreement(low, kept, "k_space") > 60
    assert agreement(low, free, "k_space") < 50


# ---------------------------------------------------------------- progress


def test_progress_goes_up_to_the_end_and_tells_the_time_left(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_VOXELS", 1)
    events = list(enhancing(brain((26, 28, 6)), tiny(), **EXACT))
    assert [event.done for event in events] == [0, 1, 2, 3, 4, 5, 6]
    assert {event.total for event in events} == {6}
    assert events[0].left is None
    assert "tiny-x2 on cpu in float32" in events[0].message
    assert all(event.left == pytest.approx(event.seconds / event.done * (6 - event.done)) for event in events[1:])
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(events))
    assert events[-1].left == 0


def test_progress_counts_the_slices_of_all_volumes_of_a_series():
    low = brain()
    events = list(enhancing(low.with_voxels(np.stack([low.voxels] * 3)), tiny(), **EXACT))
    assert [event.done for event in events] == [0, 4, 8, 12]
    assert events[0].total == 12


def test_closing_the_generator_stops_the_work(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_VOXELS", 1)
    calls = []
    steps = enhancing(brain((26, 28, 6)), plain(lambda x: (calls.append(1), repeat(x))[1]), **EXACT)
    next(steps), next(steps)
    steps.close()
    assert len(calls) == 1
    with pytest.raises(StopIteration):
        next(steps)


# ---------------------------------------------------------------- choices


def test_the_blind_model_of_the_scale_is_the_default(shelf):
    for name, scale in [("mri-x2", 2), ("mri-x4", 4), ("special-x2", 2)]:
        store(shelf, name, scale=scale)
    assert choose_model(None).card.name == "mri-x2"
    assert choose_model(None, 4).card.name == "mri-x4"
    assert enhance(brain(), scale=4, **EXACT).size == (104, 112, 4)


def test_a_scale_that_no_model_has_is_refused(shelf, refuses):
    with refuses("no model for scale 2", "no model is installed"):
        choose_model(None, 2)
    store(shelf, "mri-x2")
    with refuses("no model for scale 3", "have: 2"):
        enhance(brain(), scale=3)


def test_a_scale_that_the_chosen_model_does_not_have_is_refused(refuses):
    with refuses("Model 'tiny-x2' has scale 2, not 4", "leave the scale out"):
        enhance(brain(), tiny(), scale=4)


def test_the_number_of_threads_is_the_networks_own_and_the_callers_comes_back():
    """Fault G: torch was left at the number of threads that was asked for."""
    before, seen = torch.get_num_threads(), []
    model = plain(lambda x: (seen.append(torch.get_num_threads()), repeat(x))[1])
    steps = enhancing(brain(), model, threads=before + 2, **EXACT)
    for _ in steps:
        assert torch.get_num_threads() == before
    assert set(seen) == {before + 2}
    assert torch.get_num_threads() == before


def test_the_callers_model_is_neither_moved_nor_laid_out_anew():
    """Fault G: the network of a loaded model was changed in place."""
    model = tiny()
    places = {name: (w.data_ptr(), w.stride()) for name, w in model.network.named_parameters()}
    enhance(brain(), model, **EXACT)
    assert {name: (w.data_ptr(), w.stride()) for name, w in model.network.named_parameters()} == places


def test_an_unknown_plane_is_refused(refuses):
    with refuses("no plane called 'axail'", "did you mean 'axial'"):
        enhance(brain(), tiny(), plane="axail")


# ---------------------------------------------------------------- the other volumes of a diffusion series


def diffusion_series() -> Volume:
    """A volume without weighting and eight with, each another head."""
    vectors = np.random.default_rng(0).standard_normal((9, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    heads = [brain((24, 20, 3), seed=k) for k in range(9)]
    voxels = np.stack([head.voxels for head in heads])
    return replace(heads[0], voxels=voxels, gradients=Gradients(np.array([0.0, *[1000.0] * 8]), vectors))


def guided(channel: int) -> zoo.Model:
    """A model of three slices and two guides that shows one of its five channels."""
    shown = Plain(lambda x: repeat(x[:, channel : channel + 1]))
    return zoo.Model(card(slices=3, guides=("mean_b0", "mean_weighted")), shown)


def shown_by(channel: int, series: Volume) -> np.ndarray:
    """What the model saw, every volume divided by its range again: (t, z, y, x). Nothing is put back afterwards."""
    result = enhance(series, guided(channel), put_back="none", **EXACT).voxels[..., ::2, ::2]
    ranges = [data_range(voxels) for voxels in series.voxels]
    return result / np.array(ranges)[:, None, None, None]


def test_a_guided_model_sees_its_slices_and_then_the_guides_each_in_its_own_range():
    series = diffusion_series()
    b0, mean = series.voxels[0], series.voxels[1:].mean(axis=0)
    own = np.stack([voxels / data_range(voxels) for voxels in series.voxels])
    assert np.allclose(shown_by(1, series), own, atol=1e-5)
    assert np.allclose(shown_by(2, series)[:, :-1], own[:, 1:], atol=1e-5)
    assert np.allclose(shown_by(3, series), b0 / data_range(b0), atol=1e-5)
    assert np.allclose(shown_by(4, series), mean / data_range(mean), atol=1e-5)


def test_a_model_that_is_told_of_the_noise_sees_it_as_its_last_channel():
    seen = []

    def look(x):
        seen.append(x.clone())
        return repeat(x[:, 1:2])

    model = zoo.Model(card(slices=3, skip=None, told_noise=True), Plain(look))
    rng = np.random.default_rng(0)
    scan = stack(np.abs(rng.normal(500, 20, (6, 40, 40))).astype(np.float32))
    for factor in (1, 7):
        seen.clear()
        enhance(scan.with_voxels(scan.voxels * factor), model)
        unit = np.percentile(scan.voxels, 99.9) - scan.voxels.min()
        for batch in seen:
            assert batch.shape[1] == 4
            assert float(batch[:, 3].min()) == float(batch[:, 3].max()) == pytest.approx(10 * 20 / unit, rel=0.05)


def test_guides_lie_in_the_plane_that_is_enhanced():
    series = diffusion_series()
    result = enhance(series, guided(3), plane="sagittal", put_back="none", **EXACT)
    expected = series.voxels[0] / data_range(series.voxels[0])
    for before, after in zip(series.voxels, result.voxels, strict=True):
        assert np.allclose(after[::2, ::2] / data_range(before), expected, atol=1e-5)


def test_one_slice_of_a_guided_series_is_the_slice_of_the_whole():
    series = diffusion_series()
    model = tiny(guides=("mean_b0", "mean_weighted", "fitted"))
    whole = enhance(series, model, **EXACT).voxels
    assert np.array_equal(enhance(series, model, only=2, **EXACT).voxels[:, 0], whole[:, 2])


def test_what_a_guided_model_makes_of_a_series_agrees_with_the_scan():
    series = diffusion_series()
    low = degrade(series, "area", 2)
    bad = zoo.Model(card(slices=3, guides=("mean_b0",)), Plain(lambda x: repeat(x[:, 1:2] * 1.004)))
    again = degrade(enhance(low, bad, **EXACT), "area", 2)
    assert difference(again, low) < 2e-3


def test_a_guided_model_refuses_a_series_without_gradients():
    with pytest.raises(InputError, match="b-values and directions"):
        enhance(replace(diffusion_series(), gradients=None), guided(3), **EXACT)


def test_a_volume_that_stands_alone_guides_itself():
    head = brain()
    assert np.allclose(enhance(head, guided(4), **EXACT).voxels[:, ::2, ::2], head.voxels, rtol=1e-5)


def test_a_diffusion_series_gets_the_diffusion_model_where_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "folders", lambda: [tmp_path])
    store(tmp_path, "mri-x2")
    assert choose_model(None, diffusion=True).card.name == "mri-x2"
    store(tmp_path, "dwi-x2", guides=("mean_b0",))
    assert choose_model(None, diffusion=True).card.name == "dwi-x2"
    assert choose_model(None).card.name == "mri-x2"
    assert enhance(diffusion_series(), **EXACT).voxels.shape == (9, 3, 40, 48)


def test_no_voxel_of_a_diffusion_series_gets_below_its_lowest():
    series = diffusion_series()
    below = zoo.Model(card(slices=3, guides=("mean_b0",)), Plain(lambda x: repeat(x[:, 1:2] - 0.3)))
    assert enhance(series, below, **EXACT).voxels.min() == 0
    negative = replace(series, voxels=series.voxels - 1)
    assert enhance(negative, below, **EXACT).voxels.min() == -1
    noisy = series.voxels + np.random.default_rng(1).uniform(0, 1, series.voxels.shape)  # no extracted brain
    structural = replace(series, voxels=noisy, gradients=None)
    assert enhance(structural, plain(lambda x: repeat(x - 0.3)), **EXACT).voxels.min() < 0


# ---------------------------------------------------------------- how far the eight turns disagree


def with_spread(volume: Volume, model: zoo.Model, **options: object) -> tuple[Volume, Volume]:
    result = restored(volume, model, uncertainty=True, **{**EXACT, **options})
    assert result.record.turns == 8
    return result.volume, result.uncertainty


def test_the_spread_is_the_standard_deviation_of_the_eight_turns():
    model, settings = tiny(), Settings(CPU, "float32", 4)
    x = np.random.default_rng(0).random((2, 3, 11, 14), dtype=np.float32)
    turned = in_eight_turns(model, x, settings)
    mean, spread = run_ensemble(model.network, x, settings)
    assert np.abs(spread - np.std(turned, axis=0)).max() < 1e-5
    assert spread.max() > 1e-3
    assert np.array_equal(mean, run_network(model.network, x, Settings(CPU, "float32", 4, turns=8)))


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_the_volume_beside_the_spread_is_that_of_the_ensemble(dtype):
    low = brain().cast(dtype)
    result, spread = with_spread(low, tiny())
    assert np.array_equal(result.voxels, enhance(low, tiny(), ensemble=True, **EXACT).voxels)
    assert (result.voxels.dtype, spread.voxels.dtype) == (dtype, np.float32)
    assert spread.voxels.shape == result.voxels.shape
    assert np.array_equal(spread.bounds(), result.bounds())


def test_the_spread_is_in_the_units_of_the_scan():
    low = brain()
    brighter = low.with_voxels(8 * low.voxels)
    (_, one), (_, other) = with_spread(low, tiny()), with_spread(brighter, tiny())
    assert one.voxels.max() > 0
    assert np.allclose(other.voxels, 8 * one.voxels, rtol=1e-4, atol=1e-3)


def test_a_symmetric_method_has_no_spread():
    _, spread = with_spread(brain(), plain(repeat))
    assert spread.voxels.max() == 0


def test_a_small_spread_about_a_large_value_is_not_lost_in_rounding():
    def slightly_askew(x: torch.Tensor) -> torch.Tensor:
        ramp = torch.linspace(-1e-4, 1e-4, x.shape[3])
        return repeat(x * 0 + 1 + ramp)

    _, spread = run_ensemble(slightly_askew, np.ones((1, 1, 9, 9), np.float32), Settings(CPU, "float32", 1))
    ramp = np.linspace(-1e-4, 1e-4, 9).repeat(2)
    expected = np.std([ramp[None] + 0 * ramp[:, None], -ramp[None] + 0 * ramp[:, None],
                       ramp[:, None] + 0 * ramp, -ramp[:, None] + 0 * ramp], axis=0)  # fmt: skip
    assert np.allclose(spread[0], expected, atol=2e-7)


def test_the_variances_of_a_spread_are_averaged_over_a_neighbourhood():
    lone = np.zeros((2, 15, 17), np.float32)
    lone[0, 7, 8] = 3.0
    found = pooled(lone)
    assert found.dtype == np.float32
    assert np.square(found[0]).sum() == pytest.approx(9.0, rel=1e-4)
    assert np.allclose(np.square(found[0]) / 9, gaussian_filter(np.square(lone[0]) / 9, 1.0), atol=1e-5)
    assert not found[1].any()


def test_one_slice_and_a_series_have_their_spread_too():
    low = brain()
    _, whole = with_spread(low, tiny())
    _, part = with_spread(low, tiny(), only=2)
    assert np.array_equal(part.voxels, whole.voxels[2:3])
    series = diffusion_series()
    result, spread = with_spread(series, tiny(guides=("mean_b0",)))
    assert spread.voxels.shape == result.voxels.shape
    assert spread.gradients is None
    assert result.gradients is not None


def test_the_spread_has_nothing_of_what_the_header_says_of_intensities():
    about = Header(intent=(3, (1.0, 0.0, 0.0), "T2 map"), shown=(3.0, 4000.0), description="FSL5.0", time_step=2.5)
    result, spread = with_spread(replace(brain(), header=about), tiny())
    assert (result.header.shown, result.header.intent[2]) == ((3.0, 4000.0), "T2 map")
    assert (spread.header.shown, spread.header.intent[2], spread.header.description) == ((0, 0), "", "FSL5.0")


def test_where_memory_runs_out_the_spread_goes_on_with_less():
    model = zoo.Model(card(slices=1), Hungry(slices=3))
    result, spread = with_spread(brain((26, 28, 11)), model)
    assert np.allclose(result.voxels, brain((26, 28, 11)).voxels.repeat(2, 1).repeat(2, 2))
    assert spread.voxels.max() == 0


def test_tensors_have_no_spread(refuses):
    tensors = Volume(np.zeros((6, 4, 12, 12), np.float32), quantity="tensor")
    with refuses("uncertainty map"):
        with_spread(tensors, tiny())


# ---------------------------------------------------------------- what came of it


def test_the_record_says_what_was_done():
    record = restored(brain(), tiny(), plane="axial", **EXACT).record
    assert (record.method, record.device, record.precision, record.turns) == ("tiny-x2", "cpu", "float32", 1)
    assert record.sampling == {"asked": {"factor": 2}, "spacing": [0.5, 0.5, 4.0]}
    assert record.put_back == "none"
    assert record.model_sha256 == tiny().card.sha256
    assert record.seconds > 0
    assert record.ran == "tiny-x2 on cpu in float32"


def test_what_memory_did_is_noted():
    assert restored(brain((26, 28, 11)), zoo.Model(card(slices=1), Hungry(slices=3)), **EXACT).record.notes


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"factor": 1.5}, ["scale 2, not 1.5"]),
        ({"factors": (3.0, 2.0, 1.0)}, ["2 times finer in plane", "3 x 2 x 1", "a classical method"]),
        ({"slice_spacing": 2}, ["2 times finer in plane", "1 x 1 x 2"]),
        ({"spacing": 0.25}, ["2 times finer in plane", "4 x 4 x 1"]),
    ],
)
def test_a_grid_that_a_network_cannot_make_is_refused_before_any_work(shelf, refuses, wish, words):
    store_thinning(shelf)
    with refuses(*words):
        enhancing(brain(), tiny(), **wish, **EXACT)


def test_a_grid_that_no_model_makes_is_refused(refuses):
    with refuses("No installed model makes the plane 3 x 3 times as fine", "classical method"):
        enhancing(brain(), None, factors=(3, 3, 1))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("series", ["no diffusion series"]),
        ("recognised", ["cannot recognise forward models"]),
        ("k-space", ["way to put back", "did you mean 'k_space'"]),
    ],
)
def test_a_way_to_put_back_that_does_not_fit_is_refused(refuses, policy, words):
    with refuses(*words):
        enhancing(brain(), tiny(), put_back=policy, **EXACT)


def test_the_network_alone_takes_one_look_and_puts_nothing_back():
    low, model = brain(), tiny()
    two = zoo.Model(replace(model.card, turns=2), model.network)
    alone = restored(low, two, put_back="none", ensemble=False, **EXACT)
    assert np.array_equal(alone.volume.voxels, enhance(low, model, **EXACT).voxels)
    assert (alone.record.turns, alone.record.put_back) == (1, "none")
