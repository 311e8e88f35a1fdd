"""Writing that leaves either the whole result or nothing: image, gradients and sidecar together."""

import difflib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import gradients
from SuperResolutionLib.files.common import DETACHED, EXTENSIONS, ScanWarning, extension, stem
from SuperResolutionLib.files.images import check_takes, read_image, write_image
from SuperResolutionLib.files.sidecar import sidecar_path, write_sidecar
from SuperResolutionLib.volume import Volume, check_finite


def check_output(path: str | Path, input_path: str | Path | None = None, overwrite: bool = False) -> None:
    """Refuse an output that could not be written later; call it before any long work.

    Raises InputError: unknown extension, no such folder, a folder that cannot be written to, a file that is
    already there, or a file of the input itself.
    """
    path = Path(path)
    _check_extension(path)
    check_folder(path.parent)
    if input_path is not None:
        _check_not_input(path, Path(input_path))
    if path.is_dir():
        raise InputError(f"The output {path} is a folder; name a file in it, such as {path / 'enhanced.nii.gz'}.")
    if not overwrite:
        _check_free(_family(path))


def write(volume: Volume, path: str | Path, overwrite: bool = False, record: dict[str, Any] | None = None) -> None:
    """Write a volume, its gradients, and `record` as its sidecar: all of them, or nothing.

    Everything is written into a hidden folder beside the output, read back and compared, then moved.
    Raises InputError, and leaves no file, if the disk refuses or keeps only a part.
    """
    path = Path(path)
    _check_extension(path)
    check_takes(volume, path)
    check_folder(path.parent)
    check_finite(volume.voxels, f"The result for {path.name}")
    if not overwrite:
        _check_free([p for p in _family(path) if record is not None or p != sidecar_path(path)])
    workshop = Path(tempfile.mkdtemp(prefix=f".{stem(path)}-", dir=path.parent))
    try:
        write_image(volume, workshop / path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ScanWarning)  # said of the input, or by the writer
            copy = read_image(workshop / path.name)
        _compare(volume, copy)
        if record is not None:
            write_sidecar(sidecar_path(workshop / path.name), record)
        _move(workshop, path)
    except (OSError, RuntimeError, InputError) as error:
        raise _unwritten(path, workshop, error, "file") from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def check_group(folder: Path, names: Sequence[str], overwrite: bool = False) -> None:
    """Refuse a folder that a group of files could not be written into later; call it before any long work.

    The folder itself may still have to be made. Raises InputError.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and a folder is needed; name another.")
    check_folder(folder if folder.is_dir() else folder.absolute().parent)
    if not overwrite:
        _check_free([folder / name for name in names])


def write_group(folder: Path, writers: Mapping[str, Callable[[Path], None]], overwrite: bool = False) -> None:
    """Write files into a folder, each by its function of a path: all of them, or nothing.

    They are written into a hidden folder beside it, then moved. Raises InputError where the disk refuses.
    """
    check_group(folder, list(writers), overwrite)
    made = not folder.exists()
    workshop = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    moved: list[Path] = []
    try:
        for name, write_file in writers.items():
            write_file(workshop / name)
        folder.mkdir(exist_ok=True)
        for name in writers:
            os.replace(workshop / name, folder / name)
            moved.append(folder / name)
    except BaseException as error:
        for path in moved:
            path.unlink(missing_ok=True)
        if made and folder.exists():
            folder.rmdir()
        if isinstance(error, (OSError, RuntimeError)):
            raise _unwritten(folder, workshop, error, "result") from error
        raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _unwritten(path: Path, workshop: Path, error: Exception, what: str) -> InputError:
    """The error for what the disk refused while it was written in a workshop."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1].removeprefix("ITK ERROR: ")
    return InputError(
        f"{path} could not be written whole ({reason.replace(f'{workshop}/', '')}). Is the disk full? "
        f"Free some space, or choose another folder; no half {what} was left behind."
    )


def _check_extension(path: Path) -> None:
    if extension(path) in EXTENSIONS:
        return
    given = "".join(path.suffixes[-2:]).lower()
    near = [n for word in (given, path.suffix) for n in difflib.get_close_matches(word, EXTENSIONS, n=1)]
    hint = f" Did you mean '{near[0]}'?" if near else ""
    known = ", ".join(EXTENSIONS)
    raise InputError(f"{path.name} ends in '{path.suffix}', which cannot be written; known are: {known}.{hint}")


def check_folder(folder: Path) -> None:
    """Raise InputError unless `folder` is there and can be written to."""
    if not folder.is_dir():
        raise InputError(f"The output folder {folder} does not exist; create it, or choose another.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"The output folder {folder} cannot be written to ({error.strerror}); choose another."
        ) from error


def _family(path: Path) -> list[Path]:
    """Every file that may belong to an image: itself, its raw voxels, its sidecar, its gradients."""
    base = path.with_name(stem(path))
    suffixes = (*(DETACHED[e] for e in (extension(path),) if e in DETACHED), ".json", *gradients.SUFFIXES)
    return [path, *(base.with_name(base.name + suffix) for suffix in suffixes)]


def _check_free(paths: list[Path]) -> None:
    taken = next((p for p in paths if p.exists()), None)
    if taken is not None:
        raise InputError(f"{taken} exists already; choose another name, or allow overwriting (--overwrite).")


def _check_not_input(path: Path, given: Path) -> None:
    precious = [p for p in (_family(given) if given.is_file() else [given]) if p.exists()]
    for output in (p for p in _family(path) if p.exists()):
        for source in precious:
            if output.samefile(source):
                raise InputError(
                    f"The output {path} would overwrite {source}, which belongs to the input; choose another name."
                )


def _compare(volume: Volume, copy: Volume) -> None:
    given = volume.voxels[0] if volume.voxels.shape[:-3] == (1,) else volume.voxels
    if copy.voxels.shape != given.shape or copy.quantity != volume.quantity or not np.array_equal(copy.voxels, given):
        raise InputError("what was read back is not what was written")
    if np.abs(copy.bounds() - volume.bounds()).max() > 1e-3:
        raise InputError("the position read back is not the one written")


def _move(workshop: Path, path: Path) -> None:
    """Move the finished files to their places, the image last; gradients of an older output go."""
    fresh = sorted(workshop.iterdir(), key=lambda p: p.name == path.name)
    moved: list[Path] = []
    try:
        for source in fresh:
            target = path.with_name(source.name)
            os.replace(source, target)
            moved.append(target)
    except BaseException:
        for target in moved:
            target.unlink(missing_ok=True)
        raise
    names = {source.name for source in fresh}
    for suffix in gradients.SUFFIXES:
        stale = path.with_name(stem(path) + suffix)
        if stale.name not in names:
            stale.unlink(missing_ok=True)
