"""Three ways to show progress: a bar, JSON lines for a program that reads them, or nothing."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.progress import Progress, duration

STYLES = ("bar", "json", "none")


def add(parser: argparse.ArgumentParser) -> None:
    """--progress."""
    parser.add_argument("--progress", choices=STYLES, default="bar", help="json: one object a line")


class Reporter:
    """Silent; remembers what the network ran on, and what it said later."""

    ran = ""
    notes: tuple[str, ...] = ()

    def show(self, progress: Progress) -> None:
        """One event of the work."""
        if not self.ran:
            self.ran = progress.message
        elif progress.message:
            self.notes += (progress.message,)

    def finish(self, output: Path | None, seconds: float) -> None:
        """All is done; `output` is written, where the work has one."""

    def close(self) -> None:
        """Nothing more will come."""


class Bar(Reporter):
    """A bar on standard error with slices (or what else is counted) a second and the time left."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.bar: Any = None

    def show(self, progress: Progress) -> None:
        """Move the bar; print messages above it."""
        super().show(progress)
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(total=progress.total, unit=self.unit, file=sys.stderr, dynamic_ncols=True)
        if progress.message:
            soon = "" if progress.done or progress.left is None else f": about {duration(progress.left)}"
            self.bar.write(progress.message + soon, file=sys.stderr)
        self.bar.update(progress.done - self.bar.n)

    def finish(self, output: Path | None, seconds: float) -> None:
        """Say where the output is."""
        self.close()
        if output is not None:
            say(f"{output} written in {seconds:.1f} s. Research use only.")

    def close(self) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()


class Lines(Reporter):
    """One JSON object a line on standard output, flushed."""

    def show(self, progress: Progress) -> None:
        """Print an event."""
        super().show(progress)
        self._print(
            event="progress",
            done=progress.done,
            total=progress.total,
            part=round(progress.part, 3),
            seconds=round(progress.seconds, 3),
            left=None if progress.left is None else round(progress.left, 3),
            message=progress.message,
        )

    def finish(self, output: Path | None, seconds: float) -> None:
        """Print the last event."""
        say(
            json.dumps(
                {"event": "done", "output": None if output is None else str(output), "seconds": round(seconds, 3)}
            )
        )

    def fail(self, message: str) -> None:
        """Print why there is no output."""
        self._print(event="error", message=message)

    @staticmethod
    def _print(**fields: Any) -> None:
        print(json.dumps(fields), flush=True)


def say(line: str) -> None:
    """Print that files are written; that nobody can be told is no reason to fail, for they are."""
    try:
        print(line, flush=True)
    except OSError as error:
        print(f"warning: standard output: {error.strerror or error}; {line}", file=sys.stderr)
        close_output()


def put(line: str) -> None:
    """Print what was asked for. Raises InputError where standard output takes no more."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        close_output()
        raise InputError(f"Standard output could not be written: {error.strerror or error}.") from error


def close_output() -> None:
    """Standard output goes nowhere from now on, so that what it still holds is no error when Python ends."""
    with suppress(OSError, ValueError):  # it may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def reporter(style: str, unit: str = "slice") -> Iterator[Reporter]:
    """A reporter of a style, closed at the end; a JSON reader is told of errors as well."""
    chosen = {"bar": Bar(unit), "json": Lines(), "none": Reporter()}[style]
    try:
        yield chosen
    except InputError as error:
        if isinstance(chosen, Lines):
            chosen.fail(str(error))
        raise
    finally:
        chosen.close()
