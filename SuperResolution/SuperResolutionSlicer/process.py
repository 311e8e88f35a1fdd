"""Runs of the library's command line in a process of their own: its events, its log, its end.

Slicer's own Python never loads torch, so neither a long computation nor a crash in it can take Slicer along.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from SuperResolutionLib.errors import InputError
from SuperResolutionSlicer.locations import home

LOG_LINES = 400  # kept of what a run says
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # of Windows
LINE = 65536  # bytes after which a line without an end is taken as it is
REST = "rest"  # the event that follows a command that ended well
RESTS = 300.0  # seconds that a process waits for the next command
Event = dict[str, Any]


class EngineError(InputError):
    """A run that failed. The message is one sentence for the user; log: what the process said."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class EngineProcess:
    """A process that runs one command after another. Its standard output carries JSON events; all else goes to the log.

    Once a command has ended well, the process rests until the next one, which then need not load PyTorch again. After
    a failure it ends.
    """

    def __init__(self) -> None:
        self.command, self._environment = _command(), environment()
        self.log: deque[str] = deque([" ".join(self.command)], maxlen=LOG_LINES)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._resting = threading.Event()
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._environment, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
            cwd=home(),
            start_new_session=os.name == "posix",  # a group of its own, to be ended with the launcher's children
            creationflags=NO_WINDOW,
        )
        streams = (self._process.stdout, self._process.stderr)
        self._readers = [threading.Thread(target=self._read, args=(s,), daemon=True) for s in streams]
        for reader in self._readers:
            reader.start()

    def begin(self, arguments: list[str], folder: Path) -> None:
        """Run a command of the library, with a job's folder as the current one. Raises OSError if the process is gone.

        arguments: as on the command line. folder: goes with this process, should Slicer itself be gone.
        """
        self._resting.clear()
        self.log.append(" ".join(arguments))
        request = json.dumps({"folder": str(folder), "arguments": arguments})
        self._process.stdin.write(request.encode() + b"\n")
        self._process.stdin.flush()

    def _read(self, stream: IO[bytes]) -> None:
        for raw in iter(lambda: stream.readline(LINE), b""):
            line = raw.decode("utf-8", errors="replace").rstrip()
            event = _event(line)
            if event is None:
                self.log.append(line)
            elif event["event"] == REST:
                self._resting.set()
            else:
                self._events.put(event)

    @property
    def pid(self) -> int:
        """The number of the process that was started."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code of the command; None while it runs or still has something to say."""
        if self._resting.is_set():
            return 0
        if self._process.poll() is None or any(reader.is_alive() for reader in self._readers):
            return None
        return self._process.returncode

    @property
    def can_go_on(self) -> bool:
        """Whether it rests, and is what would be started now."""
        alike = self.command == _command() and self._environment == environment()
        return self._resting.is_set() and self._process.poll() is None and alike

    def events(self) -> list[Event]:
        """The events since the last call."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._events.get_nowait())
        return found

    def end(self) -> None:
        """End the process and its children at once; does nothing where they have ended."""
        if self._process.poll() is None:
            _end_tree(self._process)
        for stream in (self._process.stdin, *(() if self._reading else (self._process.stdout, self._process.stderr))):
            with contextlib.suppress(OSError):
                stream.close()

    @property
    def _reading(self) -> bool:
        """Whether a reader is still at work; it would hang on to a stream that is closed under it."""
        for reader in self._readers:
            reader.join(timeout=0.5)
        return any(reader.is_alive() for reader in self._readers)


class _Resting:
    """The one process that waits for the next command, for some minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: EngineProcess | None = None

    def take(self) -> EngineProcess | None:
        """The process, which is no longer here."""
        with self._lock:
            process, self._process = self._process, None
        return process

    @property
    def pid(self) -> int | None:
        """The number of the process that is here."""
        with self._lock:
            return self._process and self._process.pid

    def put(self, process: EngineProcess) -> None:
        """Let a process rest here, in place of another."""
        if other := self.take():
            other.end()
        with self._lock:
            self._process = process
        timer = threading.Timer(RESTS, self._end, (process,))
        timer.daemon = True
        timer.start()

    def _end(self, process: EngineProcess) -> None:
        with self._lock:
            if self._process is not process:
                return
            self._process = None
        process.end()


_resting = _Resting()


def end_resting() -> None:
    """End the process that waits for the next command: before packages are installed that it may hold."""
    if process := _resting.take():
        process.end()


def resting() -> int | None:
    """The number of the process that waits for the next command, if one does."""
    return _resting.pid


def running(arguments: list[str], folder: Path) -> Generator[Event, None, Event]:
    """Run a command to its end; yields its newest progress event, and returns its last event ("done").

    Closing the generator ends the process. Raises EngineError if the command fails.
    """
    process = _started(arguments, folder)
    newest: Event = {}
    failed = ""
    try:
        while True:
            code = process.code  # asked before the events are taken, so that none is missed
            for event in process.events():
                newest = event
                failed = str(event.get("message", "")) if event.get("event") == "error" else failed
            if code is not None:
                break
            yield newest
    finally:
        if process.can_go_on:
            _resting.put(process)
        else:
            process.end()
    if code != 0 or newest.get("event") != "done":
        log = "\n".join(process.log)
        raise EngineError(_reason(code, failed, log), log)
    return newest


def _started(arguments: list[str], folder: Path) -> EngineProcess:
    """A process that has begun a command: the one that rests, or a new one."""
    if process := _resting.take():
        if process.can_go_on:
            with contextlib.suppress(OSError):
                process.begin(arguments, folder)
                return process
        process.end()
    process = EngineProcess()
    with contextlib.suppress(OSError):  # it ended at once; its log says why
        process.begin(arguments, folder)
    return process


def _command() -> list[str]:
    return [interpreter(), "-u", str(Path(__file__).with_name("run_engine.py")), str(home())]


def environment() -> dict[str, str]:
    """What a process inherits: one that was started with another is not gone on with."""
    return dict(os.environ)


def interpreter() -> str:
    """Slicer's Python for child processes; outside Slicer, this very Python."""
    return shutil.which("PythonSlicer") or sys.executable


def _event(line: str) -> Event | None:
    """The event in a line; None for anything else that a program may print."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "event" in value else None


def _reason(code: int, failed: str, log: str) -> str:
    """Why a command failed, in one sentence."""
    from slicer.i18n import tr as _  # only here: this file runs outside of Slicer too

    own = [line for line in log.splitlines() if line.startswith("superresolution: ")]
    if failed or (code == 2 and own):
        return failed or own[-1].removeprefix("superresolution: ")
    killed = code in (-9, 137) or "exit abnormally" in log  # the words of PythonSlicer, whose own code is then 1
    if killed or "out of memory" in log.lower() or "MemoryError" in log:
        return _(
            "The computation was ended by the system, most likely for lack of memory (exit code {code}); "
            "close other programs, or choose the CPU under Advanced. The scene is unchanged."
        ).format(code=code)
    if "No module named" in log:
        missing = log.rsplit("No module named", 1)[1].strip().splitlines()[0].strip("' ")
        return _(
            "The Python package {missing} is missing; click Enhance again to install it, and restart Slicer."
        ).format(missing=missing)
    return _(
        "The computation stopped unexpectedly (exit code {code}); the details below say more. The scene is unchanged."
    ).format(code=code)


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children: PythonSlicer is a launcher, and ending it alone leaves the real one."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False, creationflags=NO_WINDOW)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
