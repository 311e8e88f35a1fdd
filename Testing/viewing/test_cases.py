"""The pages of three real cases in a real browser: a plane made finer, thick slices made thin, a diffusion series."""

import os
from pathlib import Path

import pytest

import SuperResolutionLib as sr
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis
from SuperResolutionLib.viewing.looking import View

DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", "not set"))
SCREENSHOTS = os.environ.get("SUPERRESOLUTION_PICTURES")  # a folder; none are kept without it


def part(name: str, slices: int) -> sr.Volume:
    """The axial slices in the middle of a scan."""
    if not (DATA / name).exists():
        pytest.skip("SUPERRESOLUTION_DATA does not name the data folder")
    scan = sr.read(DATA / name)
    return middle_slices(scan, stacking_axis(scan, "axial"), slices)


def structural() -> View:
    coarse = sr.degrade(part("structural/test/ds002748_sub-28_T1w.nii.gz", 4), "k_space", scale=2)
    return sr.view(sr.enhance(coarse, "mri-x2"), sr.upsample(coarse, "sinc"), names=["enhanced", "sinc"])


def thick_slices() -> View:
    thick = sr.degrade(part("structural/test/ds002748_sub-28_T1w.nii.gz", 32), "slices:spacing=4")
    thin = sr.enhance(thick, sampling=sr.Sampling(slice_spacing=1))
    return sr.view(thin, thick, names=["enhanced", "scan, 4 mm slices"])


def diffusion() -> View:
    coarse = sr.degrade(part("diffusion/test/uih_16dir.nii.gz", 4), "k_space", scale=2)
    return sr.view(sr.enhance(coarse), sr.upsample(coarse, "sinc"), names=["enhanced", "sinc"], volume=1)


@pytest.mark.data
@pytest.mark.parametrize("case", [structural, thick_slices, diffusion], ids=lambda case: case.__name__)
def test_the_page_of_a_case_opens_and_is_quick(case, opened, tmp_path, capsys):
    view = case()
    view.save(tmp_path / "page.html")
    page = opened(tmp_path / "page.html", viewport={"width": 1100, "height": 700}).ready()
    if case is thick_slices:
        page.press("c")  # steps show in the coronal plane
    first, second = page.picture(0), page.picture(1)
    assert first.std() > 10 and second.std() > 10
    assert (first != second).any()
    milliseconds = page.times(20)
    if SCREENSHOTS:
        page.page.screenshot(path=Path(SCREENSHOTS) / f"{case.__name__}.png")
    assert page.errors == []
    assert page.requests == [(tmp_path / "page.html").as_uri()]
    assert milliseconds[0] < 100
    with capsys.disabled():
        print(
            f"\n{case.__name__}: page of {len(view.page) / 1e6:.1f} MB, two slices drawn in {milliseconds[10]:.1f} ms,"
            f" {milliseconds[-1]:.1f} at worst"
        )
