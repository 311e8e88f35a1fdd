"""A scan's forward model is told by the errors a network leaves; then every measured number is put back."""

from dataclasses import replace

import numpy as np
import pytest
from in_words import enhance, enhancing
from phantoms import brain, stack
from scipy.ndimage import gaussian_filter
from tiny_models import Plain, card

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.physics import recognition
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.recognition import Recogniser, profile, shown
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.quality.recoarsening import agreement
from SuperResolutionLib.training.recognising import fitted
from SuperResolutionLib.volume import Volume

MODELS = ("k_space", "k_space_hamming", "bicubic", "area", "bicubic_blur3")


def head(seed: int, size: int = 72) -> Volume:
    """Eight slices of a head with texture; never below 0."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(brain((size, size, 8), seed).voxels, (0, 1, 1))
    texture = gaussian_filter(rng.standard_normal(smooth.shape), (0, 0.7, 0.7))
    return stack(np.maximum(smooth * (1 + texture), 0).astype(np.float32))


def sharpened(x):
    """A network of sorts: interpolation, and some of the detail that it blurs."""
    import torch

    fine = torch.nn.functional.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)
    blurred = torch.nn.functional.avg_pool2d(fine, 3, 1, 1, count_include_pad=False)
    return fine + 0.5 * (fine - blurred)


def profile_of(low: Volume) -> np.ndarray:
    fine = enhance(low, zoo.Model(card(slices=1), Plain(sharpened, 4)), precision="float32").voxels
    unit, chosen = data_range(low.voxels), shown(len(fine))
    return profile(fine[chosen] / unit, low.voxels[chosen] / unit, MODELS)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """From twelve heads, degraded by each model."""
    heads = [head(seed) for seed in range(12)]
    return fitted(MODELS, np.array([[profile_of(degrade(one, name, 2)) for name in MODELS] for one in heads]))


@pytest.fixture
def model(recogniser) -> zoo.Model:
    return zoo.Model(card(slices=1, recognition=recogniser.table()), Plain(sharpened, 4))


@pytest.fixture
def bare() -> zoo.Model:
    """The same network without a recogniser."""
    return zoo.Model(card(slices=1), Plain(sharpened, 4))


def said(low: Volume, model: zoo.Model) -> str:
    return [event.message for event in enhancing(low, model, precision="float32")][-1]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [100, 101])
def test_the_forward_model_of_another_head_is_recognised(model, name, seed):
    assert said(degrade(head(seed), name, 2), model) == f"forward model: {name}; what the scan measured is put back"


@pytest.mark.parametrize("name", MODELS)
def test_the_result_degrades_to_the_scan_and_comes_nearer_to_the_truth(model, bare, name):
    truth = head(100)
    low = degrade(truth, name, 2)
    kept, plain = (enhance(low, one, precision="float32") for one in (model, bare))
    assert agreement(low, kept, name) > agreement(low, plain, name) + 10
    assert score(truth, kept, 2).psnr > score(truth, plain, 2).psnr


@pytest.mark.parametrize(("name", "base"), [("rician:snr=30", "k_space"), ("noise_down:level=0.05", "bicubic")])
def test_noise_that_a_network_took_away_is_not_put_back(recogniser, monkeypatch, name, base):
    """Noise lies in the background as in the head, a network's own errors lie where there is something to see."""
    monkeypatch.setattr(recognition, "FARTHEST", np.inf)
    truth = head(100)
    for degradation, refused in ((base, False), (name, True)):
        low = degrade(truth, degradation, 2)
        fine = truth.voxels / data_range(low.voxels)
        fine = fine + 0.01 * fine**2
        coarse = low.voxels / data_range(low.voxels)
        assert recognition.noisy(fine, coarse, base) == refused
        assert (recogniser.model_of(fine, coarse) is None) == refused


def test_a_scan_shrunk_in_the_image_by_none_of_them_is_left_alone(model, bare, monkeypatch):
    monkeypatch.setattr(recognition, "FARTHEST", 0.0)
    low = degrade(head(100), "area", 2)
    kept, plain = (enhance(low, one, precision="float32") for one in (model, bare))
    np.testing.assert_array_equal(kept.voxels, plain.voxels)
    assert "not recognised" in said(low, model)


