"""The text header of a MetaImage file (.mha, .mhd), checked before ITK sees it: ITK believes what it says.

https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

import math
import os
import warnings
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, cut_short, data_beside, looks_like, too_many_axes
from SuperResolutionLib.files.voxel_blocks import check_promise

_TYPES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "FLOAT": 4, "DOUBLE": 8}
_TYPES |= {"LONG_LONG": 8, "ULONG_LONG": 8, "LONG": 8, "ULONG": 8}  # LONG is 4 where it was written on Windows
_MILLIMETRES = {"um": 1e-3, "cm": 10.0, "m": 1000.0}  # ITK reads every unit as mm
_LONGEST = 1 << 16  # bytes of a header
_VECTORS = (
    *("transformmatrix", "rotation", "orientation", "offset", "position", "origin"),
    *("elementspacing", "elementsize", "centerofrotation"),
)


def check(path: Path) -> float:
    """The file's unit of length in mm.

    Raises InputError for a header that ITK should not be given, and for data that is missing or too short.
    """
    check_name(path)
    fields, start = read_header(path)
    axes = _number(path.name, fields, "ndims")
    if axes > 4 and axes <= 10:
        raise too_many_axes(path.name, axes)
    sizes = _numbers(path.name, fields, "dimsize")
    if axes < 2 or len(sizes) != axes or any(n < 1 or n != int(n) or n >= 2**31 for n in sizes):
        raise _odd(path.name, f"NDims {fields['ndims']}, DimSize {fields['dimsize']}")
    for key in _VECTORS:
        if key in fields and len(_numbers(path.name, fields, key)) not in (axes, axes**2):
            raise _odd(path.name, f"{key} {fields[key]}")
    channels = _number(path.name, fields, "elementnumberofchannels") if "elementnumberofchannels" in fields else 1
    kind = fields.get("elementtype", "missing").upper().removeprefix("MET_").removesuffix("_ARRAY")
    if kind not in _TYPES or not 1 <= channels <= 1000:
        raise _odd(path.name, f"ElementType {fields.get('elementtype', 'missing')}, {channels} channels")
    least = 4 if kind.endswith("LONG") and not kind.endswith("LONG_LONG") else _TYPES[kind]
    _check_data(path, fields, start, least * channels * math.prod(int(n) for n in sizes))
    return _unit(path.name, fields.get("distanceunits", "mm").lower())


def check_name(path: Path) -> None:
    """Raise InputError for a file name that ITK cannot open: it ends the program for one that is not UTF-8."""
    try:
        os.fspath(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"The name {os.fspath(path)!a} is not valid text (UTF-8), which ITK needs to open it; rename the file."
        ) from error


def read_header(path: Path) -> tuple[dict[str, str], int]:
    """The fields of a header, their names in small letters, and the byte where it ends (after ElementDataFile)."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while file.tell() < _LONGEST and (raw := file.readline(_LONGEST)):
            key, separator, value = raw.decode("latin-1").partition("=")
            if not separator:
                break
            name = key.strip().lower()
            if name in fields:
                raise _odd(path.name, f"{key.strip()} is stated twice")
            fields[name] = value.strip()
            if name == "elementdatafile":
                return fields, file.tell()
    if "ndims" in fields:
        raise cut_short(path.name, "its header does not name its voxels")
    raise InputError(
        f"{path.name} cannot be read as {path.suffix[1:]}: {looks_like(path)}. Export it again, or give it its right "
        "extension."
    )


def _unit(name: str, unit: str) -> float:
    if unit in ("mm", "?"):
        return 1.0
    known = unit in _MILLIMETRES
    done = "they were converted to mm" if known else "which is no known unit of length; they are taken as mm"
    warnings.warn(ScanWarning(f"{name} states its sizes in {unit[:60]}; {done}."), stacklevel=3)
    return _MILLIMETRES[unit] if known else 1.0


def _check_data(path: Path, fields: dict[str, str], start: int, wanted: int) -> None:
    named = fields["elementdatafile"]
    packed = "gzip" if fields.get("compresseddata", "").lower() in ("true", "1") else ""
    skipped = _number(path.name, fields, "headersize") if "headersize" in fields else 0
    if not -1 <= skipped < 2**40:
        raise _odd(path.name, f"HeaderSize {fields['headersize']}")
    if named.upper() == "LOCAL":
        check_promise(path.name, wanted, path.stat().st_size - start, packed)
        return
    data = data_beside(path, named)
    check_promise(f"{path.name} ({data.name})", wanted, data.stat().st_size - max(skipped, 0), packed)


def _number(name: str, fields: dict[str, str], key: str) -> int:
    found = _numbers(name, fields, key)
    if len(found) != 1 or found[0] != int(found[0]):
        raise _odd(name, f"{key} {fields[key]}")
    return int(found[0])


def _numbers(name: str, fields: dict[str, str], key: str) -> list[float]:
    words = fields.get(key, "").split()
    try:
        numbers = [float(word) for word in words if len(word) < 100]
    except ValueError as error:
        raise _odd(name, f"{key} {fields[key]}") from error
    if not words or len(numbers) != len(words) or not all(map(math.isfinite, numbers)):
        raise _odd(name, f"{key} {fields.get(key, 'missing')}")
    return numbers


def _odd(name: str, found: str) -> InputError:
    return InputError(f"{name} has a header that makes no sense ({found[:120]}); export it again.")
