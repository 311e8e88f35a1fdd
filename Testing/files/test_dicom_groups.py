"""What is one DICOM volume: which images of a folder belong together, and how one of several is chosen."""

import os
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError, SeriesError
from SuperResolutionLib.files import ScanWarning, read

A, B, C, D = (np.random.default_rng(k).integers(0, 3000, (6, 4, 5)).astype(np.int16) for k in range(4))


def quietly(path, series=None):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path, series)


def offered(path, series=None):
    """The lines of the candidates, by their numbers, and the sentence before them."""
    with pytest.raises(SeriesError) as caught:
        read(path, series)
    return {line.split()[0]: line for line in caught.value.offered}, str(caught.value)


def parts(folder, make, *volumes, **more):
    """Volumes of one series at the same places; `more` holds a list per tag, a value per volume; None: not there."""
    count = len(volumes)
    for k, volume in enumerate(volumes):
        tags = {tag: [values[k]] * 6 for tag, values in more.items()}
        tags = {"InstanceNumber": [z * count + k + 1 for z in range(6)], **tags}
        for path in make.classic(folder / f"{k}", volume, **tags):
            path.rename(folder / f"{k}-{path.name}")
        (folder / f"{k}").rmdir()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scan").mkdir()
    return tmp_path / "scan"


# --- copies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classic", "mosaic", "uid"])
def test_copies_of_images_are_left_out_with_a_note(folder, make, kind):
    """Fault E1: "(1).dcm" made a series of two volumes, and of 8 mosaics 9."""
    series = np.random.default_rng(1).integers(0, 99, (3, 5, 4, 4))
    paths = make.mosaic(folder, series, [0, 0, 1]) if kind == "mosaic" else make.classic(folder, A)
    for path in paths[:2]:
        shutil.copy(path, path.with_name(f"{path.stem} (1).dcm"))
        if kind == "uid":  # a copy that a program has written anew
            make.change(path.with_name(f"{path.stem} (1).dcm"), InstitutionName="Elsewhere")
    with pytest.warns(ScanWarning, match="scan: copies of images .* were left out: 2"):
        volume = read(folder)
    assert np.array_equal(volume.voxels, series if kind == "mosaic" else A)


def test_a_whole_copied_series_is_left_out(folder, make):
    """Fault E1: two volumes of one."""
    make.classic(folder, A)
    shutil.copytree(folder, folder / "again")
    with pytest.warns(ScanWarning, match="copies .*left out: 6"):
        assert np.array_equal(read(folder).voxels, A)


def test_images_that_a_program_gave_one_uid_are_no_copies(folder, make):
    """Fault E1, siblings: SOPInstanceUID tells copies only where place and pixels are the same."""
    make.classic(folder, A, SOPInstanceUID=["1.2.3"] * 6)
    assert np.array_equal(quietly(folder).voxels, A)


def test_two_images_of_one_uid_and_place_are_refused(folder, make):
    """Fault E1, siblings: which of the two is meant cannot be known."""
    path = make.classic(folder, A)[0]
    shutil.copy(path, folder / "other.dcm")
    make.change(folder / "other.dcm", PixelData=bytes(40))
    with pytest.raises(InputError, match="one SOPInstanceUID and one place, but different pixels"):
        read(folder)


DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", "not set")) / "dicom"


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="SUPERRESOLUTION_DATA does not name the data folder")
@pytest.mark.parametrize("name", ["uih_classic_dwi", "siemens_mosaic_dwi", "ge_classic_fmri"])
@pytest.mark.filterwarnings("ignore:.*seems to lack volumes")
def test_copies_in_real_series_are_left_out(folder, name):
    """Fault E1: 17 volumes became 19, and 8 became 9."""
    with zipfile.ZipFile(DATA / f"{name}.zip") as archive:
        archive.extractall(folder)
    whole = read(folder)
    for path in sorted(path for path in folder.rglob("*") if path.is_file())[:2]:
        shutil.copy(path, path.with_name(f"{path.stem} (1){path.suffix}"))
    with pytest.warns(ScanWarning, match="copies .* left out: 2"):
        assert np.array_equal(read(folder).voxels, whole.voxels)


