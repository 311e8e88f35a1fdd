"""The processes that a test has started, alive.

What was there when the test began is not counted: multiprocessing keeps a process of its own (its resource tracker)
from the first pool until the interpreter ends, and another test may have had one. The engine that rests after a command
is not counted either.
"""

import psutil

_before: set[psutil.Process] = set()


def begin() -> None:
    """Called before each test."""
    _before.clear()
    _before.update(set(psutil.Process().children(recursive=True)) - _resting())


def workers() -> list[psutil.Process]:
    """Every process below this one that this test has started and that has not ended."""
    return alive([p for p in psutil.Process().children(recursive=True) if p not in _before | _resting()])


def _resting() -> set[psutil.Process]:
    from SuperResolutionSlicer import process  # only here: the path to it is set after this file is imported

    pid = process.resting()
    return set() if pid is None else set(family(pid))


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(found: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    return [p for p in found if _runs(p)]


def _runs(found: psutil.Process) -> bool:
    try:
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False
