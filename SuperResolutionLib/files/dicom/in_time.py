"""In which order the images of one place were acquired."""

import datetime
import re
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.files.dicom.headers import find, listed, number

_DAY = 86400.0  # seconds
_PLACE = {(0x0020, 0x9056), (0x0020, 0x9057), (0x0020, 0x0032), (0x0020, 0x9113)}  # these indices count slices


@dataclass(frozen=True)
class Moment:
    """When an image was acquired, by all that its header says, the more reliable first.

    temporal: its temporal position, 0 where that is not stated. counts: numbers of the acquisition. day, second: of
    the acquisition, None where not stated. last: numbers of the image and the frame.
    """

    temporal: float
    counts: tuple[float, ...]
    day: int | None
    second: float | None
    last: tuple[float, ...]


def moment(header: Dataset) -> Moment:
    """When the image of a file was acquired."""
    counts = (number(header.get("AcquisitionNumber")),)
    temporal, instance = (number(header.get(word)) for word in ("TemporalPositionIdentifier", "InstanceNumber"))
    return Moment(temporal, counts, *_clock(header), (instance,))


def moment_of_frame(levels: list[Dataset], index: int) -> Moment:
    """When a frame of an enhanced file was acquired: by its dimension indices that do not count slices."""
    header = levels[-1]
    pointers = [item.get("DimensionIndexPointer") for item in header.get("DimensionIndexSequence", [])]
    indices = zip([number(n) for n in listed(find(levels, "DimensionIndexValues"))], pointers, strict=False)
    times = tuple(n for n, tag in indices if tag is None or (tag.group, tag.element) not in _PLACE)
    temporal = number(find(levels, "TemporalPositionIndex"))
    return Moment(temporal, times, None, None, (number(header.get("InstanceNumber")), float(index)))


def sort_keys(moments: list[Moment]) -> list[tuple[float, ...]]:
    """A key for each moment by which they sort in time, also where the acquisition passes midnight."""
    seconds = _seconds(moments)
    return [(one.temporal, *one.counts, float(second), *one.last) for one, second in zip(moments, seconds, strict=True)]


def _seconds(moments: list[Moment]) -> np.ndarray:
    """Seconds since the first day. No scan lasts half a day: where one seems to, it passed midnight."""
    seconds = [one.second for one in moments if one.second is not None]
    days = [one.day for one in moments if one.day is not None]
    if len(seconds) < len(moments):
        return np.zeros(len(moments))
    times = np.array(seconds)
    if len(days) == len(moments):
        times += _DAY * (np.array(days) - min(days))
    if _DAY / 2 < np.ptp(times) < _DAY:
        times[times % _DAY < _DAY / 2] += _DAY
    return times


def _clock(header: Dataset) -> tuple[int | None, float | None]:
    """The day, counted from any, and the second of the acquisition."""
    whole = re.match(r"(\d{8})(\d{6}(?:\.\d*)?)", str(header.get("AcquisitionDateTime") or ""))
    date, time = whole.groups() if whole else (header.get("AcquisitionDate"), header.get("AcquisitionTime"))
    return _day(str(date or "")), _second(str(time or ""))


def _day(text: str) -> int | None:
    try:
        return datetime.datetime.strptime(re.sub(r"\D", "", text), "%Y%m%d").toordinal()
    except ValueError:
        return None


def _second(text: str) -> float | None:
    """Of HHMMSS.FFFFFF, cut off anywhere; with colons in files of before 1993."""
    digits = re.fullmatch(r"(\d\d)(\d\d)?(\d\d(?:\.\d*)?)?", text.replace(":", "").strip())
    if digits is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in digits.groups())
    return 3600 * hours + 60 * minutes + seconds
