"""What the numbers of a DICOM image mean: bits, modality, kind, scale; and along which axis its slices lie."""

import warnings

import nibabel
import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.geometry.grid import stacking_axis

VOXELS = np.random.default_rng(8).integers(0, 2000, (6, 4, 5)).astype(np.int16)


def quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path)


@pytest.fixture
def scan(tmp_path, make):
    """Write a scan whose every file has these elements."""

    def written(voxels=VOXELS, **more):
        for path in make.classic(tmp_path / "scan", voxels):
            make.change(path, **more)
        return tmp_path / "scan"

    return written


# --- bits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [10, 12, 15])
def test_bits_above_the_stored_ones_are_no_part_of_the_voxels(scan, bits):
    """Fault E7: with 12 bits stored and an overlay in bit 15, pydicom 2.4 gave 33485 for 1001."""
    voxels = VOXELS % min(1 << bits, 1 << 14)
    overlaid = (voxels.astype(np.uint16) | np.uint16(1 << 15)).astype(np.uint16).view(np.int16)
    more = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0}
    volume = quietly(scan(overlaid, **more))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.voxels.dtype == np.uint16


@pytest.mark.parametrize("above", [0, 0xF000])
def test_signed_voxels_of_12_bits_keep_their_sign(scan, above):
    """Fault E7: 4095 for -1."""
    signed = VOXELS - 1000
    stored = ((signed.astype(np.uint16) & 0x0FFF) | np.uint16(above)).astype(np.uint16).view(np.int16)
    volume = quietly(scan(stored, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert np.array_equal(volume.voxels, signed)


def test_bits_of_8_and_32_are_read(scan, tmp_path, make):
    """Fault E7, siblings."""
    for path in make.classic(tmp_path / "scan", VOXELS):
        pixels = np.frombuffer(make.dcmread(path).PixelData, "<i2").astype("<u4") | np.uint32(1 << 31)
        more = {"BitsAllocated": 32, "BitsStored": 20, "HighBit": 19, "PixelRepresentation": 0}
        make.change(path, PixelData=pixels.tobytes(), **more)
    assert np.array_equal(quietly(tmp_path / "scan").voxels, VOXELS)


@pytest.mark.parametrize("more", [{"BitsStored": 12, "HighBit": 15}, {"BitsStored": 20, "HighBit": 19}])
def test_bits_that_cannot_be_are_refused(scan, more):
    """Fault E7, siblings: headers that contradict themselves."""
    with pytest.raises(InputError, match="stored bits of 16"):
        read(scan(**more))


# --- what it is -------------------------------------------------------------------------------------------


def test_an_inverted_image_is_warned_about(scan):
    """Fault E6: MONOCHROME1 was read inverted, silently."""
    with pytest.warns(ScanWarning, match="inverted.*MONOCHROME1"):
        read(scan(PhotometricInterpretation="MONOCHROME1"))


@pytest.mark.parametrize("modality", ["CT", "PT", "US"])
def test_another_modality_is_warned_about_and_kept(scan, modality):
    """Fault E10: Modality not MR, silent."""
    with pytest.warns(ScanWarning, match=f"modality is {modality}"):
        assert read(scan(Modality=modality)).header.modality == modality


def test_magnitude_of_mr_is_read_without_a_word(scan):
    """Fault E10: what is as it should be is not warned about."""
    header = quietly(scan()).header
    assert (header.modality, header.kind) == ("MR", "")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["ORIGINAL", "PRIMARY", "P", "ND"], "phase"),
        (["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"], "phase"),
        (["ORIGINAL", "PRIMARY", "R", "ND"], "real part"),
        (["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"], "ADC map"),
        (["DERIVED", "PRIMARY", "ADC_UNSPECIFIED", "ADC", "UNSPECIFIED"], "ADC map"),
        (["DERIVED", "PRIMARY", "DIFFUSION", "FA", "ND"], "FA map"),
        (["DERIVED", "PRIMARY", "M", "T1 MAP"], "T1 map"),
        (["DERIVED", "PRIMARY", "M", "T2_MAP"], "T2 map"),
        (["DERIVED", "PRIMARY", "OTHER", "FAT_FRACTION"], "fat fraction"),
        (["DERIVED", "SECONDARY", "CBF"], "perfusion map"),
    ],
)
def test_what_is_no_magnitude_is_warned_about_and_kept(scan, words, kind):
    """Fault E10: ImageType with P, ADC, FA, silent."""
    with pytest.warns(ScanWarning, match=rf"no magnitude image \({kind}"):
        assert read(scan(ImageType=words)).header.kind == kind


@pytest.mark.parametrize("words", [["T1", "NONE"], ["M_FFE", "M", "FFE"], ["W"], ["DIFFUSION", "TRACEW"], ["MPR"]])
def test_other_words_are_ordinary(scan, words):
    """Fault E10, siblings: words of magnitude images."""
    assert quietly(scan(ImageType=["ORIGINAL", "PRIMARY", *words])).header.kind == ""


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [("0", "0"), ("1", "1e300"), ("1e-300", "0"), ("1e300", "0"), ("2", "-1e12"), ("nan", "0"), ("1", "inf")],
)
def test_scales_that_leave_nothing_are_refused(scan, slope, intercept):
    """Fault E12: voxels of -9e18, or all 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = scan(RescaleSlope=slope, RescaleIntercept=intercept)
    with pytest.raises(InputError, match=r"cannot be scaled|damaged"):
        read(path)


# --- slices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [[1.2, 1.0], [1.0, 1.2], [3.0, 1.5], [1.0, 3.0]])
def test_slices_of_dicom_are_stacked_along_z_whatever_the_voxel_sizes(scan, tmp_path, spacing):
    """Fault E8: pixels of 1.2 x 1.0 mm, slices 1.2 mm apart: slices along another axis. They are 3 mm apart here."""
    volume = quietly(scan(PixelSpacing=spacing))
    assert volume.header.slices == stacking_axis(volume) == 2
    write(volume, tmp_path / "a.nii.gz")
    assert int(nibabel.load(tmp_path / "a.nii.gz").header["dim_info"]) >> 4 == 3


def test_nifti_keeps_the_axis_of_the_slices(tmp_path, make):
    """Fault E8, siblings: in dim_info."""
    make.classic(tmp_path / "scan", VOXELS, gap=1.2, PixelSpacing=[[1.2, 1.0]] * 6)
    write(quietly(tmp_path / "scan"), tmp_path / "a.nii")
    assert stacking_axis(read(tmp_path / "a.nii")) == 2


@pytest.mark.parametrize(
    ("sizes", "stated", "axis"),
    [
        ((1.2, 1.0, 1.2), 3, 2),
        ((1.2, 1.0, 1.2), 0, 1),
        ((1.2, 1.0, 1.2), 1, 0),
        ((1, 1, 1), 2, 1),
        ((0.9, 0.9, 5), 1, 2),
    ],
)
def test_dim_info_says_the_axis_where_it_can_be(tmp_path, sizes, stated, axis):
    """Fault E8, siblings: programs that reorder axes leave dim_info as it was, so thick slices go before it."""
    image = nibabel.Nifti1Image(VOXELS, np.diag([*sizes, 1.0]))
    image.header.set_dim_info(slice=stated - 1 if stated else None)
    nibabel.save(image, tmp_path / "a.nii")
    assert stacking_axis(read(tmp_path / "a.nii")) == axis
