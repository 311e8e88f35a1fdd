"""Long work as a generator: it yields how far it is and returns its result. Imports nothing heavy."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")
Given = TypeVar("Given")
Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Progress:
    """How far some work is: steps done of a total, seconds since the start, and perhaps a message.

    part: the share of the step under way that is done, for work whose steps are long. expected: seconds that the whole
    will take, reckoned before anything is done; None where nobody can know.
    """

    done: int
    total: int
    seconds: float
    message: str = ""
    part: float = 0.0
    expected: float | None = None

    @property
    def left(self) -> float | None:
        """Seconds that are left at the pace so far; before anything is done what is expected, or None."""
        done = self.done + self.part
        return self.seconds / done * (self.total - done) if done else self.expected


def duration(seconds: float) -> str:
    """A time in words: 40 s, 12 min, 1.5 h."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def finish(steps: Generator[Given, None, Result], show: Callable[[Given], None] | None = None) -> Result:
    """Run work to its end, giving each event to `show`; returns its result."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if show is not None:
            show(event)


def within(
    steps: Generator[Progress, None, Result], done: int, total: int, began: float, expected: float | None = None
) -> Generator[Progress, None, Result]:
    """The events of a part as events of the whole work; returns the part's result.

    steps: the part. done: steps of the whole before it. total: of the whole. began: when the whole began, by
    time.monotonic. expected: seconds that the whole is expected to take, not the part; None where nobody knows.
    """
    return mapped(
        steps, lambda e: Progress(done + e.done, total, time.monotonic() - began, e.message, expected=expected)
    )


def mapped(work: Generator[Given, None, Result], function: Callable[[Given], Shown]) -> Generator[Shown, None, Result]:
    """Work with `function` of what it yields; returns its result, and ends it when closed."""
    try:
        while True:
            yield function(next(work))
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        work.close()
