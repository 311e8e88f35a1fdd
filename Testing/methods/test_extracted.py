"""A brain-extracted scan stays empty around the brain; other scans are not touched."""

import numpy as np
import pytest
from in_words import EXACT, restored
from phantoms import stack
from scipy.ndimage import gaussian_filter
from tiny_models import tiny

from SuperResolutionLib.methods.extracted import outside
from SuperResolutionLib.volume import Gradients, Volume

Y, X = np.mgrid[-1:1:40j, -1:1:36j]
INSIDE = np.broadcast_to((X / 0.7) ** 2 + (Y / 0.8) ** 2 < 1, (6, 40, 36))


def texture(seed: int = 0) -> np.ndarray:
    return 500 + 1500 * gaussian_filter(np.random.default_rng(seed).normal(size=INSIDE.shape), (0, 1.5, 1.5))


def series() -> Volume:
    vectors = np.random.default_rng(1).normal(size=(7, 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    vectors[0] = 0
    voxels = np.stack([texture(k) * (1 if k == 0 else 0.4) for k in range(7)]).clip(5) * INSIDE
    gradients = Gradients(np.array([0.0, *[1000.0] * 6]), vectors)
    return Volume(voxels.astype(np.int16), (1.0, 1.0, 4.0), gradients=gradients)


SCANS = {
    "volume": stack((texture().clip(5) * INSIDE).astype(np.int16)),
    "series": series(),
    "z-scored inside": stack(np.where(INSIDE, (texture() - 500) / 200, 0).astype(np.float32)),
    "z-scored": stack(((texture().clip(5) * INSIDE - 300) / 200).astype(np.float32)),
    "-1 outside": stack(np.where(INSIDE, texture().clip(5), -1).astype(np.float32)),
}


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("options", [{}, {"plane": "coronal"}, {"only": 3}], ids=str)
def test_the_result_does_not_leak_past_the_mask(kind, options):
    """Fault K5: 15.7 % of the voxels around a brain-extracted series became other than 0, up to 257 of 1300."""
    scan = SCANS[kind]
    result = restored(scan, tiny(), **options, **EXACT)
    fine, empty = result.volume.voxels, ~INSIDE
    fine = fine if fine.ndim == 4 else fine[None]
    scans = scan.voxels if scan.voxels.ndim == 4 else scan.voxels[None]
    if "only" in options:
        empty = empty[3:4]
    for axis in range(3):
        empty = empty.repeat(fine.shape[1 + axis] // empty.shape[axis], axis)
    for voxels, source in zip(fine, scans, strict=True):
        assert (voxels[empty] == source[0, 0, 0]).all()
        assert len(np.unique(voxels[~empty])) > 20
    assert any("empty around the brain" in note for note in result.record.notes)


def test_the_spread_is_none_where_nothing_was_measured():
    """Fault K5."""
    result = restored(SCANS["volume"], tiny(), uncertainty=True, **EXACT)
    assert not result.uncertainty.voxels[:, :4, :4].any()


def ordinary() -> dict[str, np.ndarray]:
    head = gaussian_filter(texture().clip(5) * INSIDE, (0, 1.5, 1.5))
    noise = np.abs(np.random.default_rng(2).normal(0, 9, head.shape))
    return {
        "noise": np.hypot(texture().clip(5) * INSIDE, noise).astype(np.int16),
        "emptied air": np.where(head > 20, head, 0).astype(np.int16),
        "no background": texture().clip(5).astype(np.int16),
        "a defaced corner": np.where((Y > 0.6) & (X > 0.2), 0, np.hypot(head, noise)).astype(np.int16),
        "blank": np.zeros_like(head),
    }


@pytest.mark.parametrize("kind", ordinary())
def test_ordinary_scans_are_left_alone(kind):
    assert outside(stack(ordinary()[kind])) is None
