"""Blocks of voxels: what a header promises is held against the file and the memory before anything is allocated."""

import bz2
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short

BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)  # what a damaged stream raises
_MOST_PACKED = {"gzip": 1040, "bzip2": 50000}  # how many bytes one packed byte can at most stand for
_LARGE, _UNLIKELY = 1 << 30, 100  # bytes, and how tightly no scan of that size was ever packed
_SMALL = 1 << 26  # bytes that may be read before the stream is known to hold them
_STEP = 1 << 22
_DIFFERENT = "what was read back is not what was written"


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """A file, gunzipped where it is gzipped, and whether it is."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw, False
            return
        with gzip.GzipFile(fileobj=raw) as stream:
            yield cast(BinaryIO, stream), True


def check_promise(name: str, wanted: int, held: int, packing: str = "", kept: bool = True) -> None:
    """Raise InputError where voxels of `wanted` bytes cannot lie in `held` bytes of a file, or not fit in memory.

    packing: "" for plain bytes, "gzip" or "bzip2". kept: whether they are to be held in memory, all at once.
    name: of the file, for the error.
    """
    if not packing and held < wanted:
        raise cut_short(name, f"it has {max(held, 0)} of {wanted} bytes of voxels")
    if packing and wanted > held * _MOST_PACKED[packing]:
        raise cut_short(name, f"its header promises {wanted} bytes of voxels, more than its {held} bytes can hold")
    if packing and wanted > _LARGE and wanted > held * _UNLIKELY:
        raise InputError(
            f"{name} promises {_gigabytes(wanted)} of voxels in a file of {held} bytes, which no scan is; "
            "if it is whole nevertheless, unpack it or save it without compression."
        )
    free = free_memory() if kept else None
    if free is not None and wanted > free:
        raise InputError(
            f"{name} needs {_gigabytes(wanted)} of memory for its voxels, and {_gigabytes(free)} are free; close other "
            "programs, or work on a part of it."
        )


def check_stream(name: str, file: BinaryIO, wanted: int) -> None:
    """Raise InputError where the gzip stream in the rest of an open file unpacks to fewer than `wanted` bytes.

    A stream that says the right length at its end is believed; only of others the bytes are counted. The file is left
    where it was.
    """
    if wanted < _SMALL:
        return
    start = file.tell()
    file.seek(-4, os.SEEK_END)
    stated, found = int.from_bytes(file.read(4), "little"), 0
    file.seek(start)
    if stated == wanted % 2**32:
        return
    with gzip.GzipFile(fileobj=file) as stream:
        while found < wanted and (part := stream.read(_STEP)):
            found += len(part)
    file.seek(start)
    if found < wanted:
        raise cut_short(name, f"it has {found} of {wanted} bytes")


def read_block(
    name: str, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
) -> np.ndarray:
    """The next voxels of a file as an array in native byte order; memory is touched only as far as the file reaches.

    name: of the file, for the error. file: open where the voxels begin, unpacked. shape, dtype: of the voxels as they
    are stored, the fastest axis last. given: what they must be; it is returned in place of a copy, and only one slice
    is held at a time.
    Raises InputError where the file ends early, or holds other voxels than the given ones.
    """
    if given is not None:
        return _compared(name, file, dtype, _shaped(given, shape))
    voxels = np.empty(shape, dtype)
    target = voxels.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(target) and (part := file.read(min(_STEP, len(target) - done))):
        target[done : done + len(part)] = part
        done += len(part)
    if done < len(target):
        raise cut_short(name, f"it has {done} of {len(target)} bytes of voxels")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def _shaped(given: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The same voxels with as many axes of one as the file has. Raises InputError for voxels of another shape."""
    sizes = [[n for n in one if n != 1] for one in (given.shape, shape)]
    if sizes[0] != sizes[1]:
        raise InputError(_DIFFERENT)
    return given.reshape(shape)


def _compared(name: str, file: BinaryIO, dtype: np.dtype, given: np.ndarray) -> np.ndarray:
    for index in np.ndindex(given.shape[:-2]):
        wanted = given[index]
        if not np.array_equal(read_block(name, file, wanted.shape, dtype), wanted):
            raise InputError(_DIFFERENT)
    return given


def decoder(file: BinaryIO, packing: str) -> BinaryIO:
    """What unpacks the rest of an open file."""
    if packing == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    return cast(BinaryIO, bz2.BZ2File(file)) if packing == "bzip2" else file


def free_memory() -> int | None:
    """Bytes of memory that can still be used, None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB"
