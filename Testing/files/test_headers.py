"""What a header holds beside the grid comes back with the result. Faults C."""

import warnings

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from SuperResolutionLib.files import EXTENSIONS, ScanWarning, read, write
from SuperResolutionLib.geometry.grid import single_slice
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume

VOXELS = np.random.default_rng(1).integers(0, 900, (8, 6, 5, 3)).astype(np.int16)  # x, y, z, t


def save(path, voxels=VOXELS, step=2.5, units=("mm", "sec"), kind=nibabel.Nifti1Image, **fields):
    image = kind(voxels, np.diag([2.0, 2, 3, 1]))
    if voxels.ndim == 4:
        image.header.set_zooms((2, 2, 3, step))
    image.header.set_xyzt_units(*units)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def again(path, folder, change=lambda volume: volume):
    """The header of what is written after a scan was read and changed."""
    write(change(read(path)), folder / "again.nii.gz", overwrite=True)
    return nibabel.load(folder / "again.nii.gz").header


def finer(volume):
    result = Sampling(factors=(2, 2, 1)).finer(volume).empty(volume, np.int16)
    result.voxels[:] = 0
    return result


@pytest.mark.parametrize(("step", "unit", "seconds"), [(2.5, "sec", 2.5), (2500, "msec", 2.5), (720000, "usec", 0.72)])
def test_the_repetition_time_comes_back(tmp_path, step, unit, seconds):
    """Fault C1: a TR of 2.5 s became pixdim[4] = 1.0 s; siblings: milli- and microseconds."""
    path = save(tmp_path / "a.nii.gz", step=step, units=("mm", unit), toffset=step)
    header = again(path, tmp_path, finer)
    assert read(path).header.time_step == pytest.approx(seconds)
    assert header.get_zooms() == pytest.approx((1, 1, 3, seconds))
    assert header.get_xyzt_units() == ("mm", "sec")
    assert header["toffset"] == pytest.approx(seconds)


def test_an_unknown_repetition_time_is_0(tmp_path):
    """Fault C1: 0 where unknown."""
    assert again(save(tmp_path / "a.nii", step=0), tmp_path)["pixdim"][4] == 0
    write(Volume(np.zeros((3, 4, 5, 6), np.float32)), tmp_path / "b.nii")
    assert nibabel.load(tmp_path / "b.nii").header["pixdim"][4] == 0


@pytest.mark.parametrize("unit", ["hz", "ppm", "rads"])
def test_a_fourth_axis_that_is_no_time_keeps_its_unit(tmp_path, unit):
    """Sibling of C1: spectra count in hertz."""
    header = again(save(tmp_path / "a.nii", step=0.125, units=("mm", unit)), tmp_path)
    assert header.get_zooms()[3] == 0.125
    assert header.get_xyzt_units() == ("mm", unit)


@pytest.mark.parametrize(("milliseconds", "seconds"), [("5000", 5.0), ("2500.5", 2.5005), ("0", 0), (None, 0)])
def test_the_repetition_time_of_a_dicom_series_comes_out(tmp_path, make, milliseconds, seconds):
    """Fault C1: a DICOM series of 5 s came out with 1 s."""
    for t in range(2):
        more = {"TemporalPositionIdentifier": [t + 1] * 3}
        for k, path in enumerate(make.classic(tmp_path / f"{t}", np.ones((3, 4, 5), np.int16) * t, **more)):
            if milliseconds is not None:
                make.change(path, RepetitionTime=milliseconds)
            (tmp_path / "scan").mkdir(exist_ok=True)
            path.rename(tmp_path / "scan" / f"{t}-{k}.dcm")
    write(read(tmp_path / "scan"), tmp_path / "b.nii")
    assert nibabel.load(tmp_path / "b.nii").header["pixdim"][4] == pytest.approx(seconds)


def test_the_repetition_time_of_an_enhanced_file_comes_out(tmp_path, make):
    """Fault C1, siblings: enhanced DICOM states it in a functional group of its own."""
    path = make.enhanced(tmp_path / "e.dcm", np.ones((2, 3, 4, 5)), [0, 1000], np.eye(3)[:2])
    groups = make.dcmread(path).SharedFunctionalGroupsSequence
    groups[0].MRTimingAndRelatedParametersSequence = [make.item(RepetitionTime=3200.0)]
    make.change(path, SharedFunctionalGroupsSequence=groups)
    assert read(path).header.time_step == 3.2


WORDS = {"descrip": b"FSL5.0", "aux_file": b"none", "intent_name": b"T2 map", "intent_code": 3, "intent_p1": 12.0}
WORDS |= {"dim_info": 57, "cal_min": 3.0, "cal_max": 4000.0, "slice_code": 3, "slice_end": 4, "slice_duration": 0.05}


