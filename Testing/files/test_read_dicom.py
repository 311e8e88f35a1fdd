"""DICOM: slices by their positions, volumes by time, and a sentence for what is no single regular scan."""

import gzip
import json
import os
import shutil
import warnings
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import ScanWarning, read
from SuperResolutionLib.files.dicom import archives
from SuperResolutionLib.files.gradients import read_fsl

VOXELS = np.random.default_rng(8).integers(-100, 3000, (6, 4, 5)).astype(np.int16)


def refused(path, *words, **options):
    with pytest.raises(InputError) as caught:
        read(path, **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_slices_are_ordered_by_position_and_spaced_by_it(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS, axes=make.SAGITTAL, gap=3.3)
    volume = read(tmp_path / "scan")
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.voxels.dtype == np.int16
    assert volume.spacing == pytest.approx((1.5, 2, 3.3))
    assert volume.origin == pytest.approx((10, 20, 30))
    assert volume.direction == pytest.approx(np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]]).T)


@pytest.mark.parametrize(("stated", "thickness"), [(3.0, 3.0), (0, None), (None, None)])
def test_slices_are_as_thick_as_the_header_says_whatever_lies_between_them(tmp_path, make, stated, thickness):
    make.classic(tmp_path / "scan", VOXELS, gap=3.3, SliceThickness=[stated] * len(VOXELS))
    volume = read(tmp_path / "scan")
    assert volume.spacing[2] == pytest.approx(3.3)
    assert volume.thickness == thickness


def test_it_lies_where_itk_puts_it(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "scan")))
    image, volume = reader.Execute(), read(tmp_path / "scan")
    assert image.GetOrigin() == pytest.approx(volume.origin)
    assert image.GetSpacing() == pytest.approx(volume.spacing)
    assert np.reshape(image.GetDirection(), (3, 3)) == pytest.approx(volume.direction)
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.voxels)


def test_a_zip_is_read_and_its_temporary_folder_goes(tmp_path, make, monkeypatch):
    make.classic(tmp_path / "scan", VOXELS)
    shutil.make_archive(str(tmp_path / "scan"), "zip", tmp_path / "scan")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert np.array_equal(read(tmp_path / "scan.zip").voxels, VOXELS)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.dcm", "/tmp/evil.dcm", "a/../../evil.dcm"])
def test_a_zip_that_writes_outside_is_refused(tmp_path, make, name):
    paths = make.classic(tmp_path / "scan", VOXELS)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.write(paths[0], "good.dcm")
        archive.writestr(zipfile.ZipInfo(name), b"x")
    refused(tmp_path / "evil.zip", "evil.zip", "outside", "not safe")
    assert not (tmp_path / "evil.dcm").exists()


