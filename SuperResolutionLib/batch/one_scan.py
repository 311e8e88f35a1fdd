"""One scan of many: read, enhanced, written whole with its record; what was finished before is not done again."""

import time
import traceback
import warnings
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from SuperResolutionLib import files
from SuperResolutionLib.batch import record
from SuperResolutionLib.batch.inherited import with_inherited
from SuperResolutionLib.batch.job import DONE, FAILED, KEPT, Answer, Job
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.display import compared
from SuperResolutionLib.errors import InputError, SeriesError
from SuperResolutionLib.files.images import check_takes
from SuperResolutionLib.files.output import Writer, claim, image_writer, own_sidecar, write_files
from SuperResolutionLib.methods.checks import unprepared
from SuperResolutionLib.methods.meaning import check_intensities
from SuperResolutionLib.methods.method import Restoration
from SuperResolutionLib.progress import Progress, finish, mapped
from SuperResolutionLib.volume import Volume

FORCE = "take its voxels for intensities nevertheless (--as-intensities)"


def attempt(job: Job, request: Request) -> Answer:
    """Enhance a scan, unless that is done already; what hinders it is told, never raised."""
    return finish(attempting(job, request))


def attempting(job: Job, request: Request) -> Generator[float, None, Answer]:
    """`attempt` as a generator of the share that is done."""
    began = time.monotonic()
    details = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            state, why = (yield from _filling(job, request)), ""
        except SeriesError as error:
            state, why = FAILED, error.saying("one is taken from a folder, so give each a folder of its own")
        except InputError as error:
            state, why = FAILED, str(error)
        except MemoryError:
            state, why = FAILED, "There is not enough memory for it; give it a machine with more, or fewer at a time."
        except OSError as error:
            state, why = FAILED, f"{error.filename or job.source} cannot be used: {error.strerror or error}."
        except Exception as error:  # a fault of ours in one scan is no reason to lose the others
            state, why = FAILED, f"an error in the program, {type(error).__name__}: {error}"
            details = traceback.format_exc()
    notes = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    answer = Answer(job.name, state, why, notes, round(time.monotonic() - began, 3))
    return _logged(job, answer, details)


def _filling(job: Job, request: Request) -> Generator[float, None, str]:
    """Enhance and write; returns DONE or KEPT."""
    if record.is_finished(job, request):
        return KEPT
    volume = _read(job, request)
    method = request.method(volume)
    steps = method.restore(volume, request.sampling, request.runtime)
    if odd := method.unusual(volume, request.sampling):
        warnings.warn(f"unlike the training scans: {'; '.join(odd)}", stacklevel=1)
    if raw := unprepared(volume):
        warnings.warn(raw, stacklevel=1)
    for folder in {job.output.parent, *([job.picture.parent] if job.picture else [])}:
        folder.mkdir(parents=True, exist_ok=True)
    with claim(job.output):
        if record.is_finished(job, request):  # by another process, since
            return KEPT
        result = yield from mapped(steps, _share)
        _write(job, request, (volume, result), record.of_result(job, request, method, (volume, result)))
    return DONE


def _share(event: Progress) -> float:
    return event.done / max(event.total, 1)


def _read(job: Job, request: Request) -> Volume:
    """The scan, with what the data set says of it. Raises InputError for what cannot be enhanced."""
    if job.source.is_symlink() and not job.source.exists():
        raise InputError(
            f"{job.source.name} is a link to a file that is not here; fetch it first (of a DataLad data set: datalad "
            "get)."
        )
    volume = request.prepared(with_inherited(files.read(job.source), job))
    try:
        check_intensities(volume, FORCE)
    except InputError as error:
        raise InputError(f"{job.source.name}: {error}") from error
    check_takes(volume, job.output)
    return volume


def _write(job: Job, request: Request, pair: tuple[Volume, Restoration], about: record.About) -> None:
    """Image, gradients, sidecar and picture: all of them, or nothing."""
    volume, result = pair
    writers: dict[Path, Writer] = {
        job.output: image_writer(result.volume, job.output),
        own_sidecar(job.output): about.writer(),
    }
    if job.picture is not None:
        drawn = compared(volume, result.volume)
        writers[job.picture] = lambda path: _put(path, drawn)
    write_files(writers, overwrite=request.overwrite or record.is_half(job))


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _logged(job: Job, answer: Answer, details: str) -> Answer:
    """The answer, written into the scan's log; where that cannot be written, the answer says so."""
    if job.log is None or answer.state == KEPT:
        return answer
    lines = [
        f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {job.source}",
        *(f"warning: {note}" for note in answer.notes),
        f"{answer.state} after {answer.seconds:.1f} s{f': {answer.why}' if answer.why else f': {job.output}'}",
    ]
    try:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join([*lines, *([details] if details else [])]) + "\n")
    except OSError as error:
        return replace(answer, notes=(*answer.notes, f"its log {job.log} cannot be written: {error.strerror}"))
    return answer
