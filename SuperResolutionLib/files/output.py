"""Writing that leaves either the whole result or nothing: image, gradients and sidecar together."""

import difflib
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import gradients
from SuperResolutionLib.files.claims import claimed, claimed_folder, is_unfinished
from SuperResolutionLib.files.common import DETACHED, EXTENSIONS, READ_ONLY, ScanWarning, extension, stem
from SuperResolutionLib.files.images import check_takes, read_image, write_image
from SuperResolutionLib.files.moves import NEW, fresh, move, settle, undo
from SuperResolutionLib.files.sidecar import sidecar_path, write_sidecar
from SuperResolutionLib.files.stopping import unstopped
from SuperResolutionLib.volume import Volume, check_finite

Writer = Callable[[Path], None]
_LONGEST = 255  # bytes of a name


def check_output(path: str | Path, input_path: str | Path | None = None, overwrite: bool = False) -> None:
    """Refuse an output that could not be written later; call it before any long work.

    Raises InputError: unknown extension, no such folder, a folder that cannot be written to, a file that is
    already there, or a file of the input itself.
    """
    path = Path(path)
    _check_extension(path)
    check_files(_family(path), input_path, overwrite)


def check_files(paths: Sequence[Path], input_path: str | Path | None = None, overwrite: bool = False) -> None:
    """`check_output` for files of any kind in one folder, the first of which is the one that was named."""
    path = paths[0]
    check_folder(path.parent)
    _check_names(paths)
    if input_path is not None:
        _check_not_input(paths, Path(input_path))
    if path.is_dir():
        raise InputError(f"The output {path} is a folder; name a file in it, such as {path / 'enhanced.nii.gz'}.")
    if not overwrite:
        _check_free(paths)


def check_apart(*outputs: Path) -> None:
    """Refuse images of one command that would have files in common, such as their sidecar. Raises InputError."""
    for one, other in combinations(outputs, 2):
        if shared := [path for path in _family(one) if path in _family(other)]:
            raise InputError(
                f"The outputs {one} and {other} would both have the file {shared[0].name}; give them names that differ "
                "in more than their extension."
            )


def claim(path: Path) -> AbstractContextManager[Path]:
    """While it is open no other process of ours writes `path` or what belongs to it. Raises InputError."""
    check_folder(path.parent)
    return claimed(path.parent, stem(path), str(path))


def write(volume: Volume, path: str | Path, overwrite: bool = False, record: dict[str, Any] | None = None) -> None:
    """Write a volume, its gradients, and `record` as its sidecar: all of them, or nothing.

    Everything is written into a hidden folder beside the output, read back and compared, then moved.
    path: with the extension of a format. overwrite: whether files of that name are replaced.
    Raises InputError, and leaves no file, if the disk refuses or keeps only a part, or another process writes that
    name.
    """
    write_files({Path(path): image_writer(volume, Path(path), record)}, overwrite)


def image_writer(volume: Volume, path: Path, record: dict[str, Any] | None = None) -> Writer:
    """What writes a volume that will lie at `path`, reads it back and compares, and writes `record` as its sidecar.

    Raises InputError where the file cannot hold it.
    """
    if not isinstance(volume, Volume):
        raise InputError(f"A {type(volume).__name__} is no volume to write; give a Volume.")
    _check_extension(path)
    check_takes(volume, path)
    check_finite(volume.voxels, f"The result for {path.name}")
    return partial(_write_image, volume, record, path)


def write_files(writers: Mapping[Path, Writer], overwrite: bool = False) -> None:
    """Write files, each by its function of a path, with what that puts beside it: all of them, or nothing.

    They are written into hidden folders beside their places, then moved; gradients of an image that is replaced go.
    Raises InputError where the disk refuses, another process writes one of them, or something is there already.
    """
    for folder in dict.fromkeys(path.parent for path in writers):
        check_folder(folder)
    with ExitStack() as claims:
        workshops: dict[Path, Path] = {}
        for path in writers:
            workshops.setdefault(path.parent, claims.enter_context(claimed(path.parent, stem(path), str(path))))
        _write_all(writers, workshops, overwrite)