def test_a_broken_zip_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    refused(tmp_path / "a.zip", "a.zip", "not a whole zip")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """Fault I3: a zip of 5.7 MB was unpacked to 1.3 GB."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(12):
            archive.writestr(f"{k}.dcm", bytes(1_000_000))
    monkeypatch.setattr(archives, "_LARGE", 10_000_000)
    refused(tmp_path / "a.zip", "a.zip would unpack from", "to 0.012 GB", "no scan")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_with_flipped_bits_is_refused(tmp_path, make, packing):
    """Fault E, last row: zlib.error and LZMAError."""
    make.classic(tmp_path / "scan", VOXELS)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        for path in sorted((tmp_path / "scan").iterdir()):
            archive.write(path, path.name)
    whole = (tmp_path / "a.zip").read_bytes()
    for place in range(60, 400, 17):
        (tmp_path / "a.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            read(tmp_path / "a.zip")
        except InputError:
            continue


def test_files_without_extension_and_gzipped_ones_are_read(tmp_path, make):
    for k, path in enumerate(make.classic(tmp_path / "scan", VOXELS)):
        if k % 2:
            path.write_bytes(gzip.compress(path.read_bytes()))
        path.rename(path.with_name(f"IM{k}"))
    assert np.array_equal(read(tmp_path / "scan").voxels, VOXELS)
    assert np.array_equal(read(tmp_path / "scan" / "IM2").voxels, VOXELS[2:3])


def test_other_objects_in_the_folder_are_ignored(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS)
    make.other_object(tmp_path / "scan" / "0state.dcm")
    (tmp_path / "scan" / "notes.txt").write_text("hello")
    assert np.array_equal(read(tmp_path / "scan").voxels, VOXELS)


def test_several_series_are_listed_and_one_can_be_chosen(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS, uid="1.2.3.1")
    make.classic(tmp_path / "scan", VOXELS[:4] + 1, uid="1.2.44.2")
    refused(
        tmp_path / "scan",
        "2 DICOM series",
        "by its number, its name",
        "1.2.3.1  scan 1  (6 images)",
        "1.2.44.2  scan 2  (4",
    )
    assert np.array_equal(read(tmp_path / "scan", series="1.2.4").voxels, VOXELS[:4] + 1)
    assert np.array_equal(read(tmp_path / "scan", series="1.2.3.1").voxels, VOXELS)
    refused(tmp_path / "scan", "2 DICOM series", "1.2.3.1", series="1.2")
    refused(tmp_path / "scan", "no DICOM series", "'9.9'", "1.2.3.1", series="9.9")


def test_a_folder_without_images_says_what_it_holds(tmp_path, make):
    refused(tmp_path, "holds no DICOM images, but nothing")
    make.other_object(tmp_path / "state.dcm")
    (tmp_path / "a.txt").write_text("hello")
    refused(tmp_path, "2 other files", "a.txt", "Presentation State")
    refused(tmp_path / "state.dcm", "no DICOM images")


def test_a_file_named_dcm_that_is_text_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_text("just words")
    refused(tmp_path / "a.dcm", "a.dcm", "no DICOM images", "text")


def test_one_missing_slice_is_warned_about_and_moves_no_other(tmp_path, make):
    ramp = np.arange(8, dtype=np.int16)[:, None, None] * 10 + np.zeros((8, 4, 5), np.int16)
    make.classic(tmp_path / "scan", ramp)[3].unlink()
    with pytest.warns(ScanWarning, match=r"no slice at 39\.00 mm"):
        volume = read(tmp_path / "scan")
    assert np.array_equal(volume.voxels, ramp)
    assert volume.spacing[2] == pytest.approx(3)


def test_whole_series_give_no_warning(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path / "scan")


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ([0, 3, 6, 10, 13, 17], ["not evenly spaced", "resample"]),
        ([0, 3, 6, 21, 24, 27], ["lacks 4 of 10 slices"]),
        ([0, 3, 6, 0, 3, 9], ["6 slices at 4 positions", "not whole"]),
    ],
)
def test_irregular_positions_are_refused(tmp_path, make, positions, words):
    places = [[0.0, 0.0, float(z)] for z in positions]
    make.classic(tmp_path / "scan", VOXELS, ImagePositionPatient=places)
    refused(tmp_path / "scan", "scan", *words)


def test_a_tilted_stack_is_refused(tmp_path, make):
    make.classic(tmp_path / "scan", VOXELS, ImagePositionPatient=[[0.0, k, 3.0 * k] for k in range(6)])
    refused(tmp_path / "scan", "5.00 mm", "tilted")


def test_a_localizer_is_refused(tmp_path, make):
    axes = [make.SAGITTAL if k == 2 else [1.0, 0, 0, 0, 1, 0] for k in range(6)]
    make.classic(tmp_path / "scan", VOXELS, ImageOrientationPatient=axes)
    refused(tmp_path / "scan", "different orientations", "localizer")


def test_magnitude_and_phase_are_not_mixed(tmp_path, make):
    kinds = [["ORIGINAL", "PRIMARY", part, "ND"] for part in "MPMPMP"]
    make.classic(tmp_path / "scan", VOXELS, ImageType=kinds)
    refused(tmp_path / "scan", "magnitude and phase")


def test_each_slice_has_its_own_slope(tmp_path, make):
    slopes = [1.5, 2.0, 0.25, 4, 1, 3]
    make.classic(tmp_path / "scan", VOXELS, RescaleSlope=slopes, RescaleIntercept=[0, 1, 2, -3, 0, 0])
    voxels = read(tmp_path / "scan").voxels
    assert voxels.dtype == np.float32
    wanted = VOXELS * np.reshape(slopes, (6, 1, 1)) + np.reshape([0, 1, 2, -3, 0, 0], (6, 1, 1))
    assert np.allclose(voxels, wanted)


def test_whole_intercepts_keep_integers(tmp_path, make):
    make.classic(tmp_path / "ct", VOXELS, RescaleSlope=[1] * 6, RescaleIntercept=[-1024] * 6)
    voxels = read(tmp_path / "ct").voxels
    assert voxels.dtype == np.int16
    assert np.array_equal(voxels, VOXELS - 1024)


def test_repeated_positions_are_a_series_in_time(tmp_path, make):
    series = np.random.default_rng(3).integers(0, 99, (3, 4, 4, 5))
    flat = series.swapaxes(0, 1).reshape(12, 4, 5)  # slice by slice, three times each
    places = [[0.0, 0.0, 3.0 * (k // 3)] for k in range(12)]
    times = [f"1200{k % 3:02d}.5" for k in range(12)]
    make.classic(tmp_path / "scan", flat, ImagePositionPatient=places, AcquisitionTime=times)
    assert np.array_equal(read(tmp_path / "scan").voxels, series)


def test_classic_gradients_are_read_in_patient_space(tmp_path, make):
    series = np.random.default_rng(3).integers(0, 99, (3, 4, 4, 5))
    vectors, bvals = np.array([[0, 0, 0], [0.6, 0, 0.8], [0, 1, 0]]), [0, 1000, 500]
    time = np.repeat(np.arange(3), 4)
    make.classic(
        tmp_path / "scan",
        series.reshape(12, 4, 5),
        ImagePositionPatient=[[0.0, 0.0, 3.0 * (k % 4)] for k in range(12)],
        AcquisitionNumber=[int(t) for t in time],
        DiffusionBValue=[float(bvals[t]) for t in time],
        DiffusionGradientOrientation=[vectors[t].tolist() for t in time],
    )
    volume = read(tmp_path / "scan")
    assert np.array_equal(volume.voxels, series)
    assert np.array_equal(volume.gradients.bvals, bvals)
    assert np.allclose(volume.gradients.bvecs, vectors)


def test_an_enhanced_file_is_a_series_with_gradients(tmp_path, make):
    series = np.random.default_rng(3).integers(0, 99, (3, 4, 5, 6))
    vectors = np.array([[0, 0, 0], [0.6, 0, 0.8], [0, 1, 0]])
    volume = read(make.enhanced(tmp_path / "e.dcm", series, [0, 1000, 1000], vectors))
    assert volume.voxels.dtype == np.float32
    assert np.allclose(volume.voxels, series * 2.5 - 1)
    assert volume.spacing == pytest.approx((1.5, 2, 4))
    assert volume.direction[:, 2] == pytest.approx([-1, 0, 0])
    assert volume.gradients.bvals.tolist() == [0, 1000, 1000]
    assert np.allclose(volume.gradients.bvecs, vectors)


def test_an_enhanced_volume_of_one_time_is_a_volume(tmp_path, make):
    volume = read(make.enhanced(tmp_path / "e.dcm", VOXELS[None], [0], np.zeros((1, 3))))
    assert volume.voxels.shape == VOXELS.shape


def test_trace_images_are_left_out(tmp_path, make):
    series = np.random.default_rng(3).integers(0, 99, (3, 4, 5, 6))
    path = make.enhanced(tmp_path / "e.dcm", series, [0, 1000, 0], np.eye(3))
    dataset = make.dcmread(path)
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        if groups.FrameContentSequence[0].DimensionIndexValues[2] == 3:
            groups.MRDiffusionSequence[0].DiffusionBValue = 1000.0
            groups.MRDiffusionSequence[0].DiffusionDirectionality = "ISOTROPIC"
    dataset.save_as(path)
    with pytest.warns(ScanWarning, match="4 slices of trace-weighted"):
        volume = read(path)
    assert volume.gradients.bvals.tolist() == [0, 1000]


def test_a_cut_slice_is_refused(tmp_path, make):
    path = make.classic(tmp_path / "scan", VOXELS)[2]
    os.truncate(path, path.stat().st_size - 7)
    refused(tmp_path / "scan", path.name, "cut short or damaged")
    os.truncate(path, 420)
    refused(tmp_path / "scan", path.name, "cut short or damaged")


def test_lossless_jpeg_is_decoded_by_itk(tmp_path):
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.SetFileName(str(tmp_path / "jpeg.dcm"))
    writer.Execute(sitk.GetImageFromArray(VOXELS[:1]))
    assert _pixels_of(tmp_path / "jpeg.dcm")


def _pixels_of(path: Path) -> bool:
    from SuperResolutionLib.files.dicom.pixels import stored
    from SuperResolutionLib.files.dicom.sources import opened

    return np.array_equal(stored(opened(path)), VOXELS[0])


def test_an_unreadable_compression_is_named(tmp_path, make):
    path = make.classic(tmp_path / "scan", VOXELS[:1])[0]
    dataset = make.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00abcd\xfe\xff\xdd\xe0\0\0\0\0"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    refused(tmp_path / "scan", path.name, "MPEG-4", "decompress")


def test_colour_and_screenshots_are_refused(tmp_path, make):
    path = make.classic(tmp_path / "scan", VOXELS[:1])[0]
    original = path.read_bytes()
    for change, words in (
        ({"SamplesPerPixel": 3}, ["3 components", "grey"]),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, ["palette"]),
        ({"ImagePositionPatient": None}, ["ImagePositionPatient", "screenshot"]),
        ({"NumberOfFrames": 2, "PixelData": bytes(80)}, ["2 frames", "without a position"]),
    ):
        path.write_bytes(original)
        dataset = make.dcmread(path)
        for tag, value in change.items():
            setattr(dataset, tag, value)
        dataset.save_as(path)
        refused(path, path.name, *words)


# --- real scans ------------------------------------------------------------------------------------------

DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", "not set"))


def real(test):
    reason = "SUPERRESOLUTION_DATA does not name the data folder"
    return pytest.mark.data(pytest.mark.skipif(not (DATA / "dicom").is_dir(), reason=reason)(test))


@cache
def scan(name):
    return read(DATA / f"dicom/{name}.zip")


def reference(name):
    """dcm2niix's affine (LPS), shape and sum of the first volume of a sample."""
    whole = json.loads((DATA / "dicom/reference/dcm2niix_geometry.json").read_text())
    found = next(value for key, value in whole.items() if key.startswith(name))
    return np.diag([-1, -1, 1, 1]) @ np.array(found["affine_ras"]), found["shape"], found["sum_first_volume"]