# --- parts of one series ----------------------------------------------------------------------------------


def test_ges_magnitude_is_taken_and_its_other_parts_can_be_chosen(folder, make):
    """Fault E2: GE's (0043,102F) counts magnitude, phase, real, imaginary; they came as a series of four volumes."""
    parts(folder, make, C, A, D, B, SeriesNumber=[7] * 4, SeriesDescription=["swan"] * 4)
    for path in folder.iterdir():
        kind = {"0": 2, "1": 0, "2": 3, "3": 1}[path.name[0]]
        make.change_private(path, 0x43, "GEMS_PARM_01", {0x2F: ("SS", kind)})
    with pytest.warns(ScanWarning, match="read is 7b, swan, magnitude .*not .*real part.*imaginary part.*phase"):
        volume = read(folder)
    assert np.array_equal(volume.voxels, A)
    assert volume.header.kind == ""
    for name, voxels in (("phase", B), ("real part", C), ("7c", D), ("imaginary", D)):
        with pytest.warns(ScanWarning, match="no magnitude image"):
            volume = read(folder, name)
        assert np.array_equal(volume.voxels, voxels)
    assert volume.header.kind == "imaginary part"


@pytest.mark.parametrize("form", ["words", "component", "private", "long words"])
def test_philips_magnitude_is_taken(folder, make, form):
    """Fault E2: Philips' M, R, I (and P) of one UID came as a series."""
    letters = ("I", "M", "R")
    words = {
        "words": [["ORIGINAL", "PRIMARY", f"{x}_FFE", x, "FFE"] for x in letters],
        "long words": [["ORIGINAL", "PRIMARY", f"{x}_FFE"] for x in letters],
    }.get(form, [["ORIGINAL", "PRIMARY", "OTHER"]] * 3)
    parts(folder, make, B, A, C, ImageType=words)
    for path in folder.iterdir():
        k = int(path.name[0])
        if form == "component":
            make.change(path, ComplexImageComponent=("IMAGINARY", "MAGNITUDE", "REAL")[k])
        if form == "private":
            make.change_private(path, 0x2005, "Philips MR Imaging DD 001", {0x11: ("CS", letters[k])})
    with pytest.warns(ScanWarning, match="read is .*magnitude.*not .*imaginary part.*real part"):
        assert np.array_equal(read(folder).voxels, A)


def test_two_echoes_are_offered_and_not_a_series(folder, make):
    """Fault E3: two echo times were a series of two volumes."""
    parts(folder, make, A, B, EchoTime=[4.92, 7.38], EchoNumbers=[1, 2], SeriesNumber=[5, 5])
    lines, sentence = offered(folder)
    assert list(lines) == ["5a", "5b"]
    assert "differ in echo time" in sentence
    assert "TE 4.92 ms" in lines["5a"]
    assert np.array_equal(quietly(folder, "5b").voxels, B)
    assert np.array_equal(quietly(folder, "te 4.92").voxels, A)
    offered(folder, "5")


def test_echoes_within_rounding_are_one(folder, make):
    """Fault E3, siblings: headers round."""
    make.classic(folder, A, EchoTime=[4.92 + 1e-3 * (k % 2) for k in range(6)])
    assert np.array_equal(quietly(folder).voxels, A)


@pytest.mark.parametrize("uid", ["", "1.2.3.1"])
def test_series_numbers_part_what_has_no_uid_or_a_shared_one(folder, make, uid):
    """Fault E3: two SeriesNumbers, the UID empty or shared."""
    parts(folder, make, A, B, SeriesNumber=[3, 12], SeriesInstanceUID=[uid] * 2)
    assert list(offered(folder)[0]) == ["3", "12"]
    assert np.array_equal(quietly(folder, "12").voxels, B)


def test_names_part_what_has_neither_uid_nor_number(folder, make):
    """Fault E3, siblings: nothing but the description tells them apart."""
    parts(folder, make, A, B, SeriesDescription=["t2 tra", "t1 tra"], SeriesInstanceUID=["", ""])
    assert np.array_equal(quietly(folder, "T2 tra").voxels, A)
    assert len(offered(folder, "tra")[0]) == 2


