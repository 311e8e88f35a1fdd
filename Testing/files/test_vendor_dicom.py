"""Diffusion as each vendor's scanners write it: mosaics, private elements, and what is not believed.

Siemens' and United Imaging's forms are also tested on real scans (test_read_dicom.py); for the classic files of GE and
Philips there is no sample, so what is tested here is that they are read as dcm2niix and MRtrix3 read them.
"""

import os
import sys
import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from SuperResolutionLib.files import ScanWarning, read

SERIES = np.random.default_rng(3).integers(0, 999, (4, 5, 3, 4))  # five slices: a mosaic of 3 x 3 with four tiles empty
OBLIQUE = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
VECTORS = np.array([[0, 0, 0], [0.6, 0, 0.8], [0, 1, 0], [-0.8, 0.6, 0]])
BVALS = [0, 1000, 1000, 500]


def weighted(bval, vector):
    """The CSA fields of one volume."""
    direction = {"DiffusionGradientDirection": ("FD", [f"{n:.8f}" for n in vector])} if bval else {}
    return {"B_value": ("IS", [str(bval)]), **direction}


FIELDS = [weighted(bval, vector) for bval, vector in zip(BVALS, VECTORS, strict=True)]


def where(volume, index):
    """Voxel index (x, y, z) to LPS."""
    return np.asarray(volume.origin) + volume.direction @ (np.asarray(volume.spacing) * index)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_tiles_of_a_mosaic_are_its_slices_from_the_stated_origin_along_the_stated_normal(tmp_path, make, sign):
    """The normal may point against the cross product of the axes, as in sagittal scans: the places stay the same."""
    normal = sign * OBLIQUE[:, 2]
    make.mosaic(tmp_path / "scan", SERIES, normal, axes=OBLIQUE[:, :2].T.ravel().tolist(), origin=(-7.0, 8.0, 9.0))
    volume = read(tmp_path / "scan")
    assert volume.spacing == pytest.approx((1.5, 2, 3))
    assert volume.direction == pytest.approx(OBLIQUE, abs=1e-6)
    for z in range(5):
        stored = z if sign > 0 else 4 - z
        assert np.array_equal(volume.voxels[:, z], SERIES[:, stored])
        assert where(volume, (0, 0, z)) == pytest.approx(np.array([-7, 8, 9]) + stored * 3 * normal, abs=1e-5)


def test_a_mosaics_weighting_is_in_its_csa_header(tmp_path, make):
    make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1], fields=FIELDS)
    gradients = read(tmp_path / "scan").gradients
    assert gradients.bvals.tolist() == BVALS
    assert gradients.bvecs == pytest.approx(VECTORS)


def test_the_standards_elements_go_before_siemens_own_and_those_before_the_csa_header(tmp_path, make):
    paths = make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1], fields=[weighted(7, [0, 0, 1])] * 4)
    for path, bval, vector in zip(paths, BVALS, VECTORS, strict=True):
        make.change_private(path, 0x19, "SIEMENS MR HEADER", {0x0C: ("IS", bval), 0x0E: ("FD", vector.tolist())})
    assert read(tmp_path / "scan").gradients.bvecs == pytest.approx(VECTORS)
    for path in paths:
        make.change(path, DiffusionBValue=2000.0, DiffusionGradientOrientation=[1.0, 0, 0])
    gradients = read(tmp_path / "scan").gradients
    assert gradients.bvals.tolist() == [2000] * 4
    assert gradients.bvecs == pytest.approx(np.tile([1, 0, 0], (4, 1)))


def test_a_mosaic_of_no_diffusion_has_no_gradients(tmp_path, make):
    make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1])
    assert read(tmp_path / "scan").gradients is None


def test_a_mosaic_without_csa_header_is_refused(tmp_path, make, refuses):
    path = make.mosaic(tmp_path / "scan", SERIES[:1], [0, 0, 1])[0]
    make.change_private(path, 0x29, "SIEMENS CSA HEADER", {0x10: ("OB", b"")})
    with refuses("000.dcm is a Siemens mosaic without the CSA header", "anonymising", "export the series again"):
        read(path)
    make.change_private(path, 0x29, "SIEMENS CSA HEADER", {0x10: ("OB", make.csa(B_value=("IS", ["0"])))})
    with refuses("without the CSA header that says how many slices"):
        read(path)


def test_a_damaged_csa_header_is_refused(tmp_path, make, refuses):
    path = make.mosaic(tmp_path / "scan", SERIES[:1], [0, 0, 1])[0]
    make.change_private(path, 0x29, "SIEMENS CSA HEADER", {0x10: ("OB", b"SV10" + bytes(range(40)))})
    with refuses("000.dcm", "CSA header cannot be read"):
        read(path)


def test_without_nibabel_a_mosaic_is_refused_with_what_to_install(tmp_path, make, refuses, monkeypatch):
    make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1])
    monkeypatch.setitem(sys.modules, "nibabel.nicom", None)
    with refuses("000.dcm", "nibabel", "'pip install nibabel'"):
        read(tmp_path / "scan")


