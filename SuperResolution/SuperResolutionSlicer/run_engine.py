"""What the child process runs: the library's command line, which ends when Slicer goes away.

    PythonSlicer run_engine.py HOME FOLDER COMMAND [ARGUMENT ...]

HOME holds SuperResolutionLib. FOLDER is the job's temporary folder; Slicer removes it, and if Slicer is no more
(our standard input is closed by nobody else), it is removed here. Plain Python: PythonSlicer has no slicer.app.
"""

import _thread
import os
import shutil
import sys
import threading
import time

GRACE = 2.0  # seconds in which an interrupted command may clean up after itself


def watch(folder: str) -> None:
    """Wait until standard input closes: Slicer has ended. Then interrupt the command, or end it by force."""
    while os.read(0, 1024):
        pass
    _thread.interrupt_main()
    time.sleep(GRACE)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(130)


def main() -> int:
    """Run the command in the arguments, a little less urgent than Slicer itself."""
    home, folder, *arguments = sys.argv[1:]
    threading.Thread(target=watch, args=(folder,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)
    sys.path[0] = home  # in place of this folder, whose files have common names
    from SuperResolutionLib.cli import main as run

    return run(arguments)


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not sys.exit: the thread that waits for standard input could hold up the end
