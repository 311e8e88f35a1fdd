"""A study from scans to report: what is done already is not done again, and one bad scan does not stop the others."""

import json
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError, SeriesError
from SuperResolutionLib.files.claims import claimed_folder
from SuperResolutionLib.files.user_masks import read_mask
from SuperResolutionLib.progress import Progress, finish, mapped
from SuperResolutionLib.quality import regions
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.subjects import Scan

CACHE = ".cache"


@dataclass(frozen=True)
class Task:
    """One record to make: a scan under one degradation, or (without truth) as it is."""

    scan: Scan
    degradation: str | None
    mask: Path | None

    @property
    def label(self) -> str:
        """How progress and the report call it."""
        return self.scan.name if self.degradation is None else f"{self.scan.name}, {self.degradation}"


@dataclass(frozen=True)
class Outcome:
    """What came of a study: records in the order of the tasks, and a sentence for each scan that failed."""

    records: tuple[dict[str, Any], ...]
    folders: tuple[Path, ...]
    failures: dict[str, str]


def tasks(scans: Sequence[Scan], plan: Plan) -> list[Task]:
    """What there is to do. Raises InputError, before any work, for a mask that is missing or on another grid."""
    wanted = Path(plan.masks) if plan.masks is not None else None
    found = {scan: regions.mask_of(scan.path, wanted) for scan in scans}
    for scan, mask in found.items():
        if mask is not None:
            _check_mask(scan, mask, plan.series)
    degradations: tuple[str | None, ...] = plan.degradations if plan.truth else (None,)
    return [Task(scan, degradation, found[scan]) for degradation in degradations for scan in scans]


def _check_mask(scan: Scan, mask: Path, series: str | None) -> None:
    from SuperResolutionLib.study.examine import read_single

    try:
        volume = read_single(scan.path, as_intensities=True, series=series)
    except InputError:
        return  # that the scan is bad is told when its turn comes
    read_mask(mask, volume)


def working(todo: Sequence[Task], plan: Plan, out: Path, jobs: int = 1) -> Generator[Progress, None, Outcome]:
    """Do all tasks, in `jobs` processes; a step of progress is a task, which one process alone can tell in parts.

    Close it to stop: what is done stays done. Raises InputError where another process works in `out`.
    todo: as `tasks` returns it. plan: the options of the study.
    """
    with claimed_folder(out):
        return (yield from _working(todo, plan, out, jobs))


def _working(todo: Sequence[Task], plan: Plan, out: Path, jobs: int) -> Generator[Progress, None, Outcome]:
    cache = out / CACHE
    cache.mkdir(parents=True, exist_ok=True)
    for stale in cache.glob(".part-*"):  # what an interrupted study left half done
        shutil.rmtree(stale, ignore_errors=True)
    began = time.monotonic()
    done: dict[int, Path] = {}
    failures: dict[str, str] = {}
    yield Progress(0, len(todo), 0.0)
    for index, answer in _answers(todo, plan, cache, jobs):
        message, part = "", 0.0
        if isinstance(answer, float):
            part = answer
        elif isinstance(answer, Path):
            done[index] = answer
        else:
            failures[todo[index].label] = answer
            message = f"{todo[index].label}: {answer}"
        yield Progress(len(done) + len(failures), len(todo), time.monotonic() - began, message, part)
    folders = tuple(done[index] for index in sorted(done))
    records = tuple(json.loads((folder / "record.json").read_text(encoding="utf-8")) for folder in folders)
    return Outcome(records, folders, failures)


def _answers(
    todo: Sequence[Task], plan: Plan, cache: Path, jobs: int
) -> Generator[tuple[int, Path | str | float], None, None]:
    """The folder of each task's record, or why there is none, as they come; before that, what share of it is done."""
    if jobs == 1 or len(todo) == 1:
        for index, task in enumerate(todo):
            answer = yield from mapped(attempting(task, plan, cache), partial(_of_task, index))
            yield index, answer
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(min(jobs, len(todo)), get_context("spawn"), initializer=_let_the_parent_stop_us)
    try:
        waiting = {pool.submit(attempt, task, plan, cache): index for index, task in enumerate(todo)}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _of_task(index: int, share: float) -> tuple[int, Path | str | float]:
    return index, share


def _let_the_parent_stop_us() -> None:
    """Ctrl-C reaches all processes of a terminal; the parent ends the others, and where it is killed they end, too."""
    import multiprocessing
    import os
    import signal
    import threading

    def follow() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=follow, daemon=True).start()


def attempt(task: Task, plan: Plan, cache: Path) -> Path | str:
    """The folder that holds the task's record and pictures, made unless it is there; or a sentence why not."""
    return finish(attempting(task, plan, cache))


def attempting(task: Task, plan: Plan, cache: Path) -> Generator[float, None, Path | str]:
    """`attempt` as a generator of the share that is done."""
    try:
        return (yield from _filling(task, plan, cache))
    except SeriesError as error:
        return error.saying("a study takes one from a folder, so give each a folder of its own")
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or task.scan.path} cannot be used: {error.strerror or error}."


def _filling(task: Task, plan: Plan, cache: Path) -> Generator[float, None, Path]:
    """The folder appears whole or not at all."""
    mask = None if task.mask is None else files.sha256(task.mask)
    folder = cache / f"{plan.key(task.scan, mask)}-{task.degradation or 'as-it-is'}".replace(":", "-")
    if (folder / "record.json").is_file():
        return folder
    workshop = Path(tempfile.mkdtemp(prefix=".part-", dir=cache))
    try:
        record = yield from _record(task, plan, workshop)
        text = json.dumps(record, allow_nan=False)
        (workshop / "record.json").write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        workshop.replace(folder)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return folder


def _record(task: Task, plan: Plan, folder: Path) -> Generator[float, None, dict[str, Any]]:
    if task.degradation is None:
        from SuperResolutionLib.study.trust import examining_without_truth

        return examining_without_truth(task.scan, plan, folder)
    from SuperResolutionLib.study.examine import examining

    return examining(task.scan, task.mask, task.degradation, plan, folder)
