"""The front door for Python: a volume, a path or another library's image in, a volume out; one sentence where not."""

import sys
import warnings

import numpy as np
import pytest
from phantoms import brain
from tiny_models import store, tiny

import SuperResolutionLib as sr
from SuperResolutionLib.files.common import ScanWarning
from SuperResolutionLib.progress import Progress

EXACT = sr.Runtime(device="cpu", precision="float32")


@pytest.fixture
def scan() -> sr.Volume:
    return brain((26, 28, 4))


def test_the_five_lines_of_the_readme_work(scan, tmp_path, shelf):
    store(shelf, "mri-x2")
    sr.write(scan, tmp_path / "brain.nii.gz")
    volume = sr.read(tmp_path / "brain.nii.gz")
    low = sr.degrade(volume, "k_space", scale=2)
    smooth = sr.upsample(low, "bicubic", scale=2)
    enhanced = sr.enhance(low, model="mri-x2")
    assert smooth.size == enhanced.size == volume.size
    table = sr.compare(volume, degradation="k_space", scale=2, methods=["bicubic", "sinc", "mri-x2"])
    assert {row.method for row in table.rows} == {"bicubic", "sinc", "mri-x2"}


def test_a_path_and_images_of_other_libraries_are_taken(scan, tmp_path):
    """Fault G: an image of nibabel or SimpleITK ended in an AttributeError."""
    sr.write(scan, tmp_path / "brain.nii.gz")
    expected = sr.upsample(scan, "linear").voxels
    for given in (tmp_path / "brain.nii.gz", str(tmp_path / "brain.nii.gz"), scan.to_nibabel(), scan.to_sitk()):
        assert np.allclose(sr.upsample(given, "linear").voxels, expected, atol=1e-3)


@pytest.mark.parametrize(
    "call",
    [
        lambda given: sr.enhance(given, tiny()),
        lambda given: sr.upsample(given),
        lambda given: sr.degrade(given, "area"),
        lambda given: sr.compare(given, methods=["linear"]),
    ],
    ids=["enhance", "upsample", "degrade", "compare"],
)
def test_an_array_and_voxels_that_are_not_finite_are_refused_in_a_sentence(refuses, scan, call):
    """Fault G: three quarters of the output were NaN, without an error."""
    with refuses("ndarray is no volume", "Volume.from_numpy"):
        call(scan.voxels)
    with refuses("NoneType is no volume"):
        call(None)
    broken = scan.voxels.copy()
    broken[1, 2, 3] = np.nan
    with refuses("1 NaN or infinite voxels"):
        call(scan.with_voxels(broken))


@pytest.mark.parametrize("scale", [0, -2, "2", 17, float("nan"), True])
def test_a_scale_that_is_none_is_refused_alike_everywhere(refuses, scan, scale):
    """Fault G: five different tracebacks."""
    for call in (
        lambda: sr.upsample(scan, "linear", scale),
        lambda: sr.degrade(scan, "area", scale),
        lambda: sr.enhance(scan, tiny(), scale=scale),
        lambda: sr.compare(scan, "area", scale),
    ):
        with refuses("A factor of", "from 1 to 16"):
            call()


def test_a_factor_that_is_not_whole_is_as_good_as_any(scan):
    """Fault G: a broadcast error."""
    fine = sr.upsample(scan, "linear", 1.5)
    assert fine.size == (39, 42, 4)
    assert np.abs(fine.bounds() - scan.bounds()).max() < 1e-6


@pytest.mark.parametrize("wrong", [None, 3, ["k_space"]])
def test_a_degradation_that_is_none_is_refused(refuses, scan, wrong):
    with refuses("no forward model"):
        sr.degrade(scan, wrong)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "gpu"}, ["no device called 'gpu'"]),
        ({"precision": "float"}, ["no precision called 'float'"]),
        ({"threads": 0}, ["Threads of 0"]),
        ({"threads": 1.5}, ["Threads of 1.5"]),
        ({"ensemble": "yes"}, ["ensemble of 'yes'"]),
    ],
)
def test_how_it_runs_is_checked_before_it_runs(refuses, options, words):
    with refuses(*words):
        sr.Runtime(**options)


