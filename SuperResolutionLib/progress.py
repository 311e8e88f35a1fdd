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

    part: the share of the step under way that is done, for work whose steps are long.
    """

    done: int
    total: int
    seconds: float
    message: str = ""
    part: float = 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are left at the pace so far; None before anything is done."""
        done = self.done + self.part
        return self.seconds / done * (self.total - done) if done else None


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
    steps: Generator[Progress, None, Result], done: int, total: int, began: float
) -> Generator[Progress, None, Result]:
    """The events of a part as events of the whole work; returns the part's result.

    done: steps of the whole before the part. total: of the whole. began: when the whole began, by time.monotonic.
    """
    return mapped(steps, lambda e: Progress(done + e.done, total, time.monotonic() - began, e.message))


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
