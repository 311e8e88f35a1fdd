"""What long work is made of: a temporary folder, a run of the engine in words, a result brought into a node."""

import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from SuperResolutionLib.progress import duration, mapped
from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.jobs import Step
from SuperResolutionSlicer.process import EngineError, Event

INPUT = "input.nhdr"  # what a job's input is called on its way to the engine


@contextmanager
def folder(node: Any = None, keep: bool = False, called: str = INPUT) -> Iterator[Path]:
    """A temporary folder of a job's own, with a short name; removed at the end unless the user wants it.

    The engine's errors speak of the file it was given, as it is called there; here they come to speak of the node.
    """
    path = Path(tempfile.mkdtemp(prefix="SR-", dir=slicer.app.temporaryPath))
    try:
        yield path
    except EngineError as error:
        name = node.GetName() if node is not None else ""
        raise EngineError(str(error).replace(called, name), error.log) from error
    finally:
        if not keep:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a folder; where a process that was just ended still holds a file of it (Windows), try for a while."""
    for _attempt in range(20):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.1)


def always(text: str) -> Callable[[Any], Step]:
    """Words for work that is nearly done and has nothing to count."""
    return lambda _event: Step(1.0, text)


def counting(unit: str) -> Callable[[Event], Step]:
    """Words for the engine's progress: how many of how many, and the time left."""

    def words(event: Event) -> Step:
        total = event.get("total")
        if not total:
            return Step(1.0, _("Finishing")) if event else Step(None, _("Starting the engine"))
        return Step(event["done"] / total, f"{event['done']} of {total} {unit}" + time_left(event))

    return words


def time_left(event: Event) -> str:
    """ ", 9 s left"; nothing where the engine cannot know yet."""
    left = event.get("left")
    return "" if left is None else f", {duration(left)} left"


def exporting(source: Any, path: Path) -> Generator[Step, None, None]:
    """Write a node for the engine."""
    yield Step(0.0, _("Writing {name}").format(name=source.GetName()))
    yield from mapped(
        nodes.writing(source, path), lambda _event: Step(0.0, _("Writing {name}").format(name=source.GetName()))
    )


def importing(path: Path, source: Any, name: str) -> Generator[Step, None, Any]:
    """The node of a result, not yet in the scene."""
    return mapped(nodes.reading(path, source, name), always(_("Loading the result")))


def importing_one(path: Path, name: str) -> Generator[Step, None, Any]:
    """The scalar node of a result, of a series too; not yet in the scene."""
    return mapped(nodes.reading_one(path, name), always(_("Loading the result")))
