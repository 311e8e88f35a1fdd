"""One batch through a network: however it is cut, and however little memory there is, the result is the network's."""

import numpy as np
import pytest
import torch
from in_words import enhance, enhancing
from phantoms import brain, difference
from tiny_models import Hungry, Plain, card, plain, tiny

from SuperResolutionLib.methods import batches, zoo
from SuperResolutionLib.methods.batches import Settings, choose_settings, run_network
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.volume import Volume

CPU = torch.device("cpu")
EXACT = {"device": "cpu", "precision": "float32"}


# ---------------------------------------------------------------- tiles and batches


@pytest.mark.parametrize("tile", [7, 12, 16])
@pytest.mark.parametrize("scale", [2, 4])
def test_tiles_give_what_the_whole_slice_gives(tile, scale):
    model = tiny(scale=scale)
    x = np.random.default_rng(0).random((2, 3, 33, 26), dtype=np.float32)
    whole = run_network(model.network, x, Settings(CPU, "float32", 2))
    tiles = run_network(model.network, x, Settings(CPU, "float32", 2, tile=tile))
    assert np.abs(tiles - whole).max() < 1e-5


def test_tiles_that_see_too_little_would_show():
    model = tiny()
    x = torch.rand(1, 3, 33, 26)
    with torch.inference_mode():
        short = batches.tiled(model.network, x, 12, int(model.network.radius) - 2)
        assert (short - model.network(x)).abs().max() > 1e-5


def test_slices_above_the_budget_are_tiled_and_others_are_not(monkeypatch):
    monkeypatch.setattr(batches, "TILE_VOXELS", 20 * 20)
    model = tiny()
    assert choose_settings(model, np.zeros((1, 20, 20)), Runtime(**EXACT)).tile is None
    assert choose_settings(model, np.zeros((1, 20, 21)), Runtime(**EXACT)).tile == 1024


def test_batches_of_any_size_agree(monkeypatch):
    results = []
    for slices_at_once in (1, 2, 3, 100):
        monkeypatch.setattr(batches, "BATCH_VOXELS", slices_at_once * 26 * 28 * 4)
        results.append(enhance(brain((26, 28, 5)), tiny(), **EXACT))
    assert max(difference(result, results[0]) for result in results) < 1e-5


# ---------------------------------------------------------------- out of memory


def messages(low: Volume, network: Plain, precision: str = "float32") -> tuple[list[str], np.ndarray]:
    steps = enhancing(low, zoo.Model(card(slices=1), network), device="cpu", precision=precision)
    said = []
    while True:
        try:
            said.append(next(steps).message)
        except StopIteration as end:
            return [m for m in said if "memory" in m], end.value.volume.voxels


def test_out_of_memory_halves_the_batch_and_says_so():
    low = brain((26, 28, 11))
    said, voxels = messages(low, Hungry(slices=3))
    assert said == [f"out of memory: going on with {n} slices at a time" for n in (22, 11, 5, 2)]
    assert np.allclose(voxels, low.voxels.repeat(2, 1).repeat(2, 2))


def test_where_one_slice_is_too_much_it_is_tiled():
    low = brain((80, 70, 2))
    said, voxels = messages(low, Hungry(slices=1, voxels=24 * 24))
    assert said[-2:] == [f"out of memory: going on with tiles of {n} voxels" for n in (40, 20)]
    assert np.allclose(voxels, low.voxels.repeat(2, 1).repeat(2, 2))


def test_trying_out_a_precision_may_run_out_of_memory(monkeypatch):
    monkeypatch.setattr(batches, "choose_precision", lambda *_: "bfloat16")
    said, voxels = messages(brain((80, 70, 2)), Hungry(slices=1, voxels=24 * 24), "auto")
    assert said
    assert np.isfinite(voxels).all()


def test_where_even_a_small_tile_is_too_much_it_ends_with_a_sentence(refuses):
    with refuses("too little memory even for a small tile"):
        messages(brain(), Hungry(slices=1, voxels=10))


def test_another_error_is_not_mistaken_for_it():
    def fail(_x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        enhance(brain(), plain(fail), **EXACT)


# ---------------------------------------------------------------- precision


def test_the_faster_of_two_precisions_is_taken(monkeypatch):
    monkeypatch.setattr(batches, "choose_precision", lambda *_: "bfloat16")
    source = np.zeros((1, 9, 9), np.float32)
    for quick in ("float32", "bfloat16"):
        monkeypatch.setattr(batches, "_seconds_a_slice", lambda _m, _s, c, q=quick: 1.0 if c.precision == q else 2.0)
        assert choose_settings(tiny(), source, Runtime(device="cpu")).precision == quick


def test_bfloat16_stays_near_float32():
    low = brain()
    assert (
        0 < difference(enhance(low, tiny(), device="cpu", precision="bfloat16"), enhance(low, tiny(), **EXACT)) < 0.02
    )
