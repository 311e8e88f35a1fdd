"""A method of a series that is cleared of noise first: the same as both steps one after the other, and recorded."""

from dataclasses import replace

import numpy as np
import pytest
from fibre_series import fibres
from tiny_models import plain, repeat, store, tiny

import SuperResolutionLib as sr
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.diffusion import mppca
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.header import Header
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.denoised import Denoised
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.progress import finish

pytest.importorskip("dipy")
CPU = Runtime(device="cpu", precision="float32")
TWICE = Sampling(factor=2)


def test_it_gives_what_the_method_makes_of_the_series_without_noise():
    low = fibres()
    expected = upsample(finish(mppca.denoising(low)).volume, "sinc", 2)
    assert np.array_equal(sr.enhance(low, sr.denoised(low, "sinc"), scale=2).voxels, expected.voxels)


def test_the_record_names_both_steps_and_holds_the_noise_that_was_found():
    low = fibres()
    method = Denoised(NetworkMethod(plain(repeat)))
    record = finish(method.restore(low, TWICE, CPU)).record
    assert (record.method, method.name, method.classical) == ("MP-PCA + tiny-x2", "MP-PCA + tiny-x2", False)
    assert record.denoised_first == finish(mppca.denoising(low)).about
    assert record.denoised_first["sigma"] > 0
    assert finish(method.method.restore(low, TWICE, CPU)).record.denoised_first == {}


def test_progress_is_that_of_both_and_ends_at_its_total():
    low, events = fibres(), []
    method = Denoised(NetworkMethod(plain(repeat)))
    finish(method.restore(low, TWICE, CPU), events.append)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert {event.total for event in events} == {method.steps(low, TWICE)}
    assert (done[0], done[-1]) == (0, method.steps(low, TWICE))


def test_nothing_is_put_back_of_what_is_no_longer_measured_unless_it_is_asked_for(tmp_path):
    low, model = fibres(), str(store(tmp_path))
    assert sr.denoised(low, model).method.put_back == "none"
    assert Request(model=model, denoise_first=True).method(low).method.put_back == "none"
    assert Request(model=model, denoise_first=True, put_back="k_space").method(low).method.put_back == "k_space"
    assert Request(model=model).method(low).put_back == "auto"
    assert sr.denoised(low, sr.network(low, model, put_back="series")).method.put_back == "series"


def test_nothing_is_put_back_of_a_series_that_its_name_calls_denoised():
    low, method = fibres(), NetworkMethod(tiny(guides=("mean_b0", "mean_weighted", "fitted")))
    named = replace(low, header=Header(denoised="it is called dwi_denoised.nii.gz"))
    assert (method.policy(low), method.policy(named)) == ("series", "none")
    assert replace(method, put_back="k_space").policy(named) == "k_space"  # the user decides
    of_named, of_other = (finish(NetworkMethod(plain(repeat)).restore(v, TWICE, CPU)).record for v in (named, low))
    assert any("dwi_denoised.nii.gz" in note and "nothing of it was put back" in note for note in of_named.notes)
    assert not any("put back" in note for note in of_other.notes)


def test_everything_is_refused_before_the_noise_is_looked_for(refuses, monkeypatch):
    low = fibres()
    method = Denoised(NetworkMethod(plain(repeat)))
    monkeypatch.setattr(mppca, "denoising", lambda _: pytest.fail("it was denoised"))
    with refuses("times finer in plane"):
        method.restore(low, Sampling(factor=3), CPU)
    with refuses("single volume"):
        method.restore(sr.Volume(low.voxels[0]), TWICE, CPU)


def test_it_can_be_stopped_between_its_steps():
    work = Denoised(NetworkMethod(plain(repeat))).restore(fibres(), TWICE, CPU)
    next(work)
    next(work)
    work.close()
    assert next(work, None) is None