@pytest.mark.parametrize("way", ["acquisition:decay=0.5", "partial_fourier", "acquisition:shape=ellipse"])
def test_a_scanner_without_a_name_is_put_back_by_what_it_shows_of_each_frequency(model, bare, monkeypatch, way):
    monkeypatch.setattr(recognition, "FARTHEST", 0.0)
    monkeypatch.setattr(recognition, "nearest_resized", lambda fine, coarse: 0.0)  # as of a better network
    truth = head(100)
    low = degrade(truth, way, 2)
    kept, plain = (enhance(low, one, precision="float32") for one in (model, bare))
    assert said(low, model).startswith("forward model: a scanner's")
    assert score(truth, kept, 2).psnr > score(truth, plain, 2).psnr


def test_noise_comes_back_by_the_share_that_is_not_left_out(model, monkeypatch):
    monkeypatch.setattr(recognition, "FARTHEST", 0.0)
    monkeypatch.setattr(recognition, "nearest_resized", lambda fine, coarse: 0.0)
    truth = head(100)
    low = degrade(truth, "rician:snr=15", 2)
    clean = degrade(truth, "k_space", 2)
    far = []
    for share in (1.0, 0.5, 0.0):
        kept = finish(
            NetworkMethod(model, denoise=share).restore(low, Sampling(factor=2), Runtime(precision="float32"))
        )
        assert kept.record.recognised == ("scanner",)
        again = degrade(kept.volume, "k_space", 2)
        far.append(float(np.abs(again.voxels - low.voxels).mean()))
    assert far[0] > far[1] > far[2]
    assert far[2] < 0.5 * float(np.abs(clean.voxels - low.voxels).mean())


def test_a_share_that_is_none_is_refused(model, refuses):
    with refuses("number from 0"):
        NetworkMethod(model, denoise=1.5)


def test_a_blank_scan_stays_blank(model):
    assert not enhance(stack(np.zeros((4, 16, 16), np.float32)), model).voxels.any()


def test_a_slice_alone_is_that_of_the_whole(model):
    low = degrade(head(100), "k_space", 2).cast(np.int16)
    low = replace(low, voxels=(degrade(head(100), "k_space", 2).voxels * 500).astype(np.int16))
    whole = enhance(low, model, precision="float32")
    for k in (0, 5):
        alone = enhance(low, model, precision="float32", only=k)
        np.testing.assert_array_equal(alone.voxels[0], whole.voxels[k])
    assert whole.voxels.dtype == np.int16


def test_of_a_slice_alone_no_batch_is_restored_anew_for_each_slice_that_is_looked_at(recogniser):
    """A preview cost several times as much as the whole of a small scan."""
    restored = []

    def counted(x):
        restored.append(len(x))
        return sharpened(x)

    one = zoo.Model(card(slices=1, recognition=recogniser.table()), Plain(counted, 4))
    enhance(degrade(head(100), "k_space", 2), one, precision="float32", only=5)
    assert restored == [8, 8], "the batch of the slice, and the batch of all that are looked at"


def test_each_volume_of_a_series_is_decided_on_its_own(model):
    one, two = (degrade(head(seed), name, 2) for seed, name in ((100, "area"), (101, "k_space")))
    both = Volume(np.stack([one.voxels, two.voxels]), one.spacing)
    kept = enhance(both, model, precision="float32")
    for k, single in enumerate((one, two)):
        np.testing.assert_allclose(kept.voxels[k], enhance(single, model, precision="float32").voxels, atol=1e-5)
    assert said(both, model).startswith("forward model: area, k_space;")


def test_asked_to_be_consistent_it_is_so_with_k_space_whatever_is_recognised(model):
    low = degrade(head(100), "area", 2)
    assert agreement(low, enhance(low, model, put_back="k_space"), "k_space") > 60


def test_a_recogniser_goes_through_a_card_and_back(recogniser):
    again = Recogniser.of(recogniser.table())
    found = profile_of(degrade(head(102), "area", 2))
    np.testing.assert_allclose(again.distances(found), recogniser.distances(found), rtol=0.001, atol=0.1)
