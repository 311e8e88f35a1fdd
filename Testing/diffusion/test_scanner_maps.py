"""Our tensors of a real series agree with the maps that the scanner itself made of it."""

import os
from pathlib import Path

import numpy as np
import pytest

from SuperResolutionLib import files
from SuperResolutionLib.diffusion.tensors import fit_tensors, head_mask

DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", Path(__file__).parents[3] / "shared" / "data")) / "dicom"


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"there is no {DATA}; set SUPERRESOLUTION_DATA to the shared data")
def test_fa_and_md_of_an_enhanced_series_are_those_of_the_scanner():
    """Its FA is in thousandths and its ADC in 1e-6 mm2/s; it leaves out some voxels of the head, as 0."""
    series = files.read(DATA / "siemens_xa30_enhanced_dwi.zip")
    fa, adc = (files.read(DATA / "reference" / f"siemens_xa30_scanner_{name}.nii.gz") for name in ("fa", "adc"))
    assert np.allclose(np.sort(fa.bounds(), axis=0), np.sort(series.bounds(), axis=0), atol=0.01)
    assert np.allclose(fa.direction, series.direction * (1, -1, 1), atol=1e-4)
    theirs_fa, theirs_md = fa.voxels[:, ::-1] / 1e3, adc.voxels[:, ::-1] / 1e6
    shown = head_mask(series) & (theirs_fa > 0)
    ours = fit_tensors(series, "ols", shown)
    assert shown.sum() > 50_000
    correlation, slope = agreement(ours.fa[shown], theirs_fa[shown])
    assert correlation > 0.998
    assert abs(slope - 1) < 0.01
    correlation, slope = agreement(ours.md[shown], theirs_md[shown])
    assert correlation > 0.998
    assert abs(slope - 1) < 0.01


def agreement(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Correlation, and the slope of theirs over ours."""
    return float(np.corrcoef(ours, theirs)[0, 1]), float(np.polyfit(ours, theirs, 1)[0])
