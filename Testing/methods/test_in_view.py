"""Air is interpolated, not restored: the head comes out as before, and less is computed."""

import numpy as np
import pytest
from in_words import restored
from phantoms import stack
from tiny_models import Plain, card, repeat, tiny

from SuperResolutionLib.methods import network_run, zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.in_view import MARGIN, in_view

EXACT = {"device": "cpu", "precision": "float32"}


def head_in_air(noise: float = 0.0) -> np.ndarray:
    """Four slices, 120 x 100; a textured head in rows 50 to 69 and columns 30 to 54."""
    rng = np.random.default_rng(0)
    slices = np.zeros((4, 120, 100), np.float32)
    slices[:, 50:70, 30:55] = rng.uniform(400, 900, (4, 20, 25))
    return np.hypot(slices + noise * rng.standard_normal(slices.shape), noise * rng.standard_normal(slices.shape))


@pytest.mark.parametrize("noise", [0.0, 15.0])
def test_what_is_in_view_is_the_head_and_a_margin(noise):
    shown = head_in_air(noise) / 900
    rows, columns = in_view(shown)
    assert 50 - MARGIN - 3 <= rows.start <= 50 - MARGIN
    assert 70 + MARGIN <= rows.stop <= 70 + MARGIN + 3
    assert 30 - MARGIN - 3 <= columns.start <= 30 - MARGIN
    assert 55 + MARGIN <= columns.stop <= 55 + MARGIN + 3


def test_where_nothing_is_seen_everything_is_in_view():
    assert in_view(np.zeros((2, 30, 40))) == (slice(0, 30), slice(0, 40))


@pytest.mark.parametrize("uncertainty", [False, True])
def test_the_head_is_what_the_whole_slice_gives(monkeypatch, uncertainty):
    scan, model = stack(head_in_air(5.0).astype(np.float32)), tiny()
    cut = restored(scan, model, uncertainty=uncertainty, **EXACT)
    monkeypatch.setattr(network_run, "in_view", lambda shown: (slice(0, 120), slice(0, 100)))
    whole = restored(scan, model, uncertainty=uncertainty, **EXACT)
    inside = (slice(None), slice(100, 140), slice(60, 110))
    np.testing.assert_allclose(cut.volume.voxels[inside], whole.volume.voxels[inside], atol=0.01)
    assert cut.volume.size == whole.volume.size
    if uncertainty:
        np.testing.assert_allclose(cut.uncertainty.voxels[inside], whole.uncertainty.voxels[inside], atol=0.01)
        assert not cut.uncertainty.voxels[:, :40].any()


def test_the_air_is_interpolated_and_never_given_to_the_network():
    seen = []

    def look(x):
        seen.append(tuple(x.shape[2:]))
        return repeat(x[:, 1:2]) + 1

    scan = stack(head_in_air(5.0).astype(np.float32))
    cut = restored(scan, zoo.Model(card(slices=3, skip=None), Plain(look)), **EXACT).volume
    assert max(h for h, _ in seen) < 60
    smooth = upsample(scan, "bicubic", 2)
    away = (slice(None), slice(10, 50))
    assert np.abs(cut.voxels[away] - smooth.voxels[away]).mean() < 0.1 * smooth.voxels[away].mean()
