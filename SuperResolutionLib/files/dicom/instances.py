"""The images of a derived series: each as a data set, and as a file."""

import datetime
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from SuperResolutionLib import __version__
from SuperResolutionLib.files.dicom.described import Image, is_enhanced
from SuperResolutionLib.files.dicom.frames import Frame
from SuperResolutionLib.files.dicom.headers import number
from SuperResolutionLib.files.dicom.kept import equipment, kept, window
from SuperResolutionLib.files.dicom.matching import Match
from SuperResolutionLib.files.dicom.packing import Packing
from SuperResolutionLib.files.dicom.series import Series
from SuperResolutionLib.files.dicom.watermark import TEXT, Watermark
from SuperResolutionLib.volume import UNWEIGHTED, Gradients, Volume

_LARGEST = 2**31 - 1  # an integer string
_LONGEST = 64, 1024  # characters of LO and ST
_ACQUISITION = "109101"
_MAKER = "SuperResolution for 3D Slicer"
_USE = "Research use only. The image was made sharper by computation, not by the scanner."


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """By what a derived series was made.

    method: a model's name, or a classical method's. model_sha256: of the weights, where there are any.
    watermark: whether a text that it is for research only is drawn into the pixels.
    """

    method: str
    model_sha256: str | None = None
    watermark: bool = False

    @property
    def title(self) -> str:
        """What the series' description says."""
        return "SR" if self.model_sha256 else self.method


@dataclass(frozen=True, eq=False)
class Made:
    """What all instances of a derived series have in common."""

    match: Match
    how: Derivation
    packing: Packing
    mark: Watermark | None = None
    uid: str = field(default_factory=lambda: generate_uid(prefix=None))
    cache: dict[int, Dataset] = field(default_factory=dict)

    @property
    def volume(self) -> Volume:
        return self.match.volume

    @property
    def series(self) -> np.ndarray:
        """(t, z, y, x): the voxels."""
        voxels = self.volume.voxels
        return voxels if voxels.ndim == 4 else voxels[None]

    @property
    def thickness(self) -> float:
        """Of the slices, mm: the source's where they lie as its do and nobody says otherwise."""
        apart, source = self.volume.spacing[2], self.match.source.volume
        as_they_were = abs(apart - source.spacing[2]) < 1e-3 * apart
        return self.volume.thickness or (source.thickness if as_they_were else None) or apart

    @property
    def first(self) -> Frame:
        return self.match.source.volumes[0][0]

    @cached_property
    def now(self) -> datetime.datetime:
        """The time at which the series is made, in the time zone of the source's dates where that is stated."""
        stated = str(self.first.image.header.get("TimezoneOffsetFromUTC") or "").strip()
        try:
            zone = datetime.datetime.strptime(stated, "%z").tzinfo
        except ValueError:
            zone = None
        return datetime.datetime.now(zone)

    @cached_property
    def gradients(self) -> Gradients | None:
        """The volume's own, or those of the source."""
        return self.volume.gradients or self.match.source.volume.gradients

    def kept(self, t: int) -> Dataset:
        """What the images of volume t keep of their source."""
        if t not in self.cache:
            self.cache[t] = kept(public_levels(self.match.source.volumes[t][0].image))
        return self.cache[t]


def write_instance(made: Made, t: int, k: int, path: Path) -> None:
    """Slice k of volume t as a file, read back and compared.

    made: the volume, its source and how the voxels are packed. path: of the new file. Raises OSError where the disk
    did not keep it.
    """
    dataset = _instance(made, t, k)
    dataset.save_as(path)
    if not path.read_bytes().endswith(dataset.PixelData):  # the last of the elements
        raise OSError("what was read back is not what was written")