def _write_all(writers: Mapping[Path, Writer], workshops: Mapping[Path, Path], overwrite: bool) -> None:
    """Make every file in the hidden folder of its place, and move all of them: or none."""
    try:
        _make(writers, workshops, overwrite)
        for folder, workshop in workshops.items():
            move(workshop, [name for path in writers if path.parent == folder for name in _stale(path)])
    except BaseException as error:
        with unstopped():
            for workshop in workshops.values():
                undo(workshop)
        if isinstance(error, (OSError, RuntimeError, _DiffersError)):
            raise _unwritten(next(iter(writers)), next(iter(workshops.values())), error) from error
        raise
    with unstopped():
        for workshop in workshops.values():
            settle(workshop)


def _make(writers: Mapping[Path, Writer], workshops: Mapping[Path, Path], overwrite: bool) -> None:
    """Every file in the hidden folder of its place; refused where something is in its place already."""
    rooms = {folder: fresh(workshop) for folder, workshop in workshops.items()}
    for path, write_file in writers.items():
        if not overwrite:
            _check_free([path])
        write_file(rooms[path.parent] / path.name)
    made = [folder / file.name for folder, room in rooms.items() for file in room.iterdir()]
    if not overwrite:
        _check_free(made)
    images = [p for p in writers if extension(p)]
    for path in made:
        _check_alone(path, images)


def _write_image(volume: Volume, record: dict[str, Any] | None, place: Path, path: Path) -> None:
    write_image(volume, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScanWarning)  # said of the input, or by the writer
        try:
            _compare(volume, read_image(path, volume.voxels))
        except InputError as error:
            raise _DiffersError(str(error)) from error
    if record is not None:
        write_sidecar(path.with_name(own_sidecar(place).name), record)


def check_group(folder: Path, names: Sequence[str], overwrite: bool = False) -> None:
    """Refuse a folder that a group of files could not be written into later; call it before any long work.

    The folder itself may still have to be made. Raises InputError.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and a folder is needed; name another.")
    check_folder(folder if folder.is_dir() else folder.absolute().parent)
    _check_names([folder / name for name in names])
    if not overwrite:
        _check_free([folder / name for name in names])


def write_group(folder: Path, writers: Mapping[str, Writer], overwrite: bool = False) -> None:
    """Write files into a folder, which is made, each by its function of a path: all of them, or nothing.

    Raises InputError where the disk refuses, another process works in that folder, or something is there already.
    """
    check_group(folder, list(writers), overwrite)
    with claimed_folder(folder) as workshop:
        try:
            _make({folder / name: writer for name, writer in writers.items()}, {folder: workshop}, overwrite)
            move(workshop)
        except BaseException as error:
            undo(workshop)
            if isinstance(error, (OSError, RuntimeError)):
                raise _unwritten(folder, workshop, error) from error
            raise
        settle(workshop)


def check_new_folder(folder: Path, *beside: Path) -> None:
    """Refuse a folder that is not empty, or cannot be made, and what is there beside it; call it before long work.

    Raises InputError.
    """
    check_group(folder, [])
    held = sorted(path.name for path in folder.iterdir() if not is_unfinished(path)) if folder.is_dir() else []
    if held:
        raise InputError(
            f"The output folder {folder} is not empty ({len(held)} entries, such as {held[0]}); a DICOM series gets a "
            "folder of its own, so name another."
        )
    _check_free(beside)


def write_new_folder(folder: Path, writers: Mapping[str, Writer], beside: Mapping[Path, Writer]) -> None:
    """Write files into a new or empty folder, and others beside it, each by its function of a path: all, or nothing.

    Raises InputError where the disk refuses, another process works in that folder, or something is there already.
    """
    check_new_folder(folder, *beside)
    with ExitStack() as claims:
        workshops = {folder: claims.enter_context(claimed_folder(folder))}
        for path in beside:
            workshops[path.parent] = claims.enter_context(claimed(path.parent, stem(path), str(path)))
        check_new_folder(folder, *beside)
        _write_all({folder / name: writer for name, writer in writers.items()} | dict(beside), workshops, False)


def write_contents(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write bytes by file name, in place of older files: all or none. Raises InputError as `write_group` does."""
    write_group(folder, {name: partial(_write_bytes, content) for name, content in contents.items()}, overwrite=True)


