"""A derived series: what it keeps of its source, what is new in it, and that it holds the volume exactly."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pydicom
import pytest
from scanner_exports import BVALS, BVECS, KINDS, OBLIQUE, WEIGHTS, smooth

import SuperResolutionLib as sr
from SuperResolutionLib.files import read
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import read_series
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume

GRIDS = ({"factor": 2}, {"slice_spacing": 1.0}, {"spacing": 1.1}, {"factor": 2, "only": 2})


def headers(folder) -> list[pydicom.Dataset]:
    return [_header(path, path.stat().st_mtime_ns) for path in sorted(folder.iterdir())]


@cache
def _header(path, _changed: int) -> pydicom.Dataset:
    """Read once, for most tests ask for many elements; anew where the file has changed since."""
    return pydicom.dcmread(path)


def values(folder, keyword) -> set[str]:
    return {str(header.get(keyword)) for header in headers(folder)}


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_back_as_the_volume_that_was_written(exported, derive, kind, grid):
    _, volume, out = derive(exported(kind), **grid)
    back = read(out)
    if kind == "enhanced":  # its factors are not 1, and 16 bits round
        assert np.abs(back.voxels - volume.voxels).max() <= np.ptp(volume.voxels) / 60000
    else:
        assert np.array_equal(back.voxels, volume.voxels)
        assert back.voxels.dtype == volume.voxels.dtype
    assert back.bounds() == pytest.approx(volume.bounds(), abs=1e-6)
    assert back.spacing == pytest.approx(volume.spacing, abs=1e-6)
    assert back.thickness == pytest.approx(volume.thickness or volume.spacing[2])
    if volume.gradients is not None:
        assert back.gradients.bvals.tolist() == BVALS
        assert back.gradients.bvecs == pytest.approx(BVECS, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_mr_images_one_file_a_slice_explicit_little_endian_of_16_bits(exported, derive, kind):
    _, volume, out = derive(exported(kind))
    found = headers(out)
    assert len(found) == volume.count * volume.size[2]
    for header in found:
        assert header.SOPClassUID == "1.2.840.10008.5.1.4.1.1.4"
        assert header.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert (header.BitsAllocated, header.BitsStored, header.HighBit) == (16, 16, 15)
        assert "NumberOfFrames" not in header
        assert not any(element.tag.is_private for element in header.iterall())


@pytest.mark.parametrize("kind", KINDS)
def test_patient_study_frame_of_reference_and_physics_are_the_sources(exported, derive, kind):
    source = exported(kind)
    _, _, out = derive(source)
    theirs = headers(source)[0]
    kept = "PatientName PatientID PatientBirthDate PatientSex StudyInstanceUID StudyDate StudyTime StudyID "
    kept += "AccessionNumber FrameOfReferenceUID PatientPosition BodyPartExamined SpecificCharacterSet "
    kept += "ScanningSequence SequenceVariant RepetitionTime EchoTime MagneticFieldStrength WindowCenter WindowWidth"
    for keyword in kept.split():
        assert values(out, keyword) == {str(theirs.get(keyword))}, keyword


def test_its_identifiers_are_its_own_each_time(exported, derive):
    source = exported()
    for name in ("one", "two"):
        derive(source, name)
    found = [header for folder in (source, source.parent / "one", source.parent / "two") for header in headers(folder)]
    assert len({header.SOPInstanceUID for header in found}) == len(found)
    assert len({header.SeriesInstanceUID for header in found}) == 3
    for header in found[5:]:
        assert header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID
        assert header.SeriesInstanceUID.startswith("2.25.")
        assert len(header.SeriesInstanceUID) <= 64


def test_it_is_numbered_and_named_after_its_source(exported, derive):
    _, _, out = derive(exported())
    assert values(out, "SeriesNumber") == {"401"}
    assert values(out, "SeriesDescription") == {"t2 tra SR x2"}
    ordered = sorted(headers(out), key=lambda header: np.dot(OBLIQUE[:, 2], header.ImagePositionPatient))
    assert [header.InstanceNumber for header in ordered] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("grid", "said"), [({"slice_spacing": 1.0}, "1.5x2x1 mm"), ({"spacing": 1.1}, "mm")])
def test_a_long_name_is_cut_and_still_says_what_was_done(exported, derive, grid, said):
    _, _, out = derive(exported(SeriesDescription="x" * 64), **grid)
    (name,) = values(out, "SeriesDescription")
    assert len(name) <= 64
    assert name.startswith("xxxx")
    assert f" SR {said}" in name or name.endswith(said)


def test_what_slicer_splits_a_series_by_is_the_same_in_all_files(exported, derive):
    """Modules/Scripted/DICOMPlugins/DICOMScalarVolumePlugin.py, subseriesTags, of Slicer 4.5 to 5.12."""
    source = exported()
    for k, path in enumerate(sorted(source.iterdir())):
        header = pydicom.dcmread(path)
        header.ContentTime, header.TriggerTime, header.AcquisitionNumber = f"10111{k}", 100 * k, k + 1
        header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        header.save_as(path)
    _, _, out = derive(source)
    split_by = "SeriesInstanceUID AcquisitionNumber ImageType ImageOrientationPatient DiffusionGradientOrientation "
    split_by += "ContentTime TriggerTime"
    for keyword in split_by.split():
        assert len(values(out, keyword)) == 1, keyword


@pytest.mark.parametrize("kind", ["mosaic", "enhanced"])
def test_a_diffusion_series_is_split_by_nothing_but_its_directions(exported, derive, kind):
    _, _, out = derive(exported(kind))
    for keyword in ("SeriesInstanceUID", "AcquisitionNumber", "ImageType", "ImageOrientationPatient", "ContentTime"):
        assert len(values(out, keyword)) == 1, keyword
    assert [header.InstanceNumber for header in headers(out)] == list(range(1, 16))
    assert [header.DiffusionBValue for header in headers(out)] == np.repeat(BVALS, 5).tolist()
    assert headers(out)[0].DiffusionDirectionality == "NONE"
    assert "DiffusionGradientOrientation" not in headers(out)[0]


def test_a_small_b_value_without_a_direction_is_no_trace_image(exported, derive):
    """dcm2niix takes a volume with a b-value above 0 and no direction out of the series."""
    series = read_series(exported("mosaic"))
    gradients = replace(series.volume.gradients, bvals=np.array([1.25, 1000, 700]))
    _, _, out = derive(series_folder(series), volume=replace(series.volume, gradients=gradients))
    assert headers(out)[0].DiffusionBValue == 0


def series_folder(series):
    return series.volumes[0][0].image.source.path.parent


def test_it_says_that_and_how_and_by_what_it_was_derived(exported, derive):
    _, _, out = derive(exported())
    for header in headers(out):
        assert list(header.ImageType) == ["DERIVED", "SECONDARY", "OTHER"]
        assert (header.ContentQualification, header.BurnedInAnnotation) == ("RESEARCH", "NO")
        assert coded(header.DerivationCodeSequence) == [("113085", "DCM", "Spatial resampling")]
        for words in ("1.5 x 2 x 4 mm made 0.75 x 1 x 4 mm", "mri-x2", sr.__version__, "Research use only"):
            assert words in header.DerivationDescription
        scanner, ours = header.ContributingEquipmentSequence
        assert coded(scanner.PurposeOfReferenceCodeSequence) == [("109101", "DCM", "Acquisition Equipment")]
        assert (scanner.Manufacturer, scanner.ManufacturerModelName) == ("GE MEDICAL SYSTEMS", "SIGNA")
        assert coded(ours.PurposeOfReferenceCodeSequence) == [("109102", "DCM", "Processing Equipment")]
        assert (ours.ManufacturerModelName, ours.SoftwareVersions) == ("mri-x2", sr.__version__)
        assert WEIGHTS in ours.ContributionDescription
        assert header.Manufacturer == ours.Manufacturer  # so that nobody takes our directions for GE's


def coded(sequence) -> list[tuple[str, str, str]]:
    return [(item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning) for item in sequence]


@pytest.mark.parametrize(("grid", "counts"), [({"factor": 2}, {1}), ({"slice_spacing": 1.0}, {1, 2})])
def test_each_slice_names_the_slices_that_it_was_made_of(exported, derive, grid, counts):
    source = exported()
    _, _, out = derive(source, **grid)
    places = {header.SOPInstanceUID: np.array(header.ImagePositionPatient) for header in headers(source)}
    found = headers(out)
    assert {len(header.SourceImageSequence) for header in found} == counts
    for header in found:
        centre = np.array(header.ImagePositionPatient) @ OBLIQUE[:, 2]
        for item in header.SourceImageSequence:
            assert abs(places[item.ReferencedSOPInstanceUID] @ OBLIQUE[:, 2] - centre) < 4
            assert coded(item.PurposeOfReferenceCodeSequence)[0][0] == "121322"
    assert {item.ReferencedSOPInstanceUID for header in found for item in header.SourceImageSequence} == set(places)


def test_frames_of_an_enhanced_file_are_named_by_their_numbers(exported, derive):
    source = exported("enhanced")
    _, _, out = derive(source)
    numbers = [header.SourceImageSequence[0].ReferencedFrameNumber for header in headers(out)]
    assert sorted(numbers) == list(range(1, 16))
    groups = pydicom.dcmread(source / "e.dcm").PerFrameFunctionalGroupsSequence
    for header, number in zip(headers(out), numbers, strict=True):
        assert groups[number - 1].MRDiffusionSequence[0].DiffusionBValue == header.DiffusionBValue


def test_an_enhanced_frame_is_told_in_the_words_of_a_classic_image(exported, derive, make):
    more = {"ScanningSequence": None, "SequenceVariant": None, "ScanOptions": None, "EchoTime": None}
    source = exported(
        "enhanced",
        **more,
        EchoPulseSequence="SPIN",
        EchoPlanarPulseSequence="YES",
        SegmentedKSpaceTraversal="PARTIAL",
        SpectrallySelectedSuppression="FAT",
        PulseSequenceName="ep2d",
        ResonantNucleus="1H",
        AcquisitionDateTime="20250102101112.5",
    )
    header = pydicom.dcmread(source / "e.dcm")
    shared = header.SharedFunctionalGroupsSequence[0]
    shared.MRTimingAndRelatedParametersSequence = [make.item(FlipAngle=78, RepetitionTime=3516)]
    shared.MREchoSequence = [make.item(EffectiveEchoTime=68.5)]
    shared.MRModifierSequence = [make.item(InversionRecovery="YES", InversionTimes=[900.0], PartialFourier="YES")]
    shared.MRFOVGeometrySequence = [
        make.item(
            InPlanePhaseEncodingDirection="COLUMN",
            MRAcquisitionFrequencyEncodingSteps=72,
            MRAcquisitionPhaseEncodingStepsInPlane=64,
        )
    ]
    del header.RepetitionTime
    header.save_as(source / "e.dcm")
    _, _, out = derive(source)
    first = headers(out)[0]
    assert (list(first.ScanningSequence), first.SequenceVariant) == (["EP", "SE", "IR"], "SK")
    assert list(first.ScanOptions) == ["FS", "PFP"]
    assert (first.EchoTime, first.RepetitionTime, first.InversionTime, first.FlipAngle) == (68.5, 3516, 900, 78)
    assert (first.SequenceName, first.ImagedNucleus, first.InPlanePhaseEncodingDirection) == ("ep2d", "1H", "COL")
    assert list(first.AcquisitionMatrix) == [72, 0, 0, 64]
    assert (first.AcquisitionDate, first.AcquisitionTime) == ("20250102", "101112.5")


def test_each_slice_is_shown_as_its_source_is(exported, derive):
    source = exported()
    for header, path in zip(headers(source), sorted(source.iterdir()), strict=True):
        header.WindowCenter = [100 + header.InstanceNumber, 50]
        header.WindowWidth = [200, 99]
        header.save_as(path)
    _, _, out = derive(source)
    assert [list(header.WindowCenter) for header in headers(out)] == [[105 - k, 50] for k in range(5)]


def test_integers_are_stored_as_they_are_without_a_factor(exported, derive):
    _, volume, out = derive(exported())
    assert {"RescaleSlope" in header for header in headers(out)} == {False}
    assert {header.PixelRepresentation for header in headers(out)} == {1}
    stored = [np.frombuffer(header.PixelData, "<i2").reshape(12, 14) for header in headers(out)]
    assert np.array_equal(stored, volume.voxels)


@pytest.mark.parametrize("slope", [0.01, 50])
def test_a_scan_with_a_factor_keeps_its_unit_and_loses_less_than_16_bits_do(exported, derive, slope):
    _, volume, out = derive(exported(RescaleSlope=slope, RescaleIntercept=0, RescaleType="normalized"))
    assert np.abs(read(out).voxels - volume.voxels).max() <= np.ptp(volume.voxels) / 120000
    assert values(out, "RescaleType") == {"normalized"}


@pytest.mark.parametrize(("factor", "step"), [(1.0, 0.5), (0.001, 0.00005)])
def test_fractions_of_a_scan_without_a_factor_are_rounded_only_where_little_is_lost(exported, derive, factor, step):
    series = read_series(exported())
    shifted = series.volume.with_voxels(((series.volume.voxels - 200.25) * factor * 2).astype(np.float32))
    _, _, out = derive(series_folder(series), volume=shifted)
    assert {"RescaleSlope" in header for header in headers(out)} == {factor != 1}
    assert np.abs(read(out).voxels - shifted.voxels).max() <= step


def test_places_have_16_characters_and_lose_nothing(exported, derive):
    _, volume, out = derive(exported(), slice_spacing=0.7)
    for header in headers(out):
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            assert all(len(str(value.original_string)) <= 16 for value in header[keyword].value)
    last = headers(out)[-1]
    end = np.asarray(volume.origin) + (volume.size[2] - 1) * volume.spacing[2] * volume.direction[:, 2]
    assert list(last.ImagePositionPatient) == pytest.approx(end, abs=1e-9)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 126", "Διονυσιος"),
        ("ISO_IR 192", "山田^太郎"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_that_are_not_ascii_come_back(exported, derive, charset, name):
    _, _, out = derive(exported(SpecificCharacterSet=charset, PatientName=name, SeriesDescription="ab"))
    assert values(out, "PatientName") == {name}


def test_a_series_description_that_is_not_ascii_comes_back(exported, derive):
    _, _, out = derive(exported(SpecificCharacterSet="ISO_IR 192", SeriesDescription="頭部 t2"))
    assert values(out, "SeriesDescription") == {"頭部 t2 SR x2"}


def test_what_must_be_there_is_written_empty_and_what_is_malformed_left_out(exported, derive):
    source = exported(PatientSex=None, AccessionNumber=None, StudyID=None)
    for path in source.iterdir():
        header = pydicom.dcmread(path)
        for keyword, value in (("StudyDate", "***"), ("PatientBirthDate", "***"), ("PatientAge", "***")):
            with pydicom.config.disable_value_validation():
                setattr(header, keyword, value)
                header.BodyPartExamined = "Head"
        header.save_as(path)
    _, _, out = derive(source)
    for header in headers(out):
        for keyword in ("PatientSex", "AccessionNumber", "StudyID", "StudyDate", "PatientBirthDate"):
            assert header[keyword].is_empty
        assert "PatientAge" not in header
        assert header.BodyPartExamined == "HEAD"


def test_nothing_private_and_no_names_beside_the_needed_ones_are_kept(exported, derive, make):
    source = exported(
        OperatorsName="Nosy^Ned",
        PerformingPhysicianName="Nosy^Ned",
        PatientComments="Ned",
        ImageComments="Ned",
        OtherPatientNames="Ned",
        InstitutionAddress="Ned Street",
    )
    for path in source.iterdir():
        make.change_private(path, 0x19, "SIEMENS MR HEADER", {0x20: ("LO", "Ned")})
    _, _, out = derive(source)
    assert all(b"Ned" not in path.read_bytes() for path in out.iterdir())


def test_what_was_done_to_identities_and_pixels_before_is_kept(exported, derive):
    said = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "ours", "LossyImageCompression": "01"}
    said |= {
        "LossyImageCompressionRatio": 8.5,
        "LossyImageCompressionMethod": "ISO_10918_1",
        "BurnedInAnnotation": "YES",
    }
    _, _, out = derive(exported(**said))
    for keyword, value in said.items():
        assert values(out, keyword) == {str(value)}


def test_a_series_derived_from_a_derived_one_names_the_scanner_once(exported, derive):
    _, _, once = derive(exported(), "once")
    _, _, twice = derive(once, "twice")
    items = headers(twice)[0].ContributingEquipmentSequence
    purposes = [coded(item.PurposeOfReferenceCodeSequence)[0][0] for item in items]
    assert purposes == ["109101", "109102", "109102"]
    assert values(twice, "SeriesNumber") == {"40101"}


def test_an_image_that_a_converter_turned_lies_as_its_source_again(exported, derive):
    """As dcm2niix and FreeSurfer store them: rows from below, axes in another order."""
    series = read_series(exported())
    fine = sr.upsample(series.volume, "linear", 2)
    x, y, z = (fine.direction[:, axis] for axis in range(3))
    dx, dy, dz = fine.spacing
    turned = Volume(
        fine.voxels.transpose(1, 0, 2)[::-1, :, ::-1],
        (dx, dz, dy),
        tuple(np.asarray(fine.origin) + (fine.size[0] - 1) * dx * x + (fine.size[1] - 1) * dy * y),
        np.stack([-x, z, -y], axis=1),
    )
    _, _, out = derive(series_folder(series), volume=turned)
    back = read(out)
    assert np.array_equal(back.voxels, fine.voxels)
    assert back.bounds() == pytest.approx(fine.bounds(), abs=1e-6)


@pytest.mark.parametrize(("grid", "thickness"), [({"factor": 2}, 3), ({"slice_spacing": 1.0}, 1)])
def test_slices_of_which_nobody_says_how_thick_they_are_have_the_sources_thickness_or_touch(
    exported, derive, grid, thickness
):
    source = exported(SliceThickness=3)
    volume = sr.upsample(read(source), "linear", sampling=sr.Sampling(**grid))
    _, _, out = derive(source, volume=replace(volume, header=Header()))
    assert {float(header.SliceThickness) for header in headers(out)} == {thickness}


def test_the_sidecar_lies_beside_a_folder_of_nothing_but_dicom(exported, tmp_path):
    series = read_series(exported())
    write_series(series.volume, series, tmp_path / "out", Derivation(method="nearest"), {"input": "dicom"})
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".dcm"}
    assert (tmp_path / "out.json").read_text() == '{\n  "input": "dicom"\n}\n'


def test_the_same_pixels_are_never_written_twice_differently(exported, derive):
    """Two series of one volume differ in their identifiers and times only."""
    source = exported()
    digests = []
    for name in ("one", "two"):
        _, _, out = derive(source, name)
        digests.append([hashlib.sha256(header.PixelData).hexdigest() for header in headers(out)])
    assert digests[0] == digests[1]


def test_the_makers_shape_tells_every_flip():
    voxels = smooth(1)[0]
    assert not any(np.array_equal(voxels, np.flip(voxels, axis)) for axis in range(3))
