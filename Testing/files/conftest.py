"""Small real files for the tests of reading and writing: volumes, and DICOM objects made with pydicom."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from SuperResolutionLib.volume import Gradients, Volume

AXIAL = [1.0, 0, 0, 0, 1, 0]
SAGITTAL = [0.0, 1, 0, 0, 0, -1]
# How a whole file is asked for: pydicom 2.4, which Slicer 5.10 bundles, has another word for it.
WHOLE = {"enforce_file_format": True} if int(pydicom.__version__[0]) > 2 else {"write_like_original": False}


def rotation(seed: int, left_handed: bool = False) -> np.ndarray:
    """A random (3, 3) rotation; left-handed: with its first axis reversed."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if left_handed else 1)
    return axes


@pytest.fixture
def volume():
    voxels = np.random.default_rng(1).integers(-500, 3000, (5, 6, 7)).astype(np.int16)
    return Volume(voxels, (0.9, 1.1, 2.5), (-31.25, 17.5, 123.456789), rotation(3))


@pytest.fixture
def series():
    return diffusion_series(rotation(4, left_handed=True))


def diffusion_series(direction: np.ndarray, count: int = 7) -> Volume:
    """A series with gradients: b 0, then shells of 1000 and 700."""
    random = np.random.default_rng(2)
    bvecs = random.normal(size=(count, 3))
    bvecs /= np.linalg.norm(bvecs, axis=1)[:, None]
    bvecs[0] = 0
    bvals = np.where(np.arange(count) % 2, 1000.0, 700.0)
    bvals[0] = 0
    voxels = random.integers(0, 900, (count, 3, 4, 5)).astype(np.uint16)
    return Volume(voxels, (2, 2, 3), (10, -20, 5), direction, Gradients(bvals, bvecs))