def _write_bytes(content: bytes, path: Path) -> None:
    path.write_bytes(content)


class _DiffersError(Exception):
    """What was read back is not what was written."""


def _unwritten(path: Path, workshop: Path, error: Exception) -> InputError:
    """The error for what the disk refused while it was written in a hidden folder."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1].removeprefix("ITK ERROR: ")
    return InputError(
        f"{path} could not be written whole ({reason.replace(f'{workshop / NEW}/', '')}). Is the disk full? "
        "Free some space, or choose another folder; no half result was left behind."
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
    raw = [path.with_name(stem(path) + DETACHED[e]) for e in (extension(path),) if e in DETACHED]
    return [path, *raw, own_sidecar(path), *_gradients(path)]


def _gradients(path: Path) -> list[Path]:
    return [path.with_name(stem(path) + suffix) for suffix in gradients.SUFFIXES]


def _stale(path: Path) -> list[str]:
    """The gradients of an older image of this name, which a new one leaves behind."""
    return [p.name for p in _gradients(path)] if extension(path) and not _sharing_gradients(path) else []


def _sharing_gradients(path: Path) -> list[Path]:
    """The images beside `path` to which its gradients belong as well; NRRD has its own in itself."""
    return [p for p in _others(path) if extension(p) not in (".nrrd", ".nhdr")]


def _check_free(paths: Sequence[Path]) -> None:
    taken = next((p for p in paths if os.path.lexists(p)), None)  # a link to nothing is something, too
    if taken is not None:
        raise InputError(f"{taken} exists already; choose another name, or allow overwriting (--overwrite).")


def _check_names(paths: Sequence[Path]) -> None:
    """Raise InputError for a name that is longer than file systems take."""
    for path in paths:
        if (length := len(os.fsencode(path.name))) > _LONGEST:
            raise InputError(
                f"The name {path.name[:20]}...{path.name[-20:]} has {length} bytes, and a file's can have {_LONGEST}; "
                "choose a shorter one."
            )


def _others(path: Path) -> list[Path]:
    """The images beside `path` that differ from it only in their extension, and so share what lies beside them."""
    beside = (path.with_name(stem(path) + e) for e in (*EXTENSIONS, *READ_ONLY))
    return [p for p in beside if p.name != path.name and p.is_file()]


def own_sidecar(path: Path) -> Path:
    """Where the sidecar of brain.nii goes: brain.json, or brain.nii.json where brain.json is that of brain.nrrd."""
    usual = sidecar_path(path)
    own = path.with_name(path.name + ".json")
    anothers = os.path.exists(usual) and not path.exists() and _others(path)
    return own if os.path.exists(own) or anothers else usual  # (os.path: for names that are too long as well)


def _check_alone(path: Path, images: Sequence[Path]) -> None:
    """Raise InputError where gradients would replace those of an image that differs only in its extension."""
    for image in images:
        if path in _gradients(image) and path.exists() and (others := _sharing_gradients(image)):
            raise InputError(f"{path} belongs to {others[0].name} as well; choose another name for {image.name}.")


def _check_not_input(paths: Sequence[Path], given: Path) -> None:
    precious = [p for p in (_family(given) if given.is_file() else [given]) if p.exists()]
    for output in (p for p in paths if p.exists()):
        for source in precious:
            if output.samefile(source):
                raise InputError(
                    f"The output {paths[0]} would overwrite {source}, which belongs to the input; choose another name."
                )


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether all voxels are the same, slab by slab: no mask of all of them at once."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _compare(volume: Volume, copy: Volume) -> None:
    given = volume.voxels[0] if volume.voxels.shape[:-3] == (1,) else volume.voxels
    if copy.voxels.shape != given.shape or copy.quantity != volume.quantity or not _equal(copy.voxels, given):
        raise InputError("what was read back is not what was written")
    if np.abs(copy.bounds() - volume.bounds()).max() > 1e-3:
        raise InputError("the position read back is not the one written")
