"""The last layers of a network, some rows at a time, make what they make at once."""

import pytest
import torch
from small_networks import small

from SuperResolutionLib.networks import blocks


@pytest.mark.parametrize("name", ["edsr", "srresnet"])
@pytest.mark.parametrize("at_once", [1, 2**17])
def test_strips_make_what_the_whole_makes(name, at_once, monkeypatch):
    network, x = small(name).eval(), torch.rand(2, 1, 53, 20)
    with torch.no_grad():
        whole = network(x)
        monkeypatch.setattr(blocks, "AT_ONCE", at_once)
        assert (network(x) - whole).abs().max() < 1e-6


def test_what_is_learnt_from_is_never_cut(monkeypatch):
    monkeypatch.setattr(blocks, "AT_ONCE", 1)
    seen = []
    blocks.by_rows(lambda x: seen.append(x.shape) or x, torch.rand(1, 4, 40, 8), 1, 1)
    assert seen == [(1, 4, 40, 8)]
