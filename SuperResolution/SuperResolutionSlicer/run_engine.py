"""What the child process runs: the library's command line, again and again, until Slicer goes away.

    PythonSlicer run_engine.py HOME

HOME holds SuperResolutionLib. Each line of standard input is a request: {"folder": ..., "arguments": [...]}. After a
command that ended well a line {"event": "rest"} is printed, and the next one is waited for; any other exit code ends
the process. The folder is the job's temporary one; Slicer removes it, and if Slicer is no more (our standard input is
closed by nobody else), it is removed here. Plain Python: PythonSlicer has no slicer.app.
"""

import _thread
import json
import os
import queue
import shutil
import sys
import threading
import time
import warnings
from typing import Any

GRACE = 2.0  # seconds in which an interrupted command may clean up after itself


class Requests:
    """The requests of Slicer as they come, and which of them is worked on."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._folder: str | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self) -> list[str]:
        """The arguments of the next command; its folder is the current one from now on."""
        request = self._waiting.get()
        self._folder = request["folder"]
        os.chdir(self._folder)
        return list(request["arguments"])

    def done(self, home: str) -> None:
        """The folder may go. home: where we are from now on."""
        os.chdir(home)
        self._folder = None

    def _listen(self) -> None:
        """Take requests until standard input closes: Slicer has ended. Then interrupt the command, or end by force."""
        for line in sys.stdin.buffer:
            self._waiting.put(json.loads(line))
        if self._folder is not None:
            _thread.interrupt_main()
            time.sleep(GRACE)
            shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(130)


def main() -> int:
    """Run one command after another, a little less urgent than Slicer itself; returns the first code that is not 0."""
    home = sys.argv[1]
    requests = Requests()
    if hasattr(os, "nice"):
        os.nice(5)
    sys.path[0] = home  # in place of this folder, whose files have common names
    from SuperResolutionLib.cli import main as run

    while True:
        arguments = requests.next()
        with warnings.catch_warnings():  # what was warned of before is warned of again
            code = run(arguments)
        sys.stderr.flush()
        if code:
            return code
        requests.done(home)
        print('\n{"event": "rest"}', flush=True)


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not sys.exit: the thread that waits for standard input could hold up the end
