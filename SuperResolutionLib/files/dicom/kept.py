"""What a derived image keeps of the headers of its source: whose it is, of what, and how it was acquired.

A list of what is kept, by DICOM's modules, and nothing else: no private elements, no comments, no names beside those
that DICOM asks for. Elements that the standard wants present (type 2) are there, if need be empty; what is malformed is
left out; `missing` says which elements are lacking that need a value (type 1).
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import format_number_as_ds

from SuperResolutionLib.files.dicom.flattening import classic_words
from SuperResolutionLib.files.dicom.headers import find, listed

_NEEDED = ("StudyInstanceUID", "FrameOfReferenceUID", "ScanningSequence", "SequenceVariant")  # of type 1
# Of type 2, and of type 3, by the module that they are in.
_NEVER_MISSING = {
    "Patient": "PatientName PatientID PatientBirthDate PatientSex",
    "General Study": "StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber",
    "Frame of Reference, General Series": "PositionReferenceIndicator PatientPosition",
    "MR Image": "ScanOptions MRAcquisitionType RepetitionTime EchoTime EchoTrainLength",
}
_OPTIONAL = {
    "SOP Common": "SpecificCharacterSet TimezoneOffsetFromUTC ContributingEquipmentSequence",
    "Patient": "IssuerOfPatientID TypeOfPatientID PatientSpeciesDescription PatientBreedDescription "
    "QualityControlSubject PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence",
    "Clinical Trial": "ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID "
    "ClinicalTrialSiteName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ClinicalTrialTimePointID "
    "ClinicalTrialTimePointDescription",
    "Study": "StudyDescription IssuerOfAccessionNumberSequence PatientAge PatientSize PatientWeight "
    "LongitudinalTemporalInformationModified",
    "General Series": "ProtocolName BodyPartExamined AnatomicRegionSequence Laterality",
    "General Equipment": "InstitutionName InstitutionalDepartmentName",
    "General Image": "ImageLaterality AcquisitionDate AcquisitionTime LossyImageCompression LossyImageCompressionRatio "
    "LossyImageCompressionMethod PhotometricInterpretation RecognizableVisualFeatures",
    "Contrast/Bolus": "ContrastBolusAgent ContrastBolusRoute ContrastBolusVolume",
    "MR Image": "SequenceName AngioFlag InversionTime NumberOfAverages ImagingFrequency ImagedNucleus EchoNumbers "
    "MagneticFieldStrength NumberOfPhaseEncodingSteps PercentSampling PercentPhaseFieldOfView PixelBandwidth "
    "ReconstructionDiameter ReceiveCoilName TransmitCoilName AcquisitionMatrix InPlanePhaseEncodingDirection FlipAngle "
    "VariableFlipAngleFlag SAR dBdt TemporalResolution",
}
_EQUIPMENT = "Manufacturer ManufacturerModelName StationName DeviceSerialNumber SoftwareVersions InstitutionName"
_WINDOW = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")
_FORMS = {  # of values that a program reads; text is kept as it is
    "AS": r"\d{3}[DWMY]",
    "CS": r"[A-Z0-9 _]{1,16}",
    "DA": r"\d{8}",
    "DT": r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?",
    "TM": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
    "UI": r"[0-9.]{1,64}",
}


def kept(levels: list[Dataset]) -> Dataset:
    """What a derived image keeps of its source, as elements of a classic image.

    levels: of the source's header, nearest first, the file's own last.
    """
    found = Dataset()
    words = classic_words(levels)
    for keyword in (*_NEEDED, *_words(_NEVER_MISSING), *_words(_OPTIONAL)):
        element = _element(keyword, words[keyword] if keyword in words else find(levels, keyword))
        if element is not None:
            found.add(element)
    for keyword in _words(_NEVER_MISSING):
        if keyword not in found:
            setattr(found, keyword, None)
    if "IR" in listed(found.get("ScanningSequence")) and "InversionTime" not in found:
        found.InversionTime = None
    return found


def equipment(levels: list[Dataset]) -> Dataset:
    """The scanner, as an item of a sequence of equipment; its Manufacturer is there, if need be "unknown"."""
    found = Dataset()
    for keyword in _EQUIPMENT.split():
        if (element := _element(keyword, find(levels, keyword))) is not None:
            found.add(element)
    if "Manufacturer" not in found:
        found.Manufacturer = "unknown"
    return found


def window(levels: list[Dataset]) -> Iterator[DataElement]:
    """The elements by which an image is shown as its source is; none where the source has no window."""
    if all(listed(find(levels, keyword)) for keyword in _WINDOW[:2]):
        for keyword in _WINDOW:
            if (element := _element(keyword, find(levels, keyword))) is not None:
                yield element


def missing(levels: list[Dataset]) -> list[str]:
    """What a classic MR image must have and cannot have from this source."""
    whole = kept(levels)
    return [keyword for keyword in _NEEDED if keyword not in whole]


def _words(modules: dict[str, str]) -> list[str]:
    return [word for words in modules.values() for word in words.split()]


def _element(keyword: str, value: Any) -> DataElement | None:
    """A sound element; None where there is no value, or none that can be."""
    return _sound(_unchecked(tag_for_keyword(keyword) or 0, dictionary_VR(keyword), value))


def _unchecked(tag: int, kind: str, value: Any) -> DataElement:
    """An element of any value: what is malformed is left out here, and not refused by pydicom."""
    return DataElement(tag, kind, value, validation_mode=config.IGNORE)


def _sound(element: DataElement) -> DataElement | None:
    """The element, as DICOM demands it to be; None for what is empty, or malformed beyond that."""
    if element.VR == "SQ":
        items = [_item(item) for item in element.value or []]
        full = [item for item in items if len(item)]
        return DataElement(element.tag, "SQ", Sequence(full)) if full else None
    values = [_value(element.VR, value) for value in listed(element.value)]
    if any(value is None for value in values) or all(value == "" for value in values):
        return None
    return _unchecked(element.tag, element.VR, values if len(values) > 1 else values[0])


def _item(item: Dataset) -> Dataset:
    """An item of a sequence without private elements; what is in it is converted, whatever its file was written in."""
    clean = Dataset()
    for element in item:
        sound = None if element.tag.is_private or element.tag.element == 0 else _sound(element)
        if sound is not None:
            clean.add(sound)
    return clean


def _value(kind: str, value: object) -> object | None:
    """One value as its representation demands it, "" for an empty one of several; None where that cannot be."""
    text = "" if value is None else str(value).strip()
    if not text:
        return ""
    if kind in ("DS", "IS"):
        return _number(kind, text)
    if kind not in _FORMS:
        return value
    text = text.upper() if kind == "CS" else text
    return text if re.fullmatch(_FORMS[kind], text) else None


def _number(kind: str, text: str) -> object | None:
    try:
        number = float(text)
        fits = len(text) <= 16 and np.isfinite(number)
        return int(number) if kind == "IS" else text if fits else format_number_as_ds(number)
    except (ValueError, OverflowError):
        return None