def _instance(made: Made, t: int, k: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength, meta.FileMetaInformationVersion = 0, b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid(prefix=None)
    meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, PYDICOM_IMPLEMENTATION_UID
    dataset = FileDataset("", {}, b"\0" * 128, meta, is_implicit_VR=False, is_little_endian=True)
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    for element in made.kept(t):
        dataset[element.tag] = element
    for part in (_series, _times, _derivation, _equipment, _place, _weighting, _pixels):
        dataset.update(part(made, t, k))
    return dataset


def _series(made: Made, t: int, k: int) -> Dataset:
    """General Series and General Image."""
    header, found = made.first.image.header, Dataset()
    found.Modality, found.SeriesInstanceUID = "MR", made.uid
    found.SeriesNumber = _series_number(made.match.source)
    title = f" {made.how.title} {_size(made.match)}"
    called = str(header.get("SeriesDescription") or header.get("ProtocolName") or "").strip()
    found.SeriesDescription = (called[: _LONGEST[0] - len(title)] + title).strip()
    found.AcquisitionNumber = int(number(header.get("AcquisitionNumber"))) or 1
    found.InstanceNumber = t * made.volume.size[2] + k + 1
    found.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    found.ContentQualification = "RESEARCH"
    burned = str(header.get("BurnedInAnnotation") or "").strip().upper()
    found.BurnedInAnnotation = "YES" if burned == "YES" or made.mark else "NO"  # we cannot take out what is there
    if made.volume.count > 1:
        found.TemporalPositionIdentifier, found.NumberOfTemporalPositions = t + 1, made.volume.count
    return found


def _times(made: Made, _t: int, _k: int) -> Dataset:
    """When the series was made: one time for all of it."""
    found, now = Dataset(), made.now
    for what in ("InstanceCreation", "Series", "Content"):
        setattr(found, f"{what}Date", now.strftime("%Y%m%d"))
        setattr(found, f"{what}Time", now.strftime("%H%M%S.%f"))
    return found


def _derivation(made: Made, t: int, k: int) -> Dataset:
    """From what the image was derived, how, and by what."""
    how, found = made.how, Dataset()
    sizes = (made.match.source.volume.spacing, made.volume.spacing)
    before, after = (" x ".join(f"{mm:.4g}" for mm in three) for three in sizes)
    said = f"Voxels of {before} mm made {after} mm by {how.method} (SuperResolution {__version__}). {_USE}"
    if made.mark is not None:
        said += f' "{TEXT}" was drawn into the {made.mark.corner} corner.'
    found.DerivationDescription = said[: _LONGEST[1]]
    found.DerivationCodeSequence = [_code("113085", "Spatial resampling")]
    frames = [made.match.source.volumes[t][index] for index in made.match.slices(k)]
    found.SourceImageSequence = [_reference(image) for image in dict.fromkeys(frame.image for frame in frames)]
    return found


def _equipment(made: Made, t: int, _k: int) -> Dataset:
    """General Equipment, which is what made this image: us. The scanner goes where contributing equipment is listed.

    So nobody takes our directions of diffusion, which are the standard's, for those of a vendor that has its own.
    """
    how, found, ours = made.how, Dataset(), Dataset()
    for one in (found, ours):
        one.Manufacturer, one.ManufacturerModelName = _MAKER, how.method[: _LONGEST[0]]
        one.SoftwareVersions = __version__
    weights = f"weights with SHA-256 {how.model_sha256}" if how.model_sha256 else "no weights"
    ours.ContributionDescription = f"Voxels made finer by {how.method}, {weights}"[: _LONGEST[1]]
    ours.PurposeOfReferenceCodeSequence = [_code("109102", "Processing Equipment")]
    before = list(made.kept(t).get("ContributingEquipmentSequence") or [])
    if not any(_purpose(item) == _ACQUISITION for item in before):
        scanner = equipment(public_levels(made.match.source.volumes[t][0].image))
        scanner.PurposeOfReferenceCodeSequence = [_code(_ACQUISITION, "Acquisition Equipment")]
        before.append(scanner)
    found.ContributingEquipmentSequence = [*before, ours]
    return found


def _purpose(item: Dataset) -> str:
    return "".join(str(code.get("CodeValue")) for code in item.get("PurposeOfReferenceCodeSequence") or [])


def _reference(image: Image) -> Dataset:
    """An image of the source; of an enhanced file, its frame."""
    found = Dataset()
    found.ReferencedSOPClassUID = image.header.SOPClassUID
    found.ReferencedSOPInstanceUID = image.header.SOPInstanceUID
    if is_enhanced(image.header):
        found.ReferencedFrameNumber = image.index + 1
    found.PurposeOfReferenceCodeSequence = [_code("121322", "Source image for image processing operation")]
    return found


def _code(value: str, meaning: str) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, "DCM", meaning
    return found


def _place(made: Made, _t: int, k: int) -> Dataset:
    """Image Plane: the slices as they now are."""
    found, volume = Dataset(), made.volume
    x, y, z = volume.spacing
    first = np.asarray(volume.origin) + k * z * volume.direction[:, 2]
    found.ImagePositionPatient = _decimals(first)
    found.ImageOrientationPatient = _decimals(volume.direction[:, :2].T.ravel())
    found.PixelSpacing = _decimals([y, x])
    found.SpacingBetweenSlices = _decimals([z])[0]
    found.SliceThickness = _decimals([made.thickness])[0]
    found.SliceLocation = _decimals([float(first @ volume.direction[:, 2])])[0]
    return found


def _decimals(values: Any) -> list[str]:
    """Decimal strings of at most 16 characters, which leaves at least 10 digits."""
    return [format_number_as_ds(float(value) + 0.0) for value in values]


def _weighting(made: Made, t: int, _k: int) -> Dataset:
    """The diffusion weighting, in the standard's own elements; directions in patient space, LPS."""
    found, own = Dataset(), made.match.source.volumes[t][0].weighting
    if made.gradients is not None:
        bval, vector = float(made.gradients.bvals[t]), made.gradients.bvecs[t]
        directed = bool(vector.any())
    elif own.bval is not None:
        bval, vector = own.bval, np.zeros(3) if own.bvec is None else own.bvec
        directed = bool(vector.any()) and not own.isotropic
    else:
        return found
    if directed:
        found.DiffusionBValue, found.DiffusionDirectionality = bval, "DIRECTIONAL"
        found.DiffusionGradientOrientation = (vector / np.linalg.norm(vector)).tolist()
    elif bval > UNWEIGHTED:
        found.DiffusionBValue, found.DiffusionDirectionality = bval, "ISOTROPIC"
    else:  # the b-value of the imaging gradients; readers take what is above 0 and has no direction for a trace
        found.DiffusionBValue, found.DiffusionDirectionality = 0.0, "NONE"
    return found


def _pixels(made: Made, t: int, k: int) -> Dataset:
    """Image Pixel, what gives the intensities back, and the source's window."""
    found, packed = Dataset(), made.packing
    series = made.series
    stored = packed.stored(series[t, k] if made.mark is None else made.mark.on(series[t, k], series[t]))
    found.SamplesPerPixel, (found.Rows, found.Columns) = 1, stored.shape
    found.BitsAllocated, found.BitsStored, found.HighBit = 16, 16, 15
    found.PixelRepresentation = int(stored.dtype == np.int16)
    nearest = public_levels(made.match.source.volumes[t][made.match.nearest(k)].image)
    if not packed.plain:
        found.RescaleSlope, found.RescaleIntercept = _decimals([packed.slope, packed.intercept])
        found.RescaleType = str(made.first.image.header.get("RescaleType") or "US")
    if made.match.same_units:
        for element in window(nearest):
            found[element.tag] = element
    found.add_new("PixelData", "OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    return found


def public_levels(image: Image) -> list[Dataset]:
    """The public headers of an image: what anonymising took out of a file may still be in its private elements."""
    return image.levels if is_enhanced(image.header) else [image.header]


def _series_number(source: Series) -> int | None:
    """The source's number x 100 and a count of the parts of its series; none where that is no integer string."""
    letters = source.label.lstrip("0123456789")
    part = sum((ord(letter) - ord("a") + 1) * 26**n for n, letter in enumerate(reversed(letters))) or 1
    found = 100 * int(number(source.volumes[0][0].image.header.get("SeriesNumber"))) + part
    return found if abs(found) <= _LARGEST else None


def _size(found: Match) -> str:
    """How much finer the voxels are in plane, or how large they are where that is not all that became of them."""
    x, y, z = 1 / found.step
    if abs(x - y) < 1e-3 and abs(z - 1) < 1e-3:
        return f"x{x:.4g}"
    sizes = [f"{mm:.3g}" for mm in found.volume.spacing]
    return f"{sizes[0] if len(set(sizes)) == 1 else 'x'.join(sizes)} mm"