def test_a_word_that_does_not_exist_is_no_option(scan):
    """Fault G: compare(v, enssemble=True) was accepted."""
    with pytest.raises(TypeError, match="enssemble"):
        sr.compare(scan, enssemble=True)
    with pytest.raises(TypeError):
        sr.Sampling(2)


def test_one_slice_cannot_be_compared(refuses, scan):
    """Fault G: "volumes differ in size"."""
    with refuses("whole scan", "leave the slice out"):
        sr.compare(scan, sr.Experiment(sampling=sr.Sampling(factor=2, only=1)), methods=["linear"])


def test_methods_that_are_none_are_refused_before_any_work(refuses, scan):
    with refuses("no method or model called 'bicubc'", "'bicubic'"):
        sr.compare(scan, methods=["linear", "bicubc"])
    with refuses("one text, 'linear'"):
        sr.compare(scan, methods="linear")
    with refuses("is 3"):
        sr.compare(scan, methods={"mine": 3})
    with refuses("made a ndarray", "return a Volume"):
        sr.compare(scan, methods={"mine": lambda low, wish: low.voxels})


def test_progress_may_be_a_function_or_a_bar(scan, capsys):
    seen: list[Progress] = []
    sr.enhance(scan, tiny(), runtime=EXACT, progress=seen.append)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 4, 4)
    sr.enhance(scan, tiny(), runtime=EXACT, progress=True)
    assert "4/4" in capsys.readouterr().err


def test_restoring_gives_all_that_came_of_it(scan):
    result = sr.restore(scan, tiny(), runtime=EXACT)
    assert result.uncertainty is None
    assert np.array_equal(result.volume.voxels, sr.enhance(scan, tiny(), runtime=EXACT).voxels)
    assert sr.restore(scan, "sinc").record.method == "sinc"


def test_a_network_may_tell_how_sure_it_is_and_put_nothing_back(scan, tmp_path):
    method = sr.network(scan, str(store(tmp_path)), put_back="none", uncertainty=True)
    result = sr.restore(scan, method, runtime=EXACT)
    assert result.uncertainty.voxels.shape == result.volume.voxels.shape
    assert result.record.put_back == "none"


def test_what_a_model_has_not_seen_is_warned_of(scan):
    negative = scan.with_voxels(scan.voxels - scan.voxels.max())
    with pytest.warns(ScanWarning, match="are negative"):
        sr.enhance(negative, tiny(), runtime=EXACT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sr.enhance(scan, tiny(), runtime=EXACT)


def test_the_names_that_are_listed_are_all_there():
    assert all(getattr(sr, name) is not None for name in sr.__all__)
    assert dir(sr) == sorted(sr.__all__)
    with pytest.raises(AttributeError, match="no attribute 'enhnace'"):
        sr.enhnace  # noqa: B018


def test_no_sentence_of_the_library_speaks_of_the_command_line(refuses, scan):
    """Fault G: "(--overwrite)" in the library's errors."""
    for call in (lambda: sr.enhance(scan, tiny(), scale=4), lambda: sr.enhance(scan, tiny(), scale=3)):
        with pytest.raises(sr.InputError) as found:
            call()
        assert "--" not in str(found.value)


def test_a_comparison_becomes_a_table_of_pandas_where_that_is_there(scan):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = sr.compare(scan, methods=["linear", "sinc"]).to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert set(frame.index) == {"linear", "sinc"}
    assert {"psnr_head", "gain_db"} <= set(frame.columns)


def test_without_pandas_a_comparison_says_what_to_install(refuses, scan, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with refuses("needs pandas", "pip install pandas"):
        sr.compare(scan, methods=["linear"]).to_dataframe()
