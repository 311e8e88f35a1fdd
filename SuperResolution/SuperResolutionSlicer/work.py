"""What long work is made of: a temporary folder, a run of the engine in words, a result brought into a node."""

import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.jobs import Step
from SuperResolutionSlicer.process import EngineError, Event

INPUT = "input.nhdr"  # what a job's input is called on its way to the engine


@contextmanager
def folder(node: Any = None, keep: bool = False) -> Iterator[Path]:
    """A temporary folder of a job's own, with a short name; removed at the end unless the user wants it.

    The engine's errors speak of the file it was given; here they come to speak of the node.
    """
    path = Path(tempfile.mkdtemp(prefix="SR-", dir=slicer.app.temporaryPath))
    try:
        yield path
    except EngineError as error:
        name = node.GetName() if node is not None else ""
        raise EngineError(str(error).replace(INPUT, name), error.log) from error
    finally:
        if not keep:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a folder; where a process that was just ended still holds a file of it (Windows), try for a while."""
    for _ in range(20):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.1)


def showing(events: Generator[Event, None, Event], unit: str = "slices") -> Generator[Step, None, Event]:
    """The engine's events as steps, in words."""
    try:
        while True:
            event = next(events)
            total = event.get("total")
            if not total:
                yield Step(1.0, "Finishing") if event else Step(None, "Starting the engine")
                continue
            left = event.get("left")
            words = f"{event['done']} of {total} {unit}" + ("" if left is None else f", {_duration(left)} left")
            yield Step(event["done"] / total, words)
    except StopIteration as end:
        return end.value
    finally:
        events.close()


def waiting(events: Generator[Event, None, Event], text: str) -> Generator[Step, None, Event]:
    """A quick command's events as steps that only say what is waited for."""
    try:
        while True:
            next(events)
            yield Step(1.0, text)
    except StopIteration as end:
        return end.value
    finally:
        events.close()


def importing(path: Path, source: Any, name: str) -> Generator[Step, None, Any]:
    """The node of a result; its words say what the wait is for."""
    return (yield from spread(nodes.reading(path, source, name), Step(1.0, "Loading the result")))


def spread(work: Generator[None, None, Any], step: Step) -> Generator[Step, None, Any]:
    """Work in pieces that have nothing to show, as steps."""
    try:
        while True:
            next(work)
            yield step
    except StopIteration as end:
        return end.value
    finally:
        work.close()  # lets go of a mapped file, which Windows would not remove


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
