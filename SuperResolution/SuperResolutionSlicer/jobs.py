"""Long work as a generator that Slicer's event loop drives: each step is short, and any step may be the last.

The work yields a Step whenever it has something to show or has to wait, and returns its result. Cancelling closes
the generator, so that its own `finally` clauses end processes and remove files.
"""

import contextlib
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import slicer
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError

T = TypeVar("T")
INTERVAL = 50  # ms between two looks at a running job
PAUSE = 0.02  # s between two looks while a script waits


@dataclass(frozen=True)
class Step:
    """How far the work is: share done from 0 to 1 (None: not known), and a short text."""

    share: float | None
    text: str


class JobError(RuntimeError):
    """Raised by Job.wait(): the work failed; the message is a sentence, `log` the details."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class JobCancelledError(JobError):
    """Raised by Job.wait(): the work was cancelled."""


class Job(Generic[T]):
    """Work under way: .progress, .cancel(), .wait(), .result.

    state: "running", then "done", "failed" or "cancelled". changed: called after every step and at the end.
    """

    def __init__(
        self, work: Generator[Step, None, T], changed: Callable[["Job[T]"], None] | None = None, start: bool = True
    ) -> None:
        self.state = "running"
        self.progress = Step(None, _("Starting"))
        self.result: T | None = None
        self.error = ""
        self.log = ""
        self._work = work
        self._changed = changed
        self._stepping = False
        self._stop = False
        self._timer: Any = None
        if start:
            self._start_timer()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self.state == "running"

    def step(self) -> None:
        """Do the next short piece; does nothing while a piece is being done, or after the end."""
        if not self.running or self._stepping:
            return
        self._stepping = True
        try:
            self.progress = next(self._work)
        except StopIteration as end:
            self.result = end.value
            self.state = "done"
        except InputError as error:
            self._fail(str(error), getattr(error, "log", ""))
        except Exception as error:
            self._fail(
                _("Something unexpected went wrong: {error}. The scene is unchanged.").format(error=error),
                traceback.format_exc(),
            )
        finally:
            self._stepping = False
        if self._stop:
            self._close()
        self._tell()

    def cancel(self) -> None:
        """Stop the work, end its processes, remove its files; does nothing after the end."""
        if not self.running:
            return
        self._stop = True
        if not self._stepping:
            self._close()
            self._tell()

    def wait(self) -> T:
        """Wait for the result while Slicer goes on handling events. Raises JobError where there is none."""
        while self.running:
            self.step()
            slicer.app.processEvents()
            time.sleep(PAUSE)
        if self.state == "cancelled":
            raise JobCancelledError(_("The work was cancelled; the scene is unchanged."))
        if self.state == "failed":
            raise JobError(self.error, self.log)
        return self.result  # type: ignore[return-value]

    def _start_timer(self) -> None:
        import qt

        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL)
        self._timer.connect("timeout()", self.step)
        self._timer.start()

    def _close(self) -> None:
        if self.running:
            with contextlib.suppress(Exception):
                self._work.close()
            self.state = "cancelled"

    def _fail(self, message: str, log: str) -> None:
        self.state, self.error, self.log = "failed", message, log

    def _tell(self) -> None:
        if not self.running and self._timer is not None:
            self._timer.stop()
            self._timer.deleteLater()  # it holds on to this job, and so to the volumes of its result
        if self._changed is not None:
            self._changed(self)