def test_words_and_numbers_of_the_header_come_back(tmp_path):
    """Fault C2: descrip, intent_name, toffset, dim_info, cal_min and cal_max were lost; siblings: intent, timing."""
    header = again(save(tmp_path / "a.nii.gz", **WORDS), tmp_path, finer)
    assert {name: header[name].item() for name in WORDS} == {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in WORDS.items()
    }


def test_slice_timing_goes_where_the_slices_have_gone(tmp_path):
    """Fault C2: what is said of five slices does not hold for one."""
    path = save(tmp_path / "a.nii.gz", **WORDS)
    header = again(path, tmp_path, lambda volume: single_slice(volume, 2, 1))
    assert (header["slice_code"], header["slice_end"], header["slice_duration"]) == (0, 0, 0)


def test_letters_that_are_no_ascii_come_back(tmp_path):
    """Sibling of C2: bytes of any encoding."""
    name = "Schädel, Größe".encode()
    assert again(save(tmp_path / "a.nii", descrip=name), tmp_path)["descrip"].item() == name


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_header_extensions_come_back(tmp_path, kind):
    """Fault C2: extensions were lost."""
    image = kind(VOXELS, np.diag([2.0, 2, 3, 1]))
    contents = [(6, b"a comment of eleven words"), (4, b"<AFNI_attributes/>"), (44, b"\0\1\2")]
    for code, content in contents:
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, content))
    nibabel.save(image, tmp_path / "a.nii")
    found = again(tmp_path / "a.nii", tmp_path, finer).extensions
    assert [(one.get_code(), one.content.rstrip(b"\0")) for one in found] == contents
    assert np.array_equal(read(tmp_path / "again.nii.gz").voxels, np.zeros((3, 5, 12, 16)))


@pytest.mark.parametrize("order", "<>")
def test_extensions_in_either_byte_order_come_back(tmp_path, order):
    image = nibabel.Nifti1Image(VOXELS, np.eye(4), nibabel.Nifti1Header(endianness=order))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"comment"))
    nibabel.save(image, tmp_path / "a.nii")
    (one,) = again(tmp_path / "a.nii", tmp_path).extensions
    assert (one.get_code(), one.content.rstrip(b"\0")) == (6, b"comment")


def test_a_damaged_extension_is_left_out_and_the_voxels_are_not(tmp_path):
    image = nibabel.Nifti1Image(VOXELS, np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"comment"))
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[352:356] = (2**30).to_bytes(4, "little")
    (tmp_path / "a.nii").write_bytes(content)
    volume = read(tmp_path / "a.nii")
    assert volume.header.extensions == ()
    assert np.array_equal(volume.voxels, VOXELS.T)


def test_a_fourth_axis_of_one_stays_on_disk(tmp_path):
    """Fault C3: 64 x 64 x 4 x 1 became 3-D."""
    path = save(tmp_path / "a.nii.gz", VOXELS[..., :1])
    assert read(path).voxels.shape == (5, 6, 8)
    header = again(path, tmp_path, finer)
    assert header.get_data_shape() == (16, 12, 5, 1)
    assert header.get_zooms() == (1, 1, 3, 2.5)


def test_a_map_keeps_the_place_and_drops_what_is_said_of_intensities(tmp_path):
    about = read(save(tmp_path / "a.nii.gz", **WORDS)).header.of_a_map()
    assert about.forms is not None
    assert about.description == "FSL5.0"
    assert (about.shown, about.intent[2], about.time_step) == ((0, 0), "", None)


def test_a_map_with_as_many_volumes_as_the_scan_keeps_its_axis_of_time(tmp_path):
    about = read(save(tmp_path / "a.nii.gz", **WORDS)).header.of_a_map(series=True)
    assert (about.shown, about.intent[2], about.time_step) == ((0, 0), "", 2.5)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_format_keeps_the_axis_that_slices_were_acquired_along(tmp_path, extension, axis):
    """Beside fault E: pixels 1.2 mm and slices 1.2 mm apart tell no axis, and DICOM knows it."""
    scan = Volume(VOXELS[..., 0].T.copy(), (1.0, 1.0, 1.0), header=Header(slices=axis))
    write(scan, tmp_path / f"a{extension}")
    assert read(tmp_path / f"a{extension}").header.slices == axis