def affine(volume):
    """Voxel index to LPS."""
    return np.vstack([np.c_[volume.direction * volume.spacing, volume.origin], [0, 0, 0, 1]])


def signed_permutation(between):
    """Whether an affine between two grids only reorders and reverses axes, and moves by whole voxels."""
    return np.abs(between - np.rint(between)).max() < 1e-3 and np.array_equal(
        np.abs(np.rint(between[:3, :3])).sum(axis=0), [1, 1, 1]
    )


@real
@pytest.mark.parametrize("name", ["siemens_mosaic_dwi", "siemens_xa30_enhanced_dwi", "siemens_xa30_enhanced_t1"])
def test_real_scans_lie_where_dcm2niix_puts_them(name):
    theirs, shape, total = reference(name)
    volume = scan(name)
    assert sorted(volume.size) == sorted(shape[:3])
    first = volume.voxels if volume.voxels.ndim == 3 else volume.voxels[0]
    assert first.sum(dtype=np.float64) == total
    between = np.linalg.solve(theirs, affine(volume))
    assert signed_permutation(between)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (np.array(volume.size) - 1)
    indices = np.rint(corners @ between[:3, :3].T + between[:3, 3])
    assert indices.min(axis=0).tolist() == [0, 0, 0]
    assert (indices.max(axis=0) + 1).tolist() == list(shape[:3])


