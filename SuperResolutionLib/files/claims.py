"""Names that one process alone may write, and what a process that is gone left behind.

While a process works on an output, a hidden folder beside it holds what is not finished yet, and a locked file with the
process's id. The system unlocks that file when the process ends, however it ends; the next one clears up behind it.
"""

import hashlib
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.moves import fresh, undo
from SuperResolutionLib.files.stopping import unstopped

PREFIX = ".superresolution-"
_OWNER = "process"
_held: set[Path] = set()


@contextmanager
def claimed(folder: Path, name: str = "", what: str = "") -> Iterator[Path]:
    """The hidden folder of a name (without its extension), or of all of a folder, that no other process has meanwhile.

    what: how the sentence calls the output. Raises InputError where another process has it, or the folder takes no
    files.
    """
    code = hashlib.sha256(os.fsencode(os.path.normcase(name))).hexdigest()[:16]
    workshop = folder.resolve() / f"{PREFIX}{code}"
    if workshop in _held:
        yield workshop
        return
    sweep(folder)
    lock = None
    try:
        with unstopped():
            lock = _taken(workshop)
        if lock is None:
            raise InputError(
                f"{what or folder / name} is being written by another process ({_owner(workshop)}); wait until it is "
                "done, or choose another name."
            )
        _held.add(workshop)
        yield workshop
    finally:
        if lock is not None:
            _held.discard(workshop)
            _clear(workshop, lock)


@contextmanager
def claimed_folder(folder: Path) -> Iterator[Path]:
    """The hidden folder of a whole folder, which is made, and goes again if nothing was written into it."""
    made = not folder.exists()
    try:
        _make(folder)
        with claimed(folder) as workshop:
            yield workshop
    finally:
        if made:
            with suppress(OSError):
                folder.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made ({error.strerror or error}); name another.") from error


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder of our own for temporary files, which the next process clears away if this one is killed."""
    with ExitStack() as stack:
        try:
            yield fresh(stack.enter_context(claimed(Path(tempfile.gettempdir()), uuid.uuid4().hex)))
        except FileNotFoundError as error:
            raise InputError(f"There is no folder for temporary files ({error}).") from error


def is_unfinished(path: Path) -> bool:
    """Whether a name is that of a hidden folder of unfinished work."""
    return path.name.startswith(PREFIX)


def sweep(folder: Path) -> None:
    """Clear away what processes that are gone left half done in a folder."""
    for workshop in folder.resolve().glob(f"{PREFIX}*"):
        with suppress(OSError):
            if workshop in _held or workshop.is_symlink() or not _is_ours(workshop):
                continue
            lock = _locked(workshop)
            if lock is not None:
                _clear(workshop, lock)


def _is_ours(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _taken(workshop: Path) -> int | None:
    """The open, locked file of a hidden folder, made where it is not there; None where another process has it.

    Raises InputError where its folder takes no files.
    """
    try:
        return _locked(workshop)
    except OSError as error:
        raise InputError(
            f"The output folder {workshop.parent} cannot be written to ({error.strerror or error}); choose another."
        ) from error


def _locked(workshop: Path) -> int | None:
    """`_taken`; raises OSError."""
    path = workshop / _OWNER
    while workshop.parent.is_dir():
        try:
            workshop.mkdir(mode=0o700, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # its last owner removed it just now
            continue
        except PermissionError:
            if workshop.is_dir() and os.access(workshop.parent, os.W_OK):
                return None
            raise
        if not _lock(file, path):
            os.close(file)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()} on {socket.gethostname()}".encode())
                return file
        os.close(file)
    raise FileNotFoundError(2, "No such file or directory", str(workshop.parent))


def _lock(file: int, path: Path) -> bool:
    """Whether an open file could be locked for this process."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            os.lseek(file, 1 << 20, os.SEEK_SET)  # behind its content, which others may read
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            os.lseek(file, 0, os.SEEK_SET)
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk without locks: by the process's id
        return not _is_alive(path)
    return True


def _is_alive(path: Path) -> bool:
    """Whether the process that a lock file names may still run."""
    number, _, host = path.read_text(encoding="utf-8", errors="replace").partition(" on ")
    if not number.isdecimal():
        return False
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _owner(workshop: Path) -> str:
    """The process that has a hidden folder, in words."""
    with suppress(OSError):
        if words := (workshop / _OWNER).read_text(encoding="utf-8", errors="replace").strip():
            return words[:100]
    return "which gives no id"


def _clear(workshop: Path, lock: int) -> None:
    """Undo what was not settled, and remove a hidden folder; where the disk refuses, what was replaced stays in it."""
    with unstopped():
        try:
            undo(workshop)
            if os.name == "nt":  # where no open file can be removed
                os.close(lock)
            shutil.rmtree(workshop, ignore_errors=True)
        finally:
            if os.name != "nt":
                os.close(lock)