def test_without_nibabel_all_else_of_siemens_is_read(tmp_path, make, monkeypatch):
    paths = siemens_slices(tmp_path / "scan", make, kind="M")
    monkeypatch.setitem(sys.modules, "nibabel.nicom", None)
    assert read(tmp_path / "scan").gradients is None
    for path in paths:
        make.change(path, ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"])
        make.change_private(path, 0x19, "SIEMENS MR HEADER", {0x0C: ("IS", 0)})
    with pytest.warns(ScanWarning, match="no diffusion weighting"):
        assert read(tmp_path / "scan").gradients is not None


def slices(folder, make, **more):
    """SERIES as classic slices, volume after volume."""
    return make.classic(
        folder,
        SERIES.reshape(20, 3, 4),
        ImagePositionPatient=[[0.0, 0.0, 3.0 * (k % 5)] for k in range(20)],
        AcquisitionNumber=[k // 5 for k in range(20)],
        InstanceNumber=list(range(1, 21)),
        **more,
    )


def siemens_slices(folder, make, kind="DIFFUSION"):
    paths = slices(folder, make, ImageType=[["ORIGINAL", "PRIMARY", kind, "NONE", "ND"]] * 20)
    for k, path in enumerate(paths):
        make.change_private(path, 0x29, "SIEMENS CSA HEADER", {0x10: ("OB", make.csa(**FIELDS[k // 5]))})
    return paths


def test_classic_siemens_slices_have_their_weighting_in_the_csa_header(tmp_path, make):
    siemens_slices(tmp_path / "scan", make)
    volume = read(tmp_path / "scan")
    assert np.array_equal(volume.voxels, SERIES)
    assert volume.gradients.bvals.tolist() == BVALS
    assert volume.gradients.bvecs == pytest.approx(VECTORS)


def philips(path, make, bval, vector):
    make.change_private(path, 0x2001, "Philips Imaging DD 001", {0x03: ("FL", bval)})
    parts = {0xB0 + k: ("FL", float(n)) for k, n in enumerate(vector)}
    make.change_private(path, 0x2005, "Philips MR Imaging DD 001", parts)


def test_classic_philips_slices_have_their_weighting_in_patient_space(tmp_path, make):
    for k, path in enumerate(slices(tmp_path / "scan", make)):
        philips(path, make, BVALS[k // 5], VECTORS[k // 5])
    gradients = read(tmp_path / "scan").gradients
    assert gradients.bvals == pytest.approx(BVALS)
    assert gradients.bvecs == pytest.approx(VECTORS, abs=1e-6)


def test_a_philips_image_of_no_diffusion_has_no_gradients(tmp_path, make):
    for path in slices(tmp_path / "scan", make):
        philips(path, make, 0.0, (0, 0, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(tmp_path / "scan").gradients is None


def test_a_philips_trace_image_is_left_out(tmp_path, make):
    for k, path in enumerate(slices(tmp_path / "scan", make)):
        philips(path, make, BVALS[k // 5], (0, 0, 0) if k >= 15 else VECTORS[k // 5])
    with pytest.warns(ScanWarning, match="5 slices of trace-weighted images were left out"):
        assert read(tmp_path / "scan").gradients.bvals == pytest.approx(BVALS[:3])


def ge_slices(folder, make, stated=(1000, 1000, 1000, 1_000_001_000), vectors=VECTORS, directions=3, **more):
    """Four volumes of a GE series; b-values as GE states them."""
    position = {"InPlanePhaseEncodingDirection": "COL", "PatientPosition": "HFS", **more}
    paths = slices(folder, make, **{tag: [value] * 20 for tag, value in position.items()})
    for k, path in enumerate(paths):
        make.change_private(path, 0x43, "GEMS_PARM_01", {0x39: ("IS", [stated[k // 5], 8, 0, 0])})
        parts = {0xBB + n: ("DS", f"{part:.6f}") for n, part in enumerate(vectors[k // 5])}
        make.change_private(path, 0x19, "GEMS_ACQU_01", {**parts, 0xE0: ("DS", str(directions))})
    return paths


def test_ges_axial_slices_have_directions_of_frequency_phase_and_reversed_slice(tmp_path, make):
    oblique = Rotation.from_euler("xyz", [20, -10, 15], degrees=True).as_matrix()
    places = [(oblique[:, 2] * 3 * (k % 5)).tolist() for k in range(20)]
    axes = [oblique[:, :2].T.ravel().tolist()] * 20
    paths = ge_slices(tmp_path / "scan", make)
    for path, place, axis in zip(paths, places, axes, strict=True):
        make.change(path, ImagePositionPatient=place, ImageOrientationPatient=axis)
    gradients = read(tmp_path / "scan").gradients
    assert gradients.bvals.tolist() == [0, 1000, 1000, 1000]
    assert gradients.bvecs == pytest.approx((VECTORS * (1, 1, -1)) @ oblique.T, abs=1e-5)


def test_ges_shorter_directions_have_a_smaller_b_value(tmp_path, make):
    shells = VECTORS * np.sqrt([[0], [0.5], [1], [1]])
    ge_slices(tmp_path / "scan", make, stated=(2000,) * 4, vectors=shells)
    gradients = read(tmp_path / "scan").gradients
    assert gradients.bvals == pytest.approx([0, 1000, 2000, 2000], abs=0.01)
    assert np.linalg.norm(gradients.bvecs, axis=1) == pytest.approx([0, 1, 1, 1])


@pytest.mark.parametrize(
    "doubtful",
    [
        {"InPlanePhaseEncodingDirection": "ROW"},
        {"PatientPosition": "FFS"},
        {"ImageOrientationPatient": [1.0, 0, 0, 0, 0, -1]},
    ],
)
def test_ges_directions_are_not_believed_where_their_axes_are_not_certain(tmp_path, make, doubtful):
    if "ImageOrientationPatient" in doubtful:
        for k, path in enumerate(ge_slices(tmp_path / "scan", make, **doubtful)):
            make.change(path, ImagePositionPatient=[0.0, 3.0 * (k % 5), 0.0])
    else:
        ge_slices(tmp_path / "scan", make, **doubtful)
    with pytest.warns(ScanWarning, match="known for certain only in axial slices.*read without gradients"):
        volume = read(tmp_path / "scan")
    assert volume.gradients is None
    assert volume.voxels.shape == SERIES.shape


def test_ges_trace_images_have_no_directions(tmp_path, make):
    ge_slices(tmp_path / "scan", make, stated=(0, 1000, 1000, 1000), vectors=np.zeros((4, 3)), directions=0)
    with pytest.warns(ScanWarning, match="b-values without directions; it is read without gradients"):
        assert read(tmp_path / "scan").gradients is None


def test_a_ge_image_of_no_diffusion_has_no_gradients(tmp_path, make):
    ge_slices(tmp_path / "scan", make, stated=(0,) * 4, vectors=np.zeros((4, 3)), directions=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(tmp_path / "scan").gradients is None


# --- what is missing or damaged ---------------------------------------------------------------------------


def test_a_missing_mosaic_is_noticed_by_the_numbers_of_the_others(tmp_path, make):
    make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1], fields=FIELDS)[1].unlink()
    with pytest.warns(ScanWarning, match="seems to lack volumes .*numbered 1 to 4, without 2"):
        assert read(tmp_path / "scan").gradients.bvals.tolist() == [0, 1000, 500]


def test_numbers_that_jump_are_told_in_brief(tmp_path, make):
    for t, path in enumerate(make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1])):
        make.change(path, InstanceNumber=(1, 2, 3, 2_000_000_000)[t])
    with pytest.warns(ScanWarning, match=r"numbered 1 to 2000000000, without 4, 5, 6, 7, 8 \.\.\.\)"):
        read(tmp_path / "scan")


def test_a_missing_enhanced_file_is_noticed_by_the_numbers_of_the_others(tmp_path, make):
    (tmp_path / "scan").mkdir()
    for t in (0, 1, 3):
        path = make.enhanced(tmp_path / f"scan/{t}.dcm", SERIES[t : t + 1], BVALS[t : t + 1], VECTORS[t : t + 1])
        make.change(path, InstanceNumber=t + 1)
    with pytest.warns(ScanWarning, match="numbered 1 to 4, without 3"):
        assert read(tmp_path / "scan").gradients.bvals.tolist() == [0, 1000, 500]


def test_a_missing_last_volume_is_noticed_where_the_headers_announce_it(tmp_path, make):
    paths = slices(tmp_path / "scan", make, NumberOfTemporalPositions=[4] * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path / "scan")
    for path in paths[15:]:
        path.unlink()
    with pytest.warns(ScanWarning, match="headers announce 4, and it has 3"):
        assert read(tmp_path / "scan").voxels.shape == (3, 5, 3, 4)


def test_a_volume_that_lacks_a_slice_is_refused_with_its_place(tmp_path, make, refuses):
    slices(tmp_path / "scan", make)[7].unlink()
    with refuses("19 slices at 5 positions", "4 each, but fewer at 1 of them (6.00 mm)", "export the series again"):
        read(tmp_path / "scan")


@pytest.mark.parametrize("kind", ["mosaic", "enhanced"])
def test_a_truncated_file_is_refused(tmp_path, make, refuses, kind):
    if kind == "mosaic":
        path = make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1], fields=FIELDS)[2]
    else:
        (tmp_path / "scan").mkdir()
        path = make.enhanced(tmp_path / "scan/e.dcm", SERIES, BVALS, VECTORS)
    os.truncate(path, path.stat().st_size - 20)
    with refuses(path.name, "cut short or damaged"):
        read(tmp_path / "scan")


def test_directions_that_are_not_numbers_are_refused(tmp_path, make, refuses):
    path = make.mosaic(tmp_path / "scan", SERIES, [0, 0, 1], fields=FIELDS)[1]
    make.change_private(path, 0x19, "SIEMENS MR HEADER", {0x0C: ("IS", 9), 0x0E: ("FD", [np.nan, 0.0, 1.0])})
    with refuses("scan", "volume 2", "NaN", "convert"):
        read(tmp_path / "scan")