def largest_angle(gradients, others):
    """Degrees between the directions of weighted volumes; a direction and its opposite are the same to diffusion."""
    count = len(gradients.bvals)
    weighted = gradients.bvals > 50
    aligned = np.abs((gradients.bvecs * others.bvecs[:count]).sum(axis=1))[weighted]
    return float(np.degrees(np.arccos(np.clip(aligned, 0, 1))).max())


@real
@pytest.mark.parametrize(
    ("name", "table"),
    [("siemens_mosaic_dwi", "siemens_mosaic_dwi_all21"), ("siemens_xa30_enhanced_dwi", "siemens_xa30_enhanced_dwi")],
)
def test_real_gradients_agree_with_dcm2niix(name, table):
    theirs, _, _ = reference(name)
    direction = theirs[:3, :3] / np.linalg.norm(theirs[:3, :3], axis=0)
    expected = read_fsl(DATA / f"dicom/reference/{table}.nii.gz", 21, direction)
    found = scan(name).gradients
    assert np.abs(found.bvals - expected.bvals[: len(found.bvals)]).max() < 0.5
    assert largest_angle(found, expected) < 0.1


@real
@pytest.mark.parametrize(
    ("name", "nifti", "levels"),
    [("siemens_mosaic_dwi", "siemens_prisma_20dir", 4000), ("uih_classic_dwi", "uih_16dir", None)],
)
def test_dicom_and_nifti_of_the_same_scan_are_the_same(name, nifti, levels):
    """levels: the NIfTI's voxels were scaled to so many; one factor must explain all of them."""
    ours, theirs = scan(name), read(DATA / f"diffusion/test/{nifti}.nii.gz")
    between = np.linalg.solve(affine(theirs), affine(ours))
    assert signed_permutation(between)
    axes = np.diag(np.rint(between[:3, :3]))
    assert np.abs(axes).tolist() == [1, 1, 1]
    turned = ours.voxels[:, :: int(axes[2]), :: int(axes[1]), :: int(axes[0])].astype(np.float64)
    there = theirs.voxels[: ours.count]
    factor = there.sum() / turned.sum() if levels else 1
    assert there.max() <= (levels or there.max())
    assert np.abs(turned * factor - there).max() <= (0.6 if levels else 0)
    assert np.abs(ours.gradients.bvals - theirs.gradients.bvals[: ours.count]).max() < 0.5
    assert largest_angle(ours.gradients, theirs.gradients) < 0.1


