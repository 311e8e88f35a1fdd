"""The command line: one file a command; what a command needs is imported when it runs."""

import argparse
import signal
import sys
import warnings
from contextlib import ExitStack
from types import FrameType

from SuperResolutionLib import __version__
from SuperResolutionLib.cli import (
    archive,
    bids,
    compare,
    degrade,
    devices,
    enhance,
    info,
    models,
    reporter,
    reproduce,
    study,
    tensor,
    train,
    upsample,
    view,
)
from SuperResolutionLib.errors import InputError

COMMANDS = (
    *(enhance, bids, upsample, archive, degrade, compare, study, reproduce),
    *(tensor, models, devices, train, info, view),
)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="superresolution",
        description="Super-resolution of MRI and diffusion MRI. Research use only, not a medical device.",
        epilog="example: superresolution enhance brain.nii.gz brain_sr.nii.gz",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for what the user can mend, 130 for an interruption."""
    options = parser().parse_args(arguments)
    warnings.showwarning = _show_warning
    _interrupt_on_signals()
    try:
        with ExitStack() as options.claims:  # the names of outputs, kept for this process while it works
            return int(options.run(options) or 0)
    except InputError as error:
        print(f"superresolution: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("superresolution: stopped; no unfinished output was left.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        reporter.close_output()
        return 0
    except OSError as error:
        reporter.close_output()
        print(f"superresolution: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 2


def _interrupt_on_signals() -> None:
    """What asks the process to end, or takes its terminal away, stops the work as Ctrl-C does; nohup stays in force."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _show_warning(message: Warning | str, *_details: object, **_more: object) -> None:
    print(f"warning: {message}", file=sys.stderr)
