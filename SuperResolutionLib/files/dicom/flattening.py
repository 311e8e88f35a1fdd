"""Enhanced multi-frame MR told as classic MR: the same facts in the words of the older object.

PS3.3 C.8.13 (Enhanced MR) and C.8.3.1 (MR Image) name them differently.
"""

import re
from typing import Any

from pydicom.dataset import Dataset

from SuperResolutionLib.files.dicom.headers import find, listed

_RENAMED = {
    "EchoTime": "EffectiveEchoTime",
    "ImagedNucleus": "ResonantNucleus",
    "ImageLaterality": "FrameLaterality",
    "ImagingFrequency": "TransmitterFrequency",
    "InversionTime": "InversionTimes",
    "SequenceName": "PulseSequenceName",
}
_ECHOES = {"GRADIENT": ["GR"], "SPIN": ["SE"], "BOTH": ["SE", "GR"]}
_OFF = ("", "NO", "NONE")
# What makes a value of SequenceVariant or ScanOptions, where it is not one of _OFF.
_VARIANTS = {
    "SegmentedKSpaceTraversal": "SK",
    "MagnetizationTransfer": "MTC",
    "SteadyStatePulseSequence": "SS",
    "Spoiling": "SP",
    "OversamplingPhase": "OSP",
}
_OPTIONS = {
    "FlowCompensation": "FC",
    "SpatialPresaturation": "SP",
    "SpectrallySelectedSuppression": "FS",
    "CardiacSynchronizationTechnique": "CG",
    "RespiratoryMotionCompensationTechnique": "RG",
}


def classic_words(levels: list[Dataset]) -> dict[str, Any]:
    """What a frame's header says, by the keywords of a classic MR image, where it uses others; {} for a classic one.

    levels: of the header, nearest first, the file's own last.
    """
    found = {old: _first(levels, new) for old, new in _RENAMED.items() if find(levels, old) in (None, "")}
    found |= {"InPlanePhaseEncodingDirection": _direction(levels)}
    if _said(levels, "EchoPulseSequence"):
        found |= {"ScanningSequence": _sequence(levels), "SequenceVariant": _variant(levels)}
        found |= {"ScanOptions": _options(levels), "AcquisitionMatrix": _matrix(levels)}
    if not find(levels, "AcquisitionTime"):
        found |= _clock(levels)
    return {word: value for word, value in found.items() if value not in (None, [])}


def _first(levels: list[Dataset], keyword: str) -> Any:
    return next(iter(listed(find(levels, keyword))), None)


def _said(levels: list[Dataset], keyword: str) -> str:
    return str(find(levels, keyword) or "").strip().upper()


def _direction(levels: list[Dataset]) -> str | None:
    known = {"ROW": "ROW", "COL": "COL", "COLUMN": "COL"}
    return known.get(_said(levels, "InPlanePhaseEncodingDirection"))


def _sequence(levels: list[Dataset]) -> list[str]:
    words = ["EP"] if _said(levels, "EchoPlanarPulseSequence") == "YES" else []
    words += _ECHOES.get(_said(levels, "EchoPulseSequence"), [])
    return words + (["IR"] if _said(levels, "InversionRecovery") == "YES" else [])


def _variant(levels: list[Dataset]) -> list[str]:
    words = [word for keyword, word in _VARIANTS.items() if _said(levels, keyword) not in (*_OFF, "SINGLE")]
    return words or ["NONE"]


def _options(levels: list[Dataset]) -> list[str]:
    words = [word for keyword, word in _OPTIONS.items() if _said(levels, keyword) not in _OFF]
    if _said(levels, "PartialFourier") == "YES":
        words.append("PFF" if _said(levels, "PartialFourierDirection") == "FREQUENCY" else "PFP")
    return words


def _matrix(levels: list[Dataset]) -> list[int]:
    """Steps of frequency encoding along rows and columns, then of phase encoding."""
    frequency = find(levels, "MRAcquisitionFrequencyEncodingSteps")
    phase, direction = find(levels, "MRAcquisitionPhaseEncodingStepsInPlane"), _direction(levels)
    if not frequency or not phase or direction is None:
        return []
    along = [int(frequency), 0, 0, int(phase)]
    return along if direction == "COL" else [0, int(frequency), int(phase), 0]


def _clock(levels: list[Dataset]) -> dict[str, str]:
    """The day and the time of the acquisition, from one element for both."""
    whole = str(find(levels, "FrameAcquisitionDateTime") or find(levels, "AcquisitionDateTime") or "")
    parts = re.match(r"(\d{8})(\d{6}(?:\.\d{1,6})?)", whole)
    return {} if parts is None else {"AcquisitionDate": parts[1], "AcquisitionTime": parts[2]}
