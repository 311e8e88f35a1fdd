"""What a NIfTI header holds beside the grid, taken out of it and put back."""

import struct
from typing import Any, BinaryIO

import numpy as np

from SuperResolutionLib.header import SECONDS, Forms, Header, SliceTiming
from SuperResolutionLib.volume import Volume

_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}  # NIfTI's units of time
_THICK = 2.0  # times as thick as it is wide: what can only be a slice
_OTHERS = {32: "hz", 40: "ppm", 48: "rads"}


def taken(header: Any, forms: Forms, extensions: tuple[tuple[int, bytes], ...]) -> Header:
    """What a volume carries of a NIfTI header."""
    low, high = float(header["cal_min"]), float(header["cal_max"])
    step, unit = _time(header)
    intent = tuple(_finite(header[f"intent_p{k}"]) for k in (1, 2, 3))
    return Header(
        time_step=step,
        time_unit=unit,
        four_axes=int(header["dim"][0]) >= 4,
        forms=forms,
        description=_text(header["descrip"]),
        auxiliary=_text(header["aux_file"]),
        intent=(int(header["intent_code"]), (intent[0], intent[1], intent[2]), _text(header["intent_name"])),
        time_offset=_finite(header["toffset"]) * _seconds(header),
        dim_info=int(header["dim_info"]),
        slices=_slices(header),
        shown=(low, high) if np.isfinite([low, high]).all() else (0.0, 0.0),
        timing=_timing(header),
        extensions=extensions,
    )


def put_back(header: Any, volume: Volume) -> None:
    """Write into a NIfTI header, whose shape is set, what a volume carries of another one."""
    about = volume.header or Header()
    header["xyzt_units"] = 2 | next((code for code, unit in _OTHERS.items() if unit == about.time_unit), 8)
    header["pixdim"][4] = about.time_step or 0
    header["descrip"], header["aux_file"] = _bytes(about.description), _bytes(about.auxiliary)
    code, parameters, name = about.intent
    header["intent_code"], header["intent_name"] = code, _bytes(name)
    for k, number in enumerate(parameters, 1):
        header[f"intent_p{k}"] = number
    header["toffset"], header["dim_info"] = about.time_offset, _dim_info(about)
    header["cal_min"], header["cal_max"] = about.shown
    axis = about.dim_info >> 4 & 3
    if about.timing is not None and axis and volume.size[axis - 1] == about.timing.count:
        header["slice_code"], header["slice_duration"] = about.timing.code, about.timing.seconds
        header["slice_start"], header["slice_end"] = about.timing.first, about.timing.last


def read_extensions(file: BinaryIO, size: int) -> tuple[tuple[int, bytes], ...]:
    """The header extensions in the next `size` bytes of a file, the first four of which say whether there are any.

    What is damaged is left out, with all that comes after it.
    """
    content = file.read(size)
    found: list[tuple[int, bytes]] = []
    place = 4
    while content[:1] not in (b"", b"\0") and place + 8 <= len(content):
        length, code = min((struct.unpack_from(order + "2i", content, place) for order in "<>"), key=_plausible)
        if length < 16 or length % 16 or place + length > len(content):
            break
        found.append((code, content[place + 8 : place + length]))
        place += length
    return tuple(found)


def _plausible(numbers: tuple[int, ...]) -> int:
    """Of a length in either byte order the right one is the small one."""
    return numbers[0] if numbers[0] > 0 else 2**31


def _seconds(header: Any) -> float:
    """The header's unit of time in seconds; a unit that is no time is kept as it is."""
    return _SECONDS.get(int(header["xyzt_units"]) & 56, 1.0)


def _time(header: Any) -> tuple[float | None, str]:
    step, unit = float(header["pixdim"][4]), _OTHERS.get(int(header["xyzt_units"]) & 56, SECONDS)
    if not np.isfinite(step) or step <= 0:
        return None, unit
    return float(f"{step * _seconds(header):.7g}"), unit  # single precision has 7 digits


def _slices(header: Any) -> int | None:
    """The axis of the slices, which `dim_info` counts from 1; None where another axis is clearly the thick one.

    Programs that reorder axes leave it as it was.
    """
    axis, sizes = (int(header["dim_info"]) >> 4 & 3) - 1, np.abs(header["pixdim"][1:4])
    others = np.delete(sizes, axis)
    return axis if axis >= 0 and sizes[axis] * _THICK > others.max() else None


def _dim_info(about: Header) -> int:
    """With the axis of the slices, where it is known and not in it yet."""
    stated = about.dim_info >> 4 & 3 or about.slices is None
    return about.dim_info if stated else about.dim_info | (about.slices or 0) + 1 << 4


def _timing(header: Any) -> SliceTiming | None:
    axis = int(header["dim_info"]) >> 4 & 3
    code, seconds = int(header["slice_code"]), _finite(header["slice_duration"]) * _seconds(header)
    if not axis or not (code or seconds):
        return None
    first, last = int(header["slice_start"]), int(header["slice_end"])
    return SliceTiming(code, first, last, seconds, int(header["dim"][axis]))


def _finite(number: Any) -> float:
    return float(number) if np.isfinite(number) else 0.0


def _text(field: Any) -> str:
    return bytes(field.item()).split(b"\0")[0].decode("latin-1")  # every byte is a letter: nothing is lost


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")