def header(sop_class: str, uid: str, shape: tuple[int, int]) -> FileDataset:
    """The part that all image objects share."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.SeriesInstanceUID, dataset.SeriesDescription, dataset.Modality = uid, f"scan {uid[-1]}", "MR"
    if "write_like_original" in WHOLE:
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    return dataset


def classic(
    folder: Path,
    voxels: np.ndarray,
    uid: str = "1.2.3.1",
    axes: list[float] = AXIAL,
    gap: float = 3.0,
    **more,
) -> list[Path]:
    """One file per slice (z, y, x), named out of order; `more` holds a list per tag, a value per slice."""
    folder.mkdir(exist_ok=True)
    normal = np.cross(axes[:3], axes[3:])
    paths = []
    for k, pixels in enumerate(voxels):
        dataset = header(MRImageStorage, uid, pixels.shape)
        dataset.ImageOrientationPatient, dataset.PixelSpacing = axes, [2, 1.5]
        dataset.ImagePositionPatient = [float(n) for n in np.array([10, 20, 30]) + normal * k * gap]
        dataset.SliceThickness, dataset.InstanceNumber = 9, len(voxels) - k
        for tag, values in more.items():
            setattr(dataset, tag, values[k])
        dataset.PixelData = pixels.astype("<i2").tobytes()
        paths.append(folder / f"{uid}-{(k * 7) % 100:03d}.dcm")
        dataset.save_as(paths[-1], **WHOLE)
    return paths


def item(**tags) -> Dataset:
    dataset = Dataset()
    for tag, value in tags.items():
        setattr(dataset, tag, [value] if isinstance(value, Dataset) else value)
    return dataset


def enhanced(path: Path, voxels: np.ndarray, bvals: list[float], bvecs: np.ndarray) -> Path:
    """One multi-frame file of a series (t, z, y, x), its frames in a mixed order."""
    count, slices = voxels.shape[:2]
    frames = [(t, z) for z in range(slices) for t in range(count)]
    np.random.default_rng(0).shuffle(frames)
    dataset = header(EnhancedMRImageStorage, "1.2.3.9", voxels.shape[-2:])
    dataset.NumberOfFrames, dataset.InstanceNumber = len(frames), 1
    pointers = [0x00209056, 0x00209057, 0x00189087]
    dataset.DimensionIndexSequence = [item(DimensionIndexPointer=pointer) for pointer in pointers]
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=item(PixelSpacing=[2, 1.5], SliceThickness=9),
            PlaneOrientationSequence=item(ImageOrientationPatient=SAGITTAL),
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [_groups(t, z, bvals[t], bvecs[t]) for t, z in frames]
    dataset.PixelData = np.stack([voxels[t, z] for t, z in frames]).astype("<i2").tobytes()
    dataset.save_as(path, **WHOLE)
    return path


def _groups(t: int, z: int, bval: float, bvec: np.ndarray) -> Dataset:
    normal = np.cross(SAGITTAL[:3], SAGITTAL[3:])
    weighting = item(DiffusionBValue=bval, DiffusionDirectionality="DIRECTIONAL" if bval else "NONE")
    if bval:
        weighting.DiffusionGradientDirectionSequence = [item(DiffusionGradientOrientation=bvec.tolist())]
    return item(
        FrameContentSequence=item(DimensionIndexValues=[1, z + 1, t + 1]),
        PlanePositionSequence=item(ImagePositionPatient=[float(n) for n in normal * 4 * z]),
        MRDiffusionSequence=weighting,
        PixelValueTransformationSequence=item(RescaleSlope=2.5, RescaleIntercept=-1),
    )


def csa(**fields: tuple[str, list[str]]) -> bytes:
    """A Siemens CSA2 header of fields NAME=(VR, values), as the scanners lay it out."""
    content = b"SV10\4\3\2\1" + struct.pack("<2I", len(fields), 77)
    for name, (vr, values) in fields.items():
        content += struct.pack("<64si4s3i", name.encode(), len(values), vr.encode(), 0, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4)
    return content


def mosaic(
    folder: Path,
    series: np.ndarray,
    normal: np.ndarray,
    axes: list[float] = AXIAL,
    origin: tuple[float, float, float] = (10.0, 20.0, 30.0),
    fields: list[dict] | None = None,
) -> list[Path]:
    """A Siemens mosaic per volume of a series (t, z, y, x), voxels of 1.5 x 2 x 3 mm; `fields`: more CSA per volume."""
    folder.mkdir(exist_ok=True)
    count, rows, columns = series.shape[1:]
    across = int(np.ceil(np.sqrt(count)))
    row, column = np.array(axes[:3]), np.array(axes[3:])
    corner = np.array(origin) - (across - 1) / 2 * (columns * 1.5 * row + rows * 2 * column)
    paths = []
    for t, volume in enumerate(series):
        pixels = np.zeros((across * rows, across * columns), "<i2")
        for k, tile in enumerate(volume):
            y, x = divmod(k, across)
            pixels[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns] = tile
        dataset = header(MRImageStorage, "1.2.3.5", pixels.shape)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND", "MOSAIC"]
        dataset.ImageOrientationPatient, dataset.PixelSpacing = axes, [2, 1.5]
        dataset.ImagePositionPatient = [float(n) for n in corner]
        dataset.SpacingBetweenSlices, dataset.InstanceNumber, dataset.AcquisitionNumber = 3, t + 1, t + 1
        layout = {
            "NumberOfImagesInMosaic": ("US", [str(count)]),
            "SliceNormalVector": ("FD", [f"{n:.8f}" for n in normal]),
        }
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa(**layout, **(fields[t] if fields else {})))
        dataset.PixelData = pixels.tobytes()
        paths.append(folder / f"{t:03d}.dcm")
        dataset.save_as(paths[-1], **WHOLE)
    return paths


def change(path: Path, **tags) -> Path:
    """Set elements of a DICOM file by keyword; None takes one out."""
    dataset = pydicom.dcmread(path)
    for tag, value in tags.items():
        if value is None:
            del dataset[tag]
        else:
            setattr(dataset, tag, value)
    dataset.save_as(path)
    return path


def change_private(path: Path, group: int, creator: str, elements: dict[int, tuple[str, object]]) -> Path:
    """Set private elements {element: (VR, value)} of a DICOM file."""
    dataset = pydicom.dcmread(path)
    block = dataset.private_block(group, creator, create=True)
    for element, (vr, value) in elements.items():
        block.add_new(element, vr, value)
    dataset.save_as(path)
    return path


def other_object(path: Path) -> Path:
    """A presentation state: DICOM without pixels."""
    dataset = header("1.2.840.10008.5.1.4.1.1.11.1", "1.2.3.7", (1, 1))
    for tag in ("Rows", "Columns", "BitsAllocated"):
        delattr(dataset, tag)
    dataset.save_as(path, **WHOLE)
    return path


MAKERS = (
    rotation,
    diffusion_series,
    classic,
    enhanced,
    mosaic,
    csa,
    change,
    change_private,
    other_object,
    item,
)


@pytest.fixture
def make():
    """The makers of files above, as one name that tests can ask for."""

    class Make:
        pass

    for maker in MAKERS:
        setattr(Make, maker.__name__, staticmethod(maker))
    Make.AXIAL, Make.SAGITTAL, Make.dcmread = AXIAL, SAGITTAL, staticmethod(pydicom.dcmread)
    return Make