@pytest.mark.parametrize("words", [("W", "F", "IP", "OP"), ("WATER", "FAT", "IN_PHASE", "OPP_PHASE")])
def test_dixon_images_are_offered_by_name(folder, make, words):
    """Fault E3: water, fat, in phase and opposed phase were a series of four volumes."""
    parts(folder, make, A, B, C, D, ImageType=[["DERIVED", "PRIMARY", "M", "DIXON", word] for word in words])
    _, sentence = offered(folder)
    assert "kind of image" in sentence
    for name, voxels in (("water", A), ("fat", B), ("in phase", C), ("opposed phase", D)):
        assert np.array_equal(quietly(folder, name).voxels, voxels)


@pytest.mark.parametrize(
    "more",
    [
        {"InversionTime": [200.0, 900.0]},
        {"FlipAngle": [4.0, 20.0]},
        {"ImageType": [["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "M", "NORM"]]},
        {"StudyInstanceUID": ["1.2", "1.3"]},
        {"PatientID": ["a", "b"]},
    ],
)
def test_whatever_makes_another_contrast_at_one_place_is_no_time(folder, make, more):
    """Fault E3, siblings: inversion time, flip angle, words that are not known, another study."""
    parts(folder, make, A, B, **more)
    lines, _ = offered(folder)
    assert len(lines) == 2
    told_apart = {line.split(maxsplit=2)[2] for line in lines.values()}
    assert len(told_apart) == (1 if set(more) & {"StudyInstanceUID", "PatientID"} else 2)


def test_slices_of_one_volume_may_differ_where_they_do_not_lie_at_one_place(folder, make):
    """Fault E3, siblings: two packages of slices, with words of their own."""
    make.classic(folder, A, ImageType=[["ORIGINAL", "PRIMARY", "M", "ND", f"PACK{k % 2}"] for k in range(6)])
    assert np.array_equal(quietly(folder).voxels, A)


def test_an_enhanced_file_of_two_echoes_is_offered_by_echo(tmp_path, make):
    """Fault E3, siblings: functional groups state echo and component frame by frame."""
    series = np.stack([A, B])
    path = make.enhanced(tmp_path / "e.dcm", series, [0, 0], np.zeros((2, 3)))
    echoes = [3.0, 8.0]
    groups = make.dcmread(path).PerFrameFunctionalGroupsSequence
    for group in groups:
        t = group.FrameContentSequence[0].DimensionIndexValues[2] - 1
        group.MREchoSequence = [make.item(EffectiveEchoTime=echoes[t])]
    make.change(path, PerFrameFunctionalGroupsSequence=groups)
    assert len(offered(path)[0]) == 2
    assert np.allclose(quietly(path, "TE 8").voxels, B * 2.5 - 1)


def test_an_enhanced_file_of_magnitude_and_phase_is_its_magnitude(tmp_path, make):
    """Fault E2, siblings."""
    path = make.enhanced(tmp_path / "e.dcm", np.stack([A, B]), [0, 0], np.zeros((2, 3)))
    groups = make.dcmread(path).PerFrameFunctionalGroupsSequence
    for group in groups:
        t = group.FrameContentSequence[0].DimensionIndexValues[2] - 1
        group.MRImageFrameTypeSequence = [make.item(ComplexImageComponent=("PHASE", "MAGNITUDE")[t])]
    make.change(path, PerFrameFunctionalGroupsSequence=groups)
    with pytest.warns(ScanWarning, match="magnitude .*not .*phase"):
        assert np.allclose(read(path).voxels, B * 2.5 - 1)


# --- choosing ---------------------------------------------------------------------------------------------


def named(folder, make, *names):
    for k, name in enumerate(names):
        volume = (A, B, C, D)[k]
        more = {"SeriesDescription": [name] * 6, "SeriesNumber": [3 * k + 2] * 6}
        make.classic(folder, volume, uid=f"1.2.840.{k}.1", **more)


def test_a_series_is_chosen_by_number_name_or_uid(folder, make):
    """Fault E: --series 5, --series "t2 tra", a UID; ambiguous names are refused with the candidates."""
    named(folder, make, "t2 tra", "t2 tra fs", "t1 sag")
    for wanted in ("5", "t2 tra fs", "FS", "1.2.840.1", "1.2.840.1.1"):
        assert np.array_equal(quietly(folder, wanted).voxels, B)
    assert np.array_equal(quietly(folder, "t2 tra").voxels, A)
    assert list(offered(folder, "t2")[0]) == ["2", "5"]
    lines, sentence = offered(folder, "flair")
    assert list(lines) == ["2", "5", "8"]
    assert "no DICOM series that 'flair' names" in sentence


def test_two_series_of_one_number_are_both_meant(folder, make):
    """Fault E, siblings: numbers repeat from study to study."""
    for k, voxels in enumerate((A, B)):
        make.classic(folder, voxels, uid=f"1.2.{k}", SeriesNumber=[5] * 6)
    assert len(offered(folder, "5")[0]) == 2
    assert "5" not in offered(folder)[0]


@pytest.mark.parametrize(
    "beside",
    [
        {"SeriesDescription": ["AAHead_Scout"] * 3},
        {"SeriesDescription": ["3-plane Loc"] * 3},
        {"SeriesDescription": ["Survey"] * 3},
        {"ImageType": [["ORIGINAL", "PRIMARY", "LOCALIZER"]] * 3},
        {"ImageOrientationPatient": [[1.0, 0, 0, 0, 1, 0], [0.0, 1, 0, 0, 0, -1], [1.0, 0, 0, 0, 0, -1]]},
        {"SOPClassUID": ["1.2.840.10008.5.1.4.1.1.7"] * 3},
    ],
)
def test_the_only_volume_beside_localizers_and_pictures_is_taken_and_that_is_said(folder, make, beside):
    """Fault E: the only volumetric one is taken by itself."""
    make.classic(folder, A, uid="1.2.1", SeriesDescription=["t1 mprage"] * 6)
    make.classic(folder, B[:3], uid="1.2.2", **beside)
    with pytest.warns(ScanWarning, match="read is 1, t1 mprage"):
        volume = read(folder)
    assert np.array_equal(volume.voxels, A)


def test_a_screen_capture_without_a_place_is_left_aside(folder, make):
    """Fault E: screen captures say of no place, and are in colour."""
    make.classic(folder, A, uid="1.2.1")
    path = make.classic(folder, B[:1], uid="1.2.2")[0]
    make.change(path, ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None)
    with pytest.warns(ScanWarning, match="without a place in the patient"):
        assert np.array_equal(read(folder).voxels, A)


def test_what_itk_writes_is_parted_too(folder, make):
    """Fault E3, siblings: ITK and Slicer write volumes as Secondary Capture, which are no screen captures."""
    parts(folder, make, A, B, EchoTime=[3.0, 9.0], SOPClassUID=["1.2.840.10008.5.1.4.1.1.7"] * 2)
    assert np.array_equal(quietly(folder, "TE 9").voxels, B)
    for path in folder.glob("0*"):
        path.unlink()
    assert np.array_equal(quietly(folder).voxels, B)


def test_a_series_called_local_something_is_no_localizer(folder, make):
    """Fault E, siblings: words that only begin alike."""
    named(folder, make, "t1 locus coeruleus", "t2 blood pool")
    offered(folder)


def test_slices_of_a_uid_each_are_offered_to_be_joined(folder, make):
    """Fault E9: Canon's one UID a slice."""
    uids = [f"1.2.840.{k}" for k in range(6)]
    make.classic(folder, A, SeriesInstanceUID=uids, SeriesNumber=[4] * 6, SeriesDescription=["t2 tra"] * 6)
    lines, sentence = offered(folder)
    assert "6 DICOM series of one image each, which are alike and can be joined" in sentence
    (number,) = lines
    for wanted in (number, "t2 tra", "joined"):
        assert np.array_equal(quietly(folder, wanted).voxels, A)
    assert np.array_equal(quietly(folder, "1.2.840.2").voxels, A[2:3])


def test_single_images_that_are_not_alike_are_not_joined(folder, make):
    """Fault E9, siblings: a slice each of two echoes."""
    make.classic(folder, A[:2], SeriesInstanceUID=["1.2.1", "1.2.2"], EchoTime=[3.0, 9.0])
    assert len(offered(folder)[0]) == 2


# --- time -------------------------------------------------------------------------------------------------


def over_time(folder, make, series, **more):
    """A series slice by slice; `more` holds a list per tag, a value per volume."""
    count = len(series)
    places = [[0.0, 0.0, 3.0 * (k // count)] for k in range(6 * count)]
    tags = {tag: values * 6 for tag, values in more.items()}
    make.classic(folder, series.swapaxes(0, 1).reshape(-1, 4, 5), ImagePositionPatient=places, **tags)


@pytest.mark.parametrize(
    "times",
    [
        {"AcquisitionTime": ["235958", "235959.5", "000001", "000002.5"]},
        {"AcquisitionTime": ["235958", "235959", "000001", "000002"], "AcquisitionDate": ["20260131"] * 4},
        {
            "AcquisitionTime": ["22", "2330", "000001", "0130"],
            "AcquisitionDate": ["20260131", "20260131", "20260201", "20260201"],
        },
        {"AcquisitionDateTime": ["20251231235958", "20251231235959.25", "20260101000001", "20260101000002.5+0100"]},
        {"AcquisitionTime": ["23:59:58", "23:59:59", "00:00:01", "00:00:02"]},
    ],
)
def test_a_series_that_passes_midnight_stays_in_order(folder, make, times):
    """Fault E4: volumes 3, 4, 1, 2."""
    series = np.stack([A, B, C, D])
    over_time(folder, make, series, **times)
    assert np.array_equal(quietly(folder).voxels, series)


@pytest.mark.parametrize("tag", ["InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier"])
def test_numbers_order_a_series_without_times(folder, make, tag):
    """Fault E4, siblings."""
    series = np.stack([A, B, C, D])
    over_time(folder, make, series, **{tag: [2, 9, 10, 11]})
    assert np.array_equal(quietly(folder).voxels, series)


@pytest.mark.parametrize("count", [2, 4])
def test_temporal_positions_half_a_slice_apart_are_refused(folder, make, count):
    """Fault E5: one stack of twice the slices."""
    for t in range(count):
        places = [[0.0, 0.0, 3.0 * k + 1.5 * (t % 2)] for k in range(6)]
        more = {"TemporalPositionIdentifier": [t + 1] * 6, "ImagePositionPatient": places}
        for path in make.classic(folder / f"{t}", A, **more):
            path.rename(folder / f"{t}-{path.name}")
        (folder / f"{t}").rmdir()
    with pytest.raises(InputError, match=f"{count} temporal positions whose slices lie at different places"):
        read(folder)


def test_slices_nearer_than_the_header_says_are_warned_about(folder, make):
    """Fault E5, siblings: two acquisitions half a slice apart, which no temporal position tells apart."""
    for t in range(2):
        more = {"SpacingBetweenSlices": [3.0] * 6, "AcquisitionNumber": [t] * 6}
        more["ImagePositionPatient"] = [[0.0, 0.0, 3.0 * k + 1.5 * t] for k in range(6)]
        for path in make.classic(folder / f"{t}", A, **more):
            path.rename(folder / f"{t}-{path.name}")
        (folder / f"{t}").rmdir()
    with pytest.warns(ScanWarning, match=r"slices 1\.50 mm apart, and its headers say 3\.00 mm"):
        read(folder)


def test_a_temporal_position_a_slice_is_one_volume(folder, make):
    """Fault E5, siblings: some count slices there."""
    make.classic(folder, A, TemporalPositionIdentifier=list(range(1, 7)))
    assert np.array_equal(quietly(folder).voxels, A)