@real
@pytest.mark.parametrize("name", ["siemens_mosaic_dwi", "siemens_xa30_enhanced_dwi", "uih_classic_dwi"])
def test_whole_real_series_give_no_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(DATA / f"dicom/{name}.zip")


@real
def test_two_time_points_of_a_classic_scan_are_a_series():
    with pytest.warns(ScanWarning, match="announce 10, and it has 2"):
        volume = read(DATA / "dicom/ge_classic_fmri.zip")
    assert volume.voxels.shape == (2, 15, 64, 64)
    assert volume.spacing == pytest.approx((3.75, 3.75, 5), abs=1e-4)
    assert volume.origin == pytest.approx((-118.125, -143.344, -17.6875), abs=1e-3)
    assert volume.gradients is None


@real
def test_a_sample_without_an_image_says_so():
    refused(DATA / "dicom/philips_enhanced_dwi.zip", "Raw Data Storage", "no DICOM images")


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("position", [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_position_of_other_than_three_numbers_is_refused(tmp_path, make, refuses, position, frames):
    """Fault E, of IPP with 1, 2, 4 values, found by damaged files in multi-frame images too: a traceback."""
    if frames:
        path = make.enhanced(tmp_path / "e.dcm", np.ones((2, 3, 4, 5), np.int16), [0, 1000], np.eye(3)[:2])
        image = pydicom.dcmread(path)
        image.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = position
        image.save_as(path)
    else:
        path = make.classic(tmp_path / "scan", VOXELS)[1]
        make.change(path, ImagePositionPatient=position)
    with refuses("ition"):
        read(path if frames else tmp_path / "scan")