@pytest.mark.parametrize("extension", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_nrrd_and_meta_image_keep_the_thickness_of_the_slices(tmp_path, extension):
    scan = Volume(VOXELS[..., 0].T.copy(), (1.0, 1.0, 3.0)).with_thickness(2.5)
    write(scan, tmp_path / f"a{extension}")
    assert read(tmp_path / f"a{extension}").thickness == 2.5


@pytest.mark.parametrize("stated", ["x NaN 3", "3", "NaN 2 3", "NaN NaN 1e9"])
def test_thicknesses_that_make_no_sense_are_as_good_as_none(tmp_path, stated):
    write(Volume(VOXELS[..., 0].T.copy(), (1.0, 1.0, 3.0)), tmp_path / "a.nhdr")
    text = (tmp_path / "a.nhdr").read_text()
    (tmp_path / "a.nhdr").write_text(text.replace("endian:", f"thicknesses: {stated}\nendian:"))
    assert read(tmp_path / "a.nhdr").thickness is None


@pytest.mark.parametrize(
    ("unit", "size"), [("um", 1000.0), ("\u00b5m", 1000.0), ("cm", 0.1), ("m", 0.001), ("mm", 1.0)]
)
def test_nrrd_in_other_units_becomes_millimetres(tmp_path, volume, unit, size):
    """Fault C4: `space units` um was read as mm."""
    write(volume, tmp_path / "a.nhdr")
    text = (tmp_path / "a.nhdr").read_text()
    lines = []
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        if name in ("space directions", "space origin"):
            vectors = [np.array([float(n) for n in v.strip("()").split(",")]) * size for v in value.split()]
            value = " ".join("(" + ",".join(map(repr, v.tolist())) + ")" for v in vectors)
            line = f"{name}: {value}"
        lines.append(line)
    lines.insert(4, f'space units: "{unit}" "{unit}" "{unit}"')
    (tmp_path / "a.nhdr").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        back = read(tmp_path / "a.nhdr")
    assert [str(one.message) for one in said if issubclass(one.category, ScanWarning)] == (
        [] if unit == "mm" else [f'a.nhdr states its sizes in "{unit}" "{unit}" "{unit}"; they were converted to mm.']
    )
    assert back.bounds() == pytest.approx(volume.bounds(), abs=1e-6)


@pytest.mark.parametrize("extension", [".mha", ".mhd", ".nrrd", ".nhdr"])
def test_a_series_keeps_its_time_through_other_formats(tmp_path, extension):
    """Sibling of C1."""
    write(read(save(tmp_path / "a.nii")), tmp_path / f"b{extension}")
    assert again(tmp_path / f"b{extension}", tmp_path).get_zooms()[3] == 2.5


@pytest.mark.parametrize(("unit", "size"), [("um", 0.001), ("cm", 10.0), ("mm", 1.0), ("?", 1.0)])
def test_a_metaimage_in_other_units_becomes_millimetres(tmp_path, unit, size):
    """Sibling of C4: ITK reads every DistanceUnits as mm."""
    write(Volume(VOXELS.T[0], (2, 3, 4), (5, 6, 7)), tmp_path / "a.mha")
    content = (tmp_path / "a.mha").read_bytes().replace(b"NDims = 3\n", f"NDims = 3\nDistanceUnits = {unit}\n".encode())
    (tmp_path / "a.mha").write_bytes(content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        back = read(tmp_path / "a.mha")
    assert len(said) == (size != 1)
    assert back.spacing == pytest.approx((2 * size, 3 * size, 4 * size))
    assert back.origin == pytest.approx((5 * size, 6 * size, 7 * size))


def test_the_time_of_a_metaimage_is_its_fourth_spacing(tmp_path):
    write(read(save(tmp_path / "a.nii")), tmp_path / "b.mha")
    assert sitk.ReadImage(str(tmp_path / "b.mha")).GetSpacing() == pytest.approx((2, 2, 3, 2.5))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
@pytest.mark.parametrize("order", "<>")
def test_nifti_1_and_2_are_read_in_either_byte_order(tmp_path, kind, extension, order):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(np.int16).newbyteorder(order))
    nibabel.save(kind(VOXELS, np.diag([2.0, 2, 3, 1]), header), tmp_path / f"a{extension}")
    volume = read(tmp_path / f"a{extension}")
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, VOXELS.T)
    assert volume.spacing == (2, 2, 3)


def test_an_axis_too_long_for_nifti_1_is_written_as_nifti_2(tmp_path):
    write(Volume(np.zeros((1, 1, 40000), np.uint8)), tmp_path / "a.nii")
    assert isinstance(nibabel.load(tmp_path / "a.nii"), nibabel.Nifti2Image)
    assert read(tmp_path / "a.nii").size == (40000, 1, 1)


def test_a_header_that_knows_nothing_says_nothing(tmp_path):
    write(Volume(np.zeros((3, 4, 5), np.uint8), header=Header()), tmp_path / "a.nii")
    header = nibabel.load(tmp_path / "a.nii").header
    assert (header["descrip"].item(), header["sform_code"], header.get_data_shape()) == (b"", 1, (5, 4, 3))
