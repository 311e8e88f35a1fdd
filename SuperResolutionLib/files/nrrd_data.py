"""The voxels of an NRRD file, attached or in a file of their own: read, mapped, written."""

import gzip
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import check_exists, cut_short, data_beside
from SuperResolutionLib.files.nrrd_header import parsed, sizes_of
from SuperResolutionLib.files.voxel_blocks import BROKEN, check_promise, check_stream, decoder, read_block

NAMES = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32"}
NAMES |= {"i8": "int64", "u8": "uint64", "f4": "float", "f8": "double"}
_TYPES = {name: kind for kind, name in NAMES.items()}
for _kind, _more in {  # every name that the format knows
    "i1": "signed char,int8_t",
    "u1": "uchar,unsigned char,uint8_t",
    "i2": "short,short int,signed short,signed short int,int16_t",
    "u2": "ushort,unsigned short,unsigned short int,uint16_t",
    "i4": "int,signed int,int32_t",
    "u4": "uint,unsigned int,uint32_t",
    "i8": "longlong,long long,long long int,signed long long,signed long long int,int64_t",
    "u8": "ulonglong,unsigned long long,unsigned long long int,uint64_t",
}.items():
    _TYPES |= dict.fromkeys(_more.split(","), _kind)
_PACKINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TEXTS = ("ascii", "text", "txt")


def read_voxels(path: Path, header: dict[str, str], start: int, given: np.ndarray | None = None) -> np.ndarray:
    """All voxels as stored, the fastest axis last, in native byte order.

    header: as it was parsed. start: where it ends. given: what the voxels must be, in place of a copy of them.
    path: of the file with the header.
    Raises InputError for voxels that are missing, damaged or stored in a rare way, or others than the given ones.
    """
    sizes = sizes_of(path.name, header)
    attached = "data file" not in header
    data = path if attached else data_beside(path, header["data file"])
    name = path.name if attached else f"{path.name} ({data.name})"
    dtype, encoding = voxel_type(path.name, header), header.get("encoding", "missing").lower()
    try:
        with data.open("rb") as file:
            file.seek(start if attached else 0)
            if encoding in _TEXTS:
                return _text(name, file, sizes, dtype)
            if encoding not in _PACKINGS:
                raise _rare(path.name, f"encoding {encoding[:40]}")
            return _binary(name, file, header, dtype, given)
    except BROKEN as error:
        raise cut_short(name, str(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise cut_short(name, str(error)) from error  # bzip2's way to say so


def map_voxels(path: Path) -> tuple[np.memmap, dict[str, str]]:
    """The voxels of an .nhdr with a raw data file, mapped read-only, the fastest axis last, and the header.

    Raises InputError where the voxels are not plain, or the data file is missing or too short.
    """
    check_exists(path)
    header, _ = parsed(path)
    encoding = header.get("encoding", "of unknown encoding").lower()
    if encoding != "raw" or "data file" not in header:
        where = "in a file of their own" if "data file" in header else "in the header's own file"
        raise unmappable(path.name, f"its voxels are {encoding}, {where}")
    if skipped := [key for key in ("byte skip", "line skip") if header.get(key, "0") != "0"]:
        raise unmappable(path.name, f"it has a {skipped[0]}")
    shape, dtype = sizes_of(path.name, header)[::-1], voxel_type(path.name, header)
    data = data_beside(path, header["data file"])
    needed, found = dtype.itemsize * math.prod(shape), data.stat().st_size
    if found < needed:
        raise cut_short(data.name, f"{found} bytes of {needed}")
    return np.memmap(data, dtype, mode="r", shape=shape), header


def write_packed(path: Path, header: bytes, parts: Iterable[memoryview]) -> None:
    """A header and its voxels behind it, gzipped; equal voxels make equal files."""
    with path.open("wb") as file:
        file.write(header)
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=4, mtime=0) as stream:
            for part in parts:
                stream.write(part)


def writing_raw(path: Path, header: bytes, data: Path, parts: Iterable[memoryview]) -> Iterator[int]:
    """A header, and plain voxels in a file beside it; yields the bytes of each part written.

    path: of the header. data: of the file beside it. parts: the voxels, piece by piece.
    """
    path.write_bytes(header)
    with data.open("wb") as file:
        for part in parts:
            yield file.write(part)


def voxel_type(name: str, header: dict[str, str]) -> np.dtype:
    """The type of the stored voxels, with its byte order. Raises InputError for one that is not a number's."""
    kind = " ".join(header.get("type", "missing").lower().split())
    if kind not in _TYPES:
        raise InputError(
            f"{name} cannot be read: its voxel type is {kind[:40]}. Write it again as float or an integer."
        )
    return np.dtype((">" if header.get("endian", "").lower() == "big" else "<") + _TYPES[kind])


def unmappable(name: str, found: str) -> InputError:
    """The error for voxels that do not lie on the disk as they are needed."""
    return InputError(f"{name} cannot be mapped: {found}. Write it again as .nhdr with a raw data file.")


def _binary(name: str, file: BinaryIO, header: dict[str, str], dtype: np.dtype, given: np.ndarray | None) -> np.ndarray:
    shape = sizes_of(name, header)[::-1]
    packing, wanted = _PACKINGS[header["encoding"].lower()], dtype.itemsize * math.prod(shape)
    lines, skip = (_skip(name, header, key) for key in ("line skip", "byte skip"))
    size = os.fstat(file.fileno()).st_size
    if skip == -1 and not packing:
        file.seek(max(0, size - wanted))
    elif skip < 0 or lines < 0:
        raise _rare(name, "a negative skip")
    for _ in range(lines):
        if not file.readline(1 << 16):
            break
    begin = file.tell()
    check_promise(name, wanted + (0 if packing else max(skip, 0)), size - begin, packing, kept=given is None)
    if packing == "gzip":
        check_stream(name, file, max(skip, 0) + wanted)
    stream = decoder(file, packing)
    _pass_over(name, stream, max(skip, 0))
    voxels = read_block(name, stream, shape, dtype, given)
    stream.read(1)  # the end of a packed stream: its checksum is compared here
    return voxels


def _skip(name: str, header: dict[str, str], key: str) -> int:
    word = header.get(key, "0")
    if not word.removeprefix("-").isdecimal() or len(word) > 12:
        raise _rare(name, f"{key} {word[:40]}")
    return int(word)


def _pass_over(name: str, stream: BinaryIO, count: int) -> None:
    while count:
        passed = len(stream.read(min(count, 1 << 20)))
        if not passed:
            raise cut_short(name, "its byte skip reaches beyond its end")
        count -= passed


def _text(name: str, file: BinaryIO, sizes: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    wanted, held = math.prod(sizes), os.fstat(file.fileno()).st_size - file.tell()
    check_promise(name, 2 * wanted - 1, held)  # a digit and a gap for each
    try:
        numbers = np.array(file.read().replace(b",", b" ").split()[:wanted], dtype=float)
    except ValueError as error:
        raise cut_short(name, str(error)[:160]) from error
    if len(numbers) < wanted:
        raise cut_short(name, f"it has {len(numbers)} of {wanted} voxels")
    with np.errstate(invalid="ignore"):
        return numbers.astype(dtype.newbyteorder("=")).reshape(sizes[::-1])


def _rare(name: str, why: str) -> InputError:
    return InputError(f"{name} stores its voxels in a rare way ({why}); save it again with Slicer.")
