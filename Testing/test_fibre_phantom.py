"""The simulated head of benchmarks/known_tensors.py has the tensors that it is drawn with."""

import numpy as np
import pytest

from benchmarks.known_tensors import ACROSS, ALONG, phantom


@pytest.fixture(scope="module")
def head():
    pytest.importorskip("dipy", reason="tensors are fitted by DIPY: the extra [diffusion]")
    return phantom()


def test_one_fibre_has_the_anisotropy_and_diffusivity_of_its_tensor(head):
    spread = ALONG - ACROSS
    anisotropy = spread / np.sqrt(ALONG**2 + 2 * ACROSS**2)
    assert head.tensors.fa[head.one] == pytest.approx(anisotropy, abs=0.01)
    assert head.tensors.md[head.one] == pytest.approx((ALONG + 2 * ACROSS) / 3, rel=0.01)


def test_two_fibres_are_less_anisotropic_and_no_voxel_counts_as_both(head):
    assert 0.2 < head.tensors.fa[head.two].mean() < 0.7
    assert not (head.one & head.two).any()


def test_the_curved_bundle_turns_and_the_straight_one_does_not(head):
    directions = np.abs(head.tensors.direction[head.one & (head.tensors.fa > 0.7)])
    assert directions[:, :2].min(axis=0).max() < 0.1  # both along x and along y, somewhere
    assert directions[:, :2].max(axis=0).min() > 0.9
