"""How long a network will take is said before it runs."""

import time

import pytest
import torch
from in_words import EXACT, enhancing, restored
from phantoms import brain
from tiny_models import store_thinning, tiny

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import forecast, zoo
from SuperResolutionLib.methods.chain import Chain
from SuperResolutionLib.methods.classical import Classical
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.methods.thin_slices import ThinSlices
from SuperResolutionLib.progress import duration

CPU = torch.device("cpu")


@pytest.fixture
def any_work_is_long(monkeypatch):
    monkeypatch.setattr(forecast, "SHORT", 0)


@pytest.fixture
def a_million_a_second(monkeypatch, any_work_is_long):
    monkeypatch.setattr(forecast, "_pace", lambda *_: 1e6)


@pytest.fixture
def thin(tmp_path):
    return ThinSlices(zoo.load(store_thinning(tmp_path)))


def test_twice_the_work_takes_twice_the_time_and_a_short_one_is_not_worth_a_word():
    assert forecast.seconds(2e13, CPU, "float32") == pytest.approx(2 * forecast.seconds(1e13, CPU, "float32"))
    assert forecast.seconds(0.9 * forecast.SHORT, CPU, "float32") is None


@pytest.mark.parametrize(("seconds", "words"), [(0.1, "1 s"), (40, "40 s"), (700, "12 min"), (5400, "1.5 h")])
def test_a_time_is_said_as_people_say_it(seconds, words):
    assert duration(seconds) == words


def test_what_is_expected_is_near_what_a_shipped_model_then_takes(any_work_is_long):
    """Fault K4: no expected time before a long run. Within a factor of five: other work may run beside the tests."""
    volume, model = brain((96, 96, 6)), zoo.load("mri-x2")
    restored(brain((96, 96, 1)), model, **EXACT)  # the first run is slower
    work = enhancing(volume, model, **EXACT)
    expected = next(work).left
    began = time.monotonic()
    for _event in work:
        pass
    assert 0.2 < (time.monotonic() - began) / expected < 5


@pytest.mark.parametrize(("ensemble", "turns"), [(None, 1), (True, 8)])
def test_a_network_is_reckoned_by_its_weights_the_voxels_and_the_turns(a_million_a_second, ensemble, turns):
    volume, model = brain((26, 28, 6)), tiny()
    first, second, *_ = enhancing(volume, model, ensemble=ensemble, **EXACT)
    assert first.left == pytest.approx(turns * model.card.parameters * 26 * 28 * 6 / 1e6)
    assert second.left == pytest.approx(second.seconds / second.done * (6 - second.done))


def test_air_is_not_reckoned_for_it_is_not_restored(a_million_a_second):
    volume = brain((100, 100, 6))
    volume.voxels[:, :, 50:] = 0
    assert next(enhancing(volume, tiny(), **EXACT)).left == pytest.approx(tiny().card.parameters * 100 * 68 * 6 / 1e6)


def test_one_slice_is_soon_done_and_nothing_is_said(a_million_a_second):
    assert next(enhancing(brain(), tiny(), only=1, **EXACT)).left is None


def test_thick_slices_and_their_plane_are_reckoned_together(a_million_a_second, thin):
    volume = brain((26, 28, 4))
    assert thin.model.card.parameters
    alone = next(thin.restore(volume, Sampling(spacing=(1, 1, 2)), Runtime(**EXACT))).left
    assert alone == pytest.approx(2 * thin.model.card.parameters * 26 * 28 * 4 / 1e6)  # seen from two sides
    plane = NetworkMethod(tiny())
    both = next(Chain(plane, thin).restore(volume, Sampling(spacing=(0.5, 0.5, 2)), Runtime(**EXACT))).left
    assert both == pytest.approx(plane.model.card.parameters * 26 * 28 * 4 / 1e6 + 4 * alone)
    chain = Chain(Classical("bspline"), thin)
    finer = next(chain.restore(volume, Sampling(spacing=(0.7, 0.7, 2)), Runtime(**EXACT))).left
    assert finer == pytest.approx(alone * 37 * 40 / (26 * 28))
